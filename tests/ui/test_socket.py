"""The kiosks' WebSocket: who may connect, what may be sent, and what becomes of it."""

from __future__ import annotations

import json
import struct
import threading
import time

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from ray_backend.domain.errors import BackendUnavailable, StoreUnavailable, TooManyAttempts
from ray_backend.domain.model import DecisionKind
from ray_backend.domain.queries import PunchQuery
from streamlit_app.camera import protocol, socket
from tests.fakes import photo
from tests.kiosk_stage import TOKEN, ScriptedKiosk, check_in, greeting, refusal, scripted_backend
from tests.ui.conftest import enrol

ORIGIN = "http://testserver"
SESSION = "0123456789abcdef"
REQUEST = "fedcba9876543210"
JPEG = b"a picture"


@pytest.fixture
def kiosk():
    return ScriptedKiosk(codes={"1234": greeting(check_in("Ada Example"))})


@pytest.fixture
def client(kiosk):
    backend = scripted_backend(kiosk)
    with TestClient(app(lambda: backend)) as client:
        yield client


def app(backend) -> Starlette:
    return Starlette(routes=[WebSocketRoute("/cam", socket.CameraEndpoint(backend, lambda: "full").serve)])


def connect(client, *, token=TOKEN, origin=ORIGIN, session=SESSION):
    headers = {"origin": origin} if origin else {}
    return client.websocket_connect(f"/cam?token={token}&session={session}", headers=headers)


def frame(seq: int, picture: bytes = JPEG) -> bytes:
    return struct.pack(">I", seq) + picture


def ask(line, seq: int, picture: bytes = JPEG) -> dict:
    line.send_bytes(frame(seq, picture))
    return line.receive_json()


def type_code(line, digits: str, request_id: str = REQUEST) -> dict:
    line.send_json({"type": "code", "digits": digits, "request_id": request_id})
    return line.receive_json()


def code_of(**said) -> dict:
    return {"text": json.dumps({"type": "code"} | said)}


def not_me(line, punch_id: str) -> dict:
    line.send_json({"type": "not_me", "punch_id": punch_id})
    return line.receive_json()


def close_code(line) -> int:
    """Why the connection ends, after whatever answers come before."""
    while True:
        try:
            line.receive_json()
        except WebSocketDisconnect as closed:
            return closed.code


@pytest.mark.parametrize("wrong", ["", "no-such-token"])
def test_a_wrong_token_is_refused_before_the_connection_stands(client, wrong):
    with pytest.raises(WebSocketDisconnect), connect(client, token=wrong):
        pass


@pytest.mark.parametrize(
    "origin", [None, "null", "http://elsewhere.example", "http://testserver:8080", "file://testserver"]
)
def test_pages_of_another_origin_are_refused_even_with_the_token(client, origin):
    with pytest.raises(WebSocketDisconnect), connect(client, origin=origin):
        pass


@pytest.mark.parametrize("session", ["", "short", "x" * 65, "with/slashes/in/it"])
def test_a_session_name_that_no_page_makes_is_refused(client, session):
    with pytest.raises(WebSocketDisconnect), connect(client, session=session):
        pass


def test_while_the_backend_is_away_nobody_gets_in_and_nothing_breaks():
    def away():
        raise BackendUnavailable("away")

    with TestClient(app(away)) as client, pytest.raises(WebSocketDisconnect), connect(client):
        pass


def test_somebody_recognised_is_greeted(client, kiosk):
    kiosk.now = greeting()
    with connect(client) as line:
        answer = ask(line, 7)

    assert (answer["type"], answer["seq"], answer["state"]) == ("frame", 7, "in")
    assert (answer["headline"], answer["time"], answer["direction"]) == (
        "Welcome, Ada Example",
        "07:59",
        "IN",
    )
    assert answer["box"] == pytest.approx([210 / 640, 90 / 480, 430 / 640, 370 / 480], abs=1e-3)


def test_a_frame_that_is_sent_again_after_a_lost_connection_gets_the_same_answer_without_new_work(
    client, kiosk
):
    kiosk.now = greeting()
    with connect(client) as line:
        first = ask(line, 1)
    kiosk.now = refusal(DecisionKind.UNKNOWN)
    with connect(client) as line:
        again = ask(line, 1)

    assert again == first
    assert len(kiosk.frames) == 1


