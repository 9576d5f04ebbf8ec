"""A table as it is shown and written to files: its columns, its rows, and what it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

import pandas as pd

from ray_backend.services.timesheet import Sheet


class Kind(StrEnum):
    """What the cells of a column are.

    TEXT: whatever somebody typed. WORD: a word of ours such as `left_early`, shown as `Left early`. DATE:
    `datetime.date`. TIME: a local date and time without a zone. MINUTES: a length; hours in files. NUMBER:
    any number. FLAG: true or false. Each may be missing.
    """

    TEXT = "text"
    WORD = "word"
    DATE = "date"
    TIME = "time"
    MINUTES = "minutes"
    NUMBER = "number"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Column:
    """`key` names the column of the frame. `short` is the heading where there is little room."""

    key: str | date
    heading: str
    kind: Kind = Kind.TEXT
    short: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """`frame` holds at least the columns of `columns`. `about` are pairs of a label and what it says, such
    as the filter, the time zone, the time of generation and the version of the rules."""

    title: str
    columns: tuple[Column, ...]
    frame: pd.DataFrame = field(repr=False)
    about: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.frame)


_KNOWN = {
    column.key: column
    for column in (
        Column("employee_id", "Employee id"),
        Column("name", "Name"),
        Column("department", "Department"),
        Column("site", "Site"),
        Column("date", "Date", Kind.DATE),
        Column("shift", "Shift"),
        Column("status", "Status", Kind.WORD),
        Column("first_in", "First in", Kind.TIME),
        Column("last_out", "Last out", Kind.TIME),
        Column("utc_offset", "UTC offset"),
        Column("worked", "Worked", Kind.MINUTES),
        Column("pause", "Break", Kind.MINUTES),
        Column("target", "Target", Kind.MINUTES),
        Column("balance", "Balance", Kind.MINUTES),
        Column("late", "Late", Kind.MINUTES),
        Column("early", "Left early", Kind.MINUTES),
        Column("overtime", "Overtime", Kind.MINUTES),
        Column("missing", "Missing", Kind.WORD),
        Column("holiday", "Holiday"),
        Column("leave", "Leave"),
        Column("punches", "Records", Kind.NUMBER),
        Column("repeated", "Repeated records", Kind.NUMBER, "Repeated"),
        Column("corrected", "Corrected", Kind.FLAG),
        Column("late_days", "Days late", Kind.NUMBER),
        Column("absent_days", "Days absent", Kind.NUMBER),
        Column("incomplete_days", "Days incomplete", Kind.NUMBER),
        Column("leave_days", "Days on leave", Kind.NUMBER),
        Column("time", "Time"),
        Column("people", "People", Kind.NUMBER),
        Column("week", "Week from", Kind.DATE),
        Column("due", "Expected", Kind.NUMBER),
        Column("came", "Came", Kind.NUMBER),
        Column("rate", "Attendance rate", Kind.NUMBER),
    )
}
_NOT_SHOWN = frozenset({"person_id"})


def table(title: str, frame: pd.DataFrame, about: Iterable[tuple[str, str]] = ()) -> Table:
    """A table of a timesheet's rows or of one of its views (`timesheet_views`), with headings in English."""
    columns = tuple(_column(key, frame[key]) for key in frame.columns if key not in _NOT_SHOWN)
    if "utc_offset" in frame.columns:
        frame = frame.assign(utc_offset=_with_utc(frame["utc_offset"]))
    return Table(title, columns, frame, tuple(about))


def day_sheet(sheet: Sheet, sites: Mapping[str, str] | None = None) -> Table:
    """All rows of a timesheet; `sites` as for `about`."""
    return table("Attendance", sheet.days, about(sheet, sites))


def about(sheet: Sheet, sites: Mapping[str, str] | None = None) -> tuple[tuple[str, str], ...]:
    """What a file made of this timesheet states. `sites` are names by site id."""
    query = sheet.query
    parts = [f"{query.start} to {query.end}"]
    if query.department is not None:
        parts.append(f"department {query.department}" if query.department else "no department")
    if query.departments is not None:
        parts.append("departments " + (", ".join(query.departments) or "none"))
    parts += [f"site {(sites or {}).get(query.site, query.site)}"] if query.site else []
    if query.statuses is not None:
        parts.append("status " + (", ".join(word.replace("_", " ") for word in query.statuses) or "none"))
    parts += [f"matching “{query.text}”"] if query.text else []
    if query.people is not None:
        parts.append("one chosen person" if len(query.people) == 1 else f"{len(query.people)} chosen people")
    stamp = sheet.generated_at.astimezone(ZoneInfo(sheet.zone))
    return (
        ("Filter", "; ".join(parts)),
        ("Time zone", sheet.zone),
        ("Generated at", stamp.isoformat(timespec="seconds")),
        ("Rules version", str(sheet.rule_version)),
    )


def _column(key: str | date, values: pd.Series) -> Column:
    if key in _KNOWN:
        return _KNOWN[key]
    if isinstance(key, date):
        return Column(key, key.isoformat(), Kind.TEXT, f"{key:%d.%m.}")
    number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return Column(key, str(key).replace("_", " ").capitalize(), Kind.NUMBER if number else Kind.TEXT)


def _with_utc(offsets: pd.Series) -> pd.Series:
    words = {offset: f"UTC{offset}" for offset in offsets.dropna().unique() if offset}
    return offsets.map(words).fillna("")
