"""The video stream: streamlit-webrtc brings the pictures, the page's own run answers them.

The run does not end while the stream lives: it takes the newest frame, asks, and draws the answer. That
costs a quarter of running the page again and again, and shows the answer a tenth of a second sooner.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import streamlit as st

from ray_backend.domain.errors import Unavailable, WrongCredentials
from streamlit_app.camera.browser import camera_problem, camera_state
from streamlit_app.camera.card import card_html
from streamlit_app.camera.code import ask, typed_code
from streamlit_app.camera.modes import Ended, Kiosk, Mode, runs_words
from streamlit_app.camera.newest import NewestFrame, as_jpeg
from streamlit_app.camera.protocol import Frame
from streamlit_app.kiosk_words import Answer

STATE = "kiosk_stream_state"  # in the session; to be taken out when the mode changes
_START = "START"
_CONSTRAINTS = {
    "video": {
        "width": {"ideal": 640},
        "height": {"ideal": 480},
        "frameRate": {"ideal": 10, "max": 15},
        "facingMode": "user",
    },
    "audio": False,
}
# Without this list the library asks a server of Google for this machine's address.
_NO_SERVERS = {"iceServers": []}
_WAIT_S = 1.0
_EVERY_S = {"idle": 0.5, "away": 1.0}
_OFTEN_S = 0.12
_HOLD_RESULT_S = 2.5
_GIVE_UP_AFTER_S = 20.0
_CHECK_TOKEN_EVERY_S = 30.0
_STARTING = Answer("idle", "Starting the camera", "If the browser asks, allow the camera.")
_IDLE = Answer("idle", "Step in front of the camera")
_QUIET = Answer("away", "No picture arrives", "It comes back by itself. Please wait.")
_STYLE = """<style>
.stMainBlockContainer { padding-top: 1rem; padding-bottom: 0; }
.rc-answer { min-height: 26vh; }
.rc-answer p { font-size: clamp(2rem, 7.5vmin, 5.5rem); }
.rc-answer small { font-size: clamp(1.35rem, 4.5vmin, 3rem); }
.rc-sign { font-size: clamp(3rem, 14vmin, 9rem); }
</style>"""


@dataclass
class _Stream:
    """What stays of a stream from run to run. Times are seconds of a monotonic clock."""

    settled: bool = False
    newest: NewestFrame = field(default_factory=NewestFrame)
    seq: int = 0
    seen_at: float | None = None
    waiting_since: float = field(default_factory=time.monotonic)
    shown: Answer = _STARTING
    shown_until: float = 0.0

    def show(self, answer: Answer, result: str) -> Answer:
        """What is to be seen now: a result stays a while, unless another one comes."""
        now = time.monotonic()
        if not result and now < self.shown_until:
            return self.shown
        if result:
            self.shown_until = now + _HOLD_RESULT_S
        self.shown = _IDLE if answer.state == "idle" else answer
        return self.shown


def stream_mode(kiosk: Kiosk) -> Ended:
    """Shows the stream and answers it until the page is run anew or the stream has failed."""
    stream: _Stream = st.session_state.setdefault(STATE, _Stream())
    st.html(_STYLE)
    place = st.empty()
    place.html(card_html(stream.shown))
    state = camera_state(_START, nudge=not stream.settled)
    coded = typed_code(kiosk)
    wants_photo = st.button("Use a photo instead", icon=":material/photo_camera:")
    st.caption(runs_words(Mode.WEBRTC, kiosk.why))
    if state == "streamless" or not _receive(stream.newest):
        return Ended.FAILED
    if wants_photo:
        return Ended.PHOTO_WANTED
    if not stream.settled:
        # One run has to come to its end, for only then does Streamlit take away what another mode left on
        # the page: it would hold the camera. The browser begins the next run.
        stream.settled = True
        return Ended.STAYS
    if coded is not None:
        stream.show(coded, result="code")
    problem = camera_problem(state)
    if problem is not None:
        stream.waiting_since = time.monotonic()
        place.html(card_html(Answer("hint", *problem)))
        return Ended.STAYS
    return _answer_all(kiosk, stream, place, allowed=state == "ready")


def _receive(newest: NewestFrame) -> bool:
    """Mounts the streamer; False when browser and server cannot agree on how to connect."""
    from aiortc.exceptions import InvalidStateError
    from streamlit_webrtc import WebRtcMode, webrtc_streamer
    from streamlit_webrtc.webrtc import SignallingTimeoutError

    try:
        webrtc_streamer(
            key="kiosk_stream",
            mode=WebRtcMode.SENDONLY,
            rtc_configuration=_NO_SERVERS,
            media_stream_constraints=_CONSTRAINTS,
            sink_video_track=newest,
            media_toggle_controls=False,
            translations={"start": _START},
        )
    except (SignallingTimeoutError, InvalidStateError):
        return False
    return True


def _answer_all(kiosk: Kiosk, stream: _Stream, place, *, allowed: bool) -> Ended:
    """Each turn draws, because only then can Streamlit end this run for another one."""
    checked_at = due_at = time.monotonic()
    while True:
        frame = stream.newest.take(_WAIT_S)
        now = time.monotonic()
        if frame is None:
            place.html(card_html(_waiting(stream, now)))
            if not allowed:
                # Nobody has allowed the camera yet: that is no failure of the stream.
                stream.waiting_since = now
            if now - stream.waiting_since > _GIVE_UP_AFTER_S:
                stream.waiting_since = now
                return Ended.FAILED
            continue
        stream.waiting_since = stream.seen_at = now
        stream.seq += 1
        answer, result = ask(kiosk, Frame(stream.seq, as_jpeg(frame)))
        place.html(card_html(stream.show(answer, result)))
        if now - checked_at > _CHECK_TOKEN_EVERY_S:
            checked_at = now
            if not _still_allowed(kiosk):
                st.rerun()
        due_at = max(now, due_at) + _EVERY_S.get(answer.state, _OFTEN_S)
        time.sleep(max(0.0, due_at - time.monotonic()))


def _waiting(stream: _Stream, now: float) -> Answer:
    if now < stream.shown_until:
        return stream.shown
    return _STARTING if stream.seen_at is None else _QUIET


def _still_allowed(kiosk: Kiosk) -> bool:
    try:
        kiosk.backend.access.verify_token(kiosk.token)
    except WrongCredentials:
        return False
    except Unavailable:
        return True  # nobody there to ask, and nobody who would answer a frame
    return True
