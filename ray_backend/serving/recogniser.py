"""The fast path of the API: pictures in batches to the face actors, and straight on to the gallery."""

from __future__ import annotations

import asyncio
import math
import os
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ray_backend.domain.answers import CheckIn, Recognition
from ray_backend.domain.cluster import PoolMembers, Queue
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.model import FrameAnalysis
from ray_backend.observing import origin
from ray_backend.serving.batcher import DEFAULT, BatchPolicy, MicroBatcher, Worker
from ray_backend.serving.beside import BesideRecogniser

# A picture, the department to look in, None for all, and what it belongs to; see `observing.origin`.
Question = tuple[bytes, str | None, str]
# Makes the worker of the face actor of this name.
WorkerOf = Callable[[str], Worker]


@dataclass(frozen=True, slots=True)
class Workers:
    """What a face actor is used for: `recognise` turns lists of questions into Recognition or
    ImageRejected, `recognise_in_bulk` does the same whenever nobody waits, `analyse` turns lists of
    pictures with their origins into FrameAnalysis or ImageRejected, and `recognise_beside` lists of
    BesideQuestion into Recognition or ImageRejected."""

    recognise: WorkerOf
    recognise_in_bulk: WorkerOf
    analyse: WorkerOf
    recognise_beside: WorkerOf


class BatchingRecogniser:
    """Implements `Recogniser` over coroutines that call the actors; `check_in` is `CheckInService.check_in`.

    There are no actors until `set_members` has named them. Check-ins have a queue of their own, so that a
    crowd of other requests does not stand before them, and so has bulk work, which the actors do when
    nobody waits.
    """

    def __init__(
        self, workers: Workers, check_in: Callable[..., Awaitable[CheckIn]], policy: BatchPolicy = DEFAULT
    ) -> None:
        self.recognising: MicroBatcher[Question, Recognition] = MicroBatcher([], policy)
        self.in_bulk: MicroBatcher[Question, Recognition] = MicroBatcher(
            [], replace(policy, patience_s=math.inf)
        )
        self.analysing: MicroBatcher[tuple[bytes, str], FrameAnalysis] = MicroBatcher([], policy)
        self.beside = BesideRecogniser(policy)
        self._workers = workers
        self._check_in = check_in

    @property
    def queues(self) -> dict[str, MicroBatcher]:
        """All queues, by what they are for."""
        return {
            "recognise": self.recognising,
            "bulk": self.in_bulk,
            "check_in": self.analysing,
            "beside": self.beside.queue,
        }

    def queue(self) -> Queue:
        """What this process has of everything."""
        queues = self.queues.values()
        waiting, under_way = (sum(getattr(q, what) for q in queues) for what in ("waiting", "under_way"))
        return Queue(f"API {socket.gethostname()}-{os.getpid()}", waiting, under_way)

    def set_members(self, members: PoolMembers) -> None:
        """From now on these actors do the work. To be called in the event loop."""
        for queue, worker_of in (
            (self.recognising, self._workers.recognise),
            (self.in_bulk, self._workers.recognise_in_bulk),
            (self.analysing, self._workers.analyse),
            (self.beside.queue, self._workers.recognise_beside),
        ):
            queue.set_workers(_named(worker_of, members.identities.items()))

    @property
    def nearly_full(self) -> bool:
        """See `Recogniser`."""
        return self.recognising.nearly_full

    def refuse_if_full(self) -> None:
        """Raises Overloaded when `recognise` would."""
        self.recognising.refuse_if_full()

    async def recognise(self, image: bytes, department: str | None = None) -> Recognition:
        """See `Recogniser`. Raises ImageRejected, Overloaded, Unavailable."""
        answer = await self.recognising.submit((image, department, origin.carried()))
        if self.beside.pack is not None:
            self.beside.compare(image, department, answer)
        return answer

    async def recognise_beside(
        self, pack_id: str, image: bytes, department: str | None = None
    ) -> Recognition:
        """See `Recogniser`. Raises NotFound, ImageRejected, Overloaded, Unavailable."""
        return await self.beside.recognise(pack_id, image, department)

    async def recognise_many(self, images: Sequence[bytes]) -> list[Recognition | RollcallError]:
        """One answer for each picture, in order, behind the pictures of people who wait."""
        whose = origin.carried()
        answers = await asyncio.gather(
            *(self.in_bulk.submit((image, None, whose)) for image in images), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, RollcallError):
                raise answer
        return answers

    async def check_in(self, image: bytes, *, kiosk: str, idempotency_key: str) -> CheckIn:
        """As `Backend.check_in`. Raises ImageRejected, Overloaded, Unavailable."""
        analysis = await self.analysing.submit((image, origin.carried()))
        return await self._check_in(analysis, kiosk=kiosk, idempotency_key=idempotency_key)


def _named(worker_of: WorkerOf, identities: Iterable[tuple[str, str]]) -> dict[str, Worker]:
    """An actor that was replaced by another one of its name counts as another worker."""
    return {f"{name} {identity}": worker_of(name) for name, identity in identities}