def test_pages_do_not_share_a_session(client, kiosk):
    kiosk.now = greeting()
    with connect(client) as line:
        first = ask(line, 1)
    with connect(client, session="another-page") as line:
        second = ask(line, 1)

    assert len(kiosk.frames) == 2
    assert first["result"] != second["result"]


def test_a_result_has_one_name_for_as_long_as_the_person_stays(client, kiosk):
    stranger, nobody = refusal(DecisionKind.UNKNOWN), kiosk.now
    names = []
    with connect(client) as line:
        for seq, kiosk.now in enumerate([stranger, stranger, nobody, refusal(DecisionKind.UNKNOWN)]):
            names.append(ask(line, seq)["result"])

    first, same, none, next_one = names
    assert first == same != ""
    assert none == ""
    assert next_one not in (first, "")


def test_answers_hold_no_scores_and_strangers_get_no_names(client, kiosk):
    with connect(client) as line:
        kiosk.now = greeting()
        known = ask(line, 1)
        kiosk.now = refusal(DecisionKind.UNKNOWN)
        stranger = ask(line, 2)

    assert set(known) == {
        "type", "seq", "state", "headline", "hint", "name", "time", "direction", "note", "box", "move",
        "progress", "result", "offer_code", "punch_id", "wait_s",
    }  # fmt: skip
    assert (stranger["headline"], stranger["name"], stranger["offer_code"]) == ("Not recognised", "", True)


def test_a_right_code_is_a_greeting_for_its_request(client, kiosk):
    with connect(client) as line:
        answer = type_code(line, "1234")

    assert (answer["type"], answer["request_id"], answer["state"]) == ("code", REQUEST, "in")
    # Named by the page alone, so that it has the same name after a restart of the server.
    assert kiosk.typed == [("1234", f"{SESSION}/{REQUEST}")]


def test_a_code_that_is_sent_again_after_a_lost_connection_counts_once(client, kiosk):
    with connect(client) as line:
        wrong = type_code(line, "99")
        ask(line, 1)
    with connect(client) as line:
        again = type_code(line, "99")

    assert again == wrong
    assert (wrong["state"], wrong["headline"]) == ("wrong", "This code is not right")
    assert len(kiosk.typed) == 1


def test_who_guesses_too_often_is_told_how_long_to_wait(client, kiosk):
    kiosk.trouble = TooManyAttempts("no", 29.5)
    with connect(client) as line:
        answer = type_code(line, "1")

    assert (answer["state"], answer["wait_s"]) == ("limited", 30)
    assert "30 seconds" in answer["hint"]


def test_a_code_while_the_database_is_away_is_not_called_wrong_and_may_be_sent_again(client, kiosk):
    kiosk.trouble = StoreUnavailable("away")
    with connect(client) as line:
        away = type_code(line, "1234")
        kiosk.trouble = None
        answer = type_code(line, "1234")

    assert away["headline"] == "The code cannot be checked just now"
    assert answer["state"] == "in"


def test_who_has_typed_a_code_is_not_sent_to_type_it_again(client, kiosk):
    with connect(client) as line:
        kiosk.now = refusal(DecisionKind.UNKNOWN)
        assert ask(line, 1)["state"] == "unknown"
        type_code(line, "1234")
        assert ask(line, 2)["state"] == "idle"


def test_this_is_not_me_reaches_the_kiosk_for_a_punch_that_the_page_has_shown(client, kiosk):
    result = check_in()
    kiosk.now = greeting(result)
    with connect(client) as line:
        shown = ask(line, 1)["punch_id"]
        answer = not_me(line, shown)

    assert kiosk.disputed == [shown] == [result.punch.punch_id]
    assert (answer["type"], answer["punch_id"], answer["headline"]) == ("not_me", shown, "Thank you")


def test_nobody_disputes_a_punch_that_this_page_has_not_shown(client, kiosk):
    with connect(client) as line:
        ask(line, 1)
        answer = not_me(line, "0" * 32)

    assert kiosk.disputed == []
    assert "tell the office" in answer["hint"]


