"""The figures of all processes of a site, as the ClusterActor keeps them. Knows nothing of Ray."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily

from ray_backend.domain.figures import Moment
from ray_backend.observing.snapshots import Family, Figure, Snapshot, exposition
from ray_backend.serving.history import History

# Long enough for a few missed messages; then Prometheus sees that the process is gone.
GONE_AFTER_S = 60.0
_STARTED = "rollcall_process_start_seconds"


class Union:
    """Safe to call from several threads. A process that is not heard of for a minute is left out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._latest: dict[str, tuple[float, Snapshot]] = {}
        self._started: dict[str, float] = {}
        self._restarts: Counter[str] = Counter()
        self._history = History()

    def take(self, snapshot: Snapshot) -> None:
        """What one process says of itself; it replaces what it said before."""
        started = next((figure.value for figure in snapshot.figures(_STARTED)), None)
        with self._lock:
            known = self._started.get(snapshot.process)
            if started is not None and known is not None and started > known:
                self._restarts[snapshot.process] += 1
            if started is not None:
                self._started[snapshot.process] = started
            self._latest[snapshot.process] = (self._clock(), snapshot)

    def latest(self) -> list[Snapshot]:
        """What each process said last."""
        since = self._clock() - GONE_AFTER_S
        with self._lock:
            for name in [name for name, (at, _) in self._latest.items() if at < since]:
                del self._latest[name]
                # Replicas and pages' servers come under a new name each time: those are not kept.
                if not self._restarts[name]:
                    self._started.pop(name, None)
            return [snapshot for _, snapshot in self._latest.values()]

    def restarts(self) -> Family:
        """How often each process was seen to have begun anew."""
        metric = CounterMetricFamily(
            "rollcall_restarts", "How often a process was seen to have begun anew.", labels=["part"]
        )
        with self._lock:
            parts = {name: self._restarts[name] for name in self._started}
        for name, count in sorted(parts.items()):
            metric.add_metric([name], count)
        figures = tuple(Figure(one.name, one.labels, one.value) for one in metric.samples)
        return Family(metric.name, metric.documentation, metric.type, figures)

    def exposition(self, *others: Snapshot) -> bytes:
        """Everything in Prometheus' text format, these included."""
        return exposition([*self.latest(), *others])

    def note(self) -> None:
        """Adds a moment to the history; to be called every `history.EVERY_S` seconds."""
        snapshots = self.latest()
        with self._lock:
            self._history.add(datetime.now(UTC), snapshots)

    def history(self) -> tuple[Moment, ...]:
        """The last quarter of an hour, the oldest first."""
        with self._lock:
            return self._history.moments()
