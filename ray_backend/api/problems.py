"""Errors as RFC 9457 problem documents: one table from the error tree to a status."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from ray_backend.api.answers import review_json
from ray_backend.domain import errors

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:rollcall:problem:"
# The most special type counts, so the order here is for readers only.
STATUS: dict[type[errors.RollcallError], tuple[int, str]] = {
    errors.InvalidInput: (422, "invalid-input"),
    errors.ImageTooLarge: (413, "image-too-large"),
    errors.UnsupportedImage: (415, "unsupported-image"),
    errors.BrokenImage: (422, "broken-image"),
    errors.PhotosRefused: (422, "photos-refused"),
    errors.ConsentMissing: (422, "consent-missing"),
    errors.Conflict: (409, "conflict"),
    errors.DuplicateEmployeeId: (409, "duplicate-employee-id"),
    errors.DuplicatePunch: (409, "duplicate-punch"),
    errors.FaceBelongsToAnother: (409, "face-belongs-to-another"),
    errors.PackMismatch: (409, "pack-mismatch"),
    errors.NotFound: (404, "not-found"),
    errors.PersonNotFound: (404, "person-not-found"),
    errors.AccessDenied: (403, "access-denied"),
    errors.WrongCredentials: (401, "wrong-credentials"),
    errors.TooManyAttempts: (429, "too-many-requests"),
    errors.Unavailable: (503, "unavailable"),
    errors.Overloaded: (503, "overloaded"),
}
# How long to wait where the error itself does not say: about as long as an actor takes to restart.
_RETRY_AFTER_S = 5
_CHALLENGE = 'Bearer realm="rollcall"'
_OF_HTTP = {400: "bad-request", 404: "no-such-route", 405: "method-not-allowed", 413: "request-too-large"}


class ApiProblem(Exception):
    """What is wrong with a request as HTTP, before any use case is reached."""

    def __init__(self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})


# What a request may end in without a mistake of ours.
EXPECTED = (errors.RollcallError, ApiProblem)


def document(error: Exception, instance: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The problem document of an expected error, and the headers that go with it."""
    if isinstance(error, ApiProblem):
        return _document(error.status, error.kind, error.detail, instance), error.headers
    kind = next((kind for kind in type(error).__mro__ if kind in STATUS), None)
    if kind is None or not isinstance(error, errors.RollcallError):
        return _document(500, "internal", "Something went wrong on our side.", instance), {}
    status, slug = STATUS[kind]
    return _document(status, slug, error.message, instance) | _extras(error), _headers(error, status)


def response(error: Exception, instance: str) -> Response:
    """The same as an answer."""
    body, headers = document(error, instance)
    return _answer(body, headers)


def _answer(body: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(body), body["status"], headers, MEDIA_TYPE)


def _document(status: int, kind: str, detail: str, instance: str) -> dict[str, Any]:
    title = kind.replace("-", " ").capitalize()
    return {"type": _TYPE + kind, "title": title, "status": status, "detail": detail, "instance": instance}


def _extras(error: errors.RollcallError) -> dict[str, Any]:
    if isinstance(error, errors.PhotosRefused):
        return {"reviews": [review_json(review) for review in error.reviews]}
    if isinstance(error, errors.FaceBelongsToAnother):
        return {"person": {"employee_id": error.employee_id, "name": error.name}}
    if isinstance(error, errors.Unavailable | errors.TooManyAttempts):
        return {"retry_after": _wait_s(error)}
    return {}


def _headers(error: errors.RollcallError, status: int) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": _CHALLENGE + ', error="invalid_token"'}
    if status in (429, 503):
        return {"Retry-After": str(_wait_s(error))}
    return {}


def _wait_s(error: errors.RollcallError) -> int:
    return max(1, math.ceil(getattr(error, "retry_after_s", _RETRY_AFTER_S)))


def no_credentials() -> ApiProblem:
    """Nobody said who asks."""
    detail = "Send an API key or a JSON Web Token in the header `Authorization: Bearer …`."
    return ApiProblem(401, "no-credentials", detail, {"WWW-Authenticate": _CHALLENGE})


async def _on_expected(request: Request, error: Exception) -> Response:
    return response(error, request.url.path)


async def _on_invalid(request: Request, error: RequestValidationError) -> Response:
    faults = [
        {"where": ".".join(str(part) for part in fault["loc"]), "what": fault["msg"]}
        for fault in error.errors()
    ]
    detail = "; ".join(f"{fault['where']}: {fault['what']}" for fault in faults[:3]) or "It cannot be read."
    return _answer(_document(422, "invalid-input", detail, request.url.path) | {"errors": faults})


async def _on_http(request: Request, error: HTTPException) -> Response:
    kind = _OF_HTTP.get(error.status_code, "http-error")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_allowed_methods(request))
    return _answer(_document(error.status_code, kind, str(error.detail), request.url.path), headers)


def _allowed_methods(request: Request) -> list[str]:
    """Of every route of this path: the router itself names those of the first one only."""
    matching = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for route in matching for method in route.methods or ()})


async def _on_unexpected(request: Request, error: Exception) -> Response:
    # The route and not the path, which may hold an employee id.
    route = getattr(request.scope.get("route"), "path", "a request")
    log.error("%s %s failed", request.method, route, exc_info=error)
    return response(error, request.url.path)


def install(app: FastAPI) -> None:
    """Makes every error of this app a problem document."""
    app.add_exception_handler(errors.RollcallError, _on_expected)
    app.add_exception_handler(ApiProblem, _on_expected)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unexpected)
