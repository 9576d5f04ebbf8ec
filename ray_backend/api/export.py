"""Attendance as a file."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query
from starlette.responses import Response, StreamingResponse

from ray_backend.api import describe
from ray_backend.api.attendance import Day
from ray_backend.api.context import Context
from ray_backend.api.describe import PLAIN_TEXT
from ray_backend.domain.requests import SheetQuery
from ray_backend.domain.worktime.days import Status
from ray_backend.services.table_files import MEDIA_TYPES, FileFormat, pieces
from ray_backend.services.tables import day_sheet


def export(
    api: Context,
    file_format: Annotated[FileFormat, Query(alias="format")] = "csv",
    start: Annotated[Day | None, Query(description="first day; default: the first of this month")] = None,
    end: Annotated[Day | None, Query(description="last day; default: today")] = None,
    department: Annotated[str | None, Query(max_length=200, pattern=PLAIN_TEXT)] = None,
    person: Annotated[
        str, Query(max_length=200, pattern=PLAIN_TEXT, description="part of a name or employee id")
    ] = "",
    site: Annotated[str | None, Query(max_length=64, pattern=PLAIN_TEXT, description="a site's id")] = None,
    status: Annotated[list[Status] | None, Query(description="only days with one of these")] = None,
) -> Response:
    """The day sheet as a file: a row for each turn or day of each person.

    Lengths are hours in CSV and XLSX, hours and minutes in PDF, minutes in JSON. The file states its
    filter, time zone, time of generation, and the version of the rules. It is sent while it is made.
    """
    today = api.backend.reports.today()
    query = SheetQuery(
        start or today.replace(day=1),
        end or today,
        department,
        person,
        site=site,
        statuses=tuple(one.value for one in status) if status else None,
    ).checked()
    file = pieces(day_sheet(api.backend.timesheets.sheet(query)), file_format)
    name = f"attendance_{query.start}_{query.end}.{file_format}"
    return StreamingResponse(
        file,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
        media_type=MEDIA_TYPES[file_format],
    )


def install(app: FastAPI) -> None:
    """Adds the route."""
    app.get(
        "/attendance/export",
        response_class=Response,
        responses={200: {"description": "The file.", "content": _FILES}} | describe.problems(422),
        tags=["attendance"],
    )(export)


_BINARY = {"type": "string", "format": "binary"}
_FILES = {
    kind.partition(";")[0]: {"schema": {"type": "object"} if name == "json" else _BINARY}
    for name, kind in MEDIA_TYPES.items()
}
