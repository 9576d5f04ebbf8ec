"""Which way somebody goes, as the kiosk shows it."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from ray_backend.domain.model import Direction
from ray_backend.domain.worktime.direction import next_direction
from ray_backend.domain.worktime.schedule import Planner, Rulebook
from ray_backend.domain.worktime.shifts import DirectionMode, Shift
from tests.unit.domain.worktime.site import BERLIN, every_day, mark

IN, OUT = Direction.IN, Direction.OUT
OFFICE = Shift("office", "Office", start=time(8), end=time(17))
NIGHT = Shift("night", "Night", start=time(22), end=time(6))
TURNS = Shift("turns", "Turns", start=time(8), end=time(17), directions=DirectionMode.ALTERNATING)
NOBODYS = Rulebook()


def asked(rules: Rulebook, last: tuple[str, Direction] | None, now: str, kiosk: str = "door") -> Direction:
    day = date.fromisoformat(now[:10])
    plan = Planner(rules).days("anna", "", BERLIN, day - timedelta(days=1), day + timedelta(days=1))
    before = None if last is None else (mark(last[0]).at, last[1])
    return next_direction(rules, BERLIN, plan, before, mark(now).at, kiosk)


@pytest.mark.parametrize(
    ("rules", "last", "now", "way"),
    [
        (NOBODYS, None, "2026-03-02 08:00", IN),
        (NOBODYS, ("2026-03-02 08:00", IN), "2026-03-02 17:00", OUT),
        (NOBODYS, ("2026-03-02 12:00", OUT), "2026-03-02 17:00", OUT),
        (NOBODYS, ("2026-03-01 17:00", OUT), "2026-03-02 08:00", IN),
        (NOBODYS, ("2026-03-01 22:00", IN), "2026-03-02 06:00", OUT),
        (NOBODYS, ("2026-03-01 08:00", IN), "2026-03-02 08:00", IN),
        (NOBODYS, ("2026-03-29 00:01", IN), "2026-03-29 23:59", OUT),
        (NOBODYS, ("2026-10-25 00:01", IN), "2026-10-25 23:59", OUT),
        (NOBODYS, ("2026-03-03 00:01", IN), "2026-03-02 23:59", IN),
        (every_day(NIGHT), ("2026-03-01 22:00", IN), "2026-03-02 06:10", OUT),
        (every_day(NIGHT), ("2026-03-02 06:10", OUT), "2026-03-02 21:50", IN),
        (every_day(NIGHT), ("2026-03-01 21:50", IN), "2026-03-02 21:50", IN),
        (every_day(OFFICE), ("2026-03-01 08:00", IN), "2026-03-02 07:55", IN),
        (every_day(OFFICE), ("2026-03-02 12:00", OUT), "2026-03-02 17:00", OUT),
        (every_day(TURNS), ("2026-03-02 12:00", OUT), "2026-03-02 12:30", IN),
        (every_day(TURNS), ("2026-03-02 12:30", IN), "2026-03-02 17:00", OUT),
    ],
)
def test_the_turn_decides_and_not_the_calendar_day(rules, last, now, way):
    assert asked(rules, last, now) is way


def test_a_kiosk_with_a_fixed_direction_has_the_last_word():
    rules = every_day(OFFICE, kiosk_directions={"exit": OUT})
    assert asked(rules, None, "2026-03-02 08:00", "exit") is OUT
    assert asked(rules, None, "2026-03-02 08:00", "door") is IN
