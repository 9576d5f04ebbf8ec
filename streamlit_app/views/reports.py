"""Attendance reports: one filter for all, look, download. Each has a file in `streamlit_app/reports`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import InvalidInput
from streamlit_app.i18n import N_, _, message
from streamlit_app.notes import show_note
from streamlit_app.reports import (
    day_sheet,
    filters,
    inside_now,
    kiosk_statistics,
    lists,
    month_grid,
    person_sheet,
    saved,
)
from streamlit_app.reports.context import Context
from streamlit_app.reports.filters import DAYS, DEPARTMENT, PERSON, SITE
from streamlit_app.session import guarded


@dataclass(frozen=True, slots=True)
class Report:
    """`used` are the parts of the filter that count in it."""

    title: str
    icon: str
    render: Callable[[Context], None]
    used: frozenset[str] = filters.ALL


# By their names in the address.
REPORTS = {
    "days": Report(N_("Day sheet"), "today", day_sheet.render),
    "grid": Report(N_("Month grid"), "calendar_view_month", month_grid.render),
    "person": Report(N_("Timesheet"), "badge", person_sheet.render),
    "late": Report(N_("Late and early"), "alarm", lists.render_late),
    "absences": Report(N_("Absences"), "event_busy", lists.render_absences),
    "overtime": Report(N_("Overtime"), "more_time", lists.render_overtime),
    "inside": Report(
        N_("Who is in now"), "location_on", inside_now.render, frozenset({SITE, DEPARTMENT, PERSON})
    ),
    "kiosks": Report(N_("Kiosk statistics"), "videocam", kiosk_statistics.render, frozenset({DAYS})),
}


@guarded("reports")
def render(backend: Backend) -> None:
    """Everything on the page and in the files is the same filtered report."""
    today = backend.reports.today()
    filters.follow_address(list(REPORTS), today)
    with st.container(key="reports-head"):
        st.title(_("Reports"))
        name = _choice()
    report = REPORTS[name]
    rules = backend.rules.current()
    sites = {site.site_id: site.name for site in rules.sites}
    show_note()
    chosen, keep = filters.bar(
        backend, rules.sites, today, report.used, lambda place: saved.menu(place, backend, today, sites)
    )
    if keep:
        saved.keep(backend, chosen.kept, today, sites)
    if DAYS in report.used and len(chosen.days) != 2:
        st.info(_("Choose the last day of the range, too."), icon=":material/date_range:")
        return
    filters.tell_address(name, chosen)
    try:
        report.render(Context(backend, chosen, rules))
    except InvalidInput as error:
        st.error(message(error), icon=":material/error:")


def _choice() -> str:
    return st.pills(
        _("Report"),
        list(REPORTS),
        key=filters.key("report"),
        format_func=lambda name: f":material/{REPORTS[name].icon}: {_(REPORTS[name].title)}",
        label_visibility="collapsed",
        required=True,
    )
