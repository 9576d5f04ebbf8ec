"""Who belongs to the pool of FaceEmbeddingActors at this moment, for processes that send pictures."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from ray_backend.domain.cluster import PoolMembers, Queue
from ray_backend.domain.errors import BackendUnavailable
from ray_backend.serving import handles
from ray_backend.serving.names import CLUSTER_ACTOR

_ANSWERS_S = 1.0
_ASK_AGAIN_S = 1.0


def pool_members(queue: Queue) -> PoolMembers:
    """What the ClusterActor says, who hears in exchange what this process has; while that one is away,
    whoever has a name. Raises BackendUnavailable."""
    try:
        with handles.our_errors():
            return handles.result(handles.get_handle(CLUSTER_ACTOR).follow.remote(queue), _ANSWERS_S)
    except BackendUnavailable:
        return PoolMembers(dict.fromkeys(handles.face_actor_names(), ""))


class PoolFollower:
    """Tells an event loop which actors there are, whenever that changes, from a thread of its own.

    `queue` says what this process has. `tell` is called in the loop.
    """

    def __init__(self, queue: Callable[[], Queue], tell: Callable[[PoolMembers], None]) -> None:
        self._queue = queue
        self._tell = tell
        self._known: dict[str, str] = {}

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tells once before it returns, from the loop's own thread. Raises BackendUnavailable."""
        self._tell(self._asked())
        threading.Thread(target=self._go_on, args=(loop,), daemon=True, name="pool-follower").start()

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        pause = threading.Event()
        while not loop.is_closed():
            pause.wait(_ASK_AGAIN_S)
            try:
                before, members = self._known, self._asked()
            except BackendUnavailable:
                continue
            if before != self._known and not loop.is_closed():
                loop.call_soon_threadsafe(self._tell, members)

    def _asked(self) -> PoolMembers:
        members = pool_members(self._queue())
        for name, identity in self._known.items():
            if members.identities.get(name, identity) != identity:
                handles.forget_handle(name)
        self._known = dict(members.identities)
        return members
