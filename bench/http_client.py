"""A lean HTTP/1.1 client for load: it shares the cores with what it measures, so it must cost little.

Requests are ready bytes; answers are read by httptools, the parser that uvicorn uses.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import httptools

from bench.faces import unlike_any_before


class Outcome(StrEnum):
    """What became of a request: the right person, a wrong or missing one, a full queue, or an error."""

    OK = "ok"
    WRONG = "wrong"
    BUSY = "busy503"
    ERROR = "errors"


@dataclass(frozen=True)
class Shot:
    """A picture and the employee id of who is in it; None for somebody who is not enrolled."""

    jpeg: bytes
    expected: str | None


@dataclass(frozen=True)
class Reply:
    """Status 0: there was no answer; `problem` says why."""

    status: int
    body: bytes = b""
    retry_after_s: float = 0.0
    problem: str = ""


_CLOSED = Reply(0, problem="connection closed")


@dataclass(frozen=True)
class Target:
    """Where the pictures go."""

    url: str
    key: str
    path: str = "/recognize"

    @property
    def place(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname, parts.port

    def request(self, jpeg: bytes) -> bytes:
        """Everything that is sent, with a picture that nobody has sent before."""
        body = unlike_any_before(jpeg)
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {urlsplit(self.url).netloc}\r\n"
            f"Authorization: Bearer {self.key}\r\nContent-Type: image/jpeg\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def people_in(body: bytes) -> list[str | None]:
    """The employee id of each face of an answer of /recognize, None where it is no match.

    Raises ValueError, KeyError and TypeError when it is no such answer.
    """
    faces = json.loads(body)["faces"]
    return [face["person"]["employee_id"] if face["decision"] == "match" else None for face in faces]


def judge(reply: Reply, expected: str | None) -> Outcome:
    """Whether the answer names the one person in the picture, and nobody else."""
    if reply.status == 503:
        return Outcome.BUSY
    if reply.status != 200:
        return Outcome.ERROR
    try:
        return Outcome.OK if people_in(reply.body) == [expected] else Outcome.WRONG
    except (ValueError, KeyError, TypeError):
        return Outcome.ERROR


class Connection(asyncio.Protocol):
    """One kept-alive connection; one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Reply] | None = None
        self._fresh()

    @classmethod
    async def open(cls, target: Target) -> Connection:
        """Raises OSError."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, *target.place)
        return connection

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes, timeout_s: float) -> Reply:
        """Sends the request and waits for its answer. Raises TimeoutError; the connection is closed then."""
        self._answer = asyncio.get_running_loop().create_future()
        if not self.is_open:
            return _CLOSED
        self._transport.write(request)
        timer = asyncio.get_running_loop().call_later(timeout_s, self._give_up)
        try:
            return await self._answer
        finally:
            timer.cancel()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _give_up(self) -> None:
        if not self._answer.done():
            self._answer.set_exception(TimeoutError())
        self.close()

    def _fresh(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._retry_after_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle(_CLOSED)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            self._retry_after_s = float(value)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        reply = Reply(self._parser.get_status_code(), b"".join(self._body), self._retry_after_s)
        if not self._parser.should_keep_alive():
            self.close()
        self._fresh()
        self._settle(reply)

    def _settle(self, reply: Reply) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(reply)


def rotated(shots: Sequence[Shot], by: int) -> list[Shot]:
    """The same shots from another start, so that many clients do not send the same ones together."""
    by %= len(shots)
    return [*shots[by:], *shots[:by]]
