"""What an admin may change about the site. Everything applies at once, and is kept in the audit log."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ray_backend.client import Backend
from streamlit_app.i18n import N_, _
from streamlit_app.notes import show_note
from streamlit_app.session import guarded
from streamlit_app.site_settings import kiosks, liveness, privacy, recognition, site

KIOSKS = N_("Kiosks")
_SECTIONS: dict[str, Callable[[Backend], None]] = {
    N_("Site"): site.render,
    N_("Recognition"): recognition.render,
    N_("Liveness"): liveness.render,
    KIOSKS: kiosks.render,
    N_("Privacy"): privacy.render,
}


@guarded("settings")
def render(backend: Backend) -> None:
    """One section at a time; the address says which."""
    st.title(_("Settings"))
    st.caption(_("Changes apply at once, without a restart, and are kept in the audit log."))
    show_note()
    tabs = st.tabs([_(title) for title in _SECTIONS], key="section", on_change="rerun", bind="query-params")
    for tab, section in zip(tabs, _SECTIONS.values(), strict=True):
        if tab.open:
            with tab:
                section(backend)
