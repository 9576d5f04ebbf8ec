"""The fast path of the API: pictures in batches to the face actors, and straight on to the gallery."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ray_backend.domain.answers import CheckIn, Recognition
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.model import FrameAnalysis
from ray_backend.observing import origin
from ray_backend.serving.batcher import DEFAULT, BatchPolicy, MicroBatcher, Priority, Worker

# A picture, the department to look in, None for all, and what it belongs to; see `observing.origin`.
Question = tuple[bytes, str | None, str]


class BatchingRecogniser:
    """Implements `Recogniser` over coroutines that call the actors.

    `recognisers` turn lists of questions into Recognition or ImageRejected, `analysers` lists of pictures
    with their origins into FrameAnalysis or ImageRejected, one of each for each face actor; `check_in` is
    `CheckInService.check_in`. Check-ins have a queue of their own, so that a crowd of other requests
    does not stand before them.
    """

    def __init__(
        self,
        recognisers: Sequence[Worker],
        analysers: Sequence[Worker],
        check_in: Callable[..., Awaitable[CheckIn]],
        policy: BatchPolicy = DEFAULT,
    ) -> None:
        self.recognising: MicroBatcher[Question, Recognition] = MicroBatcher(recognisers, policy)
        self.analysing: MicroBatcher[tuple[bytes, str], FrameAnalysis] = MicroBatcher(analysers, policy)
        self._check_in = check_in

    def refuse_if_full(self) -> None:
        """Raises Overloaded when `recognise` would."""
        self.recognising.refuse_if_full()

    async def recognise(
        self, image: bytes, department: str | None = None, priority: Priority = Priority.PERSON
    ) -> Recognition:
        """See `Recogniser`. Raises ImageRejected, Overloaded, Unavailable."""
        return await self.recognising.submit((image, department, origin.carried()), priority)

    async def recognise_many(self, images: Sequence[bytes]) -> list[Recognition | RollcallError]:
        """One answer for each picture, in order, behind the pictures of people who wait."""
        answers = await asyncio.gather(
            *(self.recognise(image, priority=Priority.BULK) for image in images), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, RollcallError):
                raise answer
        return answers

    async def check_in(self, image: bytes, *, kiosk: str, idempotency_key: str) -> CheckIn:
        """As `Backend.check_in`. Raises ImageRejected, Overloaded, Unavailable."""
        analysis = await self.analysing.submit((image, origin.carried()))
        return await self._check_in(analysis, kiosk=kiosk, idempotency_key=idempotency_key)
