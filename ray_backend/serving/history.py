"""Throughput, latency and decisions of the last quarter of an hour, reckoned from what processes count."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ray_backend.domain.figures import Moment
from ray_backend.observing.snapshots import Snapshot

EVERY_S = 5.0
_KEPT_S = 15 * 60
_PICTURES = "rollcall_pictures_total"
_DECISIONS = "rollcall_decisions_total"
_WAITING = "rollcall_queue_waiting"
_REFUSED = "rollcall_queue_pictures_total"
_SECONDS = ("rollcall_http_request_seconds_bucket", "rollcall_camera_answer_seconds_bucket")
# What is no answer to a picture is no latency that anybody waits for.
ROUTES = frozenset({"/recognize", "/check_in", "/batch_recognize", "/base64", "/uploadfile"})


class History:
    """Keeps one moment for each `add`."""

    def __init__(self) -> None:
        self._moments: deque[Moment] = deque(maxlen=round(_KEPT_S / EVERY_S))
        self._before: dict[str, Counter] = {}
        self._added_at: datetime | None = None

    def add(self, at: datetime, snapshots: Sequence[Snapshot]) -> None:
        """Takes what all processes say now. The first call only says where to reckon from."""
        counts = {one.process: _counts(one) for one in snapshots}
        grown: Counter = Counter()
        for process, now in counts.items():
            grown.update(_growth(self._before.get(process), now))
        self._before = counts
        if self._added_at is not None and at > self._added_at:
            seconds = (at - self._added_at).total_seconds()
            self._moments.append(_moment(at, seconds, grown, _waiting(snapshots)))
        self._added_at = at

    def moments(self) -> tuple[Moment, ...]:
        """The oldest first."""
        return tuple(self._moments)


def _counts(one: Snapshot) -> Counter:
    counts: Counter = Counter()
    for family in one.families:
        for name, labels, value in family.figures:
            if name == _PICTURES and labels["outcome"] == "analysed":
                counts["pictures"] += value
            elif name == _DECISIONS:
                counts["decision", labels["decision"]] += value
            elif name == _REFUSED and labels["outcome"] == "refused":
                counts["refused"] += value
            elif name in _SECONDS and labels.get("route", "/recognize") in ROUTES:
                counts["seconds", float(labels["le"])] += value
    return counts


def _growth(before: Counter | None, now: Counter) -> Counter:
    """What was counted since. Of a process that nobody knew nothing, of one that began anew all of it."""
    if before is None:
        return Counter()
    if any(now[key] < count for key, count in before.items()):
        return now
    return Counter({key: count - before[key] for key, count in now.items()})


def _waiting(snapshots: Iterable[Snapshot]) -> int:
    return round(sum(figure.value for one in snapshots for figure in one.figures(_WAITING)))


def _moment(at: datetime, seconds: float, grown: Counter, waiting: int) -> Moment:
    buckets = {key[1]: count for key, count in grown.items() if key[0] == "seconds"}
    decisions = {key[1]: count / seconds for key, count in grown.items() if key[0] == "decision" and count}
    return Moment(
        at=at,
        pictures=grown["pictures"] / seconds,
        p50_s=quantile(buckets, 0.5),
        p95_s=quantile(buckets, 0.95),
        decisions=decisions,
        waiting=waiting,
        refused=grown["refused"] / seconds,
    )


def quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """The value that this share of all observations is not above, as `histogram_quantile` of Prometheus.

    `buckets` counts, for each upper limit, the observations up to it. None without any.
    """
    total = buckets.get(math.inf, 0)
    if not total:
        return None
    rank, low, below = share * total, 0.0, 0.0
    for limit, count in sorted(buckets.items()):
        if count >= rank:
            return low if math.isinf(limit) else low + (limit - low) * (rank - below) / (count - below)
        low, below = limit, count
    return low
