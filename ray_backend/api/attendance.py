"""Checking in, and reading what was recorded."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Header, Query, Request
from pydantic import BeforeValidator
from starlette.responses import Response

from ray_backend.api import describe, schemas
from ray_backend.api.access import headers_of
from ray_backend.api.answers import check_in_json, punch_json, to_bytes
from ray_backend.api.bodies import Upload
from ray_backend.api.context import Api, Context, Who, while_client_waits
from ray_backend.api.credentials import Caller
from ray_backend.api.people import MAX_CURSOR
from ray_backend.domain.errors import Forbidden, InvalidInput, PersonNotFound
from ray_backend.domain.model import Person, Punch
from ray_backend.domain.permissions import Role
from ray_backend.domain.queries import PunchQuery

# With room for every time zone on both sides, as `SheetQuery` has.
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)


def _no_number(value: Any) -> Any:
    # Pydantic would take `1` for a second after 1970.
    if isinstance(value, str) and not _ISO.match(value):
        raise ValueError("should be like 2026-03-02 or 2026-03-02T08:00:00Z")
    return value


_ISO = re.compile(r"\d{4}-\d\d-\d\d(T|$)")
Moment = Annotated[datetime, BeforeValidator(_no_number)]
Day = Annotated[date, BeforeValidator(_no_number)]
Kiosk = Annotated[
    str | None,
    Query(max_length=64, description="where it happened; a kiosk's own token knows", examples=["entrance"]),
]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="one for each attempt of a person; a repeated request with the same one records nothing",
        examples=["2f1c7c1e-0d6c-4a9e-9b43-8f0b8f6a2c11"],
    ),
]


async def check_in(
    api: Context, caller: Who, request: Request, key: IdempotencyKey, kiosk: Kiosk = None
) -> Response:
    """Recognises the nearest person and records one punch.

    The same `Idempotency-Key` at the same kiosk gives the same punch again. Anything but a match is a
    normal answer without a punch.
    """
    upload = await api.bodies.image(request.scope, request.receive, headers_of(request.scope))
    kiosk = _kiosk(caller, upload, kiosk)
    work = api.recogniser.check_in(
        # Two kiosks may choose the same key, and one must not be shown the other's person.
        upload.photos[0].data, kiosk=kiosk, idempotency_key=f"{kiosk}/{key}"
    )  # fmt: skip
    answer = await while_client_waits(request.receive, work)
    api.meters.decided("/check_in", [answer.decision.kind.value])
    return Response(to_bytes(check_in_json(answer)), media_type="application/json")


def _kiosk(caller: Caller, upload: Upload, asked: str | None) -> str:
    asked = upload.fields.get("kiosk", asked)
    if caller.role is Role.KIOSK:
        if asked not in (None, "", caller.name):
            raise Forbidden("This token belongs to another kiosk.")
        return caller.name
    if not isinstance(asked, str) or not 1 <= len(asked) <= 64 or not asked.isprintable():
        raise InvalidInput("Name the kiosk with 1 to 64 visible characters, as `kiosk`.")
    return asked


def list_punches(
    api: Context,
    since: Annotated[Moment | None, Query(description="from here on; without offset: site's time")] = None,
    until: Annotated[Moment | None, Query(description="up to, but not including")] = None,
    person: Annotated[str | None, Query(max_length=64, description="employee id")] = None,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR, description="`next_cursor`")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """The raw punches, oldest first."""
    zone = api.backend.site.current().zone
    query = PunchQuery(_moment(since, zone), _moment(until, zone), _people(api, person), limit=limit)
    rows, next_cursor = _page(api, query, cursor)
    return {"punches": [punch_json(*row) for row in rows], "next_cursor": next_cursor}


def _moment(value: datetime | None, zone: ZoneInfo) -> datetime | None:
    if value is None:
        return None
    value = value if value.tzinfo else value.replace(tzinfo=zone)
    if not _FIRST.year <= value.year <= _LAST.year:
        raise InvalidInput(f"Choose times between the years {_FIRST.year} and {_LAST.year}.")
    return value.astimezone(UTC)


def _people(api: Api, employee_id: str | None) -> tuple[str, ...] | None:
    if employee_id is None:
        return None
    person = api.backend.people.by_employee_id(employee_id)
    if person is None:
        raise PersonNotFound("Nobody is registered with this employee id.")
    return (person.person_id,)


def _page(api: Api, query: PunchQuery, cursor: str | None) -> tuple[list[tuple[Punch, Person]], str | None]:
    """One page after the cursor, and the next cursor.

    A cursor holds the last punch's time and id, and how many of that very moment were shown: those come
    again, since the query starts at their time, and are left out.
    """
    start, last_id, shown = query.start, "", 0
    if cursor is not None:
        start, last_id, shown = _opened(cursor)
    wanted = query.limit + shown + 1
    read = api.backend.reports.recent_punches(PunchQuery(start, query.end, query.people, limit=wanted))
    rows = [row for row in read if not last_id or (row[0].at, row[0].punch_id) > (start, last_id)]
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    if not more:
        return rows, None
    last = rows[-1][0]
    shown_of_moment = sum(row[0].at == last.at for row in read[: read.index(rows[-1]) + 1])
    return rows, _sealed(last, shown_of_moment)


def _sealed(last: Punch, shown: int) -> str:
    text = json.dumps([last.at.astimezone(UTC).isoformat(), last.punch_id, shown])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _opened(cursor: str) -> tuple[datetime, str, int]:
    try:
        at, punch_id, shown = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
        moment = datetime.fromisoformat(at)
        fits = moment.tzinfo is not None and isinstance(punch_id, str) and type(shown) is int
    except (binascii.Error, ValueError, TypeError, RecursionError):
        fits = False
    if not fits or not _FIRST <= moment <= _LAST or not 0 <= shown <= 100_000:
        raise InvalidInput("This page cursor is not valid. Start again from the first page.")
    return moment, punch_id, shown


def install(app: FastAPI) -> None:
    """Adds the routes."""
    app.post(
        "/check_in",
        response_model=schemas.CheckIn,
        responses=describe.problems(413, 415, 422),
        openapi_extra=describe.one_picture(with_kiosk=True),
        tags=["attendance"],
    )(check_in)
    app.get(
        "/attendance",
        response_model=schemas.PunchPage,
        responses=describe.problems(404, 422),
        tags=["attendance"],
    )(list_punches)
