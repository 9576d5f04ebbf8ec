"""prometheus-operator finds everything in Kubernetes that has figures."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.unit.deploy import kustomized
from tests.unit.deploy.kustomized import K8S, Object, by_kustomize, named
from tests.unit.deploy.pods import pods
from tests.unit.test_architecture import ROOT

MONITORS = list(yaml.safe_load_all((K8S / "monitoring" / "monitors.yaml").read_text()))


def test_the_api_s_service_and_its_key_are_there(base: list[Object]) -> None:
    spec = named(MONITORS, "ServiceMonitor", "rollcall")["spec"]
    wanted = spec["selector"]["matchLabels"].items()
    services = [each for each in base if each["kind"] == "Service"]
    (found,) = (each for each in services if wanted <= each["metadata"].get("labels", {}).items())
    (endpoint,) = spec["endpoints"]
    assert endpoint["port"] in {port["name"] for port in found["spec"]["ports"]}
    key = endpoint["authorization"]["credentials"]
    assert key["key"] in named(base, "Secret", key["name"])["data"]


def test_every_node_of_ray_has_its_port(base: list[Object]) -> None:
    spec = named(MONITORS, "PodMonitor", "ray")["spec"]
    (asked,) = spec["selector"]["matchExpressions"]
    nodes = [each for each in pods(base) if each.parameters is not None]
    assert {each.labels[asked["key"]] for each in nodes} == set(asked["values"])
    (endpoint,) = spec["podMetricsEndpoints"]
    assert all(endpoint["port"] in each.ports for each in nodes)


def test_the_alerts_ask_for_the_jobs_that_there_are() -> None:
    asked = set(re.findall(r'job="(\w+)"', (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text()))
    ends = (*MONITORS[0]["spec"]["endpoints"], *MONITORS[1]["spec"]["podMetricsEndpoints"])
    names = {
        each["replacement"] for end in ends for each in end["relabelings"] if each["targetLabel"] == "job"
    }
    assert asked <= names == {"rollcall", "ray"}
    assert asked


@pytest.mark.skipif(not kustomized.command(), reason="neither kustomize nor kubectl is installed")
def test_it_is_added_to_an_overlay_by_one_line(k8s: Path, tmp_path: Path) -> None:
    shutil.copytree(k8s, tmp_path / "k8s")
    overlay = tmp_path / "k8s" / "overlays" / "cpu"
    with (overlay / "kustomization.yaml").open("a") as file:
        file.write("components: [../../monitoring]\n")
    added: list[Object] = [each for each in by_kustomize(overlay) if each["kind"].endswith("Monitor")]
    assert {each["metadata"]["name"] for each in added} == {"rollcall", "ray"}
    assert {each["metadata"]["namespace"] for each in added} == {"rollcall"}
