"""Who is enrolled, in memory, so that a match has a name while the database is away."""

from __future__ import annotations

import threading
from dataclasses import replace

from ray_backend.domain.errors import PersonNotFound, StoreUnavailable
from ray_backend.domain.model import PeopleQuery, Person
from ray_backend.ports import Store
from ray_backend.services.reach import Reach

_PAGE = 1000


class Roster:
    """People by their ids. The database is asked for as long as it answers: another process may have
    erased somebody a moment ago. Safe to call from several threads."""

    def __init__(self, store: Store, reach: Reach) -> None:
        """Reads everybody. Raises StoreUnavailable."""
        self._store = store
        self._reach = reach
        self._lock = threading.Lock()
        self._people: dict[str, Person] = {}
        query = PeopleQuery(limit=_PAGE)
        while True:
            page = store.list_people(query)
            self._people.update({person.person_id: person for person in page.items})
            if page.next_cursor is None:
                return
            query = replace(query, cursor=page.next_cursor)

    def get(self, person_id: str) -> Person:
        """Raises PersonNotFound, and StoreUnavailable for somebody unknown while the database is away."""
        try:
            person = self._reach.ask(lambda: self._store.get_person(person_id))
        except PersonNotFound:
            self.forget(person_id)
            raise
        except StoreUnavailable:
            with self._lock:
                known = self._people.get(person_id)
            if known is None:
                raise
            return known
        self.put(person)
        return person

    def of_department(self, department: str) -> frozenset[str]:
        """The ids of everybody in this department, as this process knows it."""
        with self._lock:
            return frozenset(
                person.person_id for person in self._people.values() if person.department == department
            )

    def put(self, person: Person) -> None:
        """Somebody was enrolled or changed."""
        with self._lock:
            self._people[person.person_id] = person

    def forget(self, person_id: str) -> None:
        """Somebody was erased; unknown ids are no error."""
        with self._lock:
            self._people.pop(person_id, None)
