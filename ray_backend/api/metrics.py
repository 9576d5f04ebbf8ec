"""What Prometheus reads: requests, how long they took, and what was decided. Every label is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from ray_backend.observing.meters import ANSWER_S

__all__ = ["CLIENT_GONE", "CONTENT_TYPE_LATEST", "Meters"]

# What nginx calls it: the client went before its answer.
CLIENT_GONE = 499


class Meters:
    """The counters of one API process.

    `whole_site` gives the figures of all processes of the site, where there are others.
    """

    def __init__(
        self, registry: CollectorRegistry | None = None, whole_site: Callable[[], bytes] | None = None
    ) -> None:
        self._whole_site = whole_site
        self._registry = registry or CollectorRegistry()
        self._requests = Counter(
            "rollcall_http_requests",
            "Requests answered, by route and status; 499: the client did not wait.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "rollcall_http_request_seconds",
            "Time from the first byte of a request to its answer.",
            ["route"],
            buckets=ANSWER_S,
            registry=self._registry,
        )
        self._decisions = Counter(
            "rollcall_http_decisions",
            "Faces decided on, by route and kind of decision.",
            ["route", "decision"],
            registry=self._registry,
        )
        # Finding the child of a label costs more than counting.
        self._children: dict[tuple, Counter | Histogram] = {}
        # There before the first one, so that a share of them is a number from the beginning.
        for status in (500, 503):
            self._child(self._requests, "POST", "/recognize", status)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one request. `route` is a route's template, never a path as it was sent."""
        self._child(self._requests, method, route, status).inc()
        self._child(self._seconds, route).observe(seconds)

    def refused(self, route: str, count: int) -> None:
        """Counts pictures that were turned away before they came here."""
        self._child(self._requests, "POST", route, 503).inc(count)

    def decided(self, route: str, kinds: Iterable[str]) -> None:
        """Counts decisions."""
        for kind in kinds:
            self._child(self._decisions, route, kind).inc()

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry) if self._whole_site is None else self._whole_site()

    def _child(self, metric, *labels):
        key = (metric, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*labels)
        return child
