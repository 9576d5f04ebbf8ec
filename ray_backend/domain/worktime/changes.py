"""What a change of rules or corrections does to days that were derived before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from ray_backend.domain.worktime.days import Day


class DayChange(NamedTuple):
    """One turn whose day comes out otherwise; None where it is not there before or after."""

    person_id: str
    day: date
    before: Day | None
    after: Day | None


def changes(before: Iterable[tuple[str, Day]], after: Iterable[tuple[str, Day]]) -> list[DayChange]:
    """Every difference between two derivations of `(person_id, day)`, by day and person."""
    old, new = _by_turn(before), _by_turn(after)
    found = [
        DayChange(key[0], key[1], old.get(key), new.get(key))
        for key in old.keys() | new.keys()
        if old.get(key) != new.get(key)
    ]
    return sorted(found, key=lambda one: (one.day, one.person_id, str(one.before), str(one.after)))


def _by_turn(days: Iterable[tuple[str, Day]]) -> dict[tuple[str, date, str], Day]:
    return {(person_id, day.day, day.shift_id): day for person_id, day in days}
