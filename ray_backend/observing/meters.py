"""What each process counts and times, in one registry of its own. Every label is bounded.

The registries of all processes of a site are put together in `serving/union.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ray_backend.observing import tracing

# Stages of one picture take from a tenth of a millisecond (a search) to a quarter of a second (a slow pack).
_STAGE_S = (0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_CALL_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
# The same as for the API, so that both can be put together.
ANSWER_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REGISTRY = CollectorRegistry()
_stages = Histogram(
    "rollcall_stage_seconds",
    "Time for one picture in each stage on its way.",
    ["stage"],
    buckets=_STAGE_S,
    registry=REGISTRY,
)
_pictures = Counter("rollcall_pictures", "Pictures analysed.", ["outcome"], registry=REGISTRY)
_database = Histogram(
    "rollcall_database_seconds",
    "Time for one operation of the database.",
    ["operation"],
    buckets=_CALL_S,
    registry=REGISTRY,
)
_failures = Counter(
    "rollcall_database_failures",
    "Operations that the database did not answer.",
    ["operation"],
    registry=REGISTRY,
)
_use_cases = Histogram(
    "rollcall_use_case_seconds",
    "Time for one call of a use case where the records are.",
    ["use_case"],
    buckets=_CALL_S,
    registry=REGISTRY,
)
_decisions = Counter(
    "rollcall_decisions",
    "Decisions about faces, by the way that they came and by their kind.",
    ["way", "decision"],
    registry=REGISTRY,
)
_liveness = Counter(
    "rollcall_liveness", "Kiosks' decisions, by what the liveness check said.", ["outcome"], registry=REGISTRY
)
_frames = Counter(
    "rollcall_camera_frames",
    "Frames of kiosks' cameras: received, and of these analysed, or dropped for a newer one.",
    ["way", "outcome"],
    registry=REGISTRY,
)
_answers = Histogram(
    "rollcall_camera_answer_seconds",
    "Time from a frame's arrival to its answer.",
    ["way"],
    buckets=ANSWER_S,
    registry=REGISTRY,
)
_kiosks = Gauge(
    "rollcall_kiosks_connected", "Kiosks' pages with an open connection.", ["way"], registry=REGISTRY
)
_packs_compared = Counter(
    "rollcall_packs_compared",
    "Pictures that a second pack looked at, too, by whom both recognised.",
    ["outcome"],
    registry=REGISTRY,
)
_packs_decisions = Counter(
    "rollcall_packs_decisions",
    "Decisions about the faces of these pictures, by pack and kind.",
    ["pack", "decision"],
    registry=REGISTRY,
)
_packs_seconds = Histogram(
    "rollcall_packs_seconds",
    "Time that each pack took for one of these pictures.",
    ["pack"],
    buckets=ANSWER_S,
    registry=REGISTRY,
)
_started = Gauge("rollcall_process_start_seconds", "When it began, in seconds since 1970.", registry=REGISTRY)
_started.set(time.time())
# Finding the child of a label costs more than counting.
_children: dict[tuple, Counter | Histogram] = {}


def _child(metric, *labels: str):
    key = (metric, *labels)
    child = _children.get(key)
    if child is None:
        child = _children[key] = metric.labels(*labels)
    return child


class _Timed:
    __slots__ = ("_child", "_span", "_started")

    def __init__(self, child: Histogram, span: str) -> None:
        self._child = child
        self._span = tracing.span(span)

    def __enter__(self) -> None:
        self._span.__enter__()
        self._started = perf_counter()

    def __exit__(self, *error) -> None:
        self._child.observe(perf_counter() - self._started)
        self._span.__exit__(*error)


def stage(name: str) -> _Timed:
    """Times what is done within as a stage of one picture, such as `search`."""
    return _Timed(_child(_stages, name), name)


def took(name: str, seconds: float) -> None:
    """Counts a stage that was timed elsewhere."""
    _child(_stages, name).observe(seconds)


def use_case(name: str) -> _Timed:
    """Times what is done within as a call of this use case."""
    return _Timed(_child(_use_cases, name), "")


def database(operation: str) -> _Timed:
    """Times what is done within as an operation of the database."""
    return _Timed(_child(_database, operation), f"database {operation}")


def database_failed(operation: str, times: int = 1) -> None:
    """Counts an operation that the database did not answer; with 0 it is there before it ever failed."""
    _child(_failures, operation).inc(times)


def analysed(timings_ms: Mapping[str, float]) -> None:
    """Counts a picture that was analysed, with the milliseconds that each stage took."""
    _child(_pictures, "analysed").inc()
    for name, took_ms in timings_ms.items():
        _child(_stages, name).observe(took_ms / 1000)


def rejected(times: int = 1) -> None:
    """Counts a picture that could not be analysed."""
    _child(_pictures, "rejected").inc(times)


def decided(way: str, kinds: Iterable[str]) -> None:
    """Counts decisions. `way`: `recognise`, `check_in`, `kiosk` or `code`."""
    for kind in kinds:
        _child(_decisions, way, kind).inc()


def liveness(outcome: str, times: int = 1) -> None:
    """Counts what the liveness check said of somebody at a kiosk."""
    _child(_liveness, outcome).inc(times)


def frame(way: str, outcome: str) -> None:
    """Counts a frame of a kiosk. `way`: `websocket`, `webrtc` or `photo`; `outcome` as in the metric."""
    _child(_frames, way, outcome).inc()


def answered(way: str, seconds: float) -> None:
    """Counts a kiosk's frame that was analysed, `seconds` after it came."""
    frame(way, "analysed")
    _child(_answers, way).observe(seconds)


def kiosk_came(way: str) -> None:
    """A kiosk's page opened its connection."""
    _child(_kiosks, way).inc()


def kiosk_went(way: str) -> None:
    """It is closed again."""
    _child(_kiosks, way).dec()


def packs_compared(outcome: str) -> None:
    """Counts a picture that two packs looked at; see `domain.beside.compared`."""
    _child(_packs_compared, outcome).inc()


def pack_decided(pack_id: str, kinds: Iterable[str], seconds: float) -> None:
    """Counts what one of these packs made of it, and how long that took."""
    for kind in kinds:
        _child(_packs_decisions, pack_id, kind).inc()
    _child(_packs_seconds, pack_id).observe(seconds)
