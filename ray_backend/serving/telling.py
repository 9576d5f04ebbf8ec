"""What an actor tells of its work: counts, times, logs and spans, each under the request that it is for."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import ray

from ray_backend.domain.answers import CheckIn, Recognition
from ray_backend.domain.errors import ImageRejected, RollcallError
from ray_backend.domain.model import DecisionRecord, FrameAnalysis, Receipt
from ray_backend.domain.permissions import Caller
from ray_backend.observing import logs, meters, origin, tracing
from ray_backend.services.gate import RULES, Call
from ray_backend.settings import Settings

log = logging.getLogger(__name__)

# Nobody waits for a use case longer than that without reading of it later.
_SLOW_S = 1.0
_WAYS = {
    "check_ins.check_in": "check_in",
    "check_ins.punch_recognised": "kiosk",
    "check_ins.punch_by_code": "code",
}


def begin(settings: Settings, process: str = "") -> None:
    """Sets up logs and traces of this process, which is called `process` there; empty: as its actor."""
    logs.set_up(settings.log_format, process or own_name())
    tracing.set_up(settings.otlp_endpoint, process or own_name())


def own_name() -> str:
    """The name of the actor that this process is; of none: `process`."""
    if not ray.is_initialized():
        return "process"
    return ray.get_runtime_context().get_actor_name() or "process"


def analysed(carried: str, work: Callable[..., FrameAnalysis], *args: Any) -> FrameAnalysis:
    """What `work` makes of one picture for the request that was `carried` here. Raises what it raises."""
    with origin.arrived(carried):
        started_ns = time.time_ns()
        try:
            analysis = work(*args)
        except ImageRejected:
            meters.rejected()
            raise
        _note(analysis, carried, started_ns)
        return analysis


def analysed_many(
    carried: str, work: Callable[..., list[FrameAnalysis | ImageRejected]], *args: Any
) -> list[FrameAnalysis | ImageRejected]:
    """The same for the pictures of many requests, whose origins come in one text; see `origin.joined`."""
    with origin.arrived(origin.ids_of(carried)):
        at_ns = time.time_ns()
        answers = work(*args)
    for answer, whose in zip(answers, origin.parted(carried, len(answers)), strict=True):
        if isinstance(answer, FrameAnalysis):
            at_ns = _note(answer, whose, at_ns)
        else:
            meters.rejected()
    return answers


def _note(analysis: FrameAnalysis, carried: str, started_ns: int) -> int:
    """Returns when the next picture of the batch began, as if each were done from end to end."""
    meters.analysed(analysis.timings_ms)
    tracing.past(origin.trace_of(carried), "FaceEmbeddingActor", started_ns, analysis.timings_ms)
    return started_ns + round(1e6 * sum(analysis.timings_ms.values()))


def recognised(
    carried: str, work: Callable[[], list[Recognition | ImageRejected]]
) -> list[Recognition | ImageRejected]:
    """What the gallery says of the pictures of many requests, with a span for each."""
    with origin.arrived(origin.ids_of(carried)):
        started_ns = time.time_ns()
        answers = work()
    for answer, whose in zip(answers, origin.parted(carried, len(answers)), strict=True):
        if isinstance(answer, Recognition):
            took_ms = answer.timings_ms.get("search", 0.0)
            tracing.past(origin.trace_of(whose), "DatabaseActor", started_ns, {"search": took_ms})
    return answers


class ToldCalls:
    """The use cases of an actor, each timed and counted. Failures and slow ones are logged."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __call__(self, caller: Caller, service: str, method: str, args: tuple, kwargs: dict) -> Any:
        """See `Gate.call`."""
        name = f"{service}.{method}"
        name = name if name in RULES else "other"
        started = time.perf_counter()
        with origin.arrived(caller.origin or origin.carried(), name):
            try:
                with meters.use_case(name):
                    answer = self._call(caller, service, method, args, kwargs)
            except RollcallError as error:
                log.info("%s was refused: %s", name, type(error).__name__)
                raise
            except Exception:
                log.exception("%s failed", name)
                raise
            took_s = time.perf_counter() - started
            if took_s > _SLOW_S:
                log.warning("%s took %.1f s", name, took_s)
        _count(name, args, kwargs, answer)
        return answer


def _count(name: str, args: tuple, kwargs: dict, answer: Any) -> None:
    if name == "check_ins.recognise":
        for one in answer:
            if isinstance(one, Recognition):
                meters.decided("recognise", [face.decision.kind.value for face in one.faces] or ["no_face"])
    elif name == "check_ins.note":
        record: DecisionRecord = (*args, *kwargs.values())[0]
        meters.decided("kiosk", [record.kind.value])
        meters.liveness(record.liveness.value)
    elif name in _WAYS and isinstance(answer, CheckIn):
        meters.decided(_WAYS[name], [answer.decision.kind.value])
        receipt: Receipt | None = kwargs.get("receipt")
        if receipt is not None:
            meters.liveness(receipt.liveness_outcome.value)
