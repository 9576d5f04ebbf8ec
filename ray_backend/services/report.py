"""Raw punches with whose they are, and the site's day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.model import Person, Punch
from ray_backend.domain.queries import PunchQuery
from ray_backend.ports import Clock, Store
from ray_backend.services.identity import aliases, canonical

ERASED = Person(employee_id="", name="Erased person", created_at=datetime.min, person_id="")


class ReportService:
    """Reads punches and people; `TimesheetService` makes working days of them."""

    def __init__(self, store: Store, clock: Clock, zone: Callable[[], ZoneInfo]) -> None:
        """`zone`: the site's, asked for each time."""
        self._store = store
        self._clock = clock
        self._zone = zone

    def today(self) -> date:
        """The site's calendar day."""
        return self._clock.now().astimezone(self._zone()).date()

    def recent_punches(self, query: PunchQuery) -> list[tuple[Punch, Person]]:
        """Punches with their people, oldest first; erased people come as a nameless one.

        Punches of merged records come with the person that they stand for, and are among those of that
        person where the query names people.
        """
        if query.people is not None:
            query = replace(query, people=self._all_records(query.people))
        punches = self._store.list_punches(query).items
        people = {person_id: self._person(person_id) for person_id in {p.person_id for p in punches}}
        return [(punch, people[punch.person_id]) for punch in punches]

    def _person(self, person_id: str) -> Person:
        try:
            return canonical(self._store.get_person, person_id)
        except PersonNotFound:
            return ERASED

    def _all_records(self, people: Sequence[str]) -> tuple[str, ...]:
        """All records of the people for whom these records stand."""
        stands_for = aliases(self._store.merged_people())
        wanted = {stands_for.get(person_id, person_id) for person_id in people}
        return (*sorted(wanted), *(record for record, owner in stands_for.items() if owner in wanted))


def pages(read, query) -> Iterator:
    """Every item of a paged list."""
    while True:
        page = read(query)
        yield from page.items
        if page.next_cursor is None:
            return
        query = replace(query, cursor=page.next_cursor)
