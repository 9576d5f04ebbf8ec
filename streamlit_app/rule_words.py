"""Rules of working time in words, and tables that are typed in as rules. Knows no Streamlit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.model import Direction
from ray_backend.domain.worktime.schedule import Assignment, Level
from ray_backend.domain.worktime.shifts import DirectionMode, OvertimeStep, Pause, Shift, ShiftKind
from streamlit_app.i18n import N_, _, day_words

KINDS = {
    ShiftKind.FIXED: N_("Fixed: from a start to an end that have to be kept"),
    ShiftKind.FLEXIBLE: N_("Flexible: so many hours, within a frame"),
    ShiftKind.OPEN: N_("Open: work counts whenever it happens"),
}
MODES = {
    DirectionMode.FIRST_IN_LAST_OUT: N_("From the first to the last punch of the day"),
    DirectionMode.ALTERNATING: N_("In and out by turns, so that breaks are punched"),
    DirectionMode.BY_KIOSK: N_("As the kiosk says: one for in, one for out"),
}
LEVELS = {
    Level.EVERYBODY: N_("Everybody"),
    Level.DEPARTMENT: N_("A department"),
    Level.PERSON: N_("A person"),
}
DIRECTIONS = {Direction.IN: N_("In"), Direction.OUT: N_("Out")}
# A Monday, from which the names of the days of the week are taken.
_MONDAY = date(2024, 1, 1).toordinal()
WEEK = 7


def weekdays() -> list[str]:
    """Short names of the days, Monday first."""
    return [day_words(date.fromordinal(_MONDAY + number), "EEE") for number in range(WEEK)]


def shift_words(shift: Shift) -> str:
    """A shift in a sentence."""
    if shift.kind is ShiftKind.OPEN:
        return _("{name}: whenever work happens", name=shift.name)
    return _(
        "{name}: {start} to {end}", name=shift.name, start=f"{shift.start:%H:%M}", end=f"{shift.end:%H:%M}"
    )


def pattern_words(assignment: Assignment, shifts: Mapping[str, Shift]) -> list[dict[str, str]]:
    """One row for each week or part of one: the shifts of its days. Of a rotation that is not made of weeks
    the days are numbered."""
    names = [
        ", ".join(shifts[one].name if one in shifts else one for one in day) or "–"
        for day in assignment.pattern
    ]
    if len(names) % WEEK:
        return [{_("Day {number}", number=number + 1): name for number, name in enumerate(names)}]
    first = assignment.start.weekday()
    ordered = [names[(number - first) % len(names)] for number in range(len(names))]
    days = weekdays()
    return [
        dict(zip(days, ordered[begin : begin + WEEK], strict=True)) for begin in range(0, len(names), WEEK)
    ]


def from_weeks(weeks: list[list[list[str]]], start: date) -> tuple[tuple[str, ...], ...]:
    """Weeks from Monday on as a pattern that begins on `start`, which lies in the first of them."""
    flat = [tuple(day) for week in weeks for day in week]
    first = start.weekday()
    return tuple(flat[(first + number) % len(flat)] for number in range(len(flat)))


def pauses_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Pause, ...]:
    """Breaks of rows with `minutes`, `after_minutes`, `start`, `end`. Raises InvalidInput."""
    made = []
    for row in rows:
        start, end = _time(row.get("start")), _time(row.get("end"))
        minutes, after = _number(row.get("minutes")), _number(row.get("after_minutes"))
        if start or end or minutes or after:
            made.append(Pause(minutes, after, start, end))
    return tuple(made)


def steps_of(rows: Iterable[Mapping[str, Any]]) -> tuple[OvertimeStep, ...]:
    """Steps of overtime of rows with `after_minutes` and `percent`; a row with neither is none."""
    return tuple(
        OvertimeStep(_number(row.get("after_minutes")), _number(row.get("percent")))
        for row in rows
        if row.get("after_minutes") is not None or _number(row.get("percent"))
    )


def days_of(rows: Iterable[Mapping[str, Any]]) -> dict[date, str]:
    """A site's own days of rows with `day` and `name`."""
    found = {}
    for row in rows:
        day, name = row.get("day"), row.get("name")
        # An empty cell of a table is a date, too, but none that equals itself.
        if isinstance(day, date) and day == day and isinstance(name, str) and name.strip():
            found[day.date() if isinstance(day, datetime) else day] = " ".join(name.split())
    return found


def _time(text: Any) -> time | None:
    if not isinstance(text, str) or not text.strip():
        return None
    try:
        return time.fromisoformat(text.strip().zfill(5))
    except ValueError:
        raise InvalidInput("Type times of breaks as hours and minutes, such as 12:30.") from None


def _number(value: Any) -> int:
    return 0 if value is None or value != value else int(value)
