"""What is to be known of a running cluster, and taking one of its machines out of service."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import ray
from ray._raylet import GcsClient
from ray.core.generated.autoscaler_pb2 import DrainNodeReason

from ray_backend.domain.cluster import ClusterStatus, Node, PartState
from ray_backend.domain.errors import BackendUnavailable, InvalidInput, NotFound, Unavailable
from ray_backend.serving import handles
from ray_backend.serving.names import CLUSTER_ACTOR, FACE_ACTOR, FACES_RESOURCE, RECORDS_RESOURCE
from ray_backend.settings import Settings

_LOOK_AGAIN_S = 0.5
_MOVED_WITHIN_S = 120.0


def status(settings: Settings) -> ClusterStatus:
    """Everything at this moment. Raises BackendUnavailable."""
    handles.connect(settings)
    asked = handles.get_handle(CLUSTER_ACTOR).status.remote()
    return handles.result(asked, settings.call_timeout_s)


def summary(timeout_s: float = 2.0) -> dict[str, Any]:
    """`nodes`, `draining`, `cpus`, `gpus`, `pool` and `actors` of the cluster that this process belongs to;
    what only the ClusterActor knows is None or empty while that is away."""
    try:
        with handles.our_errors():
            asked = handles.get_handle(CLUSTER_ACTOR).status.remote()
            return summed_up(handles.result(asked, timeout_s))
    except BackendUnavailable:
        known = ray.cluster_resources()
        return {
            "nodes": sum(node["Alive"] for node in ray.nodes()),
            "draining": 0,
            "cpus": known.get("CPU", 0),
            "gpus": known.get("GPU", 0),
            "pool": None,
            "actors": {},
        }


def summed_up(found: ClusterStatus) -> dict[str, Any]:
    """The same of a status that is known."""
    living = [node for node in found.nodes if node.alive]
    pool = found.pool
    return {
        "nodes": len(living),
        "draining": sum(node.draining for node in living),
        "cpus": sum(node.resources.get("CPU", 0) for node in living),
        "gpus": sum(node.resources.get("GPU", 0) for node in living),
        "pool": {
            "ready": sum(part.state is PartState.READY for part in pool.parts),
            "wanted": pool.wanted,
            "fewest": pool.fewest,
            "most": pool.most,
            "room": pool.room,
        },
        "actors": {part.name: part.state.value for part in (*found.others, *pool.parts)},
    }


def drain(settings: Settings, name: str, say: Callable[[str], None]) -> None:
    """Takes a node out of service: it gets nothing new, and its FaceEmbeddingActors move to others.

    `name` is its host name, its address, or the beginning of its id. Returns when they have moved. Raises
    NotFound, InvalidInput when the cluster cannot do without it, BackendUnavailable, and Unavailable.
    """
    if settings.ray_address.startswith("ray://"):
        raise InvalidInput(
            "Drain a machine from one of the cluster: there ROLLCALL_RAY_ADDRESS is not needed."
        )
    nodes = status(settings).nodes
    node = pick(nodes, name)
    require_others(nodes, node)
    client = GcsClient(address=ray.get_runtime_context().gcs_address)
    accepted, reason = client.drain_node(
        node.node_id, DrainNodeReason.DRAIN_NODE_REASON_PREEMPTION, "rollcall cluster drain", 0
    )
    if not accepted:
        raise Unavailable(f"Ray does not let go of {node.host}: {reason}")
    say(f"{node.host} ({node.address}) gets nothing new")
    _wait_until_moved(settings, node, say)


def pick(nodes: Sequence[Node], name: str) -> Node:
    """The one living node of this name. Raises NotFound, and InvalidInput when there are several."""
    living = [node for node in nodes if node.alive]
    found = [node for node in living if name in (node.host, node.address) or node.node_id.startswith(name)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{node.node_id[:8]} ({node.host}, {node.address})" for node in found or living)
    if not found:
        raise NotFound(f"No machine of the cluster is called {name}. There are: {known}.")
    raise InvalidInput(f"Several machines are called {name}; say which by its id: {known}.")


def require_others(nodes: Sequence[Node], node: Node) -> None:
    """Raises InvalidInput when the cluster has nobody to take over from this node."""
    if node.resources.get(RECORDS_RESOURCE):
        raise InvalidInput(
            f"{node.host} is the head: the records lie there, so the cluster cannot do without it. To stop "
            "everything, run `rollcall cluster stop` there."
        )
    others = [one for one in nodes if one.alive and not one.draining and one.node_id != node.node_id]
    if not any(one.resources.get(FACES_RESOURCE) for one in others):
        raise InvalidInput(
            f"No other machine takes FaceEmbeddingActors, so nobody would be recognised without {node.host}. "
            "Start another worker first."
        )


def _wait_until_moved(settings: Settings, node: Node, say: Callable[[str], None]) -> None:
    deadline = time.monotonic() + _MOVED_WITHIN_S
    while True:
        now = next((one for one in status(settings).nodes if one.node_id == node.node_id), None)
        left = [part for part in now.parts if part.startswith(FACE_ACTOR)] if now and now.alive else []
        if not left:
            say(f"Its FaceEmbeddingActors have moved. Now run `rollcall cluster stop` on {node.host}.")
            return
        if time.monotonic() > deadline:
            raise Unavailable(f"After two minutes {', '.join(left)} still run on {node.host}.")
        time.sleep(_LOOK_AGAIN_S)
