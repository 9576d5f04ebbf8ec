"""Kubernetes runs the same as docker-compose.ray.yml does, with settings and commands that there are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import ray
import typer.main
import yaml
from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr

from ray_backend.cli import app
from ray_backend.serving.names import FACES_RESOURCE, RECORDS_RESOURCE
from tests.unit.deploy import agreement
from tests.unit.deploy.kustomized import K8S, Object, env_file, named, plainly
from tests.unit.deploy.pods import pod, ray_service
from tests.unit.test_architecture import ROOT

# Which ports of a machine Serve uses for itself is for machines that run several Rollcalls.
_CLAIMED = ("RAY_SERVE_DIRECT_INGRESS", "RAY_SERVE_HAPROXY_METRICS_PORT", "RAY_SERVE_HAPROXY_STATS")
_CLAIMED += ("RAY_SERVE_FALLBACK_PROXY",)
_SWITCHES = """
import json, os
before = set(os.environ)
from ray_backend.serving import environment
from ray_backend.settings import Settings
environment.prepare_node()
environment.prepare_api(Settings(api_address="0.0.0.0"))
print(json.dumps({name: os.environ[name] for name in os.environ if name not in before}))
"""


def with_compose(objects: list[Object]) -> Iterator[str]:
    return agreement.with_compose(objects, agreement.compose())


CHECKS = [with_compose, agreement.with_settings, agreement.with_serve]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_all_agree(overlay: list[Object], check: Callable[[list[Object]], Iterator[str]]) -> None:
    assert not list(check(overlay))


def _variable(objects: list[Object], name: str, variable: str) -> Object:
    (found,) = (each for each in pod(objects, name).main["env"] if each["name"] == variable)
    return found


def _serve(objects: list[Object], old: str, new: str) -> None:
    service = ray_service(objects)
    assert old in service["serveConfigV2"]
    service["serveConfigV2"] = service["serveConfigV2"].replace(old, new)


BREAKS: list[tuple[str, Callable, Callable[[list[Object]], object]]] = [
    ("is not rollcall", with_compose, lambda it: pod(it, "app").main.update(image="attendance:dev")),
    (
        "is not docker.io",
        with_compose,
        lambda it: pod(it, "mongodb").main.update(image="docker.io/library/mongo:7"),
    ),
    ("has no port {8501}", with_compose, lambda it: pod(it, "app").main.update(ports=[])),
    (
        "RAY_ADDRESS is",
        with_compose,
        lambda it: _variable(it, "app", "RAY_ADDRESS").update(value="ray://head:10001"),
    ),
    (
        "ROLLCALL_STORE is",
        with_compose,
        lambda it: _variable(it, "ray-head", "ROLLCALL_STORE").update(value="mongodb://mongodb/other"),
    ),
    (
        "is not told ROLLCALL_ADDRESS",
        with_compose,
        lambda it: _variable(it, "app", "ROLLCALL_ADDRESS").update(name="X"),
    ),
    (
        "no setting ROLLCALL_TIMEZONE",
        agreement.with_settings,
        lambda it: named(it, "ConfigMap", "rollcall-settings")["data"].update(ROLLCALL_TIMEZONE="UTC"),
    ),
    (
        "is no time zone name",
        agreement.with_settings,
        lambda it: named(it, "ConfigMap", "rollcall-settings")["data"].update(ROLLCALL_TIME_ZONE="Berlin"),
    ),
    (
        "app: listens elsewhere",
        agreement.with_settings,
        lambda it: _variable(it, "app", "ROLLCALL_PORT").update(value="80"),
    ),
    (
        "the API listens elsewhere",
        agreement.with_settings,
        lambda it: _variable(it, "ray-head", "ROLLCALL_API_ADDRESS").update(value="127.0.0.1"),
    ),
    ("another port", agreement.with_serve, lambda it: _serve(it, "port: 8000", "port: 9000")),
    ("on the head for all", agreement.with_serve, lambda it: _serve(it, "HeadOnly", "EveryNode")),
    ("proxy_location", agreement.with_serve, lambda it: _serve(it, "HeadOnly", "OnTheHead")),
    (
        "does not know",
        agreement.with_serve,
        lambda it: _serve(it, "proxy_location: HeadOnly", "proxy: HeadOnly"),
    ),
    ("there is no", agreement.with_serve, lambda it: _serve(it, "kubernetes:app", "kubernetes:api")),
    ("no builder", agreement.with_serve, lambda it: _serve(it, "kubernetes:app", "kubernetes:Settings")),
]


@pytest.mark.parametrize(("words", "check", "damage"), BREAKS, ids=[words for words, _, _ in BREAKS])
def test_each_disagreement_is_found(
    base: list[Object], words: str, check: Callable, damage: Callable[[list[Object]], object]
) -> None:
    damage(base)
    assert any(words in problem for problem in check(base)), list(check(base))


def test_the_version_of_ray_is_the_image_s(overlay: list[Object]) -> None:
    assert ray_service(overlay)["rayClusterConfig"]["rayVersion"] == ray.__version__


def test_ray_s_autoscaler_knows_what_each_pod_is_for(overlay: list[Object]) -> None:
    """By Ray's own reading of the RayCluster: what is asked for in `ClusterActor` has to be there."""
    cluster = {"metadata": {"name": "x", "namespace": "x"}, "spec": ray_service(overlay)["rayClusterConfig"]}
    kinds = _derive_autoscaling_config_from_ray_cr(cluster)["available_node_types"]
    head, worker = kinds["headgroup"], kinds["ray-worker"]
    assert head["resources"].items() >= {RECORDS_RESOURCE: 1, "CPU": 0}.items()
    assert FACES_RESOURCE not in head["resources"]
    assert worker["resources"][FACES_RESOURCE] == worker["resources"]["CPU"] == 4
    assert 0 < worker["min_workers"] < worker["max_workers"]
    # Without a fewest number the pool fills every node, and none could ever go.
    assert agreement.settings_of(overlay, "ray-head").actors_min > 0


