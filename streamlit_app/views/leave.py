"""Leave: entered for a person, listed, imported from a file."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ray_backend.client import Backend
from streamlit_app import help
from streamlit_app.i18n import N_, _
from streamlit_app.leave import entering, importing
from streamlit_app.notes import show_note
from streamlit_app.session import guarded

_SECTIONS: dict[str, Callable[[Backend], None]] = {
    N_("For a person"): entering.enter,
    N_("Who is on leave"): entering.listed,
    N_("From a file"): importing.render,
}


@guarded("leave")
def render(backend: Backend) -> None:
    """One section at a time."""
    help.title(_("Leave"), "leave")
    st.caption(_("On these days nobody is absent. They change what past and future days come to."))
    show_note()
    tabs = st.tabs([_(title) for title in _SECTIONS], key="leave-section", on_change="rerun")
    for tab, section in zip(tabs, _SECTIONS.values(), strict=True):
        if tab.open:
            with tab:
                section(backend)
