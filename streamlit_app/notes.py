"""Changes that a page makes: done and said, or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ray_backend.domain.errors import RollcallError
from streamlit_app.i18n import message

_NOTE = "note_of_a_change"


def attempt(
    done: str, change: Callable[[], object], before_rerun: Callable[[], object] = lambda: None
) -> None:
    """Makes a change and shows the page anew with `done`, or says why it was refused."""
    try:
        change()
    except RollcallError as error:
        st.error(message(error), icon=":material/error:")
        return
    before_rerun()
    say(done)
    st.rerun()


def say(done: str) -> None:
    """Shows this at the head of the page in the next run."""
    st.session_state[_NOTE] = done


def show_note() -> None:
    """What `attempt` has done in the run before."""
    note = st.session_state.pop(_NOTE, None)
    if note:
        st.success(note, icon=":material/check_circle:")
