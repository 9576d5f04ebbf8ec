"""The days of some plans as columns, so that the marks of many people can be sorted into them at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo

import numpy as np

from ray_backend.domain.worktime.days import Day, day_of_turn, day_without_work
from ray_backend.domain.worktime.fitting import Mark
from ray_backend.domain.worktime.schedule import PlannedDay, Rulebook
from ray_backend.domain.worktime.shifts import MINUTE, DirectionMode, ShiftKind, Turn, turn_of


class PlanSlots:
    """A slot is one day of one plan: `plan * days + day`. Columns have an entry for each of the S slots.

    `start`, `opens`, `closes`: (S,) int64 seconds since 1970 of the turn that a day's work belongs to: the
    planned one, or the open one of unplanned work. `longest`: (S,) seconds that an open turn lasts at most.
    `windowed`: (S,) whether only marks from `opens` to `closes` belong to it; `windows` (W,) are those slots.
    `ends_count`: (S,) whether the first and last mark say everything. `shape`: (S,) int, the same for turns
    that differ in their day only. `empty`: (S,) the case in `cases` of a day without punches, -1 for no row.
    `ordinary`: for each plan, whether it has one turn a day at most, and their windows are apart.
    """

    def __init__(
        self, rulebook: Rulebook, plans: Sequence[tuple[tzinfo, Sequence[PlannedDay]]], now: int
    ) -> None:
        self._now = now
        self._open: dict[tuple, Turn] = {}
        self._shapes: dict[tuple, int] = {}
        self._empty: dict[tuple, int] = {}
        self.cases: list[Day] = []
        self.days = len(plans[0][1])
        planned = [(zone, day) for zone, plan in plans for day in plan]
        self._holidays = [day.holiday for _, day in planned]
        self._turns = [self._turn(rulebook, zone, day) for zone, day in planned]
        windowed = [turn.shift.kind is not ShiftKind.OPEN for turn in self._turns]
        self.windowed = np.array(windowed, bool)
        self.windows = np.flatnonzero(self.windowed)
        self.start, self.opens, self.closes = (
            np.array([getattr(turn, name) for turn in self._turns], np.int64)
            for name in ("start", "opens", "closes")
        )
        shifts = [turn.shift for turn in self._turns]
        self.longest = np.array([shift.longest * MINUTE for shift in shifts], np.int64)
        both = DirectionMode.FIRST_IN_LAST_OUT
        self.ends_count = np.array([shift.directions is both for shift in shifts], bool)
        self.shape = np.array(list(map(self._shape, self._turns, self._holidays)), np.int64)
        self.empty = np.array([self._nobody(day) for _, day in planned], np.int64)
        self.ordinary = np.array([self._is_ordinary(plan) for _, plan in plans], bool)

    def day_of(self, slot: int, marks: list[Mark]) -> Day:
        """What the rules say of these marks on this day."""
        turn = self._turns[slot]
        if turn.shift.kind is ShiftKind.OPEN:
            turn = turn._replace(closes=marks[0].at + turn.shift.longest * MINUTE)
        return day_of_turn(turn, marks, None, self._now)._replace(holiday=self._holidays[slot])

    def _turn(self, rulebook: Rulebook, zone: tzinfo, planned: PlannedDay) -> Turn:
        if planned.turns:
            return planned.turns[0]
        key = (zone, planned.day)
        if key not in self._open:
            self._open[key] = turn_of(rulebook.unplanned, planned.day, zone)
        return self._open[key]

    def _shape(self, turn: Turn, holiday: str) -> int:
        """Turns that are over and differ in their day only have one shape; of the others each has its own."""
        key: tuple = (id(turn), holiday)
        if turn.shift.kind is ShiftKind.OPEN or self._now > max(turn.closes, turn.early_until or 0):
            far = tuple(None if at is None else at - turn.start for at in _moments(turn))
            key = (id(turn.shift), turn.target, holiday, far)
        return self._shapes.setdefault(key, len(self._shapes))

    def _nobody(self, planned: PlannedDay) -> int:
        """The case of a day without a punch, which does not hang on the date."""
        turn = planned.turns[0] if planned.turns else None
        key = (turn and id(turn), planned.scheduled, planned.holiday)
        if key not in self._empty:
            rows = [day_of_turn(turn, [], None, self._now)] if turn else day_without_work(planned, None)
            self._empty[key] = len(self.cases) if rows else -1
            self.cases += [row._replace(holiday=planned.holiday) for row in rows]
        return self._empty[key]

    def _is_ordinary(self, plan: Iterable[PlannedDay]) -> bool:
        closed = None
        for planned in plan:
            if len(planned.turns) > 1:
                return False
            for turn in planned.turns:
                if any(at is not None and at % MINUTE for at in (turn.start, *_moments(turn))):
                    return False
                if turn.shift.kind is ShiftKind.OPEN:
                    continue
                if turn.end <= turn.start or (closed is not None and turn.opens <= closed):
                    return False
                closed = turn.closes
        return True


def _moments(turn: Turn) -> tuple[int | None, ...]:
    return (turn.end, turn.late_from, turn.early_until, *(at for pause in turn.pauses for at in pause))
