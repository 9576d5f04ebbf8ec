"""Rules of working time: shifts, schedules, sites. Changed as a draft, tried on past days, then saved."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.worktime.schedule import Rulebook
from streamlit_app import help
from streamlit_app.i18n import N_, _
from streamlit_app.notes import show_note
from streamlit_app.rules import draft, saving, schedules, shifts, sites
from streamlit_app.session import guarded

_SECTIONS: dict[str, Callable[[Backend, Rulebook], None]] = {
    N_("Shifts"): shifts.render,
    N_("Schedules"): schedules.render,
    N_("Sites and holidays"): sites.render,
    N_("Kiosks and unplanned work"): sites.kiosks,
}


@guarded("rules")
def render(backend: Backend) -> None:
    """The draft, one section at a time, and what saving it would change."""
    book = draft.current(backend)
    help.title(_("Working time"), "rules")
    st.caption(
        _(
            "Version {version} of the rules. Days are worked out anew from the punches, so a change reaches "
            "past days, too.",
            version=book.version,
        )
    )
    show_note()
    saving.render(backend, book)
    tabs = st.tabs([_(title) for title in _SECTIONS], key="rules-section", on_change="rerun")
    for tab, section in zip(tabs, _SECTIONS.values(), strict=True):
        if tab.open:
            with tab:
                section(backend, book)
