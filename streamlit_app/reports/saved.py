"""Filters that are kept under a name: the menu beside the bar, and the way into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.reporting.filters import LONGEST_NAME, ReportFilter, SavedFilter
from ray_backend.domain.reporting.periods import Period
from streamlit_app import links
from streamlit_app.dialogs import dialog
from streamlit_app.i18n import N_, _
from streamlit_app.notes import attempt
from streamlit_app.page_roles import PAGES
from streamlit_app.presenters import plain
from streamlit_app.reports import filters, ranges
from streamlit_app.reports.report_words import status_words
from streamlit_app.session import ACTOR

# Whether the menu is open.
OPEN = "reports_saved_open"
_ASKED = "reports_save_asked"
_EXPORTS = "exports"


def menu(place, backend: Backend, today: date, sites: Mapping[str, str]) -> bool:
    """All filters that this account may use, each a button; returns whether the present one is to be kept.

    `sites` are names by site id.
    """
    shown = place.popover(_("Saved filters"), icon=":material/bookmark:", key=OPEN, on_change="rerun")
    if not shown.open:
        return st.session_state.pop(_ASKED, False)
    kept = backend.saved_filters.usable(actor=ACTOR)
    with shown:
        for one in kept:
            _one(backend, one, today, sites)
        if not kept:
            st.caption(_("Nothing is saved yet. Set the filter, then save it under a name."))
        label = _("Save this filter")
        st.button(label, icon=":material/bookmark_add:", key="reports-save-filter", on_click=_ask)
        if backend.may("exports.add") and _EXPORTS in PAGES:
            links.link(_EXPORTS, _("Scheduled exports"), ":material/schedule_send:")
    return False


def words(chosen: ReportFilter, sites: Mapping[str, str]) -> str:
    """What a filter asks for, in a line."""
    days = ranges.words(chosen.period) if chosen.period else f"{chosen.start} – {chosen.end}"
    parts = [days, sites.get(chosen.site, chosen.site) if chosen.site else ""]
    if chosen.department is not None:
        parts.append(chosen.department or _("No department"))
    parts += [chosen.person, ", ".join(map(status_words, chosen.statuses))]
    return " · ".join(filter(None, parts))


@dialog(N_("Save this filter"))
def keep(backend: Backend, chosen: ReportFilter, today: date, sites: Mapping[str, str]) -> None:
    """Asks for a name, and which days are meant. `chosen` has the days of the bar, if both are chosen."""
    st.caption(plain(words(replace(chosen, period=None), sites)))
    name = st.text_input(_("Name"), key="filter_name", max_chars=LONGEST_NAME)
    fixed = None if chosen.start is None else f"{chosen.start} – {chosen.end}"
    days: list[Period | None] = [*ranges.PERIODS, *([None] if fixed else [])]
    meant = ranges.period_of((chosen.start, chosen.end), today) if fixed else Period.LAST_7_DAYS
    period = st.selectbox(
        _("Days"), days, index=days.index(meant), key="filter_days",
        format_func=lambda one: ranges.words(one) if one else _("Always {days}", days=fixed),
        help=_("A period moves along: last month is another month next month."),
    )  # fmt: skip
    may_share = backend.may("saved_filters.share")
    shared = may_share and st.checkbox(
        _("For everybody who sees reports"), key="filter_shared",
        help=_("Each sees the people of their own departments only. All can read the filter itself."),
    )  # fmt: skip
    if st.button(_("Save"), type="primary", key="filter_save"):
        wanted = replace(chosen, period=period)
        save = backend.saved_filters.share if shared else backend.saved_filters.save
        attempt(_("The filter is saved."), lambda: save(name, wanted, actor=ACTOR))


def _ask() -> None:
    """The dialog opens in place of the menu, which would lie over it."""
    st.session_state[OPEN], st.session_state[_ASKED] = False, True


def _use(kept: ReportFilter, today: date) -> None:
    filters.use(kept, today)
    st.session_state[OPEN] = False


def _one(backend: Backend, kept: SavedFilter, today: date, sites: Mapping[str, str]) -> None:
    row = st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"saved-{kept.filter_id}"
    )
    row.button(
        plain(kept.name), icon=":material/group:" if kept.shared else None, type="tertiary",
        key=f"use-{kept.filter_id}", on_click=_use, args=(kept.filter, today),
        help=_("For everybody") if kept.shared else None,
    )  # fmt: skip
    row.caption(plain(words(kept.filter, sites)))
    if not kept.shared or backend.may("saved_filters.unshare"):
        remove = backend.saved_filters.unshare if kept.shared else backend.saved_filters.remove
        label = _("Delete the filter {name}", name=plain(kept.name))
        if row.button(_("Delete"), type="tertiary", key=f"delete-{kept.filter_id}", help=label):
            attempt(_("The filter is deleted."), lambda: remove(kept.filter_id, actor=ACTOR))
