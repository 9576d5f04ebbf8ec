"""Who is enrolled, in memory, so that a match has a name while the database is away."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from contextlib import suppress

from ray_backend.domain.errors import PersonNotFound, StoreUnavailable
from ray_backend.domain.model import Person
from ray_backend.ports import Store
from ray_backend.services import identity
from ray_backend.services.reach import Reach

_NOT_KNOWN = "This person is not known here."


class Roster:
    """People by the ids of their records, also of those that were merged into theirs.

    The database is asked for as long as it answers: another process may have erased somebody a moment
    ago. Safe to call from several threads.
    """

    def __init__(self, store: Store, reach: Reach) -> None:
        """Reads everybody. Raises StoreUnavailable."""
        self._store = store
        self._reach = reach
        self._lock = threading.Lock()
        self._people = {person.person_id: person for person in identity.everybody(store)}

    def get(self, person_id: str) -> Person:
        """The person for whom the record with this id stands.

        Raises PersonNotFound, and StoreUnavailable for somebody unknown while the database is away.
        """
        found = self.get_many([person_id])
        if not found:
            raise PersonNotFound(_NOT_KNOWN)
        return found[person_id]

    def get_many(self, person_ids: Collection[str]) -> dict[str, Person]:
        """As `get` for many at once, by the ids that were asked for; whoever is not found is missing.

        Raises StoreUnavailable for anybody unknown while the database is away.
        """
        try:
            found = self._reach.ask(lambda: self._read_many(person_ids))
        except StoreUnavailable as away:
            try:
                return {one: identity.canonical(self._remembered, one) for one in person_ids}
            except PersonNotFound:
                raise away from None
        for gone in set(person_ids) - set(found):
            self.forget(gone)
        return found

    def ids_of(self, person_id: str) -> tuple[str, ...]:
        """The id of a person, and those of all records that were merged into theirs."""
        try:
            merged = self._reach.ask(lambda: identity.merged_records(self._store.merged_people, [person_id]))
        except StoreUnavailable:
            merged = identity.merged_records(self._remembered_merged, [person_id])
        return (person_id, *(person.person_id for person in merged))

    def aliases(self) -> dict[str, str]:
        """For each record that was merged, the id of the person for whom it stands."""
        try:
            merged = self._reach.ask(self._store.merged_people)
        except StoreUnavailable:
            merged = self._remembered_merged(None)
        return identity.aliases(merged)

    def of_department(self, department: str) -> frozenset[str]:
        """The ids of everybody in this department, as this process knows it."""
        with self._lock:
            return frozenset(
                person.person_id
                for person in self._people.values()
                if person.department == department and not person.merged_into
            )

    def put(self, person: Person) -> None:
        """Somebody was enrolled or changed."""
        with self._lock:
            self._people[person.person_id] = person

    def forget(self, person_id: str) -> None:
        """Somebody was erased; unknown ids are no error."""
        with self._lock:
            self._people.pop(person_id, None)

    def _read(self, person_id: str) -> Person:
        person = self._store.get_person(person_id)
        self.put(person)
        return person

    def _read_many(self, person_ids: Collection[str]) -> dict[str, Person]:
        records = {record.person_id: record for record in self._store.people_of_many(tuple(person_ids))}
        for record in records.values():
            self.put(record)
        found = {}
        for person_id in records:
            # Whom a record was merged into may be gone.
            with suppress(PersonNotFound):
                found[person_id] = identity.canonical(
                    lambda one: records[one] if one in records else self._read(one), person_id
                )
        return found

    def _remembered(self, person_id: str) -> Person:
        with self._lock:
            known = self._people.get(person_id)
        if known is None:
            raise PersonNotFound(_NOT_KNOWN)
        return known

    def _remembered_merged(self, into: Sequence[str] | None) -> list[Person]:
        with self._lock:
            merged = [person for person in self._people.values() if person.merged_into]
        return [person for person in merged if into is None or person.merged_into in into]
