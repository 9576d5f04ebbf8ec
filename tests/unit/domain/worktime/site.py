"""A small site for the tests of the rules: punches written as the clock on its wall shows them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ray_backend.domain.model import Direction
from ray_backend.domain.worktime.days import Day, derive
from ray_backend.domain.worktime.fitting import Mark
from ray_backend.domain.worktime.schedule import Assignment, Leave, Level, Planner, Rulebook
from ray_backend.domain.worktime.shifts import Shift

BERLIN = ZoneInfo("Europe/Berlin")
ANNA = "anna"
LATER = 4_000_000_000
ALWAYS = date(2026, 1, 1)


def mark(clock: str, direction: Direction = Direction.IN, *, zone: ZoneInfo = BERLIN, fold: int = 0) -> Mark:
    """A punch at `2026-03-02 08:00[:30]` on the wall; its text is its id."""
    at = datetime.fromisoformat(clock).replace(tzinfo=zone, fold=fold)
    return Mark(int(at.timestamp()), direction, clock if not fold else f"{clock}/{fold}")


def marks(*clocks: str, zone: ZoneInfo = BERLIN) -> list[Mark]:
    """Punches by turns in and out."""
    ways = (Direction.IN, Direction.OUT)
    return [mark(clock, ways[index % 2], zone=zone) for index, clock in enumerate(clocks)]


def every_day(*shifts: Shift, **rules) -> Rulebook:
    """Everybody works these shifts every day."""
    return weekly({shift.shift_id: shift for shift in shifts}, (tuple(s.shift_id for s in shifts),), **rules)


def weekly(shifts: dict[str, Shift], pattern: tuple[tuple[str, ...], ...], **rules) -> Rulebook:
    """Everybody works by this pattern from a Monday before all tests."""
    start = rules.pop("start", date(2025, 12, 29))
    return Rulebook(
        shifts=shifts, assignments=(Assignment(Level.EVERYBODY, "", start, pattern),), **rules
    ).checked()


def days(
    rulebook: Rulebook,
    punches: list[Mark],
    first: str,
    last: str | None = None,
    *,
    leave: tuple[Leave, ...] = (),
    now: int = LATER,
    zone: ZoneInfo = BERLIN,
) -> list[Day]:
    """Anna's days, as a caller of `derive` gets them."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
    more = timedelta(days=1)
    planned = Planner(rulebook).days(ANNA, "", zone, begin - more, end + more)
    return [
        day for day in derive(rulebook, zone, planned, punches, leave, now=now) if begin <= day.day <= end
    ]


def one_day(rulebook: Rulebook, punches: list[Mark], day: str, **more) -> Day:
    """The only row of the day."""
    (found,) = days(rulebook, punches, day, **more)
    return found