def test_an_earlier_punch_of_somebody_else_cannot_be_disputed_with_already_checked_in(client, kiosk):
    kiosk.now = greeting(check_in(repeated=True))
    with connect(client) as line:
        assert ask(line, 1)["punch_id"] == ""


def test_no_name_is_shown_when_the_punch_could_not_be_stored(client, kiosk):
    kiosk.now, kiosk.trouble = greeting(), StoreUnavailable("away")
    with connect(client) as line:
        answer = ask(line, 1)
        kiosk.trouble = None
        afterwards = ask(line, 1)

    assert (answer["state"], answer["name"]) == ("away", "")
    assert afterwards["name"] == "Ada Example"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"bytes": frame(1, b"x" * protocol.MAX_FRAME_BYTES)}, protocol.TOO_LARGE),
        ({"bytes": b"\0\0\0\1"}, protocol.NOT_UNDERSTOOD),
        ({"bytes": b""}, protocol.NOT_UNDERSTOOD),
        ({"text": "hello"}, protocol.NOT_UNDERSTOOD),
        ({"text": "[" * 400}, protocol.NOT_UNDERSTOOD),
        ({"text": "null"}, protocol.NOT_UNDERSTOOD),
        ({"text": '"' + "x" * protocol.MAX_TEXT_BYTES + '"'}, protocol.TOO_LARGE),
        (code_of(digits="1234"), protocol.NOT_UNDERSTOOD),
        (code_of(digits=1234, request_id=REQUEST), protocol.NOT_UNDERSTOOD),
        (code_of(digits="12 4", request_id=REQUEST), protocol.NOT_UNDERSTOOD),
        (code_of(digits="١٢", request_id=REQUEST), protocol.NOT_UNDERSTOOD),
        (code_of(digits="1" * 21, request_id=REQUEST), protocol.NOT_UNDERSTOOD),
        (code_of(digits="1", request_id="a/b/c/d/e/f"), protocol.NOT_UNDERSTOOD),
        (code_of(digits="1", request_id=REQUEST, more=1), protocol.NOT_UNDERSTOOD),
        ({"text": json.dumps({"type": "not_me", "punch_id": "../../etc"})}, protocol.NOT_UNDERSTOOD),
        ({"text": json.dumps({"type": "not_me"})}, protocol.NOT_UNDERSTOOD),
        ({"text": json.dumps({"type": "reboot"})}, protocol.NOT_UNDERSTOOD),
    ],
)
def test_what_no_page_sends_closes_the_connection_with_its_code(client, message, code, kiosk):
    with connect(client) as line:
        line.send({"type": "websocket.receive", **message})
        assert close_code(line) == code
    assert (kiosk.frames, kiosk.typed, kiosk.disputed) == ([], [], [])


@pytest.fixture
def slow(kiosk, monkeypatch):
    """Frames wait until they are let go; and the pictures that arrived."""
    let_go, began, seen = threading.Event(), threading.Event(), []

    def frame(picture):
        seen.append(picture)
        began.set()
        assert let_go.wait(10)
        return kiosk.now

    monkeypatch.setattr(kiosk, "frame", frame)
    yield let_go, began, seen
    let_go.set()


def test_of_the_frames_that_came_meanwhile_only_the_newest_is_looked_at(client, slow):
    let_go, began, seen = slow
    with connect(client) as line:
        line.send_bytes(frame(1, b"1"))
        assert began.wait(10)
        for seq in range(2, 10):
            line.send_bytes(frame(seq, b"%d" % seq))
        let_go.set()
        answered = [line.receive_json()["seq"], line.receive_json()["seq"]]

    assert answered == [1, 9]
    assert seen == [b"1", b"9"]


def test_a_code_is_never_dropped_for_frames_and_comes_before_them(client, slow, kiosk):
    let_go, began, _ = slow
    with connect(client) as line:
        line.send_bytes(frame(1))
        assert began.wait(10)
        line.send_bytes(frame(2))
        line.send_json({"type": "code", "digits": "1234", "request_id": REQUEST})
        line.send_bytes(frame(3))
        let_go.set()
        answers = [line.receive_json() for _ in range(3)]

    assert [(answer["type"], answer.get("seq")) for answer in answers] == [
        ("frame", 1), ("code", None), ("frame", 3),
    ]  # fmt: skip


