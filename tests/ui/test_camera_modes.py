"""Which way a kiosk's pictures come in, and the video stream's page."""

from __future__ import annotations

import asyncio
import html as html_module
import io
import json
import re
import threading
from types import SimpleNamespace
from xml.etree import ElementTree

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from PIL import Image

from ray_backend.client import Backend
from ray_backend.domain.queries import AuditQuery, PunchQuery
from ray_backend.services.strangers import handover
from ray_backend.settings import Settings
from streamlit_app import texts
from streamlit_app.camera import browser, card, live, modes, stream
from streamlit_app.camera.card import answer_html
from streamlit_app.camera.modes import Ended, Mode, Refusals, first_mode, next_mode, runs_words
from streamlit_app.camera.newest import NewestFrame, as_jpeg
from streamlit_app.kiosk_words import Answer
from streamlit_app.views import check_in
from tests.fakes import photo
from tests.ui.conftest import enrol, page, words


@pytest.mark.parametrize(
    ("setting", "first", "then"),
    [
        ("auto", Mode.WEBSOCKET, [Mode.WEBRTC, Mode.PHOTO, None]),
        ("websocket", Mode.WEBSOCKET, [None]),
        ("webrtc", Mode.WEBRTC, [None]),
        ("photo", Mode.PHOTO, [None]),
    ],
)
def test_only_auto_goes_on_to_the_next_mode(setting, first, then):
    settings = Settings(camera=setting)
    mode = first_mode(settings)
    assert mode is first
    for following in then:
        mode = next_mode(settings, mode)
        assert mode is following


def test_one_refusal_is_a_hiccup_and_two_are_not():
    refusals = Refusals()
    assert not refusals.note(0.0)
    assert refusals.note(11.0)


def test_refusals_far_apart_are_hiccups():
    refusals = Refusals()
    assert not any(refusals.note(at) for at in (0.0, 100.0, 200.0))


def test_the_words_say_which_mode_runs_and_why():
    assert runs_words(Mode.WEBRTC, "") == "This kiosk uses the live camera as a video stream (WebRTC)."
    assert "because the direct connection (WebSocket) cannot be opened." in runs_words(
        Mode.WEBRTC, modes.failure_words(Mode.WEBSOCKET)
    )


@pytest.fixture
def kiosk_page(backend):
    """The kiosk's page, not run yet."""
    test = page(check_in.render, backend, signed_in=False)
    test.query_params["token"] = backend.access.issue_token("entrance", actor="test")
    return test


@pytest.fixture
def use_settings(settings, monkeypatch):
    """Changes the app's settings."""

    def change(**values):
        changed = settings.model_copy(update=values)
        monkeypatch.setattr(check_in.deps, "settings", lambda: changed)

    return change


@pytest.fixture
def refusing(monkeypatch):
    """A browser whose WebSocket does not get through, in each run of the page."""

    def refused(token, settings):
        check_in.st.session_state["live_camera"] = {"refused": 1}
        return False

    monkeypatch.setattr(check_in, "live_camera", refused)


def fail(kiosk):
    return Ended.FAILED


def test_auto_goes_from_mode_to_mode_and_says_why(kiosk_page, refusing, monkeypatch):
    shown = []
    monkeypatch.setitem(check_in._MODES, Mode.WEBRTC, lambda kiosk: shown.append(kiosk.why) or Ended.FAILED)

    kiosk_page.run()
    assert shown == []
    kiosk_page.run()

    assert shown == ["the direct connection (WebSocket) cannot be opened"]
    assert len(kiosk_page.camera_input) == 1
    assert "single photos, because neither a direct connection nor a video stream" in words(kiosk_page)


def test_a_mode_that_the_settings_name_is_kept(kiosk_page, refusing, use_settings):
    use_settings(camera="websocket")
    for _ in range(3):
        kiosk_page.run()

    assert "kiosk_mode" not in kiosk_page.session_state
    assert len(kiosk_page.camera_input) == 0


def test_the_settings_can_name_the_photo_and_then_there_is_no_way_back(kiosk_page, use_settings):
    use_settings(camera="photo")
    kiosk_page.run()

    assert len(kiosk_page.camera_input) == 1
    assert "This kiosk uses single photos." in words(kiosk_page)
    assert "Back to the live camera" not in [button.label for button in kiosk_page.button]


