"""Whose turn it is at a model that does one thing at a time: people who wait come before bulk work."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

# Where people never stop coming, bulk work gets one turn in this long, so that it ends at all.
_PATIENCE_S = 1.0


class Turns:
    """One turn at a time, for people in the order in which they came.

    Nobody who waits in person ever waits for more than one turn of bulk work.
    """

    def __init__(self, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._busy = False
        self._people: deque[object] = deque()
        self._bulk_is_due = False
        self._last_bulk = float("-inf")

    @contextmanager
    def person(self) -> Iterator[None]:
        """A turn for somebody who waits."""
        ticket = object()
        with self._changed:
            self._people.append(ticket)
            try:
                self._changed.wait_for(
                    lambda: not self._busy and not self._bulk_is_due and self._people[0] is ticket
                )
            finally:
                self._people.remove(ticket)
            self._busy = True
        try:
            yield
        finally:
            self._give_back()

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """A turn for bulk work, to be taken for one picture at a time."""
        with self._changed:
            asked_at = time.monotonic()
            while self._busy or (self._people and not self._bulk_is_due):
                due_in_s = max(asked_at, self._last_bulk) + self._patience_s - time.monotonic()
                if due_in_s <= 0 and not self._bulk_is_due:
                    self._bulk_is_due = True
                    continue
                self._changed.wait(due_in_s if due_in_s > 0 else None)
            self._busy, self._bulk_is_due, self._last_bulk = True, False, time.monotonic()
        try:
            yield
        finally:
            self._give_back()

    def _give_back(self) -> None:
        with self._changed:
            self._busy = False
            self._changed.notify_all()
