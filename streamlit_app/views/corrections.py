"""Corrections of punches: open requests, a person's day, many punches after an outage, and what was done."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ray_backend.client import Backend
from streamlit_app import help
from streamlit_app.corrections import day, history, outage, requests
from streamlit_app.i18n import N_, _
from streamlit_app.notes import show_note
from streamlit_app.session import guarded

_SECTIONS: dict[str, Callable[[Backend], None]] = {
    N_("Open requests"): requests.render,
    N_("A person's day"): day.render,
    N_("After an outage"): outage.render,
    N_("What was done"): history.render,
}


@guarded("corrections")
def render(backend: Backend) -> None:
    """One section at a time."""
    help.title(_("Corrections"), "corrections")
    st.caption(_("A punch is never changed: what is corrected stands beside it, with who and why."))
    show_note()
    tabs = st.tabs([_(title) for title in _SECTIONS], key="corrections-section", on_change="rerun")
    for tab, section in zip(tabs, _SECTIONS.values(), strict=True):
        if tab.open:
            with tab:
                section(backend)