@pytest.mark.parametrize("hours", [48, 0])
def test_a_strangers_photo_goes_to_the_inbox_where_the_site_keeps_them(
    backend, kiosk_page, use_settings, hours
):
    ada = enrol(backend, 1, name="Ada Example")
    backend.site.change({"keep_unknown_hours": hours}, actor="test")
    use_settings(camera="photo")
    kiosk_page.run()
    for who in (1, 120):
        kiosk_page.file_uploader[0].set_value(("me.png", photo(who), "image/png")).run()
        kiosk_page.run()
    handover().wait()
    backend.site.change({"keep_unknown_hours": 48}, actor="test")
    cards = backend.unknown.cards().cards
    assert [(card.faces, card.kiosks) for card in cards] == ([(1, ("entrance",))] if hours else [])
    assert all(card.thumbnail and card.known_as is None for card in cards)
    assert backend.people.details(ada.person_id).templates


def test_from_the_photo_one_gets_back_to_the_live_camera(kiosk_page):
    kiosk_page.session_state["kiosk_mode"] = (Mode.PHOTO, "")
    kiosk_page.run()
    next(button for button in kiosk_page.button if button.label == "Back to the live camera").click().run()

    assert len(kiosk_page.camera_input) == 0
    assert len(kiosk_page.get("bidi_component")) == 1


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("insecure", "ROLLCALL_HTTPS=self-signed"),
        ("denied", "The camera is not allowed"),
        ("none", "No camera was found"),
    ],
)
def test_where_there_is_no_camera_the_photo_page_says_so_and_takes_a_file(
    backend, kiosk_page, monkeypatch, state, said
):
    enrol(backend, 1, name="Ada Example")
    monkeypatch.setattr(browser, "_mount", lambda **options: SimpleNamespace(camera=state))
    kiosk_page.session_state["kiosk_mode"] = (Mode.PHOTO, "")
    kiosk_page.run()

    assert said in kiosk_page.warning[0].value
    assert len(kiosk_page.camera_input) == 0
    kiosk_page.file_uploader[0].set_value(("me.png", photo(1), "image/png")).run()
    assert "Welcome, Ada Example" in words(kiosk_page)


# The video stream


def frame(picture: bytes) -> av.VideoFrame:
    return av.VideoFrame.from_image(Image.open(io.BytesIO(picture)).convert("RGB"))


class Sent:
    """Stands for `NewestFrame`: these frames, then none, and each look takes its time."""

    def __init__(self, clock, *pictures):
        self.frames = [frame(picture) for picture in pictures]
        self.clock = clock

    def take(self, timeout_s):
        if self.frames:
            self.clock.now += 0.1
            return self.frames.pop(0)
        self.clock.now += timeout_s
        return None


class Clock:
    """Stands for the module `time`: nobody waits."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def streaming(kiosk_page, use_settings, monkeypatch):
    """Runs the stream's page with these pictures until it gives up; returns what was shown, in order."""

    def run(*pictures, state="ready", connects=True, settled=True):
        use_settings(camera="webrtc")
        clock, shown, cameras, beats = Clock(), [], [], []

        def noted(answer, *, camera, beat):
            shown.append(answer)
            cameras.append(camera)
            beats.append(beat)
            return answer_html(answer, camera=camera, beat=beat)

        monkeypatch.setattr(stream, "time", clock)
        monkeypatch.setattr(stream, "camera_state", lambda press, nudge: state)
        monkeypatch.setattr(stream, "_receive", lambda newest: connects)
        monkeypatch.setattr(stream, "as_jpeg", lossless)
        monkeypatch.setattr(stream, "answer_html", noted)
        made = stream._Stream(settled, Sent(clock, *pictures), waiting_since=clock.now)
        kiosk_page.session_state[stream.STATE] = made
        ended = []
        mode = stream.stream_mode
        monkeypatch.setitem(
            check_in._MODES, Mode.WEBRTC, lambda kiosk: ended.append(mode(kiosk)) or Ended.STAYS
        )
        kiosk_page.run()
        assert not kiosk_page.exception
        seen = {"shown": shown, "cameras": cameras, "beats": beats}
        return SimpleNamespace(**seen, ended=ended, seconds=clock.now - 1000.0)

    return run


def lossless(video_frame):
    """JPEG would change the colours that are the fakes' faces."""
    out = io.BytesIO()
    video_frame.to_image().save(out, "PNG")
    return out.getvalue()


class FirstFrameDecides:
    """Stands for a kiosk's session: the vote over frames has tests of its own."""

    def __init__(self, backend, kiosk):
        self.backend, self.kiosk = backend, kiosk

    def frame(self, image):
        from ray_backend.domain.answers import KioskAnswer
        from ray_backend.domain.kiosk.words import Phase, Scene
        from ray_backend.domain.model import DecisionKind

        check_in = self.backend.check_in(image, kiosk=self.kiosk)
        if check_in.decision.kind is DecisionKind.NO_FACE:
            return KioskAnswer(Scene(Phase.IDLE), check_in.picture_size)
        return KioskAnswer(Scene(Phase.DECIDED), check_in.picture_size, check_in)


