"""What a page shows while a part of Rollcall does not answer. It goes on by itself."""

from __future__ import annotations

import time

import streamlit as st

from ray_backend.domain.errors import RollcallError
from streamlit_app import deps
from streamlit_app.i18n import _, message

LOOK_AGAIN_S = 2.0


def show(said: str) -> None:
    """Says what is the matter, in `said`, and runs the page again as soon as the backend answers."""
    _left, middle, _right = st.columns([1, 3, 1])
    with middle:
        st.subheader(_("One moment, please"))
        _look_again(said, time.monotonic())
        st.caption(_("This page looks again every two seconds. Nothing needs to be done here."))


@st.fragment(run_every=LOOK_AGAIN_S)
def _look_again(said: str, shown_at: float) -> None:
    # The first run of a fragment is part of the page's own, which has just failed.
    if time.monotonic() - shown_at >= LOOK_AGAIN_S / 2:
        try:
            deps.backend().overview()
        except RollcallError as error:
            said = message(error)
        else:
            st.rerun()
    st.info(said, icon=":material/hourglass_top:")
