"""The pool of FaceEmbeddingActors as one FaceService, for processes that call from many threads."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ray_backend.domain.cluster import Queue
from ray_backend.domain.errors import BackendUnavailable, ImageRejected
from ray_backend.domain.model import FrameAnalysis, Pack
from ray_backend.observing import origin
from ray_backend.services.faces import Embed
from ray_backend.serving import handles
from ray_backend.serving.backoff import full_jitter_s
from ray_backend.serving.members import pool_members

# Actors come and go; what was known longer ago than that is asked for again. While nobody but Ray's list of
# names answers, which takes longer, that happens less often.
_KNOWN_FOR_S, _NAMES_KNOWN_FOR_S = 1.0, 5.0
# An actor whose call failed gets no other one for so long, while others do not fail.
_REST_S = 2.0
# A node that goes takes several actors with it.
_REPEATS = 2


class PooledFaces:
    """Looks like `FaceService`; spreads the work over all FaceEmbeddingActors, least loaded first, and
    follows the pool while they come and go. Every method may raise BackendUnavailable."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._in_flight: dict[str, int] = {}
        self._identities: dict[str, str] = {}
        self._rests_until: dict[str, float] = {}
        self._known_until = 0.0
        self._name = f"{socket.gethostname()}-{os.getpid()}"
        self._senders = ThreadPoolExecutor(max_workers=16, thread_name_prefix="faces")

    @property
    def pack(self) -> Pack:
        """The pack that the actors run."""
        return self._call("describe")

    @property
    def width(self) -> int:
        """How many pictures can be looked at at once."""
        self._give_back(self._take())
        return len(self._in_flight)

    def analyse(
        self,
        image: bytes,
        embed: Embed = Embed.NEAREST_GOOD,
        thumbnails: bool = False,
        liveness: bool = False,
    ) -> FrameAnalysis:
        """See `FaceService.analyse`."""
        return self._call("analyse", image, embed, thumbnails, liveness, origin.carried())

    def analyse_many(
        self,
        images: Sequence[bytes],
        embed: Embed = Embed.ALL,
        thumbnails: bool = False,
        bulk: bool = False,
    ) -> list[FrameAnalysis | ImageRejected]:
        """See `FaceService.analyse_many`. With `bulk` nobody waits for it: people's pictures come first."""
        method = "analyse_in_bulk" if bulk else "analyse_many"
        calls = [
            self._senders.submit(self._call, method, [image], embed, thumbnails, origin.carried())
            for image in images
        ]
        return [answer for call in calls for answer in call.result()]

    def _call(self, method: str, *args, repeats: int = _REPEATS) -> Any:
        """Runs on the least loaded actor, and on another one when that one dies."""
        name = self._take()
        try:
            handle = handles.get_handle(name)
            with handles.our_errors():
                return handles.result(getattr(handle, method).remote(*args), self._timeout_s)
        except BackendUnavailable:
            with self._lock:
                self._rests_until[name] = time.monotonic() + _REST_S
                self._known_until = 0.0
            if not repeats:
                raise
        finally:
            self._give_back(name)
        time.sleep(full_jitter_s(0))
        return self._call(method, *args, repeats=repeats - 1)

    def _take(self) -> str:
        with self._lock:
            self._look()
            now = time.monotonic()
            awake = {name for name in self._in_flight if self._rests_until.get(name, 0.0) <= now}
            loads = {name: self._in_flight[name] for name in awake or self._in_flight}
            least = min(loads.values())
            name = random.choice([name for name, load in loads.items() if load == least])
            self._in_flight[name] += 1
            return name

    def _look(self) -> None:
        """Learns which actors there are now, unless that was a moment ago. Raises BackendUnavailable."""
        if time.monotonic() < self._known_until:
            return
        queue = Queue(self._name, 0, sum(self._in_flight.values()))
        found = dict(pool_members(queue).identities)
        if not found:
            self._in_flight = {}
            raise BackendUnavailable(handles.AWAY)
        for name, identity in found.items():
            if self._identities.get(name, identity) != identity:
                handles.forget_handle(name)
        self._identities = found
        self._in_flight = {name: self._in_flight.get(name, 0) for name in found}
        good_for_s = _KNOWN_FOR_S if any(found.values()) else _NAMES_KNOWN_FOR_S
        self._known_until = time.monotonic() + good_for_s

    def _give_back(self, name: str) -> None:
        with self._lock:
            if self._in_flight.get(name, 0) > 0:
                self._in_flight[name] -= 1
