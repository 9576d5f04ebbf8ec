"""A running system with load, watched by a real Prometheus, with JSON logs and traces."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.faces import package_people
from bench.own_system import Site
from scripts.prove_dashboards import (
    Question,
    alert_questions,
    dashboard_questions,
    unanswered,
    values,
    watched_site,
)

PASSWORD = "Quite-a-secret-7"


@dataclass
class Receiver:
    """What an OTLP receiver got: each span with its id, its parent's, its trace's and its process."""

    spans: dict[bytes, tuple[str, bytes, bytes, str]] = field(default_factory=dict)

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans[span.span_id] = (
                        span.name,
                        span.parent_span_id,
                        span.trace_id,
                        about["rollcall.process"],
                    )


@pytest.fixture(scope="module")
def receiver() -> Iterator[tuple[Receiver, str]]:
    got = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *ignored) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield got, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def watched(receiver) -> Iterator[tuple[Site, str, Path]]:
    """The site, the address of its Prometheus, and the folder with everything that it wrote."""
    if shutil.which("prometheus") is None:
        pytest.skip("the program prometheus is missing; .ci/run installs it")
    settings = {
        "ROLLCALL_LOG_FORMAT": "json",
        "ROLLCALL_OTLP_ENDPOINT": receiver[1],
        "ROLLCALL_ADMIN_PASSWORD": PASSWORD,
        "ROLLCALL_COOLDOWN_S": "0",
        "OTEL_BSP_SCHEDULE_DELAY": "500",
    }
    # A short name: Ray's sockets lie in it.
    with (
        tempfile.TemporaryDirectory(prefix="rc-", ignore_cleanup_errors=True) as folder,
        watched_site(Path(folder), **settings) as (site, url),
    ):
        yield site, url, Path(folder)


def test_every_query_of_the_dashboard_and_of_the_alerts_finds_figures(watched):
    _, url, _ = watched
    assert unanswered(url, [*dashboard_questions(), *alert_questions()]) == []


def test_counters_of_one_process_never_jump(watched):
    _, url, _ = watched
    assert values(url, "max(resets(rollcall_pictures_total[2m]))") == [0]
    processes = values(url, "count by (process) (rollcall_process_start_seconds)")
    faces = values(url, 'sum(rollcall_face_actors{state="ready"})')
    # The app, the API, and the three actors of which there is one.
    assert len(processes) == 5 + sum(faces)
    assert set(processes) == {1}


def test_a_query_without_an_answer_is_found_out(watched):
    _, url, _ = watched
    missing = Question("nowhere", "rollcall_never_counted")
    assert unanswered(url, [missing], wait_s=2) == [missing]


def wait_for(look):
    until = time.monotonic() + 30
    while not (found := look()) and time.monotonic() < until:
        time.sleep(0.5)
    return found


@pytest.mark.parametrize("first", ["API", "kiosk Frame"])
def test_a_trace_leads_from_the_first_process_to_the_database(watched, receiver, first):
    got, _ = receiver

    def from_here() -> list[tuple[str, str]] | None:
        paths = [
            path(got, span_id) for span_id, span in list(got.spans.items()) if span[0] == "database add_punch"
        ]
        return next((names for names in paths if names and names[0][0] == first), None)

    names = wait_for(from_here)
    assert names, f"no trace from {first} to a punch in the database"
    assert names[0][1].startswith("api-" if first == "API" else "app-")
    assert [process for name, process in names if name.startswith("check_ins.")] == ["DatabaseActor"]
    analysed = {span[0] for span in got.spans.values() if span[3].startswith("FaceEmbeddingActor")}
    assert {"FaceEmbeddingActor", "decode", "detect", "embed"} <= analysed


def path(got: Receiver, span_id: bytes) -> list[tuple[str, str]] | None:
    """Names and processes from the first span down to this one; None when one is still missing."""
    names: list[tuple[str, str]] = []
    while span_id:
        if span_id not in got.spans:
            return None
        name, span_id, _, process = got.spans[span_id]
        names.insert(0, (name, process))
    return names


def log_files(folder: Path) -> list[Path]:
    """Everything that the system wrote, but for what it shows to whoever started it."""
    files = [*folder.glob("ray/session_2*/logs/**/*"), folder / "data/app.log"]
    return [file for file in files if file.is_file()]


def lines(folder: Path) -> list[dict]:
    texts = [line for file in log_files(folder) for line in file.read_text(errors="replace").splitlines()]
    return [json.loads(line) for line in texts if line.startswith('{"level"')]


def test_a_request_has_one_id_from_the_api_to_the_write(watched):
    _, _, folder = watched

    def seen() -> set[tuple[str, str]]:
        found = [line for line in lines(folder) if line["request_id"] == "proof-1"]
        return {(line["process"].split("-")[0], line["message"]) for line in found}

    expected = {("api", "POST /check_in 200"), ("DatabaseActor", "database add_punch")}
    assert wait_for(lambda: expected <= seen()), seen()


def test_a_frame_of_a_kiosk_has_one_id_from_the_app_to_the_write(watched):
    _, _, folder = watched

    def complete() -> set[str]:
        by_app = {one["request_id"] for one in lines(folder) if one["message"] == "a kiosk decided: match"}
        written = {one["request_id"] for one in lines(folder) if one["message"] == "database add_punch"}
        return by_app & written

    assert wait_for(complete)


def test_no_log_holds_anything_about_anybody(watched):
    site, _, folder = watched
    people = package_people()
    secrets = [site.key, PASSWORD, (folder / "data/kiosk-token").read_text().strip()]
    pictures = [base64.b64encode(people[0].photos[0])[:40].decode(), repr(people[0].photos[0][:40])[2:-1]]
    personal = [*(one.name for one in people), *(one.employee_id for one in people), *secrets, *pictures]
    assert len(people) > 1
    assert len(log_files(folder)) > 10
    assert len(lines(folder)) > 20
    found = {
        (file.name, what)
        for file in log_files(folder)
        for what in personal
        if what in file.read_text(errors="replace")
    }
    assert found == set()
