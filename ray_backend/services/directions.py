"""Which way somebody goes at this moment, by the rules of working time."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ray_backend.domain.model import Direction, Person, Punch
from ray_backend.domain.worktime.direction import next_direction
from ray_backend.domain.worktime.schedule import Planner
from ray_backend.services.policy import Policy
from ray_backend.services.rules import RuleService

_DAY = timedelta(days=1)


class Directions:
    """Asked for every punch, also while the database is away."""

    def __init__(self, rules: RuleService, policy: Policy) -> None:
        self._rules = rules
        self._policy = policy

    def of(self, person: Person, last: Punch | None, at: datetime, kiosk: str) -> Direction:
        """In or out. `last` is the person's punch before this one."""
        book = self._rules.current()
        site = book.site_of(person.department)
        zone = ZoneInfo(site.zone) if site else self._policy.zone
        today = at.astimezone(zone).date()
        plan = Planner(book).days(person.person_id, person.department, zone, today - _DAY, today + _DAY)
        before = None if last is None else (int(last.at.timestamp()), last.direction)
        return next_direction(book, zone, plan, before, int(at.timestamp()), kiosk)
