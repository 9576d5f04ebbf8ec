"""The other way on pages that Streamlit draws: a typed code instead of a face."""

from __future__ import annotations

from dataclasses import fields

import streamlit as st

from ray_backend.domain.model import new_id
from streamlit_app.camera.modes import Kiosk
from streamlit_app.camera.page_sessions import PageSession
from streamlit_app.camera.protocol import Code, Frame
from streamlit_app.kiosk_words import Answer

_PAGE = "kiosk_page"
_LONGEST = 20
_NOT_DIGITS = Answer("wrong", "This code is not right", "A code has digits only. Please try again.")


def page_session(kiosk: Kiosk) -> PageSession:
    """This browser tab's conversation with the kiosk's session, kept over all runs of the page."""
    key = f"{_PAGE}-{kiosk.name}"
    if key not in st.session_state:
        st.session_state[key] = PageSession(kiosk.settings.kiosk_name)
    return st.session_state[key]


def ask(kiosk: Kiosk, asked: Frame | Code) -> tuple[Answer, str]:
    """The answer, and the name of the result that it tells; empty where it is none."""
    message = page_session(kiosk).answer(kiosk.backend, kiosk.name, asked)
    answer = Answer(**{field.name: message[field.name] for field in fields(Answer)})
    return answer, answer.result


def typed_code(kiosk: Kiosk) -> Answer | None:
    """A field for the code; the answer to one that was just typed."""
    with st.form("kiosk_code", clear_on_submit=True, border=False):
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        digits = left.text_input(
            "Or type your code", type="password", max_chars=_LONGEST, autocomplete="off", key="kiosk_digits"
        )
        if not right.form_submit_button("Check in", icon=":material/dialpad:", width="stretch"):
            return None
    digits = digits.strip()
    if not (digits.isascii() and digits.isdigit()):
        return _NOT_DIGITS
    return ask(kiosk, Code(digits, new_id()))[0]
