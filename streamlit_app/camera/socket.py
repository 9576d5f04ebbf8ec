"""The kiosks' WebSocket: frames in, answers out.

A frame is its number (4 bytes, big endian) followed by a picture. Each answer is `Answer.message` as
JSON. The address carries `token`, the kiosk's secret, and `session`, a random name that the page
keeps for its lifetime: a frame that is sent again after a lost connection has the same key and makes
the same punch.

Close codes: 1003 not a frame, 1008 too many frames, 1009 frame too large, 4401 token withdrawn.
"""

from __future__ import annotations

import asyncio
import re
import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketDisconnect

from ray_backend.client import Backend
from ray_backend.domain.errors import ImageRejected, RollcallError, Unavailable, WrongCredentials
from streamlit_app import presenters

MAX_FRAME_BYTES = 1_000_000
MAX_FRAMES_A_SECOND = 40
CHECK_TOKEN_EVERY_S = 30.0
NOT_A_FRAME, TOO_MANY, TOO_LARGE, TOKEN_WITHDRAWN = 1003, 1008, 1009, 4401
_NUMBER = struct.Struct(">I")
_SESSION = re.compile(r"[A-Za-z0-9-]{8,64}")
# Frames wait here for the actors, which do the work; a site has a few kiosks.
_workers = ThreadPoolExecutor(max_workers=16, thread_name_prefix="camera")


class CameraEndpoint:
    """The route's handler. `backend` gives the backend, or raises RollcallError while there is none."""

    def __init__(self, backend: Callable[[], Backend]) -> None:
        self._backend = backend

    async def serve(self, socket: WebSocket) -> None:
        """Lets in pages of our own origin with a valid token only; everybody else gets HTTP 403."""
        token = socket.query_params.get("token", "")
        session = socket.query_params.get("session", "")
        if not same_origin(socket) or not _SESSION.fullmatch(session):
            await socket.close()
            return
        try:
            kiosk = await _in_thread(self._verify, token)
        except RollcallError:
            # Not allowed in, or nobody there to ask. The page that opened us finds out which.
            await socket.close()
            return
        await socket.accept()
        await _Conversation(socket, self._backend, token, kiosk, session).run()

    def _verify(self, token: str) -> str:
        return self._backend().access.verify_token(token)


class _Conversation:
    """One kiosk's open connection. At most one frame is worked on and one waits: the newest."""

    def __init__(
        self, socket: WebSocket, backend: Callable[[], Backend], token: str, kiosk: str, session: str
    ) -> None:
        self._socket = socket
        self._backend = backend
        self._token = token
        self._kiosk = kiosk
        self._session = session
        self._verified_at = time.monotonic()
        self._newest: bytes | None = None
        self._frame_came = asyncio.Event()
        self._second = 0
        self._frames_in_second = 0

    async def run(self) -> None:
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._work())]
        done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        await asyncio.wait(tasks)
        for task in done:
            task.result()

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            frame = message.get("bytes")
            problem = self._problem(frame)
            if problem is not None:
                await self._socket.close(problem)
                return
            self._newest = frame
            self._frame_came.set()

    def _problem(self, frame: bytes | None) -> int | None:
        """The close code for what nobody's camera sends."""
        if frame is None or len(frame) <= _NUMBER.size:
            return NOT_A_FRAME
        if len(frame) > MAX_FRAME_BYTES:
            return TOO_LARGE
        second = int(time.monotonic())
        self._frames_in_second = self._frames_in_second + 1 if second == self._second else 1
        self._second = second
        return TOO_MANY if self._frames_in_second > MAX_FRAMES_A_SECOND else None

    async def _work(self) -> None:
        try:
            while True:
                await self._frame_came.wait()
                self._frame_came.clear()
                await self._socket.send_json(await _in_thread(self._answer, self._newest))
        except WrongCredentials:
            await self._socket.close(TOKEN_WITHDRAWN)
        except WebSocketDisconnect:
            # The kiosk went while we were busy. It asks again with the same key.
            return

    def _answer(self, frame: bytes) -> dict:
        """The message for one frame. Raises WrongCredentials when the token is no longer valid."""
        (seq,) = _NUMBER.unpack_from(frame)
        key = f"{self._kiosk}/{self._session}/{seq}"
        try:
            backend = self._backend()
            self._check_token(backend)
            check_in = backend.check_in(frame[_NUMBER.size :], kiosk=self._kiosk, idempotency_key=key)
        except ImageRejected:
            return presenters.UNREADABLE.message(seq)
        except Unavailable:
            return presenters.NO_ANSWER.message(seq)
        return presenters.answer_to(check_in, key).message(seq)

    def _check_token(self, backend: Backend) -> None:
        if time.monotonic() - self._verified_at < CHECK_TOKEN_EVERY_S:
            return
        backend.access.verify_token(self._token)
        self._verified_at = time.monotonic()


def same_origin(socket: WebSocket) -> bool:
    """Whether the page that opened this connection came from the address that it talks to."""
    origin = urlsplit(socket.headers.get("origin", ""))
    host = socket.headers.get("host", "")
    return bool(origin.netloc) and origin.scheme in ("http", "https") and origin.netloc == host


async def _in_thread(work: Callable, *args):
    return await asyncio.get_running_loop().run_in_executor(_workers, work, *args)
