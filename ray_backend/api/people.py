"""Registering people, and looking after them."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from ray_backend.api import describe, schemas
from ray_backend.api.access import PERSON, headers_of
from ray_backend.api.answers import enrolment_json, person_json
from ray_backend.api.context import Api, Context, Who
from ray_backend.api.credentials import Caller
from ray_backend.api.describe import PLAIN_TEXT
from ray_backend.domain.errors import DuplicateEmployeeId, PersonNotFound
from ray_backend.domain.model import Person
from ray_backend.domain.queries import PeopleQuery
from ray_backend.domain.requests import PersonDraft

# Text that every database can look for.
MAX_CURSOR = 1200
EmployeeId = Annotated[str, Path(max_length=64, description="the organisation's own id", examples=["E017"])]
_SOURCE = "api"
M = TypeVar("M", bound=BaseModel)


async def register(api: Context, caller: Who, request: Request) -> dict[str, Any]:
    """Registers a person with photos. A photo that would not serve is left out, and its review says why.

    Nothing is stored unless at least one photo passes.
    """
    upload = await api.bodies.images(request.scope, request.receive, headers_of(request.scope), "photos")
    draft = PersonDraft(**_parsed(schemas.Registration, upload.fields, typed=upload.typed).model_dump())
    enrolment = await run_in_threadpool(
        api.backend.enrol, draft, upload.photos, source=_SOURCE, actor=caller.actor
    )
    return enrolment_json(enrolment)


async def add_photos(api: Context, caller: Who, request: Request, employee_id: EmployeeId) -> dict[str, Any]:
    """Adds photos to a person. Those that are stored already are left out, so it may be repeated."""
    upload = await api.bodies.images(request.scope, request.receive, headers_of(request.scope), "photos")
    person = await run_in_threadpool(_person, api, employee_id)
    enrolment = await run_in_threadpool(
        api.backend.add_photos, person.person_id, upload.photos, source=_SOURCE, actor=caller.actor
    )
    return enrolment_json(enrolment)


def list_people(
    api: Context,
    q: Annotated[
        str, Query(max_length=200, pattern=PLAIN_TEXT, description="part of a name or employee id")
    ] = "",
    department: Annotated[str | None, Query(max_length=200, pattern=PLAIN_TEXT)] = None,
    active: bool | None = None,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR, description="`next_cursor`")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> dict[str, Any]:
    """One page of people, by employee id."""
    page = api.backend.people.find(
        PeopleQuery(" ".join(q.split()), department, active=active, cursor=cursor, limit=limit)
    )
    return {
        "people": [person_json(person) for person in page.items],
        "next_cursor": page.next_cursor,
        "total": page.total,
    }


def get_person(api: Context, employee_id: EmployeeId) -> dict[str, Any]:
    """One person."""
    details = api.backend.people.details(_person(api, employee_id).person_id)
    return person_json(details.person) | {"templates": len(details.templates)}


async def replace_person(
    api: Context, caller: Who, request: Request, employee_id: EmployeeId
) -> dict[str, Any]:
    """Replaces what can be changed about a person. Consent and photos stay."""
    document = await api.bodies.document(request.receive, headers_of(request.scope))
    changes = _parsed(schemas.PersonUpdate, document).model_dump()
    return await run_in_threadpool(_change, api, caller, employee_id, changes)


async def change_person(
    api: Context, caller: Who, request: Request, employee_id: EmployeeId
) -> dict[str, Any]:
    """Changes some fields of a person. `active: false` keeps everything, but recognises nobody."""
    document = await api.bodies.document(request.receive, headers_of(request.scope))
    changes = _parsed(schemas.PersonPatch, document).model_dump(exclude_unset=True)
    return await run_in_threadpool(_change, api, caller, employee_id, changes)


def _parsed(model: type[M], fields: dict[str, Any], *, typed: bool = True) -> M:
    try:
        return model.model_validate(fields, strict=typed)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def erase_person(
    api: Context,
    caller: Who,
    employee_id: EmployeeId,
    keep_punches: Annotated[bool, Query(description="keep the punches, without any link to a name")],
    confirm: Annotated[str, Query(max_length=64, description="the employee id once more")],
) -> dict[str, Any]:
    """Removes a person, the stored faces and, unless kept, the punches, for good. Look at `verified`: where
    it is false, something was found again, and the erasure goes on at the next start."""
    erasure = api.backend.people.erase(
        _person(api, employee_id).person_id,
        typed_employee_id=confirm,
        keep_punches=keep_punches,
        actor=caller.actor,
    )
    return {
        "templates": erasure.templates,
        "punches_removed": erasure.punches_removed,
        "punches_kept": erasure.punches_kept,
        "certificate": erasure.certificate.certificate_id,
        "verified": erasure.certificate.verified,
    }


def _person(api: Api, employee_id: str) -> Person:
    person = api.backend.people.by_employee_id(employee_id)
    if person is None:
        raise PersonNotFound("Nobody is registered with this employee id.")
    return person


def _change(api: Api, caller: Caller, employee_id: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Everything that can be refused is looked at before the first of the two writes."""
    person = _person(api, employee_id)
    active = changes.pop("active", person.active)
    kept = {name: getattr(person, name) for name in ("employee_id", "name", "department", "email")}
    draft = PersonDraft(**(kept | changes)).checked()
    other = api.backend.people.by_employee_id(draft.employee_id)
    if other is not None and other.person_id != person.person_id:
        raise DuplicateEmployeeId("Somebody else has this employee id. Choose another one.")
    if active != person.active:
        api.backend.people.set_active(person.person_id, active, actor=caller.actor)
    return person_json(api.backend.people.update(person.person_id, draft, actor=caller.actor))


def install(app: FastAPI) -> None:
    """Adds the routes."""
    photos = describe.many_pictures("photos", schemas.Registration.model_json_schema())
    app.post(
        "/register",
        status_code=201,
        response_model=schemas.Enrolment,
        responses=describe.problems(409, 413, 415, 422),
        openapi_extra=photos,
        tags=["people"],
    )(register)
    app.get("/people", response_model=schemas.PeoplePage, responses=describe.problems(422), tags=["people"])(
        list_people
    )
    app.get(
        PERSON, response_model=schemas.PersonDetails, responses=describe.problems(404, 422), tags=["people"]
    )(get_person)
    for add, function, model in (
        (app.put, replace_person, schemas.PersonUpdate),
        (app.patch, change_person, schemas.PersonPatch),
    ):
        add(
            PERSON,
            response_model=schemas.Person,
            responses=describe.problems(404, 409, 413, 415, 422),
            openapi_extra=describe.json_document(model),
            tags=["people"],
        )(function)
    app.delete(
        PERSON, response_model=schemas.Erasure, responses=describe.problems(404, 422), tags=["people"]
    )(erase_person)
    app.post(
        f"{PERSON}/photos",
        response_model=schemas.Enrolment,
        responses=describe.problems(404, 409, 413, 415, 422),
        openapi_extra=describe.many_pictures("photos"),
        tags=["people"],
    )(add_photos)
