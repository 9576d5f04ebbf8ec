"""Which shifts the schedules give some people today: for lists of a page of people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from ray_backend.domain.answers import ShiftsToday
from ray_backend.domain.model import Person
from ray_backend.domain.worktime.schedule import LeavePart, Planner, Rulebook
from ray_backend.domain.worktime.shifts import ShiftKind, Turn
from ray_backend.ports import Clock
from ray_backend.services.leave import LeaveService
from ray_backend.services.policy import Policy
from ray_backend.services.rules import RuleService


class TodayService:
    """Looks up the schedules and leave of a few people, however many there are."""

    def __init__(self, rules: RuleService, leave: LeaveService, policy: Policy, clock: Clock) -> None:
        self._rules = rules
        self._leave = leave
        self._policy = policy
        self._clock = clock
        self._known: tuple[Rulebook, date, Planner] | None = None

    def of(self, people: Sequence[Person], records: dict[str, str]) -> dict[str, ShiftsToday]:
        """By `person_id`; nobody without a schedule is in it. `records` says for whom the ids of records
        that were merged stand: leave may lie with them."""
        book = self._rules.current()
        if not book.assignments:
            return {}
        today = {person.person_id: self._today(book, person) for person in people}
        if not today:
            return {}
        days = [day for day, _ in today.values()]
        away = {
            (records.get(leave.person_id, leave.person_id), day)
            for leave in self._leave.between(min(days), max(days), (*today, *records))
            for day in set(days)
            if leave.first <= day <= leave.last and leave.part is LeavePart.WHOLE
        }
        found = {}
        for person in people:
            day, zone = today[person.person_id]
            [plan] = self._planner(book, day).days(person.person_id, person.department, zone, day, day)
            if plan.scheduled:
                on_leave = (person.person_id, day) in away
                turns = tuple((turn.shift.name, *_times(turn)) for turn in plan.turns)
                found[person.person_id] = ShiftsToday(turns, plan.holiday, on_leave)
        return found

    def _today(self, book: Rulebook, person: Person) -> tuple[date, ZoneInfo]:
        site = book.site_of(person.department)
        zone = ZoneInfo(site.zone) if site else self._policy.zone
        return self._clock.now().astimezone(zone).date(), zone

    def _planner(self, book: Rulebook, day: date) -> Planner:
        """One for a day: it looks through all assignments once, and keeps every day that it was asked for."""
        if self._known is None or self._known[0] is not book or self._known[1] != day:
            self._known = (book, day, Planner(book))
        return self._known[2]


def _times(turn: Turn) -> tuple:
    return (None, None) if turn.shift.kind is ShiftKind.OPEN else (turn.shift.start, turn.shift.end)
