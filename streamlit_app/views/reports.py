"""Attendance reports: filter, look, download."""

from __future__ import annotations

from datetime import date, timedelta

import altair as alt
import pandas as pd
import streamlit as st

from ray_backend.client import Backend
from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.requests import ReportQuery
from streamlit_app import links, presenters
from streamlit_app.session import guarded

MOST_ROWS = 2000
_ALL = "All"
_WITHOUT_YEAR = "slice(datum.label, 0, 10)"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@guarded("reports")
def render(backend: Backend) -> None:
    """Everything on the page and in the files is the same filtered report."""
    st.title("Reports")
    query = _filters(backend)
    if query is None:
        st.info("Choose the last day of the range, too.", icon=":material/date_range:")
        return
    try:
        report = backend.reports.report(query)
    except InvalidInput as error:
        st.error(error.message, icon=":material/error:")
        return
    if report.days.empty:
        _nothing(query)
    else:
        _totals(report)
        _chart(report)
        _table(report.days)
        _downloads(backend, report)
    st.caption(report.describe())


def _filters(backend: Backend) -> ReportQuery | None:
    today = backend.reports.today()
    dates, department, text = st.columns([5, 3, 3])
    chosen = dates.date_input(
        "From and to",
        (today - timedelta(days=6), today),
        max_value=max(today, date.today()),
        format="YYYY-MM-DD",
    )
    group = department.selectbox("Department", [_ALL, *backend.people.departments()])
    words = text.text_input("Person", placeholder="Name or employee id")
    if len(chosen) != 2:
        return None
    return ReportQuery(*chosen, department=None if group == _ALL else group, text=words.strip())


def _nothing(query: ReportQuery) -> None:
    with st.container(border=True):
        st.subheader("No attendance in this range")
        if query.department or query.text:
            st.write("Nobody who matches the filter was recorded. Choose a longer range or empty the filter.")
        else:
            st.write("Nobody was recorded on these days. Records come from a kiosk page; see *Start*.")
            links.link("home", "Set up a kiosk", ":material/videocam:")


def _totals(report) -> None:
    people, days, hours, incomplete = st.columns(4)
    people.metric("People", report.people, border=True)
    days.metric("Days", len(report.days), border=True)
    hours.metric("Hours", f"{report.hours:,.1f}", border=True)
    incomplete.metric(
        "Incomplete", report.incomplete_days, border=True,
        help="Days with a single record: somebody came in, but no leaving was recorded. They have no hours.",
    )  # fmt: skip


def _chart(report) -> None:
    present = presenters.present_per_day(report.days, report.query.start, report.query.end)
    bars = (
        alt.Chart(present)
        .mark_bar(cornerRadiusTopLeft=3, cornerRadiusTopRight=3, size=min(48, max(4, 640 // len(present))))
        .encode(
            x=alt.X(
                "day:O",
                title=None,
                sort=None,
                axis=alt.Axis(labelAngle=0, labelOverlap=True, labelExpr=_WITHOUT_YEAR),
            ),
            y=alt.Y("people:Q", title="People present", axis=alt.Axis(tickMinStep=1, format="d")),
            tooltip=[alt.Tooltip("day:O", title="Day"), alt.Tooltip("people:Q", title="People present")],
        )
        .properties(height=220)
    )
    st.altair_chart(bars, width="stretch")


def _table(days: pd.DataFrame) -> None:
    st.dataframe(
        presenters.day_rows(days.head(MOST_ROWS)),
        hide_index=True,
        width="stretch",
    )
    if len(days) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS:,} of {len(days):,} rows are shown. The files hold all of them.")


def _downloads(backend: Backend, report) -> None:
    name = f"attendance_{report.query.start}_{report.query.end}"
    row = st.container(horizontal=True)
    row.download_button(
        "Download CSV", lambda: backend.export(report, "csv"), f"{name}.csv", "text/csv",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip
    row.download_button(
        "Download Excel", lambda: backend.export(report, "xlsx"), f"{name}.xlsx", _XLSX,
        icon=":material/table_view:", on_click="ignore",
    )  # fmt: skip
