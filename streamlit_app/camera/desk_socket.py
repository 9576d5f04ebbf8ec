"""The WebSocket of the cameras on the admin's pages: frames and buttons in, answers out.

Binary: a frame as `protocol` has it. Text: `{"type": "skip"}`, `{"type": "restart"}` or
`{"type": "retake", "target": "left"}`; what it changes shows in the next frame's answer. The address carries
`token`, the page's permit (see `desks`), and `session`, a random name that the page keeps.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from ray_backend.domain.enrolment.words import Target
from ray_backend.domain.errors import AccessDenied
from streamlit_app.camera import desks, protocol
from streamlit_app.camera.desks import Desk, Desks, Wish
from streamlit_app.camera.protocol import NOT_UNDERSTOOD, TOKEN_WITHDRAWN, TOO_LARGE, TOO_MANY, Frame, Refused
from streamlit_app.camera.socket import same_origin

MAX_MESSAGES_A_SECOND = 40
_workers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="desk")


class DeskEndpoint:
    """The route's handler."""

    def __init__(self, open_desks: Desks) -> None:
        self._desks = open_desks

    async def serve(self, socket: WebSocket) -> None:
        """Lets in the page of a desk, from our own origin; everybody else gets HTTP 403."""
        permit = socket.query_params.get("token", "")
        session = socket.query_params.get("session", "")
        allowed = same_origin(socket) and protocol.is_name(session)
        desk = self._desks.enter(permit, session) if allowed else None
        if desk is None:
            await socket.close()
            return
        await socket.accept()
        desk.entered()
        del desk  # a connection must not keep alive what its page has let go of
        try:
            await self._converse(socket, permit)
        except Refused as refused:
            await socket.close(refused.code)
        except (WebSocketDisconnect, WebSocketDisconnected):
            return

    async def _converse(self, socket: WebSocket, permit: str) -> None:
        """One message after the other: the page sends a frame when it has the answer to the one before."""
        pace = _Pace()
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            pace.count()
            asked = parse(message)
            desk = self._desks.get(permit)
            if desk is None:
                raise Refused(TOKEN_WITHDRAWN)
            try:
                answer = await asyncio.get_running_loop().run_in_executor(_workers, _answer, desk, asked)
            except AccessDenied:
                raise Refused(TOKEN_WITHDRAWN) from None
            del desk
            if answer is not None:
                await socket.send_json(answer)


class _Pace:
    def __init__(self) -> None:
        self._second = 0
        self._messages = 0

    def count(self) -> None:
        """Counts one message. Raises Refused when there are too many."""
        second = int(time.monotonic())
        self._messages = self._messages + 1 if second == self._second else 1
        self._second = second
        if self._messages > MAX_MESSAGES_A_SECOND:
            raise Refused(TOO_MANY)


def parse(message: Mapping[str, Any]) -> Frame | Wish:
    """What an ASGI `websocket.receive` message holds. Raises Refused."""
    if message.get("bytes") is not None:
        return protocol.parse(message)
    text = message.get("text") or ""
    if len(text) > protocol.MAX_TEXT_BYTES:
        raise Refused(TOO_LARGE)
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(NOT_UNDERSTOOD) from None
    match said:
        case {"type": "skip" | "restart" as kind, **rest} if not rest:
            return Wish(kind)
        case {"type": "retake", "target": str(target), **rest} if not rest and target in set(Target):
            return Wish("retake", Target(target))
    raise Refused(NOT_UNDERSTOOD)


def _answer(desk: Desk, asked: Frame | Wish) -> dict | None:
    if isinstance(asked, Wish):
        desk.wish(asked)
        return None
    return {"type": "frame", "seq": asked.seq} | desks.answer(desk, asked.image)
