"""What a piece of work belongs to: the id of a request or of a kiosk's frame, from the browser or the API to
the write in the database.

Within a process it goes along by itself. Over to another process it goes as one short text: `carried` there,
`arrived` here.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import TypeVar

from ray_backend.observing import tracing

T = TypeVar("T")

_id: ContextVar[str] = ContextVar("rollcall_request_id", default="")
# What a program may choose as the id of its request: nothing that could break a line of a log.
_SANE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def request_id() -> str:
    """The id of what is being worked on, or an empty text."""
    return _id.get()


def new_id() -> str:
    """16 random hexadecimal digits."""
    return secrets.token_hex(8)


def sane_or_new(asked: str) -> str:
    """The id that somebody asked for if it is 1 to 64 letters, digits, dots, dashes or underscores, or else
    a new one."""
    return asked if _SANE.fullmatch(asked) else new_id()


def begin(request_id: str = "") -> str:
    """What this thread or task does from here on belongs to this request, or to a new one. Returns its id."""
    request_id = request_id or new_id()
    _id.set(request_id)
    return request_id


@contextmanager
def of(request_id: str, span: str = "") -> Iterator[str]:
    """What is done within belongs to this request; with `span` it is one in a trace, too."""
    token = _id.set(request_id or new_id())
    try:
        with tracing.span(span):
            yield _id.get()
    finally:
        _id.reset(token)


def carried() -> str:
    """The id, and behind a space the trace where one is being made: for `arrived` in another process."""
    request_id, trace = _id.get(), tracing.carried()
    return f"{request_id} {trace}" if trace else request_id


@contextmanager
def arrived(carried: str, span: str = "") -> Iterator[None]:
    """What is done within belongs to the request that was `carried` here, which may be an empty text."""
    request_id, _, trace = carried.partition(" ")
    token = _id.set(request_id)
    try:
        with tracing.continued(trace, span):
            yield
    finally:
        _id.reset(token)


def kept(work: Callable[..., T]) -> Callable[..., T]:
    """The same work for a thread of a pool, where it still belongs to what is being worked on here."""
    return partial(copy_context().run, work)


def joined(carried: Sequence[str]) -> str:
    """What belongs to several requests, as one text; empty where none of them has an id."""
    return ",".join(carried) if any(carried) else ""


def parted(joined: str, number: int) -> list[str]:
    """The same, one by one: as many as were joined, or `number` of empty texts."""
    return joined.split(",") if joined else [""] * number


def ids_of(joined: str) -> str:
    """All of their ids, without traces."""
    return ",".join(one.partition(" ")[0] for one in joined.split(","))


def trace_of(carried: str) -> str:
    """The trace of one of them, for `tracing.past`; empty where none is being made."""
    return carried.partition(" ")[2]
