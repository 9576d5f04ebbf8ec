"""The video stream: streamlit-webrtc brings the pictures, the page's own run answers them.

The run does not end while the stream lives: it takes the newest frame, asks, and draws the answer. That
costs a quarter of running the page again and again, and shows the answer a tenth of a second sooner.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import streamlit as st

from ray_backend.domain.errors import Unavailable, WrongCredentials
from ray_backend.observing import meters
from streamlit_app.camera.browser import PROBLEMS, camera_state
from streamlit_app.camera.card import answer_html
from streamlit_app.camera.code import ask, screen
from streamlit_app.camera.modes import Ended, Kiosk, Mode
from streamlit_app.camera.newest import NewestFrame, as_jpeg
from streamlit_app.camera.protocol import Frame
from streamlit_app.camera.turn import ice_servers
from streamlit_app.i18n import N_
from streamlit_app.kiosk_words import Answer, in_words

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
_NO_SERVERS: dict[str, list] = {"iceServers": []}
_WAIT_S = 1.0
_EVERY_S = {"idle": 0.5, "away": 1.0}
_OFTEN_S = 0.12
_GIVE_UP_AFTER_S = 20.0
_CHECK_TOKEN_EVERY_S = 30.0
_IDLE = Answer("idle")
_QUIET = Answer("trouble", N_("No picture arrives"), N_("It comes back by itself. Please wait."))


@dataclass
class _Stream:
    """What stays of a stream from run to run. Times are seconds of a monotonic clock."""

    settled: bool = False
    newest: NewestFrame = field(default_factory=NewestFrame)
    seq: int = 0
    seen_at: float | None = None
    waiting_since: float = field(default_factory=time.monotonic)
    shown: Answer = _IDLE
    beats: int = 0
    servers: list[dict] = field(default_factory=list)

    def draw(self, place, answer: Answer, camera: str = "") -> None:
        """Tells the screen what to show, and that this run goes on."""
        self.shown = answer
        self.beats += 1
        place.html(answer_html(answer, camera=camera, beat=str(self.beats)))


def stream_mode(kiosk: Kiosk) -> Ended:
    """Shows the stream and answers it until the page is run anew or the stream has failed."""
    if STATE not in st.session_state:
        # Made once: another password would be another stream.
        st.session_state[STATE] = _Stream(servers=ice_servers(kiosk.settings, time.time()))
    stream: _Stream = st.session_state[STATE]
    place = st.empty()
    state = camera_state(_START, nudge=not stream.settled)
    problem = PROBLEMS.get(state, "")
    stream.draw(place, stream.shown, problem or ("starting" if stream.seen_at is None else ""))
    wants_photo = screen(kiosk, Mode.WEBRTC, layout="full")
    if state == "streamless" or not _receive(stream):
        return Ended.FAILED
    if wants_photo:
        return Ended.PHOTO_WANTED
    if not stream.settled:
        # One run has to come to its end, for only then does Streamlit take away what another mode left on
        # the page: it would hold the camera. The browser begins the next run.
        stream.settled = True
        return Ended.STAYS
    if problem:
        stream.waiting_since = time.monotonic()
        return Ended.STAYS
    return _answer_all(kiosk, stream, place, allowed=state == "ready")


def _receive(stream: _Stream) -> bool:
    """Mounts the streamer; False when browser and server cannot agree on how to connect."""
    from aiortc.exceptions import InvalidStateError
    from streamlit_webrtc import WebRtcMode, webrtc_streamer
    from streamlit_webrtc.webrtc import SignallingTimeoutError

    try:
        webrtc_streamer(
            key="kiosk_stream",
            mode=WebRtcMode.SENDONLY,
            frontend_rtc_configuration={"iceServers": stream.servers},
            server_rtc_configuration=_NO_SERVERS,
            media_stream_constraints=_CONSTRAINTS,
            sink_video_track=stream.newest,
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
            stream.draw(place, *_waiting(stream))
            if not allowed:
                # Nobody has allowed the camera yet: that is no failure of the stream.
                stream.waiting_since = now
            if now - stream.waiting_since > _GIVE_UP_AFTER_S:
                stream.waiting_since = now
                return Ended.FAILED
            continue
        stream.waiting_since = stream.seen_at = now
        stream.seq += 1
        answer = ask(kiosk, Frame(stream.seq, as_jpeg(frame)))
        if answer.state != "away":
            meters.answered(Mode.WEBRTC.value, time.monotonic() - now)
        stream.draw(place, answer)
        if now - checked_at > _CHECK_TOKEN_EVERY_S:
            checked_at = now
            if not _still_allowed(kiosk):
                st.rerun()
        due_at = max(now, due_at) + _EVERY_S.get(answer.state, _OFTEN_S)
        time.sleep(max(0.0, due_at - time.monotonic()))


def _waiting(stream: _Stream) -> tuple[Answer, str]:
    return (_IDLE, "starting") if stream.seen_at is None else (in_words(_QUIET), "")


def _still_allowed(kiosk: Kiosk) -> bool:
    try:
        kiosk.backend.access.verify_token(kiosk.token)
    except WrongCredentials:
        return False
    except Unavailable:
        return True  # nobody there to ask, and nobody who would answer a frame
    return True