def test_ray_reads_the_same_as_where_rollcall_starts_it() -> None:
    clean = {name: os.environ[name] for name in ("PATH", "HOME")}
    answer = subprocess.run(
        [sys.executable, "-c", _SWITCHES], cwd=ROOT, env=clean, check=True, capture_output=True, text=True
    )
    switches = json.loads(answer.stdout)
    # KubeRay sets it itself.
    assert switches.pop("RAY_AUTH_MODE") == "token"
    # `haproxy-with-rules` finds HAProxy in an image by itself, and closes nothing there.
    assert Path(switches.pop("ROLLCALL_HAPROXY_PROGRAM")).name == "haproxy"
    assert switches.pop("ROLLCALL_HAPROXY_ON_LOOPBACK") == ""
    rules = Path(switches["RAY_SERVE_HAPROXY_BINARY_PATH"]).relative_to(ROOT)
    switches["RAY_SERVE_HAPROXY_BINARY_PATH"] = f"/app/{rules}"
    wanted = {name: value for name, value in switches.items() if not name.startswith(_CLAIMED)}
    assert env_file(K8S / "base" / "ray.env") == wanted, "what environment.py sets goes into ray.env, too"


def test_mongodb_s_user_is_the_same_as_in_compose() -> None:
    ours, theirs = K8S / "base" / "scripts", ROOT / "deploy" / "compose"
    assert (ours / "mongodb-users.js").read_bytes() == (theirs / "mongodb-users.js").read_bytes()


def test_a_graphics_card_is_for_as_many_as_share_it(k8s: Path) -> None:
    objects = plainly(k8s / "overlays" / "gpu")
    share = agreement.settings_of(objects, "ray-head").gpus_per_actor
    worker = pod(objects, "ray-worker")
    assert share > 0
    assert worker.resources["rollcall_faces"] * share == float(worker.parameters["num-gpus"])
    assert agreement.settings_of(plainly(k8s / "overlays" / "cpu"), "ray-head").gpus_per_actor == 0


def test_the_app_s_command_is_there(overlay: list[Object]) -> None:
    (word,) = pod(overlay, "app").main["args"]
    assert word in typer.main.get_command(app).commands


def _job() -> Object:
    return yaml.safe_load((K8S / "import" / "job.yaml").read_text())


def test_the_import_s_command_is_there() -> None:
    assert not list(agreement.with_the_command(_job(), typer.main.get_command(app)))


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("no command", {"entrypoint": "rollcall people imports /import"}),
        ("no command", {"entrypoint": "rollcall people import /import --agree"}),
        ("a cluster that is there", {"backoffLimit": 2}),
        ("another node", {"entrypointResources": '{"rollcall_faces": 1}'}),
    ],
)
def test_an_import_that_cannot_run_is_found(words: str, change: Object) -> None:
    job = _job()
    job["spec"] |= change
    problems = list(agreement.with_the_command(job, typer.main.get_command(app)))
    assert any(words in problem for problem in problems), problems