@pytest.fixture
def session(backend, monkeypatch):
    monkeypatch.setattr(Backend, "kiosk_session", lambda _, kiosk: FirstFrameDecides(backend, kiosk))


def test_a_person_in_the_stream_is_recorded_and_greeted(backend, session, streaming):
    enrol(backend, 1, name="Ada Example")

    run = streaming(photo(), photo(1))

    assert "Welcome, Ada Example" in [answer.headline for answer in run.shown]
    ((punch, _),) = backend.reports.recent_punches(PunchQuery())
    assert punch.kiosk == "entrance"


def test_the_screen_hears_again_and_again_that_the_page_answers(session, streaming):
    beats = streaming(*[photo()] * 4).beats
    assert len(beats) > 4
    assert len(set(beats)) == len(beats)


def test_a_stream_without_pictures_has_failed_after_twenty_seconds(session, streaming):
    run = streaming()
    assert run.ended == [Ended.FAILED]
    assert 20 <= run.seconds < 25


def test_a_stream_that_cannot_be_agreed_on_has_failed_at_once(session, streaming):
    assert streaming(connects=False).ended == [Ended.FAILED]


def test_a_browser_without_webrtc_has_failed_at_once(session, streaming):
    run = streaming(photo(), state="streamless")
    assert (run.ended, run.seconds) == ([Ended.FAILED], 0.0)


def test_the_first_run_ends_so_that_what_another_mode_left_goes(session, streaming):
    run = streaming(photo(), settled=False)
    assert (run.ended, run.seconds) == ([Ended.STAYS], 0.0)


@pytest.mark.parametrize("state", ["insecure", "denied", "none"])
def test_a_camera_that_cannot_be_used_is_no_failure_of_the_stream(session, streaming, state):
    run = streaming(state=state)
    assert run.ended == [Ended.STAYS]
    assert texts.CAMERA_PROBLEMS[run.cameras[-1]] == browser.camera_problem(state)


def test_nobody_having_allowed_the_camera_yet_is_no_failure(session, streaming, monkeypatch):
    """The page waits on: here until somebody asks for the photo."""
    rounds = []

    class Enough(Exception):
        pass

    def waiting(made):
        rounds.append(made)
        if len(rounds) > 60:
            raise Enough
        return Answer("idle"), "starting"

    monkeypatch.setattr(stream, "_waiting", waiting)
    with pytest.raises(AssertionError):
        streaming(state="asking")
    assert len(rounds) == 61


def test_a_kiosk_that_is_shut_out_stops_answering(backend, session, streaming, monkeypatch):
    enrol(backend, 1)
    (token,) = [token for token in backend.access.tokens() if token.kiosk == "entrance"]
    looked = []
    recognise = FirstFrameDecides.frame

    def shut_out(self, image):
        looked.append(1)
        if len(looked) == 3:
            backend.access.revoke_token(token.token_id, actor="test")
        return recognise(self, image)

    monkeypatch.setattr(FirstFrameDecides, "frame", shut_out)
    streaming(*[photo()] * 200)

    assert 3 < len(looked) < 100


def test_without_permission_or_answer_the_state_of_the_camera_is_unknown():
    assert browser.camera_problem("") is None
    assert browser.camera_problem("ready") is None
    assert browser.camera_problem("asking") is None


def test_an_answer_reaches_the_screen_whole_and_without_markup():
    html = answer_html(Answer("in", '<b>"Ada"</b>', note="it's <i>"), camera="NotFoundError", beat="7")
    assert "<b>" not in html
    assert "<i>" not in html
    (element,) = ElementTree.fromstring(f"<r>{html.replace(' hidden', '')}</r>")
    assert json.loads(element.get("data-answer"))["headline"] == '<b>"Ada"</b>'
    assert (element.get("data-camera"), element.get("data-beat")) == ("NotFoundError", "7")


# The other way and "This is not me", on the pages that Streamlit draws


@pytest.fixture
def pressed(monkeypatch):
    """What somebody does on the screen, once for each request; and what the screen was told."""
    done, told = [], []

    def mount(**options):
        told.append(options["data"])
        return SimpleNamespace(asked=done.pop(0) if done else None, photo=False)

    monkeypatch.setattr(card, "_mount", mount)
    return SimpleNamespace(do=done.append, told=told)


def code_request(digits, request_id="request-1"):
    return {"type": "code", "digits": digits, "request_id": request_id}


@pytest.fixture
def photo_page(kiosk_page):
    kiosk_page.session_state["kiosk_mode"] = (Mode.PHOTO, "")
    return kiosk_page


