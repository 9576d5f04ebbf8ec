"""OpenTelemetry traces, where the site wants them (`ROLLCALL_OTLP_ENDPOINT`). Otherwise nothing is imported,
and a span costs one comparison.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from ray_backend.domain.errors import InvalidInput

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer, TracerProvider

_TRACEPARENT = "traceparent"
_NOTHING: AbstractContextManager[None] = nullcontext()
_tracer: Tracer | None = None


def set_up(endpoint: str, process: str) -> None:
    """Sends this process's spans to an OTLP receiver, such as `http://otel:4318`; empty: no traces.

    Raises InvalidInput where the packages for it are missing.
    """
    if not endpoint or _tracer is not None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise InvalidInput(
            "ROLLCALL_OTLP_ENDPOINT is set, but the packages for traces are missing: "
            "`pip install -r requirements-tracing.txt`."
        ) from error
    provider = TracerProvider(
        resource=Resource.create({"service.name": "rollcall", "rollcall.process": process})
    )
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    use(provider)


def use(provider: TracerProvider | None) -> None:
    """Makes spans with this provider from now on; None: none any more."""
    global _tracer
    _tracer = None if provider is None else provider.get_tracer("rollcall")


def is_on() -> bool:
    """Whether this process makes spans."""
    return _tracer is not None


def span(name: str) -> AbstractContextManager[object]:
    """What is done within is a span of this name, below the one around it. Without a name it is none."""
    if _tracer is None or not name:
        return _NOTHING
    return _tracer.start_as_current_span(name)


def carried() -> str:
    """The present span as a W3C `traceparent`, for `continued` in another process; empty: there is none."""
    if _tracer is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    return headers.get(_TRACEPARENT, "")


def continued(trace: str, name: str) -> AbstractContextManager[object]:
    """What is done within is a span below the one that was `carried` here from another process."""
    if _tracer is None or not name:
        return _NOTHING
    return _tracer.start_as_current_span(name, context=_context(trace))


def past(trace: str, name: str, start_ns: int, parts_ms: dict[str, float]) -> None:
    """A span that began at this time after 1970 and is over, and its parts one after the other."""
    if _tracer is None:
        return
    from opentelemetry.trace import set_span_in_context

    whole = _tracer.start_span(name, context=_context(trace), start_time=start_ns)
    at_ns = start_ns
    for part, took_ms in parts_ms.items():
        piece = _tracer.start_span(part, context=set_span_in_context(whole), start_time=at_ns)
        at_ns += round(took_ms * 1e6)
        piece.end(at_ns)
    whole.end(at_ns)


def _context(trace: str):
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({_TRACEPARENT: trace}) if trace else None
