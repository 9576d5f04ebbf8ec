"""A lean HTTP/1.1 client for load: it shares the cores with what it measures, so it must cost little.

Requests are ready bytes; answers are read by httptools, the parser that uvicorn uses.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from urllib.parse import urlsplit

import httptools

from bench.faces import in_parts


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
_LATE = Reply(0, problem="TimeoutError")
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *(\d+)", re.IGNORECASE)


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

    def request(self, jpeg: bytes) -> tuple[bytes, memoryview]:
        """Everything that is sent, in two parts, with a picture that nobody has sent before."""
        start, rest = in_parts(jpeg)
        return self._head + b"%d\r\n\r\n" % (len(start) + len(rest)) + start, rest

    @cached_property
    def _head(self) -> bytes:
        return (
            f"POST {self.path} HTTP/1.1\r\nHost: {urlsplit(self.url).netloc}\r\n"
            f"Authorization: Bearer {self.key}\r\nContent-Type: image/jpeg\r\nContent-Length: "
        ).encode()


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
        self._then: Callable[[Reply], None] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._head = b""
        self._body: list[bytes] = []

    @classmethod
    async def open(cls, target: Target) -> Connection:
        """Raises OSError."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, *target.place)
        return connection

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, request: Sequence[bytes | memoryview], then: Callable[[Reply], None]) -> None:
        """Sends the request; its answer goes to `then`, sooner or later, whatever becomes of it."""
        if not self.is_open:
            then(_CLOSED)
            return
        self._then = then
        self._transport.writelines(request)

    def give_up(self) -> None:
        """The answer has not come in time: closes the connection."""
        self._settle(_LATE)
        self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._head:
            self._head = data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle(_CLOSED)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        # A parser that calls back for every header costs more than all the rest of an answer.
        told = _RETRY_AFTER.search(self._head) if status == 503 else None
        reply = Reply(status, b"".join(self._body), float(told[1]) if told else 0.0)
        self._head = b""
        self._body.clear()
        if not self._parser.should_keep_alive():
            self.close()
        self._settle(reply)

    def _settle(self, reply: Reply) -> None:
        then, self._then = self._then, None
        if then is not None:
            then(reply)


def rotated(shots: Sequence[Shot], by: int) -> list[Shot]:
    """The same shots from another start, so that many clients do not send the same ones together."""
    by %= len(shots)
    return [*shots[by:], *shots[:by]]
