"""The way without live video: one photo at a time, from the browser's camera or from a file."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace

import streamlit as st

from ray_backend.domain.errors import ImageRejected
from ray_backend.domain.model import new_id
from ray_backend.observing import meters
from streamlit_app import deps
from streamlit_app.camera.browser import camera_problem, camera_state
from streamlit_app.camera.card import answer_html
from streamlit_app.camera.code import page_session, screen
from streamlit_app.camera.modes import Ended, Kiosk, Mode, runs_words
from streamlit_app.i18n import N_, _, message
from streamlit_app.kiosk_words import Answer, answer_to, in_words

_WAY = Mode.PHOTO.value
PICTURES = ["jpg", "jpeg", "png", "webp"]
_BEFORE = Answer("idle")
# The answer stays in sight where the picture is larger than the screen.
_STYLE = """<style>
.st-key-kiosk-photo { max-width: 46rem; margin-inline: auto; }
.st-key-kiosk-card { position: sticky; top: 0; z-index: 5; }
.st-key-kiosk-photo [data-testid="stCameraInputButton"] { min-height: 4rem; font-size: 1.5rem;
  font-weight: 600; }
.stMainBlockContainer { padding-top: 1rem; padding-bottom: 1rem; }
</style>"""
_NO_FACE = Answer(
    "hint", N_("No face was found"), N_("Look straight at the camera and take the photo again.")
)


def photo_mode(kiosk: Kiosk) -> Ended:
    """A check-in with a photo. The same photo is one punch, however often the page runs."""
    st.html(_STYLE)
    with st.container(key="kiosk-photo"):
        card = st.empty()
        with st.container(key="kiosk-card"):
            screen(kiosk, Mode.PHOTO, layout="inline")
        photo = _photo()
        card.html(answer_html(_answer(kiosk, photo) if photo else _BEFORE))
        st.caption(runs_words(Mode.PHOTO, kiosk.why))
    return Ended.STAYS


def _photo() -> bytes | None:
    problem = camera_problem(camera_state())
    photo = None
    if problem is None:
        photo = st.camera_input(_("Photo"), key="kiosk_shot", label_visibility="collapsed")
    else:
        st.warning(f"**{problem[0]}.** {problem[1]}", icon=":material/videocam_off:")
    with st.expander(_("This computer has no camera: choose a file"), expanded=problem is not None):
        photo = st.file_uploader(_("Picture of your face"), type=PICTURES, key="kiosk_file") or photo
    return photo.getvalue() if photo else None


def _answer(kiosk: Kiosk, picture: bytes) -> Answer:
    session = st.session_state.setdefault("kiosk_session", new_id())
    key = f"{kiosk.name}/{session}/{hashlib.sha256(picture).hexdigest()}"
    known = st.session_state.get("kiosk_answer")
    if known and known[0] == key:
        return known[1]
    meters.frame(_WAY, "received")
    came_at = time.monotonic()
    try:
        check_in = kiosk.backend.check_in(picture, kiosk=kiosk.name, idempotency_key=key, strangers=True)
        meters.answered(_WAY, time.monotonic() - came_at)
    except ImageRejected as error:
        return Answer("hint", _("The photo cannot be used"), message(error))
    answer = answer_to(check_in, key, deps.site().kiosk_name)
    if answer.state == "idle":
        answer = in_words(_NO_FACE)
    if answer.state not in ("hint", "adjust"):
        refused = answer.state in ("unknown", "ambiguous", "spoof")
        punch_id = page_session(kiosk).disputable(answer)
        answer = replace(answer, result=key, punch_id=punch_id, offer_code=refused)
    st.session_state["kiosk_answer"] = (key, answer)
    return answer
