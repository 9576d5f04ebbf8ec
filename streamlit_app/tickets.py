"""Tickets that a page hands to its browser, which trades each for cookies, once and within a minute.

So no secret of a session ever lies in a page, where a script could read it.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_GOOD_FOR_S = 60.0
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the cookies hold."""

    session: str
    device: str


class Tickets:
    """Safe to call from several threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[Secrets, float]] = {}

    def issue(self, kept: Secrets) -> str:
        """A ticket for these cookies."""
        ticket = secrets.token_urlsafe(24)
        with self._lock:
            while len(self._waiting) >= _MOST:
                del self._waiting[next(iter(self._waiting))]
            self._waiting[ticket] = (kept, self._now() + _GOOD_FOR_S)
        return ticket

    def take(self, ticket: str) -> Secrets | None:
        """What the ticket was for, once; None for one that is used, too old or made up."""
        with self._lock:
            kept, until = self._waiting.pop(ticket, (None, 0.0))
        return kept if self._now() < until else None


tickets = Tickets()
