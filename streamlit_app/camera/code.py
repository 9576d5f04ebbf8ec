"""The other way on pages that Streamlit draws: typed codes and "This is not me", over one conversation."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Literal

import streamlit as st

from ray_backend.domain.model import new_id
from streamlit_app import deps
from streamlit_app.camera import protocol
from streamlit_app.camera.card import kiosk_card
from streamlit_app.camera.modes import Kiosk, Mode, runs_words
from streamlit_app.camera.page_sessions import PageSession
from streamlit_app.camera.protocol import Frame, Refused
from streamlit_app.kiosk_words import Answer

_PAGE, _REPLY = "kiosk_page", "kiosk_reply"


def page_session(kiosk: Kiosk) -> PageSession:
    """This browser tab's conversation with the kiosk's session, kept over all runs of the page."""
    key = f"{_PAGE}-{kiosk.name}"
    if key not in st.session_state:
        st.session_state[key] = PageSession(lambda: deps.site().kiosk_name, new_id())
    return st.session_state[key]


def ask(kiosk: Kiosk, frame: Frame) -> Answer:
    """What to show after this frame."""
    message = page_session(kiosk).answer(kiosk.backend, kiosk.name, frame)
    return Answer(**{field.name: message[field.name] for field in fields(Answer)})


def screen(kiosk: Kiosk, mode: Mode, *, layout: Literal["full", "inline"]) -> bool:
    """Shows the kiosk's screen and answers what is asked there, which begins the page's run anew.

    Returns whether the person wants the photo page instead.
    """
    reply = st.session_state.get(_REPLY)
    # A part of a page leaves room for the page to say it.
    why = runs_words(mode, kiosk.why) if kiosk.why and layout == "full" else ""
    heard = kiosk_card(deps.site(), mode, why, layout=layout, reply=reply)
    if heard.asked:
        try:
            asked = protocol.parse({"text": json.dumps(dict(heard.asked))})
        except Refused:
            return heard.photo
        st.session_state[_REPLY] = page_session(kiosk).answer(kiosk.backend, kiosk.name, asked)
        st.rerun()
    return heard.photo
