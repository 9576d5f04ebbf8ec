"""A `Recogniser` in this process: the services themselves, in threads. Without batching or queue."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ray_backend.client import Backend
from ray_backend.domain.answers import CheckIn, Recognition
from ray_backend.domain.errors import NotFound, Overloaded, RollcallError
from ray_backend.services.faces import Embed, FaceService


class LocalRecogniser:
    """`failure`, if set, is raised instead of every answer; `gate`, if set, is waited for before it.
    `full`, if set, is what a full queue says before a picture is read.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.failure: Exception | None = None
        self.full: Overloaded | None = None
        self.nearly_full = False
        self.gate: asyncio.Event | None = None
        self.cancelled = 0
        self.beside: FaceService | None = None

    def refuse_if_full(self) -> None:
        if self.full is not None:
            raise self.full

    async def recognise(self, image: bytes, department: str | None = None) -> Recognition:
        await self._ready()
        return await asyncio.to_thread(self._recognise, image, department)

    async def recognise_beside(
        self, pack_id: str, image: bytes, department: str | None = None
    ) -> Recognition:
        await self._ready()
        return await asyncio.to_thread(self._recognise_beside, pack_id, image, department)

    async def recognise_many(self, images: Sequence[bytes]) -> list[Recognition | RollcallError]:
        await self._ready()
        return [await asyncio.to_thread(self._recognise_or_say_why, image) for image in images]

    async def check_in(self, image: bytes, *, kiosk: str, idempotency_key: str) -> CheckIn:
        await self._ready()
        return await asyncio.to_thread(
            self._backend.check_in, image, kiosk=kiosk, idempotency_key=idempotency_key
        )

    async def _ready(self) -> None:
        if self.failure is not None:
            raise self.failure
        if self.gate is not None:
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise

    def _recognise(self, image: bytes, department: str | None = None) -> Recognition:
        analysis = self._backend._faces.analyse(image, Embed.ALL)
        (answer,) = self._backend._records.check_ins.recognise([analysis], [department])
        return answer

    def _recognise_beside(self, pack_id: str, image: bytes, department: str | None) -> Recognition:
        if self.beside is None or self.beside.pack.pack_id != pack_id:
            raise NotFound("This pack does not stand beside the site's own.")
        analysis = self.beside.analyse(image, Embed.ALL)
        (answer,) = self._backend._records.beside.recognise([analysis], [department])
        return answer

    def _recognise_or_say_why(self, image: bytes) -> Recognition | RollcallError:
        try:
            return self._recognise(image)
        except RollcallError as error:
            return error
