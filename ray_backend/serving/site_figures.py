"""The ClusterActor's part in figures: asks actors, takes what others hand in, answers for all."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from ray_backend.domain.errors import RollcallError
from ray_backend.domain.figures import Moment
from ray_backend.observing.snapshots import Family, Snapshot
from ray_backend.serving import handles
from ray_backend.serving.history import EVERY_S
from ray_backend.serving.union import Union

log = logging.getLogger(__name__)

# Whoever reads the metrics waits for it. An actor that does not answer keeps what it said last.
_ANSWERS_S = 1.0
# Several scrapers at once get the same answers.
_FRESH_S = 0.5


class SiteFigures:
    """`parts` gives the names of the actors to ask, `own` what the ClusterActor itself has to say."""

    def __init__(self, parts: Callable[[], Sequence[str]], own: Callable[[], Snapshot]) -> None:
        self._parts = parts
        self._own = own
        self._union = Union()
        self._asking = threading.Lock()
        self._asked_at = float("-inf")

    def start(self) -> None:
        """Asks every few seconds from now on, in a thread of its own, and keeps the history."""
        threading.Thread(target=self._go_on, daemon=True, name="figures").start()

    def take(self, snapshot: Snapshot) -> None:
        """See `Union.take`: for processes that are no actors."""
        self._union.take(snapshot)

    def exposition(self, snapshot: Snapshot | None = None) -> bytes:
        """All figures in Prometheus' text format: of the actors as of now, of others as they came last.

        `snapshot` is what the process says that asks.
        """
        if snapshot is not None:
            self._union.take(snapshot)
        self._ask()
        return self._union.exposition()

    def history(self) -> tuple[Moment, ...]:
        """See `Union.history`."""
        return self._union.history()

    def _go_on(self) -> None:
        tick = threading.Event()
        while not tick.wait(EVERY_S):
            try:
                self._ask()
                self._union.note()
            except Exception:
                # Whatever a figure comes up with: without this thread there is no history.
                log.exception("the figures could not be put together; it is tried again")

    def _ask(self) -> None:
        with self._asking:
            if time.monotonic() - self._asked_at < _FRESH_S:
                return
            for snapshot in _answers(self._parts()):
                self._union.take(snapshot)
            own = self._own()
            self._union.take(_with(own, self._union.restarts()))
            self._asked_at = time.monotonic()


def _with(snapshot: Snapshot, family: Family) -> Snapshot:
    return Snapshot(snapshot.process, snapshot.node, (*snapshot.families, family))


def _answers(names: Sequence[str]) -> list[Snapshot]:
    """What those actors say that answer within a second, all asked at once."""
    calls, answers = [], []
    for name in names:
        try:
            calls.append(handles.get_handle(name).figures.remote())
        except RollcallError:
            continue
    until = time.monotonic() + _ANSWERS_S
    for call in calls:
        try:
            answers.append(handles.result(call, max(0.01, until - time.monotonic())))
        except RollcallError:
            continue
    return answers
