"""Trying other rules: which days of the past would come out otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from ray_backend.domain.requests import SheetQuery
from ray_backend.domain.worktime.schedule import Rulebook
from ray_backend.services.rules import RuleService
from ray_backend.services.timesheet import TimesheetService

MOST_ROWS = 500
_COMPARED = ["shift", "status", "worked", "target", "late", "early", "overtime"]
_WHO = ["date", "name", "employee_id"]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """How many days of how many people come out otherwise, and the first MOST_ROWS of them.

    `rows` has date, name and employee id, and each of shift, status, worked, target, late, early and overtime
    (minutes) twice: `_before` and `_after`, empty where there is no such day.
    """

    days: int
    people: int
    rows: pd.DataFrame = field(repr=False)


class RuleTrialService:
    """Derives the same days by the rules in force and by others. Changes nothing."""

    def __init__(self, rules: RuleService, timesheets: TimesheetService) -> None:
        self._rules = rules
        self._timesheets = timesheets

    def changes(self, book: Rulebook, start: date, end: date) -> Trial:
        """What `book` would change in the days from `start` to `end`. Raises InvalidInput."""
        query = SheetQuery(start, end)
        tried = self._rules.checked(book)
        before = self._timesheets.sheet(query).days
        return differences(before, self._timesheets.sheet(query, rules=tried).days)


def differences(before: pd.DataFrame, after: pd.DataFrame) -> Trial:
    """The days that differ between two timesheets (`Sheet.days`) of the same people and days."""
    key = ["person_id", *_WHO, "turn"]
    old, new = _turns(before), _turns(after)
    both = old.merge(new, on=key, how="outer", suffixes=("_before", "_after"), indicator=True)
    other = both["_merge"] != "both"
    for name in _COMPARED:
        was, now = both[f"{name}_before"], both[f"{name}_after"]
        other |= (was != now) & ~(was.isna() & now.isna())
    changed = both[other].sort_values(_WHO, ignore_index=True)
    days = int(changed.drop_duplicates(["person_id", "date"]).shape[0])
    rows = changed.drop(columns=["person_id", "turn", "_merge"]).head(MOST_ROWS)
    return Trial(days, int(changed["person_id"].nunique()), rows)


def _turns(days: pd.DataFrame) -> pd.DataFrame:
    """Of several turns on one day each has its number."""
    wanted = days[["person_id", *_WHO, *_COMPARED]]
    return wanted.assign(turn=wanted.groupby(["person_id", "date"]).cumcount())
