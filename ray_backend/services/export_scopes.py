"""Which saved filters and scheduled exports managers may see and change: their own; as `scopes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ray_backend.domain.errors import Forbidden, NotFound
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.reporting.filters import SavedFilter

if TYPE_CHECKING:
    from ray_backend.bootstrap import Records


def own_exports(records: Records, caller: Caller, arguments: dict[str, Any]) -> None:
    """Administrators see the exports of everybody, others their own."""
    if caller.role is not Role.ADMIN:
        arguments["owner"] = caller.name


def own_export(records: Records, caller: Caller, arguments: dict[str, Any]) -> None:
    """The export has to be the caller's, except for administrators, and what it is changed to within the
    caller's departments. Raises NotFound and Forbidden."""
    if caller.role is not Role.ADMIN and records.exports.get(arguments["export_id"]).owner != caller.name:
        raise NotFound("This export does not exist, or was removed.")
    if "draft" in arguments:
        own_departments(records, caller, arguments)


def own_departments(records: Records, caller: Caller, arguments: dict[str, Any]) -> None:
    """A wanted export names no department but the caller's. Raises Forbidden."""
    department = arguments["draft"].filter.department
    if caller.departments is not None and department is not None and department not in caller.departments:
        raise Forbidden("This is not one of your departments.")


def usable_filters(caller: Caller, filters: list[SavedFilter]) -> list[SavedFilter]:
    """Without shared filters for departments that the caller does not see."""
    if caller.departments is None:
        return filters
    return [
        one
        for one in filters
        if not one.shared or one.filter.department is None or one.filter.department in caller.departments
    ]
