"""Nobody reaches anything in Kubernetes, except what has to be reached."""

from __future__ import annotations

import pytest

from tests.unit.deploy.connections import ANY, Peer, allowed, peer
from tests.unit.deploy.kustomized import Object, named
from tests.unit.deploy.pods import pod

OTHERS = {
    "anybody": Peer({}, {"kubernetes.io/metadata.name": "default"}),
    "ingress": Peer({}, {"rollcall/ingress": "true"}),
    "monitoring": Peer({}, {"rollcall/monitoring": "true"}),
    "kuberay": Peer(
        {"app.kubernetes.io/component": "kuberay-operator"}, {"kubernetes.io/metadata.name": "ray"}
    ),
    "dns": Peer({"k8s-app": "kube-dns"}, {"kubernetes.io/metadata.name": "kube-system"}),
    "internet": Peer(address="192.0.2.7"),
}
OURS = ("mongodb", "ray-head", "ray-worker", "app")
# A pod in our namespace that somebody adds some day.
NEW = Peer({"app.kubernetes.io/component": "new"})
# Who may reach whom, and at which ports; all else is refused.
NEEDED = {
    ("ray-head", "mongodb"): {27017},
    ("ray-head", "ray-worker"): {52365, 8080, ANY},
    ("ray-worker", "ray-head"): {6379, 8265, 10001, 8000, 8080, 52365, ANY},
    ("ray-worker", "ray-worker"): {8080, ANY},
    ("app", "ray-head"): {10001},
    ("kuberay", "ray-head"): {8265, 8000},
    ("ingress", "app"): {8501},
    ("ingress", "ray-head"): {8000},
    ("monitoring", "ray-head"): {8000, 8080},
    ("monitoring", "ray-worker"): {8080},
    ("ray-head", "internet"): {443, 6443},
    ("app", "internet"): {443},
    **{(one, "dns"): {53} for one in (*OURS, "new")},
}
PORTS = {
    "mongodb": {27017, ANY},
    "ray-head": {6379, 8265, 10001, 8000, 8080, 52365, ANY},
    "ray-worker": {8080, 52365, ANY},
    "app": {8501, ANY},
    "new": {ANY},
    "dns": {53, ANY},
    "internet": {25, 443, 6443, ANY},
}


def _wrong(objects: list[Object]) -> list[str]:
    """Each connection that is allowed or refused and should not be."""
    ends = OTHERS | {name: peer(pod(objects, name)) for name in OURS} | {"new": NEW}
    found = []
    for source in ends:
        for target, ports in PORTS.items():
            if source in OTHERS and target in OTHERS:
                continue
            for port in sorted(ports):
                wanted = port in NEEDED.get((source, target), set())
                wanted |= source == target == "ray-worker"
                if allowed(objects, ends[source], ends[target], port) != wanted:
                    found.append(f"{source} -> {target}:{port} {'refused' if wanted else 'allowed'}")
    return found


def test_only_what_is_needed_is_allowed(overlay: list[Object]) -> None:
    assert not _wrong(overlay)


def _policy(objects: list[Object], name: str) -> Object:
    return named(objects, "NetworkPolicy", name)["spec"]


BREAKS = {
    "anybody -> mongodb:27017 allowed": lambda it: _policy(it, "mongodb")["ingress"][0].pop("from"),
    "ray-head -> mongodb:27017 refused": lambda it: _policy(it, "mongodb").update(ingress=[]),
    "app -> ray-head:6379 allowed": lambda it: [
        _policy(it, "app")["egress"][0].pop("ports"),
        _policy(it, "ray-head")["ingress"][1].pop("ports"),
    ],
    f"anybody -> new:{ANY} allowed": lambda it: it.remove(named(it, "NetworkPolicy", "deny-all")),
    "app -> dns:53 refused": lambda it: it.remove(named(it, "NetworkPolicy", "names")),
    "ray-worker -> ray-head:6379 refused": lambda it: _policy(it, "ray-head")["ingress"].pop(0),
    "anybody -> app:8501 allowed": lambda it: _policy(it, "app")["ingress"][0]["from"][0].update(
        namespaceSelector={}
    ),
    "app -> internet:25 allowed": lambda it: _policy(it, "app")["egress"][1].pop("ports"),
}


@pytest.mark.parametrize("words", BREAKS)
def test_each_fault_is_found(base: list[Object], words: str) -> None:
    BREAKS[words](base)
    assert words in _wrong(base)
