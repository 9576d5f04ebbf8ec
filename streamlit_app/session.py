"""Who is signed in on this browser tab, and the one guard of the admin's pages."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import TooManyAttempts, WrongCredentials
from streamlit_app import deps, presenters

IDLE_S = 8 * 3600
ACTOR = "admin"
_SEEN = "admin_seen_at"


def signed_in() -> bool:
    """Whether the admin signed in here and used a page within the last eight hours."""
    seen = st.session_state.get(_SEEN)
    return seen is not None and time.time() - seen < IDLE_S


def sign_out() -> None:
    """Forgets the admin and everything that was typed into this tab."""
    st.session_state.clear()


def admin_only(render: Callable[[Backend], None]) -> Callable[[Backend], None]:
    """A view that nobody sees without having signed in."""

    @wraps(render)
    def guarded(backend: Backend) -> None:
        require_admin(backend)
        render(backend)

    return guarded


def require_admin(backend: Backend) -> None:
    """Returns when the admin is signed in; otherwise shows the sign-in form and ends the page here."""
    if signed_in():
        st.session_state[_SEEN] = time.time()
        return
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        _sign_in_form(backend, expired=_SEEN in st.session_state)
    st.stop()


def _sign_in_form(backend: Backend, expired: bool) -> None:
    st.title(f"Sign in to {presenters.plain(deps.site().site_name)}")
    if expired:
        st.info("You were signed out because nothing happened for a long time.")
    with st.form("sign_in"):
        password = st.text_input("Admin password", type="password", autocomplete="current-password")
        wanted = st.form_submit_button("Sign in", type="primary", width="stretch")
    if wanted:
        _try_to_sign_in(backend, password)
    st.caption("The password was shown when Rollcall started for the first time.")


def _try_to_sign_in(backend: Backend, password: str) -> None:
    try:
        backend.access.sign_in(password)
    except (WrongCredentials, TooManyAttempts) as error:
        st.error(error.message, icon=":material/lock:")
        return
    st.session_state[_SEEN] = time.time()
    st.rerun()
