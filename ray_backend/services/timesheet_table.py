"""The days of many people as the table of a timesheet, column by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ray_backend.domain.model import Person
from ray_backend.domain.worktime.days import Day
from ray_backend.domain.worktime.many import Rows
from ray_backend.domain.worktime.schedule import Rulebook
from ray_backend.domain.worktime.shifts import MINUTE

COLUMNS = (
    "person_id", "employee_id", "name", "department", "site", "date", "shift", "status",
    "first_in", "last_out", "utc_offset", "worked", "pause", "target", "balance", "late", "early",
    "overtime", "missing", "holiday", "leave", "punches", "repeated", "corrected",
)  # fmt: skip
_MINUTES = ("worked", "pause", "target", "balance", "late", "early")
# No clock is as far from UTC.
_NONE_S = 1_000_000


def days_table(
    rows: Rows,
    people: Sequence[Person],
    zones: Sequence[ZoneInfo],
    first: date,
    book: Rulebook,
    corrected: frozenset[str],
) -> pd.DataFrame:
    """The columns COLUMNS, by date, name and employee id.

    `people` and `zones` (P) are whose the rows are, `first` is the date of the rows' day 0, `corrected` are
    the refs of punches that a correction touched.
    """
    by_name = sorted(range(len(people)), key=lambda place: (people[place].name, people[place].employee_id))
    rows = rows.where(np.lexsort((np.argsort(by_name)[rows.person], rows.day)))
    names = {one.shift_id: one.name for one in (*book.shifts.values(), book.unplanned)}
    sites = {name: book.site_of(name) for name in {person.department for person in people}}
    per_person: dict[str, Callable[[Person], str]] = {
        "person_id": lambda person: person.person_id,
        "employee_id": lambda person: person.employee_id,
        "name": lambda person: person.name,
        "department": lambda person: person.department,
        "site": lambda person: site.name if (site := sites[person.department]) else "",
    }
    per_case: dict[str, Callable[[Day], str]] = {
        "shift": lambda day: names.get(day.shift_id, ""),
        "status": lambda day: day.status.value,
        "missing": lambda day: day.missing,
        "holiday": lambda day: day.holiday,
        "leave": lambda day: day.leave,
    }
    columns = {name: _texts(map(read, people), rows.person) for name, read in per_person.items()}
    columns |= {name: _texts(map(read, rows.cases), rows.case) for name, read in per_case.items()}
    columns |= _numbers(rows, corrected) | _times(rows, zones) | {"date": _dates(rows.day, first)}
    return pd.DataFrame(columns)[list(COLUMNS)]


def _texts(values, place: np.ndarray) -> pd.api.extensions.ExtensionArray:
    return pd.array(list(values), dtype="str").take(place)


def _dates(day: np.ndarray, first: date) -> np.ndarray:
    dates = [first + timedelta(days=number) for number in range(int(day.max(initial=-1)) + 1)]
    return np.array(dates, dtype=object)[day]


def _numbers(rows: Rows, corrected: frozenset[str]) -> dict[str, np.ndarray]:
    cases = rows.cases
    found = {name: np.array([getattr(day, name) for day in cases], np.int64) for name in _MINUTES}
    found["overtime"] = np.array([sum(day.overtime) for day in cases], np.int64)
    found["repeated"] = np.array([len(day.repeated) for day in cases], np.int64)
    found["corrected"] = np.array([not corrected.isdisjoint(day.refs) for day in cases], bool)
    return {name: values[rows.case] for name, values in found.items()} | {"punches": rows.punches}


def _times(rows: Rows, zones: Sequence[ZoneInfo]) -> dict:
    """Both moments as the clocks of their zones show them, and the offsets from UTC in words."""
    numbers = {zone: number for number, zone in enumerate(dict.fromkeys(zones))}
    zone = np.array([numbers[one] for one in zones], np.int64)[rows.person]
    moments, offsets = {}, {}
    for name, at in (("first_in", rows.first_in), ("last_out", rows.last_out)):
        known = np.array([getattr(day, name) is not None for day in rows.cases], bool)[rows.case]
        offset = np.full(len(at), _NONE_S)
        for one, number in numbers.items():
            own = known & (zone == number)
            offset[own] = _offsets(at[own], one)
        local = (at + offset).astype("datetime64[s]")
        local[~known] = np.datetime64("NaT")
        moments[name], offsets[name] = local.astype("datetime64[us]"), offset
    return moments | {"utc_offset": _in_words(offsets["first_in"], offsets["last_out"])}


def _offsets(at: np.ndarray, zone: ZoneInfo) -> np.ndarray:
    """Seconds from UTC, (N,) int64. Clocks are changed on the minute."""
    minutes, place = np.unique(at // MINUTE, return_inverse=True)
    clocks = (datetime.fromtimestamp(minute * MINUTE, UTC).astimezone(zone) for minute in minutes.tolist())
    return np.array([clock.utcoffset() // timedelta(seconds=1) for clock in clocks], np.int64)[place]


def _in_words(came: np.ndarray, went: np.ndarray) -> pd.api.extensions.ExtensionArray:
    """Such as `+01:00`, or both where the clocks changed in between."""
    pairs, place = np.unique(came * (4 * _NONE_S) + went, return_inverse=True)
    words = []
    for pair in pairs.tolist():
        last = (pair + 2 * _NONE_S) % (4 * _NONE_S) - 2 * _NONE_S
        both = ((pair - last) // (4 * _NONE_S), last)
        words.append(" to ".join(dict.fromkeys(_offset_words(one) for one in both if one != _NONE_S)))
    return _texts(words, place)


def _offset_words(seconds: int) -> str:
    minutes = round(seconds / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
