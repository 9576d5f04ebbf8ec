"""The kiosks' WebSocket: who may connect, and what becomes of each frame."""

from __future__ import annotations

import struct
import threading

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from ray_backend.domain.errors import BackendUnavailable, StoreUnavailable
from ray_backend.domain.model import PunchQuery
from streamlit_app.camera import socket
from tests.fakes import photo
from tests.ui.conftest import enrol

ORIGIN = "http://testserver"
SESSION = "0123456789abcdef"


@pytest.fixture
def token(backend):
    return backend.access.issue_token("entrance", actor="test")


@pytest.fixture
def client(backend):
    with TestClient(app(lambda: backend)) as client:
        yield client


def app(backend) -> Starlette:
    return Starlette(routes=[WebSocketRoute("/cam", socket.CameraEndpoint(backend).serve)])


def connect(client, token, *, origin=ORIGIN, session=SESSION):
    headers = {"origin": origin} if origin else {}
    return client.websocket_connect(f"/cam?token={token}&session={session}", headers=headers)


def frame(seq: int, picture: bytes) -> bytes:
    return struct.pack(">I", seq) + picture


def ask(kiosk, seq: int, picture: bytes) -> dict:
    kiosk.send_bytes(frame(seq, picture))
    return kiosk.receive_json()


def close_code(kiosk) -> int:
    """Why the connection ends, after whatever answers come before."""
    while True:
        try:
            kiosk.receive_json()
        except WebSocketDisconnect as closed:
            return closed.code


def punches(backend):
    return [punch for punch, _ in backend.reports.recent_punches(PunchQuery())]


@pytest.mark.parametrize("wrong", ["", "no-such-token"])
def test_a_wrong_token_is_refused_before_the_connection_stands(client, wrong):
    with pytest.raises(WebSocketDisconnect), connect(client, wrong):
        pass


@pytest.mark.parametrize(
    "origin", [None, "null", "http://elsewhere.example", "http://testserver:8080", "file://testserver"]
)
def test_pages_of_another_origin_are_refused_even_with_the_token(client, token, origin):
    with pytest.raises(WebSocketDisconnect), connect(client, token, origin=origin):
        pass


@pytest.mark.parametrize("session", ["", "short", "x" * 65, "with/slashes/in/it"])
def test_a_session_name_that_no_page_makes_is_refused(client, token, session):
    with pytest.raises(WebSocketDisconnect), connect(client, token, session=session):
        pass


def test_while_the_backend_is_away_nobody_gets_in_and_nothing_breaks(token):
    def away():
        raise BackendUnavailable("away")

    with (
        TestClient(app(away)) as client,
        pytest.raises(WebSocketDisconnect),
        connect(client, token),
    ):
        pass


def test_a_known_face_is_greeted_and_recorded_under_the_kiosks_name(client, backend, token):
    enrol(backend, 1, name="Ada Example")
    with connect(client, token) as kiosk:
        answer = ask(kiosk, 7, photo(1))

    assert (answer["seq"], answer["state"], answer["headline"], answer["time"], answer["direction"]) == (
        7, "in", "Welcome, Ada Example", "09:00", "IN",
    )  # fmt: skip
    assert answer["box"] == pytest.approx([0.1, 40 / 240, 0.85, 190 / 240], abs=1e-3)
    (punch,) = punches(backend)
    assert (punch.kiosk, punch.idempotency_key) == ("entrance", f"entrance/{SESSION}/7")


def test_a_frame_that_is_sent_again_after_a_lost_answer_is_greeted_again_and_recorded_once(
    client, backend, token
):
    enrol(backend, 1)
    with connect(client, token) as kiosk:
        first = ask(kiosk, 1, photo(1))
    with connect(client, token) as kiosk:
        again = ask(kiosk, 1, photo(1))

    assert (again["headline"], again["time"]) == (first["headline"], first["time"])
    assert len(punches(backend)) == 1


def test_the_next_frame_of_the_same_person_is_told_when_it_was_recorded(client, backend, token, clock):
    enrol(backend, 1)
    with connect(client, token) as kiosk:
        ask(kiosk, 1, photo(1))
        clock.move(seconds=10)
        answer = ask(kiosk, 2, photo(1))

    assert (answer["state"], answer["headline"]) == ("already", "Already checked in at 09:00")
    assert len(punches(backend)) == 1


