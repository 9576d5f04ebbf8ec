"""The WebSocket of the admin's cameras: who may open it, what may be sent, and how long it lasts."""

from __future__ import annotations

import gc
import struct

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from ray_backend.domain.enrolment.words import Target
from ray_backend.domain.errors import BackendUnavailable, BrokenImage, Forbidden
from streamlit_app.camera import desk_socket, desks, protocol
from streamlit_app.camera.desks import Desks, GuideDesk, Wish
from tests.fakes import photo

ORIGIN = "http://testserver"
SESSION = "0123456789abcdef"


class Scripted:
    """A desk that notes what it is asked, and raises `trouble` where there is any."""

    def __init__(self, trouble=None):
        self.trouble = trouble
        self.language = "en"
        self.asked = []
        self.entries = 0

    def entered(self):
        self.entries += 1

    def frame(self, image):
        self.asked.append(image)
        if self.trouble:
            raise self.trouble
        return {"state": "guide"}

    def wish(self, asked):
        self.asked.append(asked)


@pytest.fixture
def registry():
    return Desks()


@pytest.fixture
def client(registry):
    endpoint = desk_socket.DeskEndpoint(registry)
    with TestClient(Starlette(routes=[WebSocketRoute("/desk", endpoint.serve)])) as client:
        yield client


def connect(client, permit, *, session=SESSION, origin=ORIGIN):
    headers = {"origin": origin} if origin else {}
    return client.websocket_connect(f"/desk?token={permit}&session={session}", headers=headers)


def ask(line, seq, picture=b"a picture"):
    line.send_bytes(struct.pack(">I", seq) + picture)
    return line.receive_json()


def close_code(line):
    with pytest.raises(WebSocketDisconnect) as closed:
        line.receive_json()
    return closed.value.code


def refused(client, permit, **how):
    with pytest.raises(WebSocketDisconnect), connect(client, permit, **how):
        pass


def test_frames_and_buttons_reach_the_desk(client, registry):
    desk = Scripted()
    with connect(client, registry.open(desk)) as line:
        assert ask(line, 7) == {"type": "frame", "seq": 7, "state": "guide"}
        line.send_json({"type": "skip"})
        line.send_json({"type": "retake", "target": "left"})
        line.send_json({"type": "restart"})
        ask(line, 8)
    assert desk.asked[1:4] == [Wish("skip"), Wish("retake", Target.LEFT), Wish("restart")]


def test_nobody_gets_in_without_a_permit_or_from_elsewhere(client, registry):
    desk = Scripted()
    permit = registry.open(desk)
    refused(client, "guess")
    refused(client, "")
    refused(client, permit, origin="http://elsewhere")
    refused(client, permit, origin=None)
    refused(client, permit, session="short")
    assert desk.entries == 0


def test_a_kiosks_token_opens_no_desk(backend, client):
    refused(client, backend.access.issue_token("entrance", actor="test"))


def test_a_permit_is_for_one_page_which_may_come_back(client, registry):
    desk = Scripted()
    permit = registry.open(desk)
    for _ in range(2):
        with connect(client, permit) as line:
            ask(line, 1)
    refused(client, permit, session="fedcba9876543210")
    assert desk.entries == 2


def test_a_desk_ends_with_the_page_that_keeps_it(client, registry):
    desk = Scripted()
    permit = registry.open(desk)
    with connect(client, permit) as line:
        ask(line, 1)
        del desk
        gc.collect()
        line.send_bytes(struct.pack(">I", 2) + b"a picture")
        assert close_code(line) == protocol.TOKEN_WITHDRAWN
    assert len(registry) == 0


def test_a_closed_desk_and_an_old_permit_are_worth_nothing(client, registry, monkeypatch):
    kept = [Scripted(), Scripted()]
    closed, old = (registry.open(desk) for desk in kept)
    registry.close(closed)
    refused(client, closed)
    now = desks.time.monotonic()
    monkeypatch.setattr(desks.time, "monotonic", lambda: now + desks.OPEN_S + 1)
    assert registry.get(old) is None


def test_the_number_of_desks_is_bounded_and_the_oldest_goes(registry):
    kept = [Scripted() for _ in range(desks.MOST_DESKS + 1)]
    permits = [registry.open(desk) for desk in kept]
    assert len(registry) <= desks.MOST_DESKS
    assert registry.get(permits[0]) is None
    assert registry.get(permits[-1]) is kept[-1]


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", "{}", '{"type": "code"}', '{"type": "skip", "more": 1}', '{"type": "retake"}',
     '{"type": "retake", "target": "behind"}', '{"type": "retake", "target": 3}', "[" * 400],
)  # fmt: skip
def test_what_no_page_of_ours_sends_closes_the_connection(client, registry, text):
    desk = Scripted()
    with connect(client, registry.open(desk)) as line:
        line.send_text(text)
        assert close_code(line) == protocol.NOT_UNDERSTOOD
    assert desk.asked == []


def test_too_large_and_too_much_close_it_too(client, registry):
    desk = Scripted()
    permit = registry.open(desk)
    with connect(client, permit) as line:
        line.send_bytes(b"0" * (protocol.MAX_FRAME_BYTES + 1))
        assert close_code(line) == protocol.TOO_LARGE
    with connect(client, permit) as line:
        for _ in range(3 * desk_socket.MAX_MESSAGES_A_SECOND):
            line.send_json({"type": "skip"})
        assert close_code(line) == protocol.TOO_MANY


@pytest.mark.parametrize(
    ("trouble", "state"), [(BackendUnavailable("away"), "away"), (BrokenImage("broken"), "unreadable")]
)
def test_what_is_away_or_broken_is_said_and_the_connection_stays(client, registry, trouble, state):
    desk = Scripted(trouble)
    with connect(client, registry.open(desk)) as line:
        assert [ask(line, seq)["state"] for seq in (1, 2)] == [state] * 2


def test_whoever_was_signed_out_meanwhile_is_sent_away(client, registry):
    desk = Scripted(Forbidden("no"))
    with connect(client, registry.open(desk)) as line:
        line.send_bytes(struct.pack(">I", 1) + b"a picture")
        assert close_code(line) == protocol.TOKEN_WITHDRAWN


def test_a_whole_guided_enrolment_over_the_wire(backend, client, registry):
    guided = backend.guided_enrolment()
    ticks = iter(range(1000))
    guided._elapsed_s = lambda: 0.2 * next(ticks)
    desk = GuideDesk(guided)
    permit = registry.open(desk)
    with connect(client, permit) as line:
        said = [ask(line, seq, photo(7)) for seq in range(5)]
        taken = next(one for one in said if one["captured"])
        assert taken["captured"] == "front"
        assert taken["thumbnails"]["front"].startswith("data:image/jpeg;base64,")
        assert said[-1]["thumbnails"] == {}
        assert said[-1]["headline"] == "Turn a little more to the left"
        for _ in range(3):
            line.send_json({"type": "skip"})
        last = ask(line, 9, photo(7))
        assert (last["state"], last["target"]) == ("finished", None)
    with connect(client, permit) as line:
        assert set(ask(line, 1, photo(7))["thumbnails"]) == {"front"}, (
            "a page that comes back gets them again"
        )
    assert [shot.image for shot in desk.photos()] == [photo(7)]
