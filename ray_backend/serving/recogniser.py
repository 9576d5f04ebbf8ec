"""The fast path of the API: pictures go in batches to the face actors, faces in batches to the gallery."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ray_backend.domain.answers import CheckIn, Recognition
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.model import FrameAnalysis
from ray_backend.serving.batcher import DEFAULT, BatchPolicy, MicroBatcher, Priority, Worker

# Searching is quick: it takes what has gathered since the last search, and waits for nothing.
_SEARCH = BatchPolicy(max_batch=64, max_wait_s=0.0, calls_per_worker=2, max_waiting=4096)


class BatchingRecogniser:
    """Implements `Recogniser` over coroutines that call the actors.

    `analysers` turn lists of pictures into FrameAnalysis or ImageRejected, one for each face actor;
    `search` turns lists of FrameAnalysis into Recognition; `check_in` is `CheckInService.check_in`.
    """

    def __init__(
        self,
        analysers: Sequence[Worker],
        search: Worker,
        check_in: Callable[..., Awaitable[CheckIn]],
        policy: BatchPolicy = DEFAULT,
    ) -> None:
        self.analysing: MicroBatcher[bytes, FrameAnalysis] = MicroBatcher(analysers, policy)
        self.searching: MicroBatcher[FrameAnalysis, Recognition] = MicroBatcher([search], _SEARCH)
        self._check_in = check_in

    async def recognise(self, image: bytes, priority: Priority = Priority.PERSON) -> Recognition:
        """Who is in the picture; records nothing. Raises ImageRejected, Overloaded, Unavailable."""
        return await self.searching.submit(await self.analysing.submit(image, priority))

    async def recognise_many(self, images: Sequence[bytes]) -> list[Recognition | RollcallError]:
        """One answer for each picture, in order, behind the pictures of people who wait."""
        answers = await asyncio.gather(
            *(self.recognise(image, Priority.BULK) for image in images), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, RollcallError):
                raise answer
        return answers

    async def check_in(self, image: bytes, *, kiosk: str, idempotency_key: str) -> CheckIn:
        """As `Backend.check_in`. Raises ImageRejected, Overloaded, Unavailable."""
        analysis = await self.analysing.submit(image)
        return await self._check_in(analysis, kiosk=kiosk, idempotency_key=idempotency_key)
