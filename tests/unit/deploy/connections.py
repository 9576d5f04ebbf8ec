"""Who may connect to whom, by the NetworkPolicies."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.unit.deploy.kustomized import Object
from tests.unit.deploy.pods import Pod

# Ports at which there is nothing in particular, for "any".
ANY = 45_678


@dataclass(frozen=True)
class Peer:
    """Somebody by labels; outside the namespace by those of its own namespace, too."""

    labels: dict[str, str] = field(default_factory=dict)
    namespace: dict[str, str] | None = None
    address: str = ""


def peer(pod: Pod) -> Peer:
    """A pod of ours."""
    return Peer(pod.labels)


def allowed(objects: list[Object], source: Peer, target: Peer, port: int) -> bool:
    """Whether both ends let a TCP connection through; the end that is not ours always does."""
    policies = [each["spec"] for each in objects if each["kind"] == "NetworkPolicy"]
    out = _passes(policies, source, "Egress", target, port) if source.namespace is None else True
    into = True
    if target.namespace is None and not target.address:
        into = _passes(policies, target, "Ingress", source, port)
    return out and into


def _passes(policies: list[Object], own: Peer, direction: str, other: Peer, port: int) -> bool:
    mine = [
        each
        for each in policies
        if direction in each["policyTypes"] and _matches(each["podSelector"], own.labels)
    ]
    if not mine:
        return True
    side = "from" if direction == "Ingress" else "to"
    rules = [rule for each in mine for rule in each.get(direction.lower(), ())]
    return any(_port_fits(rule, port) and _peer_fits(rule.get(side), other) for rule in rules)


def _port_fits(rule: Object, port: int) -> bool:
    if "ports" not in rule:
        return True
    return any(each["port"] == port and each.get("protocol", "TCP") == "TCP" for each in rule["ports"])


def _peer_fits(wanted: list[Object] | None, other: Peer) -> bool:
    return wanted is None or any(_one_fits(each, other) for each in wanted)


def _one_fits(wanted: Object, other: Peer) -> bool:
    if "ipBlock" in wanted:
        return wanted["ipBlock"]["cidr"] == "0.0.0.0/0" and bool(other.address)
    if other.address:
        return False
    if "namespaceSelector" in wanted:
        # Ours has no labels that anybody asks for.
        if not _matches(wanted["namespaceSelector"], other.namespace or {}):
            return False
    elif other.namespace is not None:
        return False
    return _matches(wanted.get("podSelector", {}), other.labels)


def _matches(selector: Object, labels: dict[str, str]) -> bool:
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    expressions = selector.get("matchExpressions", ())
    assert all(each["operator"] == "In" for each in expressions)
    return all(labels.get(each["key"]) in each["values"] for each in expressions)
