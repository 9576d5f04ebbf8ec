"""Reports that are some rows of the timesheet: late and early, absences, overtime."""

from __future__ import annotations

from dataclasses import dataclass

from ray_backend.domain.reporting.exports import Report
from ray_backend.services import report_tables
from streamlit_app.i18n import N_, _
from streamlit_app.reports import plots
from streamlit_app.reports.context import Context, foot, needs_schedules, nothing
from streamlit_app.reports.tables import show


@dataclass(frozen=True, slots=True)
class List:
    """`none` is said where there is nothing, `without` where nobody has a schedule."""

    report: Report
    name: str
    title: str
    none: str
    without: str


LATE = List(
    Report.LATE,
    "late-and-early",
    N_("Late and early"),
    N_("Nobody who matches came late or left early. Choose a longer range or empty the filter."),
    N_("Lateness is counted against a shift. Give people shifts first; their past days are worked out anew."),
)
ABSENCES = List(
    Report.ABSENCES,
    "absences",
    N_("Absences"),
    N_("Nobody who matches was absent or on leave. Choose a longer range or empty the filter."),
    N_("Who has no shift is never absent. Give people shifts first; their past days are worked out anew."),
)
OVERTIME = List(
    Report.OVERTIME,
    "overtime",
    N_("Overtime"),
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
    rows = report_tables.of_sheet(wanted.report, sheet, _(wanted.title), context.sites)
    # Leave can be kept for people without a schedule, too.
    if rows.frame.empty and needs_schedules(context, _(wanted.without)):
        return False
    if rows.frame.empty:
        nothing(_("Nothing to list"), _(wanted.none))
    else:
        show(context.backend, rows, context.file_name(wanted.name))
    foot(sheet)
    return True
