"""What callers may see who are bound to a kiosk or to departments.

A narrowing (`Narrow`) changes the arguments of a use case before it runs, a cut (`Cut`) changes or refuses
its answer. Both do nothing for callers who are not bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ray_backend.domain.answers import PersonFile
from ray_backend.domain.errors import Forbidden, PersonNotFound
from ray_backend.domain.model import Person, Punch
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.queries import PeopleQuery

if TYPE_CHECKING:
    from ray_backend.bootstrap import Records

Narrow = Callable[["Records", Caller, dict[str, Any]], None]
Cut = Callable[[Caller, Any], Any]
_PAGE = 1000


def own_kiosk(records: Records, caller: Caller, arguments: dict[str, Any]) -> None:
    """A kiosk speaks for itself only. Raises Forbidden."""
    _require_own_kiosk(caller, arguments["kiosk"])


def note_of_own_kiosk(records: Records, caller: Caller, arguments: dict[str, Any]) -> None:
    """As `own_kiosk`, for the `record` of a decision. Raises Forbidden."""
    _require_own_kiosk(caller, arguments["record"].kiosk)


def _require_own_kiosk(caller: Caller, kiosk: str) -> None:
    if caller.role is Role.KIOSK and kiosk != caller.name:
        raise Forbidden("This token belongs to another kiosk.")


def own_people(records: Records, caller: Caller, arguments: dict[str, Any]) -> None:
    """Narrows a `query` with `departments`, as those for people and for reports, to the caller's."""
    if caller.departments is None:
        return
    query = arguments["query"]
    wanted = caller.departments
    if query.departments is not None:
        wanted = tuple(name for name in query.departments if name in caller.departments)
    arguments["query"] = replace(query, departments=wanted)


def own_punches(records: Records, caller: Caller, arguments: dict[str, Any]) -> None:
    """Narrows a `query` for punches to the people of the caller's departments."""
    if caller.departments is None:
        return
    query = arguments["query"]
    own = people_of(records, caller.departments)
    if query.people is not None:
        own = tuple(person_id for person_id in query.people if person_id in frozenset(own))
    arguments["query"] = replace(query, people=own)


def people_of(records: Records, departments: tuple[str, ...]) -> tuple[str, ...]:
    """The ids of everybody in these departments."""
    found: list[str] = []
    query: PeopleQuery | None = PeopleQuery(departments=departments, limit=_PAGE)
    while query is not None:
        page = records.people.find(query)
        found += [person.person_id for person in page.items]
        query = replace(query, cursor=page.next_cursor) if page.next_cursor is not None else None
    return tuple(found)


def own_person(records: Records, caller: Caller, arguments: dict[str, Any]) -> None:
    """The `person_id` has to be of the caller's departments. Raises PersonNotFound."""
    if caller.departments is not None:
        _require_own(caller, records.people.details(arguments["person_id"]).person)


def only_own_details(caller: Caller, details: Any) -> Any:
    """Anything with a `person`. Raises PersonNotFound for one of another department."""
    if caller.departments is not None:
        _require_own(caller, details.person)
    return details


def only_own_file(caller: Caller, file: PersonFile) -> PersonFile:
    """As `only_own_details`, and without people of other departments who look alike."""
    only_own_details(caller, file)
    if caller.departments is None:
        return file
    return replace(
        file, others=tuple(one for one in file.others if one.person.department in caller.departments)
    )


def only_own_person(caller: Caller, person: Person | None) -> Person | None:
    """The person, or None for one of another department. Viewers are not told addresses."""
    if person is None or (caller.departments is not None and person.department not in caller.departments):
        return None
    return replace(person, email="") if caller.role is Role.VIEWER else person


def without_addresses(caller: Caller, punches: list[tuple[Punch, Person]]) -> list[tuple[Punch, Person]]:
    """Punches with their people; viewers are not told addresses."""
    if caller.role is not Role.VIEWER:
        return punches
    return [(punch, replace(person, email="")) for punch, person in punches]


def only_own_names(caller: Caller, departments: list[str]) -> list[str]:
    """The caller's among these departments."""
    if caller.departments is None:
        return departments
    return [name for name in departments if name in caller.departments]


def _require_own(caller: Caller, person: Person) -> None:
    if person.department not in caller.departments:
        raise PersonNotFound("Nobody of your departments is registered under this id.")
