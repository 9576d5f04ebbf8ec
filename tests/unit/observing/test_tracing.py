"""Spans, where a site wants them, and nothing where it does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ray_backend.domain.errors import InvalidInput
from ray_backend.observing import meters, origin, tracing


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield exporter
    tracing.use(None)


def tree(exporter: InMemorySpanExporter) -> dict[str, str]:
    """Each span's name, and the name of the one above it."""
    done = exporter.get_finished_spans()
    names = {span.context.span_id: span.name for span in done}
    return {span.name: names.get(span.parent.span_id, "?") if span.parent else "" for span in done}


def test_what_happens_in_another_process_lies_below_what_asked_for_it(spans):
    with origin.of("one", "kiosk Frame"):
        carried = origin.carried()
    assert carried.startswith("one 00-")
    with origin.arrived(carried, "check_ins.check_in"), meters.stage("search"):
        pass
    tracing.past(
        origin.trace_of(carried), "FaceEmbeddingActor", 1_000_000_000, {"decode": 2.0, "detect": 20.0}
    )
    assert tree(spans) == {
        "kiosk Frame": "",
        "check_ins.check_in": "kiosk Frame",
        "search": "check_ins.check_in",
        "FaceEmbeddingActor": "kiosk Frame",
        "decode": "FaceEmbeddingActor",
        "detect": "FaceEmbeddingActor",
    }
    assert len({span.context.trace_id for span in spans.get_finished_spans()}) == 1


def test_a_past_span_is_as_long_as_its_parts_one_after_the_other(spans):
    tracing.past("", "whole", 1_000_000_000, {"decode": 2.0, "detect": 20.0})
    at = {span.name: (span.start_time, span.end_time) for span in spans.get_finished_spans()}
    assert at["whole"] == (1_000_000_000, 1_022_000_000)
    assert at["detect"] == (1_002_000_000, 1_022_000_000)


def test_without_an_endpoint_there_is_no_span_and_no_package_is_loaded():
    tracing.set_up("", "app")
    with origin.of("one", "kiosk Frame"):
        assert origin.carried() == "one"
    program = (
        "import sys\nfrom ray_backend.observing import origin, meters, logs\n"
        "with origin.of('x', 'span'), meters.stage('search'): origin.carried()\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_endpoint_without_the_packages_is_a_clear_mistake(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(InvalidInput, match=r"requirements-tracing\.txt"):
        tracing.set_up("http://localhost:4318", "app")
    assert not tracing.is_on()
