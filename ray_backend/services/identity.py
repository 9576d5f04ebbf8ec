"""Whom a record stands for: one that was merged into another answers as that one, however often in turn.

Merging changes nothing but `Person.merged_into`, so everything that reads punches, templates or people asks
here. Nothing merged is ever followed in a circle: `MergeService` refuses one, and two processes that make
one at the same moment are stopped here at the record where it closes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.model import Person, Template
from ray_backend.domain.queries import PeopleQuery
from ray_backend.ports import Store

_PAGE = 1000


def everybody(store: Store) -> Iterator[Person]:
    """All people, with those that were merged into others."""
    query: PeopleQuery | None = PeopleQuery(merged_into=None, limit=_PAGE)
    while query is not None:
        page = store.list_people(query)
        yield from page.items
        query = None if page.next_cursor is None else replace(query, cursor=page.next_cursor)


def canonical(get: Callable[[str], Person], person_id: str) -> Person:
    """The person for whom the record with this id stands, which may be itself.

    `get` returns a record by its id, as `Store.get_person` does. Raises what `get` raises.
    """
    person = get(person_id)
    seen = {person_id}
    while person.merged_into and person.merged_into not in seen:
        seen.add(person.merged_into)
        person = get(person.merged_into)
    return person


def merged_records(
    read: Callable[[Sequence[str]], Iterable[Person]], person_ids: Iterable[str]
) -> tuple[Person, ...]:
    """The records that were merged into these people, at first or second hand.

    `read` returns those at first hand, as `Store.merged_people` does.
    """
    found: dict[str, Person] = {}
    level = list(person_ids)
    seen = set(level)
    while level:
        fresh = [person for person in read(level) if person.person_id not in seen]
        level = [person.person_id for person in fresh]
        seen.update(level)
        found.update((person.person_id, person) for person in fresh)
    return tuple(found.values())


def ids_of(store: Store, person_id: str) -> tuple[str, ...]:
    """The id, and those of all records that were merged into it."""
    return (person_id, *(person.person_id for person in merged_records(store.merged_people, [person_id])))


def aliases(merged: Iterable[Person]) -> dict[str, str]:
    """For each of all merged records, the id of the person for whom it stands."""
    into = {person.person_id: person.merged_into for person in merged}

    def root(person_id: str) -> str:
        seen = {person_id}
        while into.get(person_id, person_id) not in seen:
            person_id = into[person_id]
            seen.add(person_id)
        return person_id

    return {person_id: root(person_id) for person_id in into}


def live_templates(store: Store, pack_id: str) -> Iterator[Template]:
    """The templates of a pack that a gallery holds: those of active people, each under the `person_id` of
    the person for whom its record stands."""
    records = {person.person_id: person for person in everybody(store)}

    def get(person_id: str) -> Person:
        # Somebody may have been enrolled by another process since.
        return records.get(person_id) or store.get_person(person_id)

    for template in store.templates(pack_id):
        try:
            owner = canonical(get, template.person_id)
        except PersonNotFound:
            continue  # erased meanwhile
        if owner.active:
            yield as_of(template, owner)


def as_of(template: Template, owner: Person) -> Template:
    """The template under the id of the person for whom its record stands."""
    return template if template.person_id == owner.person_id else replace(template, person_id=owner.person_id)
