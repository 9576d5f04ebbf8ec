"""Punches from the tables that other terminals write: which column holds what, and when that was."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import BinaryIO
from zoneinfo import ZoneInfo

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.model import Direction
from ray_backend.services.bulk_import.csv_rows import Row, csv_rows


class PunchColumn(StrEnum):
    """What a column may hold. WHEN is a date with its time."""

    EMPLOYEE = "employee"
    WHEN = "when"
    DATE = "date"
    TIME = "time"
    DIRECTION = "direction"
    DEVICE = "device"


class DateOrder(StrEnum):
    """How 03/02/2026 is read."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


@dataclass(frozen=True, slots=True)
class PunchLayout:
    """A file's headings, and the columns that were recognised, by their place from 0 on.

    A terminal's own file has no headings; its columns are known.
    """

    headings: tuple[str, ...]
    places: dict[PunchColumn, int]


@dataclass(frozen=True, slots=True)
class PunchRow:
    """One row. Without a direction it is worked out; `problem` says why the row cannot be used."""

    number: int
    employee_id: str = ""
    at: datetime | None = None
    direction: Direction | None = None
    device: str = ""
    problem: str = ""


_HEADINGS = {
    PunchColumn.EMPLOYEE: "employee id, employee no, employee number, employee, emp id, emp no, emp code, "
    "user id, user no, ac no, enroll no, enroll number, enrollment id, pin, id, no, number, badge, "
    "badge number, card no, staff id, personnel id, personnel number, person id, personalnummer, "
    "mitarbeiternummer, ausweisnummer",
    PunchColumn.WHEN: "date time, datetime, date and time, timestamp, punch time, check time, att time, "
    "event time, punch date time, attendance time, at, zeitpunkt, zeitstempel, datum uhrzeit, "
    "datum und uhrzeit",
    PunchColumn.DATE: "date, day, punch date, attendance date, att date, datum, tag",
    PunchColumn.TIME: "time, clock, uhrzeit, zeit",
    PunchColumn.DIRECTION: "direction, state, status, punch state, check type, type, in out, inout, io, "
    "attendance state, punch type, richtung, kommen gehen, art",
    PunchColumn.DEVICE: "device, device name, device id, terminal, machine, machine no, machine id, reader, "
    "door, kiosk, location, area, sensor id, gerät, geräte id, leser, tür, standort",
}
_NOT_LETTERS = re.compile(r"[\W_]+")
_WAYS = {
    Direction.IN: "in, i, check in, c/in, clock in, checkin, entry, come, 0, 3, 4, break in, overtime in, "
    "ot in, kommen, ein, eingang",
    Direction.OUT: "out, o, check out, c/out, clock out, checkout, exit, leave, 1, 2, 5, break out, "
    "overtime out, ot out, gehen, aus, ausgang",
}
_DATE = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})")
_TIME = re.compile(r"(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?(?:\.\d+)?\s*([ap]\.?m\.?)?", re.IGNORECASE)
# A terminal's own file has no headings: number, moment, device, state (and more that says nothing here).
_ATTLOG = {PunchColumn.EMPLOYEE: 0, PunchColumn.WHEN: 1, PunchColumn.DEVICE: 2, PunchColumn.DIRECTION: 3}
_UNCLEAR = "{date} may be two days. Say whether the day or the month comes first (--date-order)."


def _key(heading: str) -> str:
    return _NOT_LETTERS.sub("", heading.casefold())


_BY_HEADING = {_key(one): column for column, text in _HEADINGS.items() for one in text.split(",")}
_BY_WAY = {_key(one): way for way, text in _WAYS.items() for one in text.split(",")}


def punch_layout(file: BinaryIO) -> PunchLayout:
    """What a file's columns seem to hold; something needed may be missing. Raises InvalidInput."""
    _, headings = _headings(csv_rows(file))
    if _is_attlog(headings):
        return PunchLayout((), dict(_ATTLOG))
    return PunchLayout(tuple(headings), _recognised(headings, {}))


def is_whole(places: Mapping[PunchColumn, int]) -> bool:
    """Whether these columns are enough: the employee id, and the moment in one column or two."""
    when = PunchColumn.WHEN in places or {PunchColumn.DATE, PunchColumn.TIME} <= set(places)
    return PunchColumn.EMPLOYEE in places and when


def punch_rows(
    file: BinaryIO,
    zone: ZoneInfo,
    *,
    named: Mapping[PunchColumn, str] | None = None,
    places: Mapping[PunchColumn, int] | None = None,
    order: DateOrder | None = None,
) -> Iterator[PunchRow]:
    """The rows of a CSV file, one in memory at a time. Times without an offset are the zone's clock; of a
    time that comes twice when clocks go back it is the first.

    `named` gives the headings of columns that are not recognised; `places` says what every column of a file
    with headings holds, and nothing is recognised then. Raises InvalidInput for a file without the columns
    that are needed.
    """
    rows = csv_rows(file)
    number, headings = _headings(rows)
    if _is_attlog(headings) and not named:
        places = _ATTLOG
        yield _row((number, headings), places, zone, order)
    else:
        places = places or _places(headings, named or {})
    for row in rows:
        yield _row(row, places, zone, order)


