"""Photos on their way through the face pipeline: a bounded number at once, sent again while it is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from ray_backend.domain.errors import ImageRejected, Unavailable
from ray_backend.domain.model import AnalysedPhoto
from ray_backend.services.bulk_import.pace import Pace
from ray_backend.services.bulk_import.words import Reason, Why, because

T = TypeVar("T")
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0
# A photo that was sent so often while others came back is what stops the service.
_MOST_TRIES = 4


class Stopped(Exception):
    """Somebody asked the import to stop; what is done is kept."""


@dataclass(frozen=True, slots=True)
class LoadedPhoto:
    """A photo's name and its bytes."""

    label: str
    data: bytes


class Patience:
    """Repeats what finds a service away, until it is back, for `give_up_s` at most."""

    def __init__(self, stop: threading.Event, give_up_s: float) -> None:
        self._stop = stop
        self._give_up_s = give_up_s

    def call(self, work: Callable[[], T], given_up: Callable[[int], bool] = lambda tries: False) -> T:
        """What the work returns. Raises Unavailable when it stays away or `given_up` after so many tries,
        and Stopped."""
        began = time.monotonic()
        pause_s, tries = _FIRST_PAUSE_S, 0
        while True:
            try:
                return work()
            except Unavailable:
                tries += 1
                if given_up(tries) or time.monotonic() - began > self._give_up_s:
                    raise
            if self._stop.wait(pause_s):
                raise Stopped
            pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)


class Looking:
    """Looks at photos in threads of its own. Use it as a context manager."""

    def __init__(
        self,
        analyse: Callable[[Sequence[LoadedPhoto]], list[AnalysedPhoto]],
        pace: Pace,
        patience: Patience,
        stop: threading.Event,
    ) -> None:
        self._analyse = analyse
        self._pace = pace
        self._patience = patience
        self._stop = stop
        self._free = threading.Condition()
        self._in_flight = 0
        self._done = 0
        self._threads = ThreadPoolExecutor(max_workers=pace.most, thread_name_prefix="import")

    def __enter__(self) -> Looking:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def submit(self, photo: LoadedPhoto) -> Future[AnalysedPhoto | Reason]:
        """Waits until there is room, so that no more photos lie in memory than are looked at."""
        with self._free:
            while self._in_flight >= self._pace.width:
                self._free.wait()
            self._in_flight += 1
        return self._threads.submit(self._look, photo)

    def _look(self, photo: LoadedPhoto) -> AnalysedPhoto | Reason:
        try:
            return self._patiently(photo)
        finally:
            with self._free:
                self._in_flight -= 1
                self._free.notify_all()

    def _patiently(self, photo: LoadedPhoto) -> AnalysedPhoto | Reason:
        done_before = self._done

        def breaks_it(tries: int) -> bool:
            return tries >= _MOST_TRIES and self._done > done_before

        if self._stop.is_set():
            raise Stopped
        try:
            return self._patience.call(lambda: self._once(photo), breaks_it)
        except Unavailable:
            if self._done > done_before:
                return because(Why.BREAKS_RECOGNITION)
            raise

    def _once(self, photo: LoadedPhoto) -> AnalysedPhoto:
        began = time.monotonic()
        (answer,) = self._analyse([photo])
        took_s = time.monotonic() - began
        with self._free:
            self._done += 1
            if not isinstance(answer.analysis, ImageRejected):
                self._pace.note(took_s - sum(answer.analysis.timings_ms.values()) / 1000)
        return answer
