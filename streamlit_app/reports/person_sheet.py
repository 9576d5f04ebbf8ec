"""One person's timesheet with its balance, and every punch with what became of it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.reporting.exports import Report
from ray_backend.services import report_tables, tables, timesheet_views
from ray_backend.services.punch_trail import TrailRow
from ray_backend.services.report_tables import without_empty
from ray_backend.services.table_cells import clock
from ray_backend.services.tables import Column, Kind, Table
from ray_backend.services.timesheet import Sheet
from streamlit_app import links
from streamlit_app.i18n import N_, _, n_
from streamlit_app.presenters import plain
from streamlit_app.reports import filters
from streamlit_app.reports.context import Context, foot, nothing
from streamlit_app.reports.report_words import direction_words, fate_words, source_words
from streamlit_app.reports.tables import show

_COLUMNS = (
    "date", "shift", "status", "first_in", "last_out", "worked", "pause", "target", "balance", "late",
    "early", "overtime", "missing", "holiday", "leave", "punches", "repeated", "corrected",
)  # fmt: skip
_TRAIL = (
    Column("date", N_("Day"), Kind.DATE),
    Column("at", N_("Time"), Kind.TIME),
    Column("direction", N_("Direction")),
    Column("fate", N_("What became of it")),
    Column("source", N_("How")),
    Column("kiosk", N_("Kiosk")),
    Column("reason", N_("Why")),
    Column("asked_by", N_("Asked for by")),
    Column("decided_by", N_("Decided by")),
    Column("note", N_("Note")),
)
_ALWAYS = frozenset({"date", "at", "direction", "fate", "source"})


def render(context: Context) -> None:
    """The one person of the filter, or everybody's balances and a choice. Raises InvalidInput."""
    sheet = context.sheet()
    people = sheet.days.drop_duplicates("person_id")
    exact = people[people["employee_id"] == context.chosen.person]
    chosen = exact if len(exact) == 1 else people
    if people.empty:
        nothing(
            _("Nobody to show"),
            _("Nobody who matches was recorded or expected on these days. Choose a longer range."),
        )
    elif len(chosen) == 1:
        _person(context, sheet, chosen.iloc[0])
    else:
        _everybody(context, sheet)
    foot(sheet)


def _everybody(context: Context, sheet: Sheet) -> None:
    totals = timesheet_views.totals(sheet.days)
    names = dict(zip(totals["employee_id"], totals["name"], strict=True))
    st.selectbox(
        _("Whose timesheet?"),
        list(names),
        index=None,
        key="reports-whose",
        format_func=lambda number: f"{names[number]} ({number})",
        placeholder=n_("Choose {number} person", "Choose one of {number} people", len(names)),
        on_change=_choose,
    )
    st.subheader(_("Everybody's balance"))
    rows = report_tables.of_sheet(Report.BALANCES, sheet, _("Balances"), context.sites)
    show(context.backend, rows, context.file_name("balances"))


def _choose() -> None:
    employee_id = st.session_state["reports-whose"]
    if employee_id is not None:
        filters.choose_person(employee_id)


def _person(context: Context, sheet: Sheet, who: pd.Series) -> None:
    days = sheet.days[sheet.days["person_id"] == who["person_id"]]
    head = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    head.subheader(f"{plain(who['name'])} · {plain(who['employee_id'])}", width="content")
    if context.chosen.person:
        head.button(
            _("All people"), icon=":material/arrow_back:", type="tertiary",
            on_click=filters.choose_person, args=("",),
        )  # fmt: skip
    _balance(context, days)
    rows = tables.table(who["name"], without_empty(days[list(_COLUMNS)]), context.about(sheet))
    name = context.file_name(f"timesheet-{_file_part(who['employee_id'])}")
    show(context.backend, rows, name)
    _trail(context, sheet, who, name)


def _balance(context: Context, days: pd.DataFrame) -> None:
    worked, target, balance, overtime = st.columns(4)
    worked.metric(_("Worked"), clock(int(days["worked"].sum())), border=True)
    if context.has_schedules:
        target.metric(_("Target"), clock(int(days["target"].sum())), border=True)
        owed = int(days["balance"].sum())
        balance.metric(_("Balance"), f"{'+' if owed > 0 else ''}{clock(owed)}", border=True)
        overtime.metric(_("Overtime"), clock(int(days["overtime"].sum())), border=True)


def _trail(context: Context, sheet: Sheet, who: pd.Series, name: str) -> None:
    st.subheader(_("Every punch"))
    if context.backend.may("corrections.request"):
        links.link("corrections", _("Something is wrong? Ask for a correction"), ":material/edit_calendar:")
    try:
        rows = context.backend.punch_trails.trail(who["person_id"], *context.chosen.days)
    except PersonNotFound:
        st.write(_("This person was erased. What is left are the times above."))
        return
    if not rows:
        st.write(_("There is no punch on these days."))
        return
    frame = trail_frame(rows)
    columns = tuple(
        replace(column, heading=_(column.heading))
        for column in _TRAIL
        if column.key in _ALWAYS or frame[column.key].any()
    )
    show(context.backend, Table(_("Punches"), columns, frame, context.about(sheet)), f"{name}-punches")


def trail_frame(rows: list[TrailRow]) -> pd.DataFrame:
    """A row for each punch or request, in words; `at` is the time of the person's site without a zone."""
    return pd.DataFrame(
        {
            "date": [row.day for row in rows],
            "at": [row.at.replace(tzinfo=None, microsecond=0) for row in rows],
            "direction": [direction_words(row.direction) for row in rows],
            "fate": [fate_words(row.fate) for row in rows],
            "source": [source_words(row.source) for row in rows],
            **{
                key: [getattr(row, key) for row in rows]
                for key in ("kiosk", "reason", "asked_by", "decided_by", "note")
            },
        }
    )


def _file_part(employee_id: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in employee_id)