def test_answers_hold_no_scores_and_strangers_get_no_names(client, backend, token):
    enrol(backend, 1, name="Ada Example")
    with connect(client, token) as kiosk:
        greeting = ask(kiosk, 1, photo(1))
        stranger = ask(kiosk, 2, photo(9))

    assert set(greeting) == {
        "seq", "state", "headline", "hint", "name", "time", "direction", "box", "confirm", "hold_ms", "rank",
    }  # fmt: skip
    assert (stranger["headline"], stranger["name"]) == ("Not recognised", "")


def test_a_frame_that_is_no_picture_gets_an_answer_and_the_next_one_is_served(client, backend, token):
    enrol(backend, 1)
    with connect(client, token) as kiosk:
        assert ask(kiosk, 1, b"garbage")["state"] == "hint"
        assert ask(kiosk, 2, photo(1))["state"] == "in"


def test_no_name_is_shown_when_the_punch_could_not_be_stored(client, backend, token, monkeypatch):
    enrol(backend, 1, name="Ada Example")

    def away(*_args, **_kwargs):
        raise StoreUnavailable("away")

    monkeypatch.setattr(backend, "check_in", away)
    with connect(client, token) as kiosk:
        answer = ask(kiosk, 1, photo(1))
        monkeypatch.undo()
        afterwards = ask(kiosk, 2, photo(1))

    assert (answer["state"], answer["name"]) == ("away", "")
    assert afterwards["name"] == "Ada Example"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"bytes": frame(1, b"x" * socket.MAX_FRAME_BYTES)}, socket.TOO_LARGE),
        ({"bytes": b"\0\0\0\1"}, socket.NOT_A_FRAME),
        ({"bytes": b""}, socket.NOT_A_FRAME),
        ({"text": "hello"}, socket.NOT_A_FRAME),
    ],
    ids=["too large", "no picture", "empty", "text"],
)
def test_what_no_camera_sends_closes_the_connection_with_its_code(client, token, message, code):
    with connect(client, token) as kiosk:
        kiosk.send({"type": "websocket.receive", **message})
        with pytest.raises(WebSocketDisconnect) as closed:
            kiosk.receive_json()

    assert closed.value.code == code


@pytest.fixture
def slow_backend(backend, monkeypatch):
    """Check-ins that wait until they are let go, and the pictures that arrived."""
    let_go, began, seen = threading.Event(), threading.Event(), []
    real = backend.check_in

    def slow(picture, **rest):
        seen.append(picture)
        began.set()
        assert let_go.wait(10)
        return real(picture, **rest)

    monkeypatch.setattr(backend, "check_in", slow)
    yield let_go, began, seen
    let_go.set()


def test_of_the_frames_that_came_meanwhile_only_the_newest_is_looked_at(client, token, slow_backend):
    let_go, began, seen = slow_backend
    with connect(client, token) as kiosk:
        kiosk.send_bytes(frame(1, photo(1)))
        assert began.wait(10)
        for seq in range(2, 10):
            kiosk.send_bytes(frame(seq, photo(seq)))
        let_go.set()
        answered = [kiosk.receive_json()["seq"], kiosk.receive_json()["seq"]]

    assert answered == [1, 9]
    assert seen == [photo(1), photo(9)]


def test_a_flood_of_frames_closes_the_connection(client, token, slow_backend):
    with connect(client, token) as kiosk:
        for seq in range(3 * socket.MAX_FRAMES_A_SECOND):
            kiosk.send_bytes(frame(seq, b"x"))
        slow_backend[0].set()
        assert close_code(kiosk) == socket.TOO_MANY


def test_a_withdrawn_token_ends_an_open_connection(client, backend, token, monkeypatch):
    monkeypatch.setattr(socket, "CHECK_TOKEN_EVERY_S", 0.0)
    enrol(backend, 1)
    with connect(client, token) as kiosk:
        assert ask(kiosk, 1, photo(1))["state"] == "in"
        (record,) = backend.access.tokens()
        backend.access.revoke_token(record.token_id, actor="test")
        kiosk.send_bytes(frame(2, photo(1)))
        with pytest.raises(WebSocketDisconnect) as closed:
            kiosk.receive_json()

    assert closed.value.code == socket.TOKEN_WITHDRAWN
