"""What a timesheet tells, each view a plain table made of the sheet's rows. Lengths are minutes.

Every function takes `Sheet.days` and gives a new frame; an empty sheet gives an empty frame with the same
columns.
"""

from __future__ import annotations

import pandas as pd

from ray_backend.domain.worktime.days import Status

WHO = ["employee_id", "name", "department"]
TOTALS = ["target", "worked", "balance", "overtime"]
# One letter for each status, for the grid of a month.
LETTERS = {
    Status.PRESENT: "P",
    Status.LATE: "L",
    Status.LEFT_EARLY: "E",
    Status.HALF_DAY: "H",
    Status.ABSENT: "A",
    Status.ON_LEAVE: "V",
    Status.OFF: "·",
    Status.HOLIDAY: "F",
    Status.INCOMPLETE: "?",
    Status.AT_WORK: "…",
    Status.EXPECTED: "",
}
# Of several turns on one day the grid shows what needs looking at most.
_LOUDEST_FIRST = [
    Status.INCOMPLETE, Status.ABSENT, Status.HALF_DAY, Status.LATE, Status.LEFT_EARLY, Status.AT_WORK,
    Status.PRESENT, Status.ON_LEAVE, Status.HOLIDAY, Status.OFF, Status.EXPECTED,
]  # fmt: skip
_CAME = [Status.PRESENT, Status.LATE, Status.LEFT_EARLY, Status.HALF_DAY, Status.INCOMPLETE, Status.AT_WORK]
_DUE = [*_CAME, Status.ABSENT]
_QUARTER = "15min"


def grid(days: pd.DataFrame) -> pd.DataFrame:
    """People by days: a row for each person, a column for each date with the letter of the day's status."""
    rank = {status.value: place for place, status in enumerate(_LOUDEST_FIRST)}
    letters = [LETTERS[status] for status in _LOUDEST_FIRST]
    ranked = days.assign(rank=days["status"].map(rank))
    table = ranked.pivot_table(index=WHO, columns="date", values="rank", aggfunc="min", observed=True)
    filled = table.apply(
        lambda column: column.map(lambda place: "" if pd.isna(place) else letters[int(place)])
    )
    return filled.sort_index(level=["name", "employee_id"]).reset_index()


def totals(days: pd.DataFrame) -> pd.DataFrame:
    """One row a person: minutes of TOTALS, and how many days were late, absent, incomplete or on leave."""
    counts = {
        "late_days": days["late"] > 0,
        "absent_days": days["status"] == Status.ABSENT,
        "incomplete_days": days["status"] == Status.INCOMPLETE,
        "leave_days": days["status"] == Status.ON_LEAVE,
    }
    marked = days.assign(**{name: mark.astype(int) for name, mark in counts.items()})
    summed = marked.groupby(WHO, as_index=False, sort=False)[[*TOTALS, *counts]].sum()
    return summed.sort_values(["name", "employee_id"], ignore_index=True)


def late_and_early(days: pd.DataFrame) -> pd.DataFrame:
    """The rows on which somebody came late or left early."""
    return _rows(days, (days["late"] > 0) | (days["early"] > 0))


def absences(days: pd.DataFrame) -> pd.DataFrame:
    """The rows on which somebody was absent or on leave."""
    return _rows(days, days["status"].isin([Status.ABSENT, Status.ON_LEAVE]))


def overtime(days: pd.DataFrame) -> pd.DataFrame:
    """The rows with overtime."""
    return _rows(days, days["overtime"] > 0)


def to_look_at(days: pd.DataFrame) -> pd.DataFrame:
    """The rows on which a punch is missing."""
    return _rows(days, days["status"] == Status.INCOMPLETE)


def arrivals(days: pd.DataFrame) -> pd.DataFrame:
    """`time` (`HH:MM`, the beginning of a quarter hour) and `people`: how many came in it, over all days."""
    came = days["first_in"].dropna().dt.floor(_QUARTER).dt.strftime("%H:%M")
    return came.value_counts().sort_index().rename_axis("time").reset_index(name="people")


def attendance_by_week(days: pd.DataFrame) -> pd.DataFrame:
    """`week` (its Monday), `due` and `came` turns, and `rate` 0 to 1: the part that somebody came to."""
    due = days[days["status"].isin(_DUE) & (days["target"] > 0)]
    date = pd.to_datetime(due["date"])
    monday = (date - pd.to_timedelta(date.dt.weekday, unit="D")).dt.date
    came = due["status"].isin(_CAME)
    table = pd.DataFrame({"week": monday, "due": 1, "came": came.astype(int)})
    weeks = table.groupby("week", as_index=False)[["due", "came"]].sum()
    return weeks.assign(rate=weeks["came"] / weeks["due"])


def hours_by_day(days: pd.DataFrame) -> pd.DataFrame:
    """`date`, `worked` minutes of everybody, and `people` who came: for the heat map of a month."""
    came = days[days["first_in"].notna()]
    return came.groupby("date", as_index=False).agg(worked=("worked", "sum"), people=("person_id", "nunique"))


def inside(days: pd.DataFrame) -> pd.DataFrame:
    """Who is in now by the last days' rows: whoever came and has not left. For an evacuation list it errs on
    the side of naming somebody: an odd number of punches in a turn that is not over counts as inside."""
    return _rows(days, days["status"] == Status.AT_WORK)


def _rows(days: pd.DataFrame, wanted: pd.Series) -> pd.DataFrame:
    return days[wanted].reset_index(drop=True)
