"""What Prometheus reads of the engine behind the API: queues, batches, and what was survived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ray_backend.serving.batcher import MicroBatcher
from ray_backend.serving.figures import recoveries

_OUTCOMES = ("answered", "refused", "dropped_late", "dropped_gone")


class EngineCollector(Collector):
    """Reads the figures when they are asked for. `queues` are the API process's own, by name."""

    def __init__(self, queues: Mapping[str, MicroBatcher]) -> None:
        self._queues = queues

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
        retried = sum(queue.stats.retried for queue in self._queues.values())
        return [waiting, pictures, batches, recoveries({"actor_retry": retried})]

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is may change."""
        return []
