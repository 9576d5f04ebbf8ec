"""What callers of some departments may do with corrections and leave; as `scopes`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ray_backend.domain.permissions import Caller, Role
from ray_backend.services import scopes

if TYPE_CHECKING:
    from ray_backend.bootstrap import Records
    from ray_backend.services.punch_trail import TrailRow


def own_request(records: Records, caller: Caller, arguments: dict[str, Any]) -> None:
    """The person of a wanted correction, and the one whose punch it is said to be, have to be the caller's.

    Raises PersonNotFound.
    """
    wanted = arguments["wanted"]
    require_own(records, caller, [wanted.person_id, wanted.to_person_id])


def own_correction(records: Records, caller: Caller, arguments: dict[str, Any]) -> None:
    """As `own_request`, for a correction that is kept already. Raises NotFound and PersonNotFound."""
    if caller.departments is not None:
        known = records.corrections.get(arguments["correction_id"])
        require_own(records, caller, [known.person_id, arguments.get("to_person_id") or ""])


def own_people(records: Records, caller: Caller, arguments: dict[str, Any]) -> None:
    """All of `person_ids`, which may be the ids of many. Raises PersonNotFound."""
    require_own(records, caller, arguments["person_ids"])


def own_leave(records: Records, caller: Caller, arguments: dict[str, Any]) -> None:
    """The people of all leave that is to be kept. Raises PersonNotFound."""
    require_own(records, caller, [one.person_id for one in arguments["wanted"]])


def own_kept_leave(records: Records, caller: Caller, arguments: dict[str, Any]) -> None:
    """The person of leave that is kept already. Raises NotFound and PersonNotFound."""
    if caller.departments is not None:
        require_own(records, caller, [records.leave.get(arguments["leave_id"]).person_id])


def narrowed_people(records: Records, caller: Caller, arguments: dict[str, Any]) -> None:
    """Narrows `people`, where None means everybody, to those of the caller's departments."""
    if caller.departments is None:
        return
    own = scopes.people_of(records, caller.departments)
    asked = arguments.get("people")
    arguments["people"] = own if asked is None else tuple(set(asked) & set(own))


def without_reasons(caller: Caller, rows: list[TrailRow]) -> list[TrailRow]:
    """A person's punches; viewers are not told why one was corrected, or by whom."""
    if caller.role is not Role.VIEWER:
        return rows
    hidden = {"reason": "", "asked_by": "", "decided_by": "", "decided_at": None, "note": ""}
    return [replace(row, **hidden) for row in rows]


def require_own(records: Records, caller: Caller, person_ids: list[str]) -> None:
    """Raises PersonNotFound unless all of them, empty ids apart, are of the caller's departments."""
    if caller.departments is None:
        return
    for person_id in filter(None, person_ids):
        scopes.own_person(records, caller, {"person_id": person_id})
