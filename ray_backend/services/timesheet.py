"""Working days of many people over weeks: read as columns, derived together, given as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ray_backend.domain.model import Person
from ray_backend.domain.queries import PeopleQuery, PunchQuery
from ray_backend.domain.requests import SheetQuery
from ray_backend.domain.worktime.corrections import Approved
from ray_backend.domain.worktime.days import Status
from ray_backend.domain.worktime.many import Crowd, derive_many
from ray_backend.domain.worktime.schedule import Leave, PlannedDay, Planner, Rulebook
from ray_backend.ports import Clock, Store
from ray_backend.services import identity
from ray_backend.services.corrections import CorrectionService
from ray_backend.services.leave import LeaveService
from ray_backend.services.policy import Policy
from ray_backend.services.report import ERASED, pages
from ray_backend.services.rules import RuleService
from ray_backend.services.shared_answers import SharedAnswers
from ray_backend.services.timesheet_marks import Marks
from ray_backend.services.timesheet_table import days_table

INSIDE_S = 2.0
# A turn that begins on the last day may end on the next; one before the first may reach into it.
_MARGIN = timedelta(days=1)
_READ_MARGIN = timedelta(days=2)


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """`days` has the columns `timesheet_table.COLUMNS`, a row for each turn or day, by date and name.

    `first_in` and `last_out` are local times without a zone, `utc_offset` says how far they are from UTC
    (`+01:00`, or two where the clocks changed in between). Lengths are minutes. `punches` counts those that
    count, `repeated` those that do not; `corrected` says that a correction had a part in the day.
    """

    query: SheetQuery
    generated_at: datetime
    zone: str
    rule_version: int
    days: pd.DataFrame = field(repr=False)


class TimesheetService:
    """Derives working days from punches, corrections, leave and rules, anew each time."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        policy: Policy,
        rules: RuleService,
        corrections: CorrectionService,
        leave: LeaveService,
    ) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._rules = rules
        self._corrections = corrections
        self._leave = leave
        self._inside: SharedAnswers[Sheet] = SharedAnswers(INSIDE_S, lambda: clock.now().timestamp())

    def sheet(self, query: SheetQuery, *, rules: Rulebook | None = None) -> Sheet:
        """All days of the query, by the rules in force or by others that are to be tried.

        Raises InvalidInput.
        """
        query = query.checked()
        book = rules or self._rules.current()
        now = self._clock.now()
        people = self._people(query, book)
        marks = self._marks(query, people)
        if _unfiltered(query):
            people |= {person_id: _erased(person_id) for person_id in marks.owners() - people.keys()}
        zones = _Zones(book, self._policy.zone)
        whose = [zones.of(person) for person in people.values()]
        crowd = self._crowd(query, book, people, whose, marks)
        rows = derive_many(book, crowd, now=int(now.timestamp()))
        rows = rows.where((rows.day >= 1) & (rows.day <= (query.end - query.start).days + 1))
        days = days_table(rows, list(people.values()), whose, query.start - _MARGIN, book, marks.touched)
        if query.statuses is not None:
            days = days[days["status"].isin(query.statuses)].reset_index(drop=True)
        return Sheet(query, now, self._policy.zone.key, book.version, days)

    def inside(self, query: SheetQuery) -> Sheet:
        """Who is in by now: the rows of somebody at work, at most INSIDE_S old, so that many who look cost as
        much as one. Raises InvalidInput."""
        wanted = replace(query, statuses=(Status.AT_WORK.value,))
        return self._inside.get(wanted, lambda: self.sheet(wanted))

    def _people(self, query: SheetQuery, book: Rulebook) -> dict[str, Person]:
        wanted = PeopleQuery(
            text=query.text, department=query.department, departments=query.departments, limit=1000
        )
        found = {person.person_id: person for person in pages(self._store.list_people, wanted)}
        if query.people is not None:
            found = {person_id: found[person_id] for person_id in query.people if person_id in found}
        if query.site is None:
            return found
        return {
            person_id: person
            for person_id, person in found.items()
            if (site := book.site_of(person.department)) is not None and site.site_id == query.site
        }

    def _marks(self, query: SheetQuery, people: Mapping[str, Person]) -> Marks:
        start = datetime.combine(query.start, time(), UTC) - _READ_MARGIN
        end = datetime.combine(query.end, time(), UTC) + _READ_MARGIN
        alias = identity.aliases(self._store.merged_people())
        approved = Approved.of(self._corrections.between(start, end))
        chosen = None
        if query.people is not None or query.text:
            others = [merged for merged, owner in alias.items() if owner in people]
            givers = {one.person_id for one in approved.changes.values()}
            chosen = tuple({*people, *others, *givers})
        return Marks(self._store.punch_columns(PunchQuery(start, end, chosen)), approved, alias)

    def _crowd(
        self,
        query: SheetQuery,
        book: Rulebook,
        people: Mapping[str, Person],
        zones: Sequence[ZoneInfo],
        marks: Marks,
    ) -> Crowd:
        planner = Planner(book)
        first, last = query.start - _MARGIN, query.end + _MARGIN
        plans: dict[int, tuple[int, ZoneInfo, tuple[PlannedDay, ...]]] = {}
        plan = []
        for (person_id, person), zone in zip(people.items(), zones, strict=True):
            # People who share their assignments get the very same plan.
            days = planner.days(person_id, person.department, zone, first, last)
            plan.append(plans.setdefault(id(days), (len(plans), zone, days))[0])
        places = {person_id: place for place, person_id in enumerate(people)}
        leave: dict[int, list[Leave]] = defaultdict(list)
        for one in self._leave.between(query.start, query.end):
            if one.person_id in places:
                leave[places[one.person_id]].append(one)
        known = [(zone, days) for _, zone, days in plans.values()]
        return Crowd(known, np.array(plan, np.int64), *marks.of(places), leave, marks.named_of(places))


class _Zones:
    """Each person's own time zone: that of the site of their department, or the installation's."""

    def __init__(self, book: Rulebook, default: ZoneInfo) -> None:
        self._book = book
        self._default = default
        self._known: dict[str, ZoneInfo] = {}

    def of(self, person: Person) -> ZoneInfo:
        if person.department not in self._known:
            site = self._book.site_of(person.department)
            self._known[person.department] = ZoneInfo(site.zone) if site else self._default
        return self._known[person.department]


def _unfiltered(query: SheetQuery) -> bool:
    """Whether the punches of erased people, which have no department or name, are asked for, too."""
    bounds = (query.department, query.departments, query.site, query.people)
    return not query.text and all(bound is None for bound in bounds)


def _erased(person_id: str) -> Person:
    return replace(ERASED, employee_id=f"erased-{person_id[:8]}", person_id=person_id)
