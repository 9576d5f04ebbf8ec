"""Answers that many ask for at once are worked out once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedAnswers(Generic[T]):
    """Keeps each answer for a moment. Whoever asks while it is being worked out waits for it.

    Safe to call from several threads. Answers are handed out as they are: nobody may change them.
    """

    def __init__(self, keep_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        """`now_s` tells the time; it may be set back."""
        self._keep_s = keep_s
        self._now_s = now_s
        self._lock = threading.Lock()
        self._known: dict[Hashable, Future[T]] = {}
        self._made: dict[Hashable, float] = {}

    def get(self, key: Hashable, work: Callable[[], T]) -> T:
        """What `work` returns or raises, now or a moment ago. Errors are told to those who wait, not kept."""
        with self._lock:
            self._forget_old()
            found = self._known.get(key)
            if found is None:
                made = self._known[key] = Future()
        if found is not None:
            return found.result()
        try:
            made.set_result(work())
        except BaseException as error:
            made.set_exception(error)
            with self._lock:
                del self._known[key]
            raise
        with self._lock:
            self._made[key] = self._now_s()
        return made.result()

    def _forget_old(self) -> None:
        now = self._now_s()
        for key in [key for key, made in self._made.items() if not 0 <= now - made <= self._keep_s]:
            del self._made[key], self._known[key]
