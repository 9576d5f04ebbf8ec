"""A process outside the cluster: told at once that it is away, and joined again when it is back."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from ray_backend.domain.errors import BackendUnavailable
from ray_backend.serving import connection
from ray_backend.serving.connection import Connection
from tests.waiting import until

OUTSIDE = "ray://10.0.0.5:10001"


class FakeRay:
    """Ray as far as a connection knows it. `there` says whether the cluster answers."""

    def __init__(self) -> None:
        self.there = threading.Event()
        self.there.set()
        self.connected = False
        self.joined: list[str] = []
        self.left = 0

    def init(self, address: str, **options: object) -> None:
        if not self.there.is_set():
            raise ConnectionError("nobody there")
        self.connected = True
        self.joined.append(address)

    def is_initialized(self) -> bool:
        return self.connected

    def is_connected(self) -> bool:
        return self.connected

    def shutdown(self) -> None:
        self.left += 1

    def lose(self) -> None:
        self.there.clear()
        self.connected = False


@pytest.fixture
def ray(monkeypatch) -> FakeRay:
    fake = FakeRay()
    monkeypatch.setattr(connection, "ray", fake)
    monkeypatch.setattr(connection, "ray_client", fake)
    monkeypatch.setattr(connection, "answers", lambda address: fake.there.is_set())
    monkeypatch.setattr(connection, "_AGAIN_S", 0.01)
    monkeypatch.setattr(connection, "_LAST_CALLS_S", 0.01)
    return fake


def works(joined: Connection) -> bool:
    try:
        joined.require()
    except BackendUnavailable:
        return False
    return True


def test_it_joins_once(ray):
    joined = Connection(lost=lambda: None)
    joined.join(OUTSIDE)
    joined.join(OUTSIDE)
    assert ray.joined == [OUTSIDE]
    assert works(joined)


def test_a_cluster_that_does_not_answer_is_named(ray):
    ray.lose()
    with pytest.raises(BackendUnavailable, match=r"No Ray cluster answers at ray://10\.0\.0\.5:10001"):
        Connection(lost=lambda: None).join(OUTSIDE)


def test_while_it_is_away_everybody_is_told_at_once_and_afterwards_it_works_again(ray):
    forgotten: list[bool] = []
    joined = Connection(lost=lambda: forgotten.append(True))
    joined.join(OUTSIDE)
    ray.lose()
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(BackendUnavailable, match="asked again by itself"):
            joined.require()
    assert time.monotonic() - began < 0.5
    until(lambda: forgotten)
    assert not works(joined)
    ray.there.set()
    until(lambda: works(joined))
    assert (ray.joined, ray.left) == ([OUTSIDE, OUTSIDE], 1)


def test_a_process_of_the_cluster_asks_nobody(ray):
    ray.connected = True
    joined = Connection(lost=lambda: None)
    joined.join("10.0.0.5:6379")
    ray.lose()
    assert works(joined)
    assert ray.joined == []


def test_whether_somebody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert connection.answers(f"127.0.0.1:{port}")
        assert connection.answers(f"ray://127.0.0.1:{port}")
    assert not connection.answers(f"127.0.0.1:{port}", timeout_s=0.5)
    assert not connection.answers("auto")
