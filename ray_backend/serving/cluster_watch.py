"""Looks at the cluster every second, keeps the pool, and puts together how everything is doing."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ray.exceptions import RayError

from ray_backend.domain.cluster import ClusterStatus, GalleryStatus, Node, Part, PartState
from ray_backend.domain.errors import BackendUnavailable
from ray_backend.serving import handles
from ray_backend.serving.demand import Demand
from ray_backend.serving.names import CLUSTER_ACTOR, DATABASE_ACTOR
from ray_backend.serving.pool import Limits, Placement, Pool
from ray_backend.settings import Settings

log = logging.getLogger(__name__)

_LOOK_S = 1.0
_ANSWERS_S = 1.0


def records_health() -> dict[str, Any]:
    """What `DatabaseActor.health` says, or nothing while it does not answer."""
    try:
        return handles.result(handles.get_handle(DATABASE_ACTOR).health.remote(), _ANSWERS_S)
    except BackendUnavailable:
        return {}


class ClusterWatch:
    """`records_health` gives what `DatabaseActor.health` does, or nothing while that is away."""

    def __init__(
        self,
        placement: Placement,
        settings: Settings,
        records_health: Callable[[], dict[str, Any]] = records_health,
    ) -> None:
        limits = Limits(settings.actors_min, settings.actors, settings.gpus_per_actor)
        self.pool = Pool(placement, limits)
        self._demand = Demand(limits, placement.ask_for)
        self._placement = placement
        self._records_health = records_health

    def start(self) -> None:
        """Looks once, so that the pool is known, and then every second in a thread of its own."""
        self.look()
        threading.Thread(target=self._look_on, daemon=True, name="cluster-watch").start()

    def look(self) -> None:
        """Once around; what Ray cannot tell or do now is tried again at the next look."""
        try:
            self.pool.look()
            self._demand.look(sum(queue.waiting + queue.under_way for queue in self.pool.queues()))
        except (RayError, RuntimeError, ConnectionError, TimeoutError):
            log.exception("the nodes and actors could not be looked at; they are looked at again")

    def status(self) -> ClusterStatus:
        """As of now; the pool's part is up to a second old."""
        pool, others = self.pool.status(), self.pool.others()
        health = self._records_health()
        galleries = ()
        if health:
            galleries = (GalleryStatus(DATABASE_ACTOR, health["templates"], health["gallery_version"]),)
        return ClusterStatus(
            datetime.now(UTC),
            tuple(_with_parts(node, (*others, *pool.parts)) for node in self._placement.nodes()),
            pool,
            others,
            self.pool.queues(),
            galleries,
            health.get("journal"),
        )

    def nodes(self) -> list[Node]:
        """As of now. Raises what Ray raises."""
        return self._placement.nodes()

    def ready_parts(self) -> list[str]:
        """The names of all actors that answered at the last look, but for the ClusterActor."""
        parts = (*self.pool.others(), *self.pool.status().parts)
        return [
            part.name for part in parts if part.state is not PartState.AWAY and part.name != CLUSTER_ACTOR
        ]

    def _look_on(self) -> None:
        tick = threading.Event()
        try:
            while True:
                tick.wait(_LOOK_S)
                self.look()
        finally:
            # Without this thread nobody would keep the pool; Ray starts an actor again whose process ends.
            log.exception("the cluster is no longer looked at: this process ends")
            os._exit(1)


def _with_parts(node: Node, parts: tuple[Part, ...]) -> Node:
    names = tuple(sorted(part.name for part in parts if part.node_id == node.node_id))
    return replace(node, parts=names) if node.alive else node
