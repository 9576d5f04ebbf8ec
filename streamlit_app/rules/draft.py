"""The rules as they are being changed on this page, until they are saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.worktime.schedule import Rulebook
from streamlit_app.i18n import message
from streamlit_app.notes import say

_BASE, _DRAFT = "rules_base", "rules_draft"


def current(backend: Backend) -> Rulebook:
    """The draft; the rules in force while nothing is changed."""
    base = st.session_state.get(_BASE)
    if base is None or not changed():
        now = backend.rules.current()
        if base is None or base.version != now.version:
            st.session_state[_BASE] = st.session_state[_DRAFT] = now
    return st.session_state[_DRAFT]


def changed() -> bool:
    """Whether there is something to save."""
    return st.session_state.get(_DRAFT) != st.session_state.get(_BASE)


def drop() -> None:
    """Back to the rules in force."""
    for name in (_BASE, _DRAFT):
        st.session_state.pop(name, None)


def put(backend: Backend, done: str, make: Callable[[Rulebook], Rulebook]) -> None:
    """Takes a change into the draft and says `done`, or why it cannot be."""
    try:
        made = make(current(backend))
        backend.rules.checked(made)
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        return
    st.session_state[_DRAFT] = made
    say(done)
    st.rerun()


def with_parts(book: Rulebook, **parts: Any) -> Rulebook:
    """The rules with other parts."""
    return replace(book, **parts)
