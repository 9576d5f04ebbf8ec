"""Keeps the pool of FaceEmbeddingActors: as many as there is room and work for, on nodes that stay.

Knows nothing of Ray: `Placement` is how it sees and moves actors.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ray_backend.domain.cluster import Node, Part, PartState, PoolMembers, PoolStatus, Queue
from ray_backend.serving.names import FACE_ACTOR, FACES_RESOURCE

# Pictures under way or waiting that one actor is to have: half a batch.
_PICTURES_EACH = 4
# More are started at once, fewer are kept only after this long without need for them.
_SHRINK_AFTER_S = 60.0
# Whoever sends pictures looks at the pool every second; by then an actor that leaves gets nothing new.
_LEAVES_AFTER_S = 3.0
# A sender that has not been heard of for so long is gone.
_SENDER_GONE_S = 10.0


class Placement(Protocol):
    """The nodes and actors of a cluster."""

    def nodes(self) -> list[Node]:
        """All nodes, dead ones too. `parts` stays empty."""

    def parts(self) -> list[Part]:
        """All of Rollcall's actors that are not gone for good."""

    def start(self, name: str) -> None:
        """Starts a FaceEmbeddingActor of this name; returns at once."""

    def stop(self, name: str) -> None:
        """Ends it for good. One that is gone already is no error."""

    def ask_for(self, actors: int) -> None:
        """Asks whoever adds nodes for room for so many FaceEmbeddingActors, until the next call."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`most` = 0: all there is room for. `fewest` = 0: as many as `most`, whatever there is to do.
    `gpus_each` is the share of a GPU that an actor takes, from 0 on."""

    fewest: int = 0
    most: int = 0
    gpus_each: float = 0.0


def room_of(nodes: Sequence[Node], gpus_each: float = 0.0) -> int:
    """How many FaceEmbeddingActors the nodes take that stay."""
    return sum(_room(node, gpus_each) for node in nodes if node.alive and not node.draining)


def _room(node: Node, gpus_each: float) -> int:
    places = int(node.resources.get(FACES_RESOURCE, 0))
    if gpus_each <= 0:
        return places
    gpus = node.resources.get("GPU", 0)
    # Below one, an actor's share lies on one GPU.
    fitting = int(gpus) * int(1 / gpus_each + 1e-9) if gpus_each < 1 else int(gpus / gpus_each)
    return min(places, fitting)


def bounds(limits: Limits, room: int) -> tuple[int, int]:
    """The fewest and the most actors that are to be kept where there is this much room."""
    most = min(limits.most or room, room)
    return min(limits.fewest or most, most), most


def wanted_size(fewest: int, most: int, pictures: int) -> int:
    """How many actors so many pictures need, under way and waiting together."""
    return max(fewest, min(most, math.ceil(pictures / _PICTURES_EACH)))


class Pool:
    """`look` compares what is with what should be, and starts and stops actors. Safe in several threads."""

    def __init__(
        self, placement: Placement, limits: Limits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._placement = placement
        self._limits = limits
        self._clock = clock
        self._lock = threading.RLock()
        self._senders: dict[str, tuple[float, Queue]] = {}
        self._leaving: dict[str, float] = {}
        self._needed: list[tuple[float, int]] = []
        self._others: tuple[Part, ...] = ()
        self._status = PoolStatus(0, 0, 0, 0)

    def follow(self, queue: Queue) -> PoolMembers:
        """What a process that sends pictures says of itself, and gets: who may be sent some."""
        with self._lock:
            self._senders[queue.name] = (self._clock(), queue)
            return self.members()

    def members(self) -> PoolMembers:
        """Who may be sent pictures now."""
        ready = [part for part in self._status.parts if part.state is PartState.READY]
        return PoolMembers({part.name: part.identity for part in ready})

    def queues(self) -> tuple[Queue, ...]:
        """What the senders have that were heard of lately."""
        with self._lock:
            since = self._clock() - _SENDER_GONE_S
            self._senders = {name: one for name, one in self._senders.items() if one[0] >= since}
            return tuple(queue for _, queue in self._senders.values())

    def status(self) -> PoolStatus:
        """As it was at the last look."""
        return self._status

    def others(self) -> tuple[Part, ...]:
        """The actors that do not belong to the pool, at the last look."""
        return self._others

    def look(self) -> None:
        """Once around. Raises what the placement raises; then nothing is lost, the next look goes on."""
        with self._lock:
            nodes, parts = self._placement.nodes(), self._placement.parts()
            self._others = tuple(part for part in parts if not part.name.startswith(FACE_ACTOR))
            faces = [part for part in parts if part.name.startswith(FACE_ACTOR)]
            faces.sort(key=lambda part: _index(part.name))
            room = room_of(nodes, self._limits.gpus_each)
            fewest, most = bounds(self._limits, room)
            wanted = self._wanted(fewest, most)
            staying = self._move(faces, nodes, wanted)
            self._status = PoolStatus(fewest, most, room, wanted, tuple(self._marked(faces)))
            self._start(wanted - len(staying), {part.name for part in faces})

    def _wanted(self, fewest: int, most: int) -> int:
        """Grows with the work at once; shrinks to the most that was needed within a minute."""
        now = self._clock()
        pictures = sum(queue.waiting + queue.under_way for queue in self.queues())
        self._needed = [(at, size) for at, size in self._needed if at > now - _SHRINK_AFTER_S]
        self._needed.append((now, wanted_size(fewest, most, pictures)))
        return max(fewest, min(most, max(size for _, size in self._needed)))

    def _move(self, faces: Sequence[Part], nodes: Sequence[Node], wanted: int) -> list[Part]:
        """Sends away who has to leave, ends who has left; returns who stays."""
        now = self._clock()
        draining = {node.node_id for node in nodes if node.draining or not node.alive}
        known = {part.name for part in faces}
        self._leaving = {name: since for name, since in self._leaving.items() if name in known}
        staying = [part for part in faces if part.name not in self._leaving]
        moving = [part for part in staying if part.node_id in draining and part.state is PartState.READY]
        staying = [part for part in staying if part not in moving]
        # Who has to move works on until somebody else is there for it.
        if len([part for part in staying if part.state is PartState.READY]) < wanted:
            moving = []
        # Who has no place, or is not there yet, goes first; then the youngest.
        order = sorted(staying, key=lambda part: (part.state is not PartState.READY, _index(part.name)))
        staying, surplus = order[:wanted], order[wanted:]
        for part in (*moving, *surplus):
            self._leaving[part.name] = now
        absent = {part.name for part in faces if part.state is not PartState.READY}
        for name, since in list(self._leaving.items()):
            if name in absent or now - since >= _LEAVES_AFTER_S:
                self._placement.stop(name)
        return staying

    def _marked(self, faces: Sequence[Part]) -> list[Part]:
        return [
            replace(part, state=PartState.LEAVING) if part.name in self._leaving else part for part in faces
        ]

    def _start(self, missing: int, taken: set[str]) -> None:
        index = 0
        while missing > 0:
            name = f"{FACE_ACTOR}-{index}"
            if name not in taken:
                self._placement.start(name)
                missing -= 1
            index += 1


def _index(name: str) -> int:
    number = name.rpartition("-")[2]
    return int(number) if number.isdigit() else 0
