"""A person's shifts for calendar programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query
from starlette.responses import Response

from ray_backend.api import describe
from ray_backend.api.access import SHIFTS
from ray_backend.api.context import Context
from ray_backend.api.people import EmployeeId
from ray_backend.client import Backend
from ray_backend.domain.errors import PersonNotFound

_CALENDAR = "text/calendar"
Token = Annotated[
    str | None, Query(max_length=200, description="of `rollcall people calendar`; calendars send no header")
]


def shifts(api: Context, employee_id: EmployeeId, token: Token = None) -> Response:
    """The person's shifts as iCalendar, with the calendar's own `token` or an API key in the header."""
    if token is not None:
        data = api.backend.shift_feeds.by_secret(employee_id, token)
    else:
        data = _of(api.backend, employee_id)
    return Response(data, media_type=f"{_CALENDAR}; charset=utf-8")


def _of(backend: Backend, employee_id: str) -> bytes:
    person = backend.people.by_employee_id(employee_id)
    if person is None:
        raise PersonNotFound("Nobody is registered with this employee id.")
    return backend.shift_feeds.calendar(person.person_id)


def install(app: FastAPI) -> None:
    """Adds the route."""
    file = {_CALENDAR: {"schema": {"type": "string", "format": "binary"}}}
    app.get(
        SHIFTS,
        response_class=Response,
        responses={200: {"description": "The calendar.", "content": file}} | describe.problems(404, 422),
        tags=["people"],
    )(shifts)
