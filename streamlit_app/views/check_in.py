"""The kiosk's page: opened with a token in its address, hands-free, without the app around it."""

from __future__ import annotations

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import WrongCredentials
from streamlit_app import deps, links, style
from streamlit_app.camera.live import live_camera
from streamlit_app.camera.photo import photo_check_in

_PHOTO_MODE = "kiosk_photo_mode"


def render(backend: Backend) -> None:
    """Checks the token of the address; a signed-in admin needs one as well."""
    style.kiosk_mode()
    token = st.query_params.get("token", "")
    try:
        kiosk = backend.access.verify_token(token)
    except WrongCredentials:
        _not_allowed(wrong=bool(token))
        return
    if st.session_state.get(_PHOTO_MODE):
        _photo_page(backend, kiosk)
    else:
        _live_page(token)


def _live_page(token: str) -> None:
    # Not a fragment: a restarted server does not know the fragments of pages that stayed open.
    if live_camera(token, deps.settings()):
        st.session_state[_PHOTO_MODE] = True
        st.rerun()


def _photo_page(backend: Backend, kiosk: str) -> None:
    _, middle, _ = st.columns([1, 4, 1])
    with middle:
        st.title("Check in with a photo")
        photo_check_in(backend, kiosk)
        if st.button("Back to the live camera", icon=":material/videocam:"):
            del st.session_state[_PHOTO_MODE]
            st.rerun()


def _not_allowed(wrong: bool) -> None:
    _, middle, _ = st.columns([1, 3, 1])
    with middle:
        st.title("This screen is not set up as a kiosk")
        if wrong:
            st.write("The address holds a kiosk token that is not valid, or not valid any more.")
        else:
            st.write("The kiosk page opens only with an address that holds a kiosk token.")
        st.write(
            "An admin gets a new address under **Start**, button *New kiosk address*, or on the server with "
            "`rollcall token create entrance`. Open that address here once and set it as the start page."
        )
        links.link("home", "To the admin pages", ":material/arrow_back:")
