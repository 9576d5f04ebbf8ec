"""How much one caller may send: requests a minute, and bytes a request."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from ray_backend.api.problems import ApiProblem
from ray_backend.domain.errors import TooManyAttempts

_MOST_CALLERS = 10_000


class TokenBuckets:
    """One bucket a caller, filled evenly over the minute; a minute's worth may come at once.

    Buckets are kept in this process: each replica of the API has its own.
    """

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._size = float(per_minute)
        self._per_s = per_minute / 60
        self._now = now
        self._level: dict[str, tuple[float, float]] = {}

    def take(self, caller: str) -> None:
        """Counts one request. Raises TooManyAttempts. A size of 0 lets everything pass."""
        if not self._size:
            return
        now = self._now()
        level, at = self._level.get(caller, (self._size, now))
        level = min(self._size, level + (now - at) * self._per_s)
        if level < 1:
            raise TooManyAttempts(
                f"More than {self._size:.0f} requests in a minute. Send fewer, or ask for a higher limit.",
                (1 - level) / self._per_s,
            )
        if len(self._level) >= _MOST_CALLERS and caller not in self._level:
            self._forget_full(now)
        self._level[caller] = (level - 1, now)

    def _forget_full(self, now: float) -> None:
        """Whoever has been quiet for a minute has a full bucket, as a newcomer has."""
        self._level = {caller: entry for caller, entry in self._level.items() if now - entry[1] < 60}


async def read_body(receive: Receive, headers: dict[bytes, bytes], limit: int) -> bytes:
    """The whole request body. Raises a 413 problem as soon as it is known to be longer than the limit,
    and ClientDisconnect."""
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > limit:
        raise _too_large(limit)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    body = message.get("body", b"")
    if len(body) > limit:
        raise _too_large(limit)
    if not message.get("more_body"):
        return body
    chunks, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise _too_large(limit)
    return b"".join(chunks)


def _too_large(limit: int) -> ApiProblem:
    # What is still on its way is not read: the connection cannot be used again.
    detail = f"The request is too large: at most {limit / 1e6:.1f} MB are read."
    return ApiProblem(413, "request-too-large", detail, {"Connection": "close"})