def test_an_answer_that_was_under_way_when_the_connection_broke_is_there_for_the_next_one(
    client, slow, kiosk
):
    let_go, began, seen = slow
    kiosk.now = greeting()
    with connect(client) as line:
        line.send_bytes(frame(1))
        assert began.wait(10)
    with connect(client) as line:
        line.send_bytes(frame(1))
        let_go.set()
        assert line.receive_json()["state"] == "in"
    assert len(seen) == 1


def test_a_flood_closes_the_connection(client, slow):
    with connect(client) as line:
        for seq in range(3 * socket.MAX_MESSAGES_A_SECOND):
            line.send_bytes(frame(seq))
        slow[0].set()
        assert close_code(line) == protocol.TOO_MANY


def test_requests_that_pile_up_close_the_connection(client, slow):
    let_go, began, _ = slow
    with connect(client) as line:
        line.send_bytes(frame(1))
        assert began.wait(10)
        for number in range(socket.MAX_WAITING_REQUESTS + 1):
            line.send_json({"type": "code", "digits": "1", "request_id": f"request-{number}"})
        let_go.set()
        assert close_code(line) == protocol.TOO_MANY


def test_a_withdrawn_token_ends_an_open_connection(backend, monkeypatch):
    monkeypatch.setattr(socket, "CHECK_TOKEN_EVERY_S", 0.0)
    token = backend.access.issue_token("entrance", actor="test")
    with TestClient(app(lambda: backend)) as client, connect(client, token=token) as line:
        assert ask(line, 1, photo())["state"] == "idle"
        (record,) = backend.access.tokens()
        backend.access.revoke_token(record.token_id, actor="test")
        line.send_bytes(frame(2, photo()))
        assert close_code(line) == protocol.TOKEN_WITHDRAWN


def test_over_the_real_services_a_known_face_is_recorded_once_under_the_kiosks_name(backend):
    enrol(backend, 1, name="Ada Example")
    token = backend.access.issue_token("entrance", actor="test")
    with TestClient(app(lambda: backend)) as client, connect(client, token=token) as line:
        answers = []
        for seq in range(50):
            answers.append(ask(line, seq, photo(1, variant=seq % 3)))
            time.sleep(0.04)  # as a camera does; more than that is a flood

    greetings = {answer["headline"] for answer in answers if answer["result"]}
    assert greetings == {"Welcome, Ada Example"}
    ((punch, _),) = backend.reports.recent_punches(PunchQuery())
    assert (punch.kiosk, punch.source) == ("entrance", "face")


def test_over_the_real_services_a_frame_that_is_no_picture_gets_an_answer_and_the_next_one_is_served(
    backend,
):
    token = backend.access.issue_token("entrance", actor="test")
    with TestClient(app(lambda: backend)) as client, connect(client, token=token) as line:
        assert ask(line, 1, b"garbage")["state"] == "hint"
        assert ask(line, 2, photo())["state"] == "idle"


def test_an_open_page_is_told_what_changed_about_the_site(kiosk, monkeypatch):
    monkeypatch.setattr(socket, "TELL_SCREEN_EVERY_S", 0.0)
    shown = {"site": "Works"}
    backend = scripted_backend(kiosk)
    endpoint = socket.CameraEndpoint(lambda: backend, lambda: "full", lambda: dict(shown))
    with (
        TestClient(Starlette(routes=[WebSocketRoute("/cam", endpoint.serve)])) as client,
        connect(client) as line,
    ):
        assert ask(line, 1)["type"] == "frame"
        assert line.receive_json() == {"type": "screen", "screen": {"site": "Works"}}
        # Nothing changed, so nothing is told.
        assert [ask(line, seq)["seq"] for seq in (2, 3)] == [2, 3]
        shown["site"] = "Mill"
        # Answer 3 arrives before the route looks at the site, so the news may come before answer 4.
        came = [ask(line, 4), line.receive_json()]
        came.sort(key=lambda message: message["type"])
        assert came[0]["seq"] == 4
        assert came[1] == {"type": "screen", "screen": {"site": "Mill"}}
