"""The words of the reports: statuses, what became of a punch, headings, and what the plots say."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from ray_backend.domain.model import DecisionKind, Direction
from ray_backend.domain.worktime.days import Status
from ray_backend.services.punch_trail import Fate
from ray_backend.services.table_cells import clock
from streamlit_app.i18n import N_, _, day_words, n_

_STATUSES = {
    Status.PRESENT: N_("Present"),
    Status.LATE: N_("Late"),
    Status.LEFT_EARLY: N_("Left early"),
    Status.HALF_DAY: N_("Half a day"),
    Status.ABSENT: N_("Absent"),
    Status.ON_LEAVE: N_("On leave"),
    Status.OFF: N_("Day off"),
    Status.HOLIDAY: N_("Holiday"),
    Status.INCOMPLETE: N_("Incomplete"),
    Status.AT_WORK: N_("At work"),
    Status.EXPECTED: N_("Expected"),
}
_FATES = {
    Fate.COUNTS: N_("Counts"),
    Fate.REPEATED: N_("Repeated, does not count"),
    Fate.ADDED: N_("Added by a correction"),
    Fate.CHANGED: N_("Direction changed by a correction"),
    Fate.STRUCK: N_("Struck by a correction"),
    Fate.MOVED: N_("Moved here from another person"),
    Fate.REQUESTED: N_("Asked for, not decided yet"),
}
_DIRECTIONS = {Direction.IN: N_("In"), Direction.OUT: N_("Out")}
_SOURCES = {
    "face": N_("Face"),
    "code": N_("Code"),
    "pin": N_("Code"),
    "manual": N_("By hand"),
    "manager": N_("Manager"),
    "person": N_("The person"),
    "kiosk": N_("Kiosk"),
    "import": N_("Import"),
    "api": N_("API"),
    "group": N_("Group photo"),
}
_KINDS = {
    DecisionKind.MATCH: N_("Recognised"),
    DecisionKind.AMBIGUOUS: N_("Not clear who"),
    DecisionKind.UNKNOWN: N_("Not known"),
    DecisionKind.POOR_QUALITY: N_("Poor picture"),
    DecisionKind.SPOOF: N_("Not a living face"),
    DecisionKind.NO_FACE: N_("No face"),
}
# What `services/tables.py` writes above its columns, in the reader's language.
HEADINGS = (
    N_("Employee id"), N_("Name"), N_("Department"), N_("Site"), N_("Date"), N_("Shift"), N_("Status"),
    N_("First in"), N_("Last out"), N_("UTC offset"), N_("Worked"), N_("Break"), N_("Target"), N_("Balance"),
    N_("Late"), N_("Left early"), N_("Overtime"), N_("Missing"), N_("Holiday"), N_("Leave"), N_("Records"),
    N_("Repeated"), N_("Repeated records"), N_("Corrected"), N_("Days late"), N_("Days absent"),
    N_("Days incomplete"), N_("Days on leave"), N_("Time"), N_("People"), N_("Week from"), N_("Expected"),
    N_("Came"), N_("Attendance rate"),
)  # fmt: skip


def status_words(status: str) -> str:
    """`left_early` as *Left early*."""
    return _(_STATUSES[Status(status)])


def fate_words(fate: str) -> str:
    """What became of a punch."""
    return _(_FATES[Fate(fate)])


def direction_words(direction: str | None) -> str:
    """In or out; nothing where it is not known."""
    return _(_DIRECTIONS[Direction(direction)]) if direction else ""


def source_words(source: str) -> str:
    """How a punch was made."""
    known = _SOURCES.get(source)
    return _(known) if known else source


def kind_words(kind: str) -> str:
    """What a kiosk decided."""
    return _(_KINDS[DecisionKind(kind)])


def as_of(generated_at: datetime, zone: str, rule_version: int) -> str:
    """When, in which zone and by which rules a timesheet was worked out."""
    at = generated_at.astimezone(ZoneInfo(zone))
    return _(
        "As of {day} {time}. Times are those of {zone} unless a site has its own. Rules version {version}.",
        day=f"{at:%Y-%m-%d}",
        time=f"{at:%H:%M:%S}",
        zone=zone,
        version=rule_version,
    )


def arrivals_words(arrivals: pd.DataFrame) -> str:
    """The plot of arrivals in a sentence."""
    most = arrivals.loc[arrivals["people"].idxmax()]
    return _(
        "Arrivals by quarter hour, {total} in all. Most, {most}, came in the quarter hour from {time}.",
        total=int(arrivals["people"].sum()),
        most=int(most["people"]),
        time=most["time"],
    )


def weeks_words(weeks: pd.DataFrame) -> str:
    """The plot of the attendance rate in a sentence."""
    best, worst = weeks.loc[weeks["rate"].idxmax()], weeks.loc[weeks["rate"].idxmin()]
    return _(
        "Attendance rate by week, from {low} in the week of {low_week} to {high} in the week of {high_week}.",
        low=f"{worst['rate']:.0%}",
        low_week=str(worst["week"]),
        high=f"{best['rate']:.0%}",
        high_week=str(best["week"]),
    )


def heat_words(days: pd.DataFrame) -> str:
    """The heat map in a sentence."""
    fullest = days.loc[days["people"].idxmax()]
    return _(
        "People who came on each day. Most, {people}, came on {day}; they worked {hours} hours.",
        people=int(fullest["people"]),
        day=day_words(fullest["date"], "EEEE d MMMM y"),
        hours=clock(fullest["worked"]),
    )


def times_words(times: pd.DataFrame) -> str:
    """The plot of the time to a decision in a sentence."""
    total = int(times["decisions"].sum())
    quick = int(times.loc[times["from_s"] < 1.0, "decisions"].sum())
    return n_(
        "{quick} of {number} decision by face was made within a second.",
        "{quick} of {number} decisions by face were made within a second.",
        total,
        quick=quick,
    )
