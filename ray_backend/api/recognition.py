"""POST /recognize and its kin. The first is the hot path, which is served before any router; see `edge`."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from ray_backend.api import describe, schemas
from ray_backend.api.access import ROLES, headers_of
from ray_backend.api.answers import decisions_of, quoted, recognition_text, seed_json, to_bytes
from ray_backend.api.context import Api, Context, while_client_waits
from ray_backend.api.problems import document
from ray_backend.domain.answers import Recognition
from ray_backend.domain.errors import InvalidInput, RollcallError
from ray_backend.domain.requests import checked_department

RECOGNIZE = "/recognize"


async def recognise(api: Api, scope: Scope, receive: Receive, headers: dict[bytes, bytes]) -> bytes:
    """The answer to /recognize as JSON, without asking who calls."""
    # Before the picture is read: under overload most requests end here.
    api.recogniser.refuse_if_full()
    upload = await api.bodies.image(scope, receive, headers)
    image = upload.photos[0].data
    department, pack = _asked(scope)
    if pack is not None:
        work = api.recogniser.recognise_beside(pack, image, department)
        return recognition_text(await while_client_waits(receive, work)).encode()
    recognition = await while_client_waits(receive, api.recogniser.recognise(image, department))
    api.meters.decided(RECOGNIZE, decisions_of(recognition))
    return recognition_text(recognition).encode()


def _asked(scope: Scope) -> tuple[str | None, str | None]:
    """The department to look in, and the pack beside the site's own to look with. Raises InvalidInput."""
    if not scope["query_string"]:
        return None, None
    named = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    department, pack = named.get("department"), named.get("pack")
    if pack is not None and not pack[-1].strip():
        raise InvalidInput("Name a pack in `pack`, or leave it out.")
    return checked_department(department[-1]) if department else None, pack[-1].strip() if pack else None


async def recognise_for_caller(
    api: Api, scope: Scope, receive: Receive, headers: dict[bytes, bytes]
) -> bytes:
    """The same for callers who may."""
    await api.gate.admit(headers, ROLES["POST", RECOGNIZE])
    return await recognise(api, scope, receive, headers)


async def recognize(api: Context, request: Request) -> Response:
    """Who is in the picture, nearest face first. Records nothing.

    With `department` only its people are looked at. A face that is no match has no `person`; `issue`
    says what to mend about a face of poor quality. With `pack` the pack of this id answers, which stands
    beside the site's own: see `rollcall pack beside`.
    """
    answer = await recognise(api, request.scope, request.receive, headers_of(request.scope))
    return Response(answer, media_type="application/json")


async def batch_recognize(api: Context, request: Request) -> Response:
    """Who is in each picture. One answer for each file, in order; a bad picture has its own `problem`.

    Goes behind the people who wait at a kiosk.
    """
    upload = await api.bodies.images(request.scope, request.receive, headers_of(request.scope), "files")
    if not upload.photos:
        raise InvalidInput("Send at least one picture in the field `files`.")
    images = [photo.data for photo in upload.photos]
    answers = await while_client_waits(request.receive, api.recogniser.recognise_many(images))
    results = [
        f'{{"label":{quoted(photo.label)},{_result(api, answer, request.url.path)}}}'
        for photo, answer in zip(upload.photos, answers, strict=True)
    ]
    return Response(f'{{"results":[{",".join(results)}]}}', media_type="application/json")


def _result(api: Api, answer: Recognition | RollcallError, instance: str) -> str:
    if isinstance(answer, RollcallError):
        return f'"recognition":null,"problem":{json.dumps(document(answer, instance)[0])}'
    api.meters.decided("/batch_recognize", decisions_of(answer))
    return f'"recognition":{recognition_text(answer)},"problem":null'


async def base64_picture(api: Context, request: Request) -> Response:
    """The form of earlier systems: a JSON document with the picture in base64 as `base64str`.

    `payloads` has one employee id for each face, or `unknown`; `boxes` the faces, in the same order.
    """
    upload = await api.bodies.encoded(request.scope, request.receive, headers_of(request.scope), "base64str")
    return await _in_seed_form(api, request, upload.photos[0].data, "/base64")


async def uploadfile(api: Context, request: Request) -> Response:
    """The form of earlier systems: a multipart form with the picture as `file`. Answers as /base64."""
    upload = await api.bodies.file(request.scope, request.receive, headers_of(request.scope))
    return await _in_seed_form(api, request, upload.photos[0].data, "/uploadfile")


async def _in_seed_form(api: Api, request: Request, image: bytes, route: str) -> Response:
    recognition = await while_client_waits(request.receive, api.recogniser.recognise(image))
    api.meters.decided(route, decisions_of(recognition))
    return Response(to_bytes(seed_json(recognition)), media_type="application/json")


def install(app: FastAPI) -> None:
    """Adds the routes."""
    app.post(
        RECOGNIZE,
        response_model=schemas.Recognition,
        responses=describe.problems(404, 409, 413, 415, 422),
        openapi_extra=describe.one_picture() | describe.department(),
        tags=["recognition"],
    )(recognize)
    app.post(
        "/batch_recognize",
        response_model=schemas.BatchAnswer,
        responses=describe.problems(413, 415, 422),
        openapi_extra=describe.many_pictures("files"),
        tags=["recognition"],
    )(batch_recognize)
    app.post(
        "/base64",
        response_model=schemas.SeedAnswer,
        responses=describe.problems(413, 415, 422),
        openapi_extra=describe.encoded_picture("base64str"),
        tags=["earlier systems"],
    )(base64_picture)
    app.post(
        "/uploadfile",
        response_model=schemas.SeedAnswer,
        responses=describe.problems(413, 415, 422),
        openapi_extra=describe.file_picture(),
        tags=["earlier systems"],
    )(uploadfile)