def test_a_code_typed_on_the_photo_page_is_a_punch_and_its_answer_comes_back(backend, photo_page, pressed):
    ada = enrol(backend, 1, name="Ada Example")
    backend.people.set_code(ada.person_id, "482916", actor="test")
    photo_page.run()
    pressed.do(code_request("482916"))
    photo_page.run()

    reply = pressed.told[-1]["reply"]
    assert (reply["type"], reply["request_id"], reply["state"]) == ("code", "request-1", "in")
    ((punch, _),) = backend.reports.recent_punches(PunchQuery())
    assert (punch.source, punch.kiosk) == ("pin", "entrance")


def test_wrong_codes_on_the_photo_page_are_limited(photo_page, pressed):
    photo_page.run()
    for number in range(8):
        pressed.do(code_request("0000", f"request-{number}"))
        photo_page.run()
    assert pressed.told[-1]["reply"]["state"] == "limited"
    assert pressed.told[-1]["reply"]["wait_s"] > 0


@pytest.mark.parametrize("asked", [{"type": "reboot"}, {"digits": 1}, code_request("1; drop")])
def test_what_no_screen_of_ours_asks_is_not_answered(photo_page, pressed, asked):
    photo_page.run()
    pressed.do(asked)
    photo_page.run()
    assert not photo_page.exception
    assert pressed.told[-1]["reply"] is None


def test_this_is_not_me_after_a_photo_is_noted(backend, photo_page, pressed):
    enrol(backend, 1, name="Ada Example")
    photo_page.run()
    photo_page.camera_input[0].set_value(("shot.jpg", photo(1), "image/jpeg"))
    photo_page.run()
    ((punch, _),) = backend.reports.recent_punches(PunchQuery())
    shown = json.loads(html_module.unescape(re.search('data-answer="(.*?)"', words(photo_page))[1]))
    assert (shown["punch_id"], shown["result"] != "") == (punch.punch_id, True)
    pressed.do({"type": "not_me", "punch_id": punch.punch_id})
    photo_page.run()

    assert pressed.told[-1]["reply"]["headline"] == "Thank you"
    entries = backend._records.store.list_audit(AuditQuery()).items
    assert [entry.subject for entry in entries if entry.action == "punch.disputed"] == [punch.punch_id]


@pytest.mark.parametrize(
    ("mode", "words_"),
    [("websocket", "Live camera"), ("webrtc", "Video stream"), ("photo", "Photo button")],
)
def test_the_corner_says_which_mode_runs(mode, words_):
    data = live.screen_data(SimpleNamespace(site_name="", time_zone="UTC"), Mode(mode))
    assert words_ in data["texts"]["online"]


# The newest frame


class Track:
    """A video track that gives what the test puts into it."""

    def __init__(self):
        self.frames = asyncio.Queue()

    async def recv(self):
        found = await self.frames.get()
        if found is None:
            raise MediaStreamError
        return found


@pytest.fixture
def loop():
    """An event loop in a thread of its own, as Streamlit's is."""
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever, daemon=True)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join(5)
    made.close()


def on(loop, work):
    async def call():
        return work()

    return asyncio.run_coroutine_threadsafe(call(), loop).result(5)


def settle(loop):
    """Until the loop has done what it can."""
    for _ in range(5):
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(5)


def test_only_the_newest_frame_is_taken_and_each_once(loop):
    newest, track = NewestFrame(), on(loop, Track)
    newest.addTrack(track)
    on(loop, newest.start)
    for number in range(5):
        loop.call_soon_threadsafe(track.frames.put_nowait, number)
    settle(loop)

    assert newest.take(1) == 4
    assert newest.take(0.01) is None
    newest.stop()


def test_after_a_stop_it_reads_the_next_track_and_no_longer_the_first(loop):
    newest, first, second = NewestFrame(), on(loop, Track), on(loop, Track)
    newest.addTrack(first)
    on(loop, newest.start)
    newest.stop()
    assert not newest.hasTrack()
    newest.addTrack(second)
    on(loop, newest.start)
    loop.call_soon_threadsafe(first.frames.put_nowait, "old")
    settle(loop)
    assert newest.take(0.01) is None
    loop.call_soon_threadsafe(second.frames.put_nowait, "new")
    assert newest.take(5) == "new"
    newest.stop()


def test_the_end_of_a_track_ends_its_reading_quietly(loop):
    newest, track = NewestFrame(), on(loop, Track)
    newest.addTrack(track)
    on(loop, newest.start)
    task = newest._task
    loop.call_soon_threadsafe(track.frames.put_nowait, None)
    settle(loop)
    assert task.done()
    assert task.exception() is None


def test_a_frame_becomes_a_small_jpeg():
    data = as_jpeg(av.VideoFrame.from_ndarray(np.full((720, 1280, 3), 120, np.uint8), format="bgr24"))
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("JPEG", (640, 360))
