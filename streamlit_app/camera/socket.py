"""The kiosks' WebSocket: frames and typed codes in, answers out.

`protocol` says what may come in. Each answer is `kiosk_words.Answer` as JSON, with `type` and the `seq`
or `request_id` of what it answers; a message of the type `screen` answers nothing, but has what the page
shows of the site. The address carries `token`, the kiosk's secret, and `session`, a
random name that the page keeps for its lifetime: what is sent again after a lost connection finds its
session again and gets the same answer.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from ray_backend.client import Backend
from ray_backend.domain.errors import RollcallError, Unavailable, WrongCredentials
from ray_backend.observing import meters
from streamlit_app.camera import page_sessions, protocol
from streamlit_app.camera.modes import Mode
from streamlit_app.camera.page_sessions import PageSession, PageSessions
from streamlit_app.camera.protocol import TOKEN_WITHDRAWN, TOO_MANY, Code, Frame, NotMe, Refused
from streamlit_app.kiosk_words import Naming

MAX_MESSAGES_A_SECOND = 40
MAX_WAITING_REQUESTS = 4
CHECK_TOKEN_EVERY_S = 30.0
TELL_SCREEN_EVERY_S = 2.0
_WAY = Mode.WEBSOCKET.value
# Frames wait here for the actors, which do the work; a site has a few kiosks.
_workers = ThreadPoolExecutor(max_workers=16, thread_name_prefix="camera")


class CameraEndpoint:
    """The route's handler. `backend` gives the backend, or raises RollcallError while there is none."""

    def __init__(
        self,
        backend: Callable[[], Backend],
        naming: Callable[[], Naming],
        screen: Callable[[], dict] | None = None,
    ) -> None:
        """`naming` is how the site shows people's names, asked for each answer. `screen` is what the page's
        screen is told of the site: it gets it anew when that changes."""
        self._backend = backend
        self._screen = screen
        self._pages = PageSessions(naming)

    async def serve(self, socket: WebSocket) -> None:
        """Lets in pages of our own origin with a valid token only; everybody else gets HTTP 403."""
        token = socket.query_params.get("token", "")
        session = socket.query_params.get("session", "")
        if not same_origin(socket) or not protocol.is_name(session):
            await socket.close()
            return
        try:
            kiosk = await _in_thread(self._verify, token)
        except RollcallError:
            # Not allowed in, or nobody there to ask. The page that opened us finds out which.
            await socket.close()
            return
        await socket.accept()
        page = self._pages.enter(kiosk, session)
        meters.kiosk_came(_WAY)
        try:
            await _Conversation(socket, self._backend, token, kiosk, page, self._screen).run()
        finally:
            meters.kiosk_went(_WAY)
            self._pages.leave(kiosk, session)

    def _verify(self, token: str) -> str:
        return self._backend().access.verify_token(token)


class _Conversation:
    """One kiosk's open connection. At most one frame is worked on and one waits: the newest.

    Typed codes are never dropped and come first.
    """

    def __init__(
        self,
        socket: WebSocket,
        backend: Callable[[], Backend],
        token: str,
        kiosk: str,
        page: PageSession,
        screen: Callable[[], dict] | None,
    ) -> None:
        self._socket = socket
        self._screen = screen
        self._told: dict | None = None
        self._told_at = float("-inf")
        self._backend = backend
        self._token = token
        self._kiosk = kiosk
        self._page = page
        self._verified_at = time.monotonic()
        self._frame: Frame | None = None
        self._came_at = self._taken_came_at = 0.0
        self._requests: deque[Code | NotMe] = deque()
        self._something_came = asyncio.Event()
        self._second = 0
        self._messages_in_second = 0

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
            try:
                self._count()
                self._keep(protocol.parse(message))
            except Refused as refused:
                await self._socket.close(refused.code)
                return
            self._something_came.set()

    def _count(self) -> None:
        second = int(time.monotonic())
        self._messages_in_second = self._messages_in_second + 1 if second == self._second else 1
        self._second = second
        if self._messages_in_second > MAX_MESSAGES_A_SECOND:
            raise Refused(TOO_MANY)

    def _keep(self, asked: Frame | Code | NotMe) -> None:
        if isinstance(asked, Frame):
            meters.frame(_WAY, "received")
            if self._frame is not None:
                meters.frame(_WAY, "dropped")
            self._frame, self._came_at = asked, time.monotonic()
        elif len(self._requests) < MAX_WAITING_REQUESTS:
            self._requests.append(asked)
        else:
            raise Refused(TOO_MANY)

    def _take(self) -> Frame | Code | NotMe | None:
        if self._requests:
            return self._requests.popleft()
        frame, self._frame = self._frame, None
        self._taken_came_at = self._came_at
        return frame

    async def _work(self) -> None:
        try:
            while True:
                await self._something_came.wait()
                self._something_came.clear()
                while (asked := self._take()) is not None:
                    await self._socket.send_json(await _in_thread(self._answer, asked))
                    await self._tell_screen()
        except WrongCredentials:
            await self._socket.close(TOKEN_WITHDRAWN)
        except (WebSocketDisconnect, WebSocketDisconnected):
            # The kiosk went while we were busy, or was sent away. It asks again with the same name.
            return

    async def _tell_screen(self) -> None:
        """What an admin changed, for a page that stays open for weeks."""
        if self._screen is None or time.monotonic() - self._told_at < TELL_SCREEN_EVERY_S:
            return
        self._told_at = time.monotonic()
        now = await _in_thread(self._screen)
        if now != self._told:
            self._told = now
            await self._socket.send_json({"type": "screen", "screen": now})

    def _answer(self, asked: Frame | Code | NotMe) -> dict:
        """The message for one request. Raises WrongCredentials when the token is no longer valid."""
        try:
            backend = self._backend()
            self._check_token(backend)
        except Unavailable:
            return page_sessions.away(asked)
        message = self._page.answer(backend, self._kiosk, asked)
        if isinstance(asked, Frame) and message["state"] != "away":
            meters.answered(_WAY, time.monotonic() - self._taken_came_at)
        return message

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
