"""What is known of the machines that Rollcall runs on, and of its parts on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PartState(StrEnum):
    """How a part that runs as an actor is doing.

    `STARTING`: for the first time. `AWAY`: it died and is being started again. `LEAVING`: it finishes what
    it was given and then ends, because its node is drained or fewer are needed.
    """

    READY = "ready"
    STARTING = "starting"
    AWAY = "away"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class Part:
    """One actor. `identity` is another one when an actor was replaced by a new one of its name; `node_id`
    is empty while it has no place; `pid` is 0 then."""

    name: str
    identity: str
    state: PartState
    node_id: str = ""
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """One machine, or one container. `resources` are Ray's, by name, such as `CPU` or `rollcall_faces`;
    `parts` are the names of Rollcall's actors there. One that is `draining` gets nothing new."""

    node_id: str
    host: str
    address: str
    alive: bool
    draining: bool
    resources: Mapping[str, float]
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """The FaceEmbeddingActors: between `fewest` and `most` of them are kept, there is `room` for so many
    on the nodes, and `wanted` says how many there should be now."""

    fewest: int
    most: int
    room: int
    wanted: int
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Queue:
    """What one process that sends pictures has: `waiting` here, `under_way` at the FaceEmbeddingActors."""

    name: str
    waiting: int
    under_way: int


@dataclass(frozen=True, slots=True)
class GalleryStatus:
    """A gallery by the actor that holds it. `version` grows with every change."""

    name: str
    templates: int
    version: int


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """Everything at one moment. `others` are the actors besides the pool; `galleries` is empty and
    `journal`, the number of punches that wait for the database, is None while the DatabaseActor is away."""

    at: datetime
    nodes: tuple[Node, ...]
    pool: PoolStatus
    others: tuple[Part, ...] = ()
    queues: tuple[Queue, ...] = ()
    galleries: tuple[GalleryStatus, ...] = ()
    journal: int | None = None


@dataclass(frozen=True, slots=True)
class PoolMembers:
    """The FaceEmbeddingActors that may be sent work now: each name with its `Part.identity`."""

    identities: Mapping[str, str]
