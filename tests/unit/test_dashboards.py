"""What lies in deploy/prometheus and deploy/grafana: valid, about metrics that exist, and explained."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from ray_backend.api.metrics import Meters
from ray_backend.observing import meters
from scripts.prove_dashboards import NOT_HERE, alert_questions, configuration, dashboard_questions

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"
QUESTIONS = [*dashboard_questions(), *alert_questions()]
OURS = re.compile(r"rollcall_[a-z_]+")
PARTS = re.compile(r"_(bucket|sum|count|total)$")

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is missing; the Debian package `prometheus` has it"
)


def alerts() -> list[dict]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def promtool(*arguments: str) -> str:
    run = subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@needs_promtool
def test_the_alerts_speak_up_when_they_should_and_only_then():
    promtool("test", "rules", "alerts.test.yml")


@needs_promtool
def test_the_rules_are_valid():
    promtool("check", "rules", "alerts.yml")


@needs_promtool
def test_the_configuration_is_valid(tmp_path):
    key = tmp_path / "key"
    key.write_text("secret")
    file = tmp_path / "prometheus.yml"
    file.write_text(configuration({"rollcall": "127.0.0.1:8000", "ray": "127.0.0.1:8080"}, key))
    promtool("check", "config", str(file))


def test_every_alert_has_a_test():
    tested = yaml.safe_load((PROMETHEUS / "alerts.test.yml").read_text(encoding="utf-8"))["tests"]
    checked = [check for one in tested for check in one["alert_rule_test"]]
    speaking = {check["alertname"] for check in checked if check["exp_alerts"]}
    assert speaking == {rule["alert"] for rule in alerts()}


def test_every_alert_is_explained():
    guide = (ROOT / "docs/observability.md").read_text(encoding="utf-8")
    assert [rule["alert"] for rule in alerts() if f"`{rule['alert']}`" not in guide] == []


def metric_names() -> set[str]:
    """Every metric that the program's source makes."""
    Meters(CollectorRegistry())
    folders = [ROOT / "ray_backend/serving", ROOT / "ray_backend/api"]
    # The names of Ray's resources look alike.
    sources = [file for one in folders for file in one.glob("*.py") if file.name != "names.py"]
    named = {name for file in sources for name in re.findall(r'"(rollcall_[a-z_]+)"', file.read_text())}
    return named | {metric.name for metric in meters.REGISTRY.collect()}


def test_queries_ask_for_metrics_that_exist():
    known = metric_names()
    asked = {name for question in QUESTIONS for name in OURS.findall(question.query)}
    assert len(asked) > 25
    assert {name for name in asked if name not in known and PARTS.sub("", name) not in known} == set()


def test_every_metric_is_shown_or_explained():
    guide = (ROOT / "docs/observability.md").read_text(encoding="utf-8")
    shown = " ".join(question.query for question in QUESTIONS) + guide
    assert {name for name in metric_names() if name not in shown} == set()


def test_only_what_no_test_machine_has_goes_unproven():
    assert set(NOT_HERE) == {"rollcall_gpu_", "rollcall_packs_"}
    assert sum(question.not_here for question in QUESTIONS) == 5


def test_the_dashboard_asks_the_data_source_that_is_provisioned():
    board = json.loads((ROOT / "deploy/grafana/dashboards/rollcall.json").read_text(encoding="utf-8"))
    provisioned = (ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text(
        encoding="utf-8"
    )
    (source,) = yaml.safe_load(provisioned)["datasources"]
    targets = [target for panel in board["panels"] for target in panel.get("targets", ())]
    assert {target["datasource"]["uid"] for target in targets} == {source["uid"]}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
