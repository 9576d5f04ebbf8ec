"""The state of a cluster as `rollcall cluster status` prints it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ray_backend.domain.cluster import ClusterStatus, Node, Part

_SHOWN_RESOURCES = {"CPU": "cores", "GPU": "GPUs", "rollcall_faces": "faces"}


def as_json(status: ClusterStatus) -> dict[str, Any]:
    """All of it, for programs; times as ISO 8601."""
    return asdict(status) | {"at": status.at.isoformat()}


def show(status: ClusterStatus, console: Console) -> None:
    """All of it, for people."""
    console.print(_nodes(status))
    console.print(_parts(status))
    pool = status.pool
    ready = sum(part.state == "ready" for part in pool.parts)
    console.print(
        f"FaceEmbeddingActors: {ready} ready, {pool.wanted} wanted, between {pool.fewest} and {pool.most}; "
        f"there is room for {pool.room}.",
        soft_wrap=True,
    )
    for queue in status.queues:
        console.print(
            f"Queue of {escape(queue.name)}: {queue.waiting} wait, {queue.under_way} are under way.",
            soft_wrap=True,
        )
    for gallery in status.galleries:
        console.print(
            f"Gallery in {gallery.name}: {gallery.templates} templates, version {gallery.version}.",
            soft_wrap=True,
        )
    if status.journal is None:
        console.print("[red]The DatabaseActor does not answer.[/]")
    elif status.journal:
        console.print(f"[yellow]{status.journal} punches wait for the database.[/]")


def _nodes(status: ClusterStatus) -> Table:
    table = Table("machine", "address", "id", "state", *_SHOWN_RESOURCES.values(), title="Machines")
    for node in status.nodes:
        amounts = [f"{node.resources.get(name, 0):g}" for name in _SHOWN_RESOURCES]
        table.add_row(escape(node.host), node.address, node.node_id[:8], _state(node), *amounts)
    return table


def _state(node: Node) -> str:
    if not node.alive:
        return "[red]gone[/]"
    if node.draining:
        return "[yellow]drained[/]"
    return "head" if node.resources.get("rollcall_records") else "works"


def _parts(status: ClusterStatus) -> Table:
    hosts = {node.node_id: f"{node.host} ({node.address})" for node in status.nodes}
    table = Table("actor", "state", "machine", "process", title="Actors")
    parts: list[Part] = sorted((*status.others, *status.pool.parts), key=lambda part: part.name)
    for part in parts:
        table.add_row(part.name, part.state.value, escape(hosts.get(part.node_id, "")), str(part.pid or ""))
    return table
