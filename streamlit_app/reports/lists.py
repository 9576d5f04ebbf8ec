"""Reports that are some rows of the timesheet: late and early, absences, overtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from ray_backend.services import tables, timesheet_views
from streamlit_app.i18n import N_, _
from streamlit_app.reports import plots
from streamlit_app.reports.context import Context, foot, needs_schedules, nothing
from streamlit_app.reports.tables import show


@dataclass(frozen=True, slots=True)
class List:
    """`rows` picks them, `columns` are shown; `none` is said where there is nothing, `without` where nobody
    has a schedule."""

    name: str
    title: str
    rows: Callable[[pd.DataFrame], pd.DataFrame]
    columns: tuple[str, ...]
    none: str
    without: str


_WHO = ("date", "name", "employee_id", "department", "shift")
LATE = List(
    "late-and-early",
    N_("Late and early"),
    timesheet_views.late_and_early,
    (*_WHO, "first_in", "late", "last_out", "early"),
    N_("Nobody who matches came late or left early. Choose a longer range or empty the filter."),
    N_("Lateness is counted against a shift. Give people shifts first; their past days are worked out anew."),
)
ABSENCES = List(
    "absences",
    N_("Absences"),
    timesheet_views.absences,
    (*_WHO, "status", "leave", "target"),
    N_("Nobody who matches was absent or on leave. Choose a longer range or empty the filter."),
    N_("Who has no shift is never absent. Give people shifts first; their past days are worked out anew."),
)
OVERTIME = List(
    "overtime",
    N_("Overtime"),
    timesheet_views.overtime,
    (*_WHO, "worked", "target", "overtime"),
    N_("Nobody who matches has overtime. It is counted from the steps that a shift has for it."),
    N_("Overtime is counted by the steps of a shift. Give people shifts first."),
)


def render_late(context: Context) -> None:
    """Raises InvalidInput."""
    _render(context, LATE)


def render_absences(context: Context) -> None:
    """With the attendance rate by week. Raises InvalidInput."""
    if _render(context, ABSENCES):
        plots.weeks(context.sheet().days)


def render_overtime(context: Context) -> None:
    """Raises InvalidInput."""
    _render(context, OVERTIME)


def _render(context: Context, wanted: List) -> bool:
    """Whether the report could say anything."""
    sheet = context.sheet()
    found = wanted.rows(sheet.days)
    # Leave can be kept for people without a schedule, too.
    if found.empty and needs_schedules(context, _(wanted.without)):
        return False
    if found.empty:
        nothing(_("Nothing to list"), _(wanted.none))
    else:
        columns = [name for name in wanted.columns if name != "leave" or found[name].any()]
        rows = tables.table(_(wanted.title), found[columns], context.about(sheet))
        show(context.backend, rows, context.file_name(wanted.name))
    foot(sheet)
    return True
