"""The language that a reader has chosen: kept by the browser, and in the session for its pages."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from streamlit_app import cookies, deps, i18n
from streamlit_app.i18n import _

COOKIE = "language"
_CHOSEN, _WIDGET = "language_chosen", "language_choice"
_mount = st.components.v2.component(
    "rollcall_language",
    html="<div hidden></div>",
    js=(Path(__file__).parent / "languages.js").read_text(encoding="utf-8"),
)


def begin_run() -> None:
    """Before anything is shown: pages are in the chosen language, or else in the site's."""
    i18n.follow(lambda: deps.site().language)
    i18n.show_page_in(chosen() or deps.site().language)


def chosen() -> str:
    """What the reader has chosen on this tab, or in this browser before; empty without a choice."""
    said = st.session_state.get(_CHOSEN) or cookies.read(COOKIE)
    return said if said in i18n.languages() else ""


def keep(language: str) -> None:
    """Remembers a choice on this tab."""
    st.session_state[_CHOSEN] = language


def choice() -> None:
    """A small field to choose with. The browser keeps what is chosen."""
    known = i18n.languages()
    st.session_state[_WIDGET] = i18n.language()
    st.selectbox(
        _("Language"), list(known), format_func=known.get, key=_WIDGET, on_change=_changed,
        label_visibility="collapsed",
    )  # fmt: skip
    _mount(
        key="language_kept",
        data={"cookie": cookies.name(COOKIE), "chosen": chosen(), "shown": i18n.language()},
    )


def _changed() -> None:
    keep(st.session_state[_WIDGET])