def _headings(rows: Iterator[Row]) -> tuple[int, list[str]]:
    first = next(rows, None)
    if first is None:
        raise InvalidInput("The file is empty.")
    number, headings = first
    if isinstance(headings, str):
        raise InvalidInput(f"The file cannot be read: {headings}.")
    return number, headings


def _is_attlog(cells: Sequence[str]) -> bool:
    return (
        len(cells) >= 2
        and cells[0].strip().isalnum()
        and bool(_DATE.match(cells[1].strip()) and _TIME.search(cells[1]))
    )


def _places(headings: Sequence[str], named: Mapping[PunchColumn, str]) -> dict[PunchColumn, int]:
    places = _recognised(headings, named)
    if not is_whole(places):
        raise InvalidInput(
            "The file needs a column with the employee id, and one with date and time or one for each. "
            f"It has: {', '.join(headings)[:300]}. Say which is which with --column."
        )
    return places


def _recognised(headings: Sequence[str], named: Mapping[PunchColumn, str]) -> dict[PunchColumn, int]:
    keys = [_key(heading) for heading in headings]
    places: dict[PunchColumn, int] = {}
    for column, heading in named.items():
        if _key(heading) not in keys:
            raise InvalidInput(f"The file has no column {heading!r}. It has: {', '.join(headings)}.")
        places[column] = keys.index(_key(heading))
    for place, key in enumerate(keys):
        column = _BY_HEADING.get(key)
        if column is not None and column not in places and place not in places.values():
            places[column] = place
    if PunchColumn.WHEN not in places and PunchColumn.DATE not in places and PunchColumn.TIME in places:
        # Several terminals call the whole moment "Time".
        places[PunchColumn.WHEN] = places.pop(PunchColumn.TIME)
    return places


def _row(row: Row, places: Mapping[PunchColumn, int], zone: ZoneInfo, order: DateOrder | None) -> PunchRow:
    number, cells = row
    if isinstance(cells, str):
        return PunchRow(number, problem=f"The row cannot be read: {cells}.")
    text = {column: cells[place].strip() if place < len(cells) else "" for column, place in places.items()}
    employee_id, device = text[PunchColumn.EMPLOYEE], " ".join(text.get(PunchColumn.DEVICE, "").split())[:64]
    if not employee_id:
        return PunchRow(number, problem="The employee id is missing.")
    if PunchColumn.WHEN in text:
        when = text[PunchColumn.WHEN]
    else:
        when = f"{text[PunchColumn.DATE].partition(' ')[0]} {text[PunchColumn.TIME]}"
    way = text.get(PunchColumn.DIRECTION, "")
    try:
        at, direction = moment(when, zone, order), _direction(way)
    except InvalidInput as error:
        return PunchRow(number, employee_id, problem=error.message)
    return PunchRow(number, employee_id, at, direction, device if device.isprintable() else "")


def _direction(text: str) -> Direction | None:
    if not text:
        return None
    way = _BY_WAY.get(_key(text))
    if way is None:
        raise InvalidInput(f"{text[:40]!r} is no direction such as in or out.")
    return way


def moment(text: str, zone: ZoneInfo, order: DateOrder | None = None) -> datetime:
    """A date with its time, in UTC. Raises InvalidInput."""
    found = _iso(text)
    if found is None:
        day, clock = _DATE.match(text), None
        if day is not None:
            clock = _TIME.fullmatch(text[day.end() :].lstrip(" T,"))
        if day is None or clock is None:
            raise InvalidInput(f"{text[:40]!r} is no date with a time.")
        found = datetime.combine(_day(day, order), _clock(clock))
    aware = found if found.tzinfo else found.replace(tzinfo=zone)
    try:
        return aware.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise InvalidInput(f"{text[:40]!r} is no date with a time.") from None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if ":" in text else None
    except ValueError:
        return None


def _day(found: re.Match[str], order: DateOrder | None) -> date:
    first, sign, second, third = found.groups()
    year, month, day = first, second, third
    if len(first) != 4:
        year, day_first = third, order is DateOrder.DAY_FIRST or sign == "."
        if order is None and sign != "." and int(first) <= 12 and int(second) <= 12 and first != second:
            raise InvalidInput(_UNCLEAR.format(date=found.group()))
        if order is None and sign != ".":
            day_first = int(first) > 12
        day, month = (first, second) if day_first else (second, first)
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        raise InvalidInput(f"{found.group()!r} is no day of the calendar.") from None


def _clock(found: re.Match[str]) -> time:
    hour, minute, second, half = found.groups()
    hours = int(hour)
    if half is not None:
        hours = hours % 12 + 12 * half.casefold().startswith("p")
    try:
        return time(hours, int(minute), int(second or 0))
    except ValueError:
        raise InvalidInput(f"{found.group()!r} is no time of the day.") from None
