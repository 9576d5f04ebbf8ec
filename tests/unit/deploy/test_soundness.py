"""The objects fit each other, and each check finds what it is there for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.unit.deploy import soundness
from tests.unit.deploy.kustomized import Object, named
from tests.unit.deploy.pods import pod, ray_service

Check = Callable[[list[Object]], Iterator[str]]
CHECKS: list[Check] = [
    soundness.references,
    soundness.rights,
    soundness.limits,
    soundness.ways,
    soundness.ray_nodes,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_nothing_is_wrong(overlay: list[Object], check: Check) -> None:
    assert not list(check(overlay))


def _main(name: str) -> Callable[[list[Object]], Object]:
    return lambda objects: pod(objects, name).main


def _worker(objects: list[Object]) -> Object:
    return ray_service(objects)["rayClusterConfig"]["workerGroupSpecs"][0]


BREAKS: list[tuple[str, Check, Callable[[list[Object]], object]]] = [
    (
        "no claim",
        soundness.references,
        lambda it: it.remove(named(it, "PersistentVolumeClaim", "rollcall-data")),
    ),
    ("no files", soundness.references, lambda it: it.remove(named(it, "ConfigMap", "rollcall-scripts"))),
    ("no settings", soundness.references, lambda it: it.remove(named(it, "ConfigMap", "rollcall-ray"))),
    (
        "no secret",
        soundness.references,
        lambda it: named(it, "Secret", "rollcall-secrets")["data"].pop("ROLLCALL_ADMIN_PASSWORD"),
    ),
    (
        "where KubeRay reads it",
        soundness.references,
        lambda it: named(it, "Secret", "rollcall-secrets")["data"].pop("auth_token"),
    ),
    ("no volume", soundness.references, lambda it: pod(it, "app").spec["volumes"].pop(0)),
    ("which is not set before", soundness.references, lambda it: _main("ray-head")(it)["env"].reverse()),
    ("as root", soundness.rights, lambda it: pod(it, "mongodb").spec["securityContext"].update(runAsUser=0)),
    ("the kernel", soundness.rights, lambda it: pod(it, "app").spec["securityContext"].pop("seccompProfile")),
    (
        "token of Kubernetes",
        soundness.rights,
        lambda it: pod(it, "ray-worker").spec.pop("automountServiceAccountToken"),
    ),
    ("the node's own", soundness.rights, lambda it: pod(it, "ray-worker").spec.update(hostNetwork=True)),
    ("more rights", soundness.rights, lambda it: _main("ray-head")(it).update(securityContext={})),
    (
        "capabilities",
        soundness.rights,
        lambda it: _main("app")(it)["securityContext"].update(
            capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}
        ),
    ),
    (
        "autoscaler: may write",
        soundness.rights,
        lambda it: ray_service(it)["rayClusterConfig"]["autoscalerOptions"]["securityContext"].pop(
            "readOnlyRootFilesystem"
        ),
    ),
    ("no limits", soundness.limits, lambda it: _main("mongodb")(it)["resources"].pop("limits")),
    ("no version", soundness.limits, lambda it: _main("app")(it).update(image="rollcall:latest")),
    ("no version", soundness.limits, lambda it: _main("app")(it).update(image="registry:5000/rollcall")),
    ("no livenessProbe", soundness.limits, lambda it: _main("app")(it).pop("livenessProbe")),
    ("not one Pod", soundness.limits, lambda it: it.remove(named(it, "PodDisruptionBudget", "ray-head"))),
    (
        "for nobody",
        soundness.limits,
        lambda it: named(it, "PodDisruptionBudget", "app")["spec"]["selector"].update(
            matchLabels={"app": "app"}
        ),
    ),
    (
        "leads to 0",
        soundness.ways,
        lambda it: named(it, "Service", "app")["spec"].update(selector={"app": "app"}),
    ),
    (
        "leads to 2",
        soundness.ways,
        lambda it: named(it, "Service", "api")["spec"]["selector"].pop("app.kubernetes.io/component"),
    ),
    (
        "nobody has a port",
        soundness.ways,
        lambda it: named(it, "Service", "ray-head")["spec"]["ports"][1].update(targetPort="api"),
    ),
    (
        "certificate",
        soundness.ways,
        lambda it: named(it, "Ingress", "rollcall")["spec"]["tls"][0]["hosts"].pop(),
    ),
    ("nothing answers", soundness.ways, lambda it: it.remove(named(it, "Service", "app"))),
    (
        "second DatabaseActor",
        soundness.ray_nodes,
        lambda it: ray_service(it)["upgradeStrategy"].update(type="NewCluster"),
    ),
    (
        "its own pods",
        soundness.ray_nodes,
        lambda it: pod(it, "ray-head").labels.update({"app.kubernetes.io/name": "rollcall"}),
    ),
    ("starts Ray itself", soundness.ray_nodes, lambda it: _main("ray-worker")(it).update(args=["cluster"])),
    (
        "never be started",
        soundness.ray_nodes,
        lambda it: _main("ray-head")(it).update(
            readinessProbe={"httpGet": {"path": "/health", "port": 8000}}
        ),
    ),
    (
        "at another port",
        soundness.ray_nodes,
        lambda it: _worker(it)["rayStartParams"].update({"metrics-export-port": "9090"}),
    ),
    (
        "records and for nothing else",
        soundness.ray_nodes,
        lambda it: ray_service(it)["rayClusterConfig"]["headGroupSpec"]["rayStartParams"].update(
            {"num-cpus": "4"}
        ),
    ),
    (
        "than it has cores",
        soundness.ray_nodes,
        lambda it: _worker(it)["rayStartParams"].update(resources="'{\"rollcall_faces\": 5}'"),
    ),
    (
        "count its GPUs differently",
        soundness.ray_nodes,
        lambda it: _worker(it)["rayStartParams"].update({"num-gpus": "1"}),
    ),
]


@pytest.mark.parametrize(("words", "check", "damage"), BREAKS, ids=[words for words, _, _ in BREAKS])
def test_each_fault_is_found(
    base: list[Object], words: str, check: Check, damage: Callable[[list[Object]], object]
) -> None:
    damage(base)
    assert any(words in problem for problem in check(base)), list(check(base))
