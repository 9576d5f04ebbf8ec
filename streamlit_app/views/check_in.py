"""The kiosk's page: opened with a token in its address, hands-free, without the app around it."""

from __future__ import annotations

import time
from dataclasses import replace

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import WrongCredentials
from ray_backend.domain.permissions import Caller, Role
from streamlit_app import deps, links, style
from streamlit_app.camera.live import live_camera
from streamlit_app.camera.modes import (
    CameraMode,
    Ended,
    Kiosk,
    Mode,
    Refusals,
    failure_words,
    first_mode,
    next_mode,
)
from streamlit_app.camera.photo import photo_mode
from streamlit_app.camera.stream import STATE as STREAM_STATE
from streamlit_app.camera.stream import stream_mode
from streamlit_app.i18n import _, show_page_in

_MODE, _REFUSALS = "kiosk_mode", "kiosk_refusals"


def render(backend: Backend) -> None:
    """Checks the token of the address; a signed-in admin needs one as well."""
    style.kiosk_mode()
    # A kiosk speaks to everybody, so it keeps to the site's language.
    show_page_in(deps.site().language)
    token = st.query_params.get("token", "")
    try:
        name = backend.access.verify_token(token)
    except WrongCredentials:
        _not_allowed(wrong=bool(token))
        return
    _camera(Kiosk(backend.acting_as(Caller(name, Role.KIOSK)), name, token, deps.settings()))


def _camera(kiosk: Kiosk) -> None:
    """Shows the mode that runs here, and goes on to the next one when it has failed."""
    mode, why = st.session_state.get(_MODE) or (first_mode(kiosk.settings), "")
    ended = _MODES[mode](replace(kiosk, why=why))
    if ended is Ended.PHOTO_WANTED:
        _change(Mode.PHOTO, "")
    if ended is Ended.FAILED:
        following = next_mode(kiosk.settings, mode)
        if following is not None:
            _change(following, failure_words(mode))
        elif mode is Mode.WEBRTC:
            st.rerun()


def _change(mode: Mode, why: str) -> None:
    st.session_state.pop(STREAM_STATE, None)
    st.session_state[_MODE] = (mode, why)
    st.rerun()


def _live(kiosk: Kiosk) -> Ended:
    # Not a fragment: a restarted server does not know the fragments of pages that stayed open.
    if live_camera(kiosk.token, deps.site()):
        return Ended.PHOTO_WANTED
    said = st.session_state.get("live_camera") or {}
    if not said.get("refused"):
        return Ended.STAYS
    # The token is good and the page itself gets through, so something on the way stops WebSockets.
    refusals: Refusals = st.session_state.setdefault(_REFUSALS, Refusals())
    return Ended.FAILED if refusals.note(time.monotonic()) else Ended.STAYS


def _photo(kiosk: Kiosk) -> Ended:
    ended = photo_mode(kiosk)
    if kiosk.settings.camera != "photo":
        _left, middle, _right = st.columns([1, 4, 1])
        if middle.button(_("Back to the live camera"), icon=":material/videocam:"):
            del st.session_state[_MODE]
            st.session_state.pop(_REFUSALS, None)
            st.rerun()
    return ended


_MODES: dict[Mode, CameraMode] = {Mode.WEBSOCKET: _live, Mode.WEBRTC: stream_mode, Mode.PHOTO: _photo}


def _not_allowed(wrong: bool) -> None:
    _left, middle, _right = st.columns([1, 3, 1])
    with middle:
        st.title(_("This screen is not set up as a kiosk"))
        if wrong:
            st.write(_("The address holds a kiosk token that is not valid, or not valid any more."))
        else:
            st.write(_("The kiosk page opens only with an address that holds a kiosk token."))
        st.write(
            _(
                "An admin gets a new address under **Settings**, *Kiosks*, or on the server with "
                "`rollcall token create entrance`. Open that address here once and set it as the start page."
            )
        )
        links.link("home", _("To the admin pages"), ":material/arrow_back:")
