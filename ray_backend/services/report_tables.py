"""Which rows and columns each report has: the same on the page, in its files, and in scheduled exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from ray_backend.domain.model import DecisionKind
from ray_backend.domain.reporting.exports import Report
from ray_backend.services import tables, timesheet_views
from ray_backend.services.kiosk_figures import KINDS, KioskFigures
from ray_backend.services.tables import Column, Kind, Table
from ray_backend.services.timesheet import Sheet

# Columns that are left out where they say nothing at all, as at a site without schedules.
_ONLY_IF_USED = (
    "site", "pause", "late", "early", "overtime", "missing", "holiday", "leave", "repeated", "corrected",
    "late_days", "absent_days", "incomplete_days", "leave_days",
)  # fmt: skip
_PLANNED = ("shift", "target", "balance")
_UNPLANNED = "Unplanned"
_KIND_HEADINGS = {
    DecisionKind.MATCH: "Recognised",
    DecisionKind.AMBIGUOUS: "Not clear who",
    DecisionKind.UNKNOWN: "Not known",
    DecisionKind.POOR_QUALITY: "Poor picture",
    DecisionKind.SPOOF: "Not a living face",
    DecisionKind.NO_FACE: "No face",
}
_WHO = ("date", "name", "employee_id", "department", "shift")


@dataclass(frozen=True, slots=True)
class Listed:
    """A report that is some rows of the timesheet: `rows` picks them, `columns` are shown."""

    rows: Callable[[pd.DataFrame], pd.DataFrame]
    columns: tuple[str, ...]

    def frame(self, days: pd.DataFrame) -> pd.DataFrame:
        """Of the days of a sheet; the kind of leave only where there is any."""
        found = self.rows(days)
        return found[[name for name in self.columns if name != "leave" or found[name].any()]]


LISTS = {
    Report.LATE: Listed(timesheet_views.late_and_early, (*_WHO, "first_in", "late", "last_out", "early")),
    Report.ABSENCES: Listed(timesheet_views.absences, (*_WHO, "status", "leave", "target")),
    Report.OVERTIME: Listed(timesheet_views.overtime, (*_WHO, "worked", "target", "overtime")),
}


def without_empty(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without columns that hold nothing, and without those of schedules where nobody has one."""
    unused = [name for name in _ONLY_IF_USED if name in frame.columns and not _says_anything(frame[name])]
    shifts = frame["shift"] if "shift" in frame.columns else pd.Series([], dtype=object)
    planned = _says_anything(frame["target"]) if "target" in frame.columns else True
    if not planned and set(shifts) <= {"", _UNPLANNED}:
        unused += [name for name in _PLANNED if name in frame.columns]
    return frame.drop(columns=unused)


def of_sheet(report: Report, sheet: Sheet, title: str, sites: Mapping[str, str]) -> Table:
    """A report that is made of a timesheet: all but KIOSKS. `sites` are names by site id."""
    if report in LISTS:
        frame = LISTS[report].frame(sheet.days)
    elif report is Report.GRID:
        frame = timesheet_views.grid(sheet.days)
    elif report is Report.BALANCES:
        frame = without_empty(timesheet_views.totals(sheet.days))
    else:
        frame = without_empty(sheet.days)
    return tables.table(title, frame, tables.about(sheet, sites))


def of_kiosks(figures: KioskFigures, title: str, shown: Callable[[str], str] = str) -> Table:
    """What kiosks decided, with the kinds that came up. `shown` puts headings into the reader's language."""
    came_up = [one for one in KINDS if figures.kiosks[one].any()]
    columns = (
        Column("kiosk", shown("Kiosk")),
        *(Column(one, shown(_KIND_HEADINGS[one]), Kind.NUMBER) for one in came_up),
        Column("decisions", shown("Decisions"), Kind.NUMBER),
        Column("median_s", shown("Seconds, median"), Kind.NUMBER),
        Column("slow_s", shown("Seconds, 95 of 100"), Kind.NUMBER),
    )
    frame = figures.kiosks.round({"median_s": 2, "slow_s": 2})
    about = (
        ("Filter", f"{figures.start} to {figures.end}"),
        ("Time zone", figures.zone),
        ("Generated at", figures.generated_at.isoformat(timespec="seconds")),
    )
    return Table(title, columns, frame, about)


def _says_anything(values: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(values):
        return bool(values.any())
    return bool((values != "").any())
