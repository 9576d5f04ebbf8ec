"""A person's shifts for calendar programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ray_backend.api import describe
from ray_backend.api.access import SHIFTS, SHIFTS_ROLES, headers_of
from ray_backend.api.context import Context
from ray_backend.api.people import EmployeeId
from ray_backend.client import Backend
from ray_backend.domain.errors import PersonNotFound

_CALENDAR = "text/calendar"
Token = Annotated[
    str | None, Query(max_length=200, description="of `rollcall people calendar`; calendars send no header")
]


async def shifts(api: Context, request: Request, employee_id: EmployeeId, token: Token = None) -> Response:
    """The person's shifts as iCalendar, with the calendar's own `token` or an API key in the header."""
    if token is not None:
        data = await run_in_threadpool(api.backend.shift_feeds.by_secret, employee_id, token)
    else:
        caller = await api.gate.admit(headers_of(request.scope), SHIFTS_ROLES)
        backend = api.backend.acting_as(caller.of_use_cases)
        data = await run_in_threadpool(_of, backend, employee_id)
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
        responses={200: {"description": "The calendar.", "content": file}}
        | describe.problems(401, 403, 404, 422, 429, 503),
        tags=["people"],
    )(shifts)
