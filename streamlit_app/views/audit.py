"""The audit log: who did what, when. It is only ever added to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.queries import AuditQuery, Page
from streamlit_app import audit_words, deps
from streamlit_app.i18n import N_, _, n_
from streamlit_app.session import guarded

PAGE_SIZE = 50
_CURSORS, _FILTER = "audit_cursors", "audit_filter"
_ANY = N_("Anything")
_ABOUT = {
    _ANY: None,
    N_("People"): "person.",
    N_("Punches"): "punch.",
    N_("Accounts"): "account.",
    N_("Kiosks"): "kiosk",
    N_("API keys"): "api_key.",
    N_("Settings"): "site.",
    N_("Unknown faces"): "unknown.",
    N_("Group photos"): "group.",
}


@guarded("audit")
def render(backend: Backend) -> None:
    """The search, one page of what it finds, and the file."""
    st.title(_("Audit log"))
    query = _filters(backend)
    cursors = _cursors(query)
    page = backend.audit_log.find(replace(query, cursor=cursors[-1], limit=PAGE_SIZE))
    if not page.items:
        st.info(
            _("Nothing was noted that matches. Choose more days, or empty the fields."),
            icon=":material/search_off:",
        )
        return
    st.dataframe(
        audit_words.rows(page.items, deps.site().zone), hide_index=True, width="stretch", height="content"
    )
    _paging(page, cursors)
    st.download_button(
        _("Download CSV"), lambda: backend.audit_log.export(query), "audit-log.csv", "text/csv",
        icon=":material/download:", on_click="ignore",
        help=_("Everything that matches, the newest 100,000 entries at most."),
    )  # fmt: skip


def _filters(backend: Backend) -> AuditQuery:
    today = backend.reports.today()
    dates, about, who, subject = st.columns([4, 3, 3, 3])
    chosen = dates.date_input(_("From and to"), (today - timedelta(days=30), today), format="YYYY-MM-DD")
    group = about.selectbox(_("About"), list(_ABOUT), format_func=_, key="audit_about")
    actor = who.text_input(_("Who"), placeholder=_("Username"), key="audit_actor").strip()
    what = subject.text_input(_("Subject"), placeholder=_("Username or id"), key="audit_subject").strip()
    first, last = (*chosen, None, None)[:2]
    query = audit_words.days(first, last, deps.site().zone)
    return replace(query, actor=actor or None, action=_ABOUT[group], subject=what or None)


def _cursors(query: AuditQuery) -> list[str | None]:
    """Where each page seen so far begins; another search begins anew."""
    if st.session_state.get(_FILTER) != query:
        st.session_state[_FILTER] = query
        st.session_state[_CURSORS] = [None]
    return st.session_state[_CURSORS]


def _paging(page: Page, cursors: list[str | None]) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    if len(cursors) > 1:
        row.button(_("Newer"), icon=":material/chevron_left:", on_click=cursors.pop)
    if page.next_cursor is not None:
        row.button(
            _("Older"), icon=":material/chevron_right:", icon_position="right",
            on_click=cursors.append, args=(page.next_cursor,),
        )  # fmt: skip
    first = (len(cursors) - 1) * PAGE_SIZE + 1
    row.caption(_part(first, len(page.items), page.total))


def _part(first: int, shown: int, total: int) -> str:
    """Which part of the log is on the screen; `first` counts from 1."""
    if shown >= total:
        return n_("{number} entry", "{number} entries", total)
    return _("{first} to {last} of {total} entries", first=first, last=first + shown - 1, total=total)
