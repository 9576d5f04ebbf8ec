"""What Prometheus reads of the engine behind the API: queues, batches, and what was survived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ray_backend.domain.errors import BackendUnavailable
from ray_backend.serving import handles
from ray_backend.serving.batcher import MicroBatcher
from ray_backend.serving.names import DATABASE_ACTOR

# Whoever reads the metrics waits for it; an actor that is being restarted is left out.
_ACTOR_ANSWERS_S = 1.0
_RECORDS = (
    ("journal", "rollcall_journal_depth", "Punches on the server's disk that the database has not got yet."),
    ("templates", "rollcall_gallery_templates", "Templates in the gallery."),
    ("gallery_version", "rollcall_gallery_version", "Grows with every change of the gallery."),
)
_OUTCOMES = ("answered", "refused", "dropped_late", "dropped_gone")


class EngineCollector(Collector):
    """Reads the figures when they are asked for. `queues` are the API's own, by name.

    `actor_recoveries` gives what the face actors survived since their start, by kind, `records_health`
    what `DatabaseActor.health` does, or nothing while it does not answer.
    """

    def __init__(
        self,
        queues: Mapping[str, MicroBatcher],
        actor_recoveries: Callable[[], Mapping[str, int]],
        records_health: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._queues = queues
        self._actor_recoveries = actor_recoveries
        self._records_health = records_health

    def collect(self) -> Iterable[Metric]:
        """All figures of this moment."""
        waiting = GaugeMetricFamily("rollcall_queue_waiting", "Pictures that wait.", labels=["queue"])
        pictures = CounterMetricFamily(
            "rollcall_queue_pictures", "Pictures, by what became of them.", labels=["queue", "outcome"]
        )
        batches = CounterMetricFamily(
            "rollcall_batches", "Calls of the face actors, by pictures in the call.", labels=["queue", "size"]
        )
        for name, queue in self._queues.items():
            waiting.add_metric([name], queue.waiting)
            for outcome in _OUTCOMES:
                pictures.add_metric([name, outcome], getattr(queue.stats, outcome))
            for size, calls in sorted(queue.stats.batch_sizes.items()):
                batches.add_metric([name, str(size)], calls)
        return [waiting, pictures, batches, self._recoveries(), *self._records()]

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is may change, and asking actors at registration would be early."""
        return []

    def _records(self) -> Iterable[Metric]:
        health = self._records_health()
        for key, name, meaning in _RECORDS:
            if key in health:
                yield GaugeMetricFamily(name, meaning, value=health[key])

    def _recoveries(self) -> Metric:
        found = CounterMetricFamily(
            "rollcall_recoveries", "What went wrong in the engine and was survived.", labels=["kind"]
        )
        retried = sum(queue.stats.retried for queue in self._queues.values())
        for kind, count in sorted({"actor_retry": retried, **self._actor_recoveries()}.items()):
            found.add_metric([kind], count)
        return found


def records_health() -> dict[str, Any]:
    """What `DatabaseActor.health` says, or nothing while it does not answer."""
    try:
        return handles.result(handles.get_handle(DATABASE_ACTOR).health.remote(), _ACTOR_ANSWERS_S)
    except BackendUnavailable:
        return {}


def actor_recoveries() -> Counter[str]:
    """The sum over all face actors that answer, by kind."""
    total: Counter[str] = Counter(out_of_memory=0, poisoned_image=0)
    try:
        names = handles.face_actor_names()
    except BackendUnavailable:
        return total
    for name in names:
        try:
            health = handles.result(handles.get_handle(name).health.remote(), _ACTOR_ANSWERS_S)
        except BackendUnavailable:
            continue
        total.update(health["recoveries"])
    return total
