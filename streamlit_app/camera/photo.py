"""The way without live video: one photo at a time, from the browser's camera or from a file."""

from __future__ import annotations

import hashlib
from html import escape

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import ImageRejected
from ray_backend.domain.model import new_id
from streamlit_app import presenters
from streamlit_app.presenters import Answer

PICTURES = ["jpg", "jpeg", "png", "webp"]
_SIGNS = {"in": "✓", "out": "→", "already": "◷", "hint": "▲", "unknown": "◆", "away": "…"}
_BEFORE = Answer("idle", "Take a photo of your face")
_NO_FACE = Answer("hint", "No face was found", "Look straight at the camera and take the photo again.")


def photo_check_in(backend: Backend, kiosk: str) -> None:
    """A check-in with a photo. The same photo is one punch, however often the page runs."""
    photo = st.camera_input("Photo", key="kiosk_shot", label_visibility="collapsed")
    with st.expander("This computer has no camera: choose a file"):
        photo = st.file_uploader("Picture of your face", type=PICTURES, key="kiosk_file") or photo
    _card(_answer(backend, kiosk, photo.getvalue()) if photo else _BEFORE)


def _answer(backend: Backend, kiosk: str, picture: bytes) -> Answer:
    session = st.session_state.setdefault("kiosk_session", new_id())
    key = f"{kiosk}/{session}/{hashlib.sha256(picture).hexdigest()}"
    known = st.session_state.get("kiosk_answer")
    if known and known[0] == key:
        return known[1]
    try:
        check_in = backend.check_in(picture, kiosk=kiosk, idempotency_key=key)
    except ImageRejected as error:
        return Answer("hint", "The photo cannot be used", error.message)
    answer = presenters.answer_to(check_in, key)
    if answer.state == "idle":
        answer = _NO_FACE
    st.session_state["kiosk_answer"] = (key, answer)
    return answer


def _card(answer: Answer) -> None:
    """The answer, announced to screen readers when it changes."""
    detail = " ".join(part for part in (answer.time, answer.direction, answer.hint) if part)
    st.html(
        f'<div class="rc-answer rc-{answer.state}" role="status" aria-live="assertive" aria-atomic="true">'
        f'<span class="rc-sign" aria-hidden="true">{_SIGNS.get(answer.state, "")}</span>'
        f"<div><p>{escape(answer.headline)}</p><small>{escape(detail)}</small></div></div>"
    )
