"""Which role may call which route: the one table, and the gate that every request passes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response
from starlette.types import Scope

from ray_backend.api.credentials import Caller, Credentials
from ray_backend.api.limits import TokenBuckets
from ray_backend.api.problems import no_credentials
from ray_backend.domain.errors import Forbidden
from ray_backend.domain.permissions import Role

_RECOGNISE = frozenset({Role.ADMIN, Role.RECOGNIZER})
_LOOK = frozenset({Role.ADMIN, Role.MANAGER})
_REPORTS = _LOOK | {Role.VIEWER}
_WATCH = frozenset({Role.ADMIN, Role.MONITOR})
_ADMIN = frozenset({Role.ADMIN})
ANYBODY = None


class _EmployeeId(Convertor[str]):
    """Any text, slashes too, but for what stands behind it in a route below a person."""

    regex = r".+(?<!/photos)(?<!/shifts\.ics)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("employee_id", _EmployeeId())
PERSON = "/people/{employee_id:employee_id}"
SHIFTS = f"{PERSON}/shifts.ics"

# A route that is missing here keeps the API from starting.
ROLES: dict[tuple[str, str], frozenset[Role] | None] = {
    ("POST", "/recognize"): _RECOGNISE,
    ("POST", "/batch_recognize"): _RECOGNISE,
    ("POST", "/base64"): _RECOGNISE,
    ("POST", "/uploadfile"): _RECOGNISE,
    ("POST", "/check_in"): frozenset({Role.ADMIN, Role.KIOSK}),
    ("POST", "/register"): _ADMIN,
    ("GET", "/people"): _LOOK,
    ("GET", PERSON): _LOOK,
    ("PUT", PERSON): _ADMIN,
    ("PATCH", PERSON): _ADMIN,
    ("DELETE", PERSON): _ADMIN,
    ("POST", f"{PERSON}/photos"): _ADMIN,
    ("GET", SHIFTS): _LOOK,
    ("GET", "/attendance"): _REPORTS,
    ("GET", "/attendance/export"): _REPORTS,
    ("GET", "/health/ray"): _WATCH,
    ("GET", "/metrics"): _WATCH,
    ("GET", "/health"): ANYBODY,
    ("GET", "/health/ready"): ANYBODY,
    ("GET", "/openapi.json"): ANYBODY,
    ("GET", "/docs"): ANYBODY,
    ("GET", "/docs/{asset}"): ANYBODY,
}


def documented(path: str) -> str:
    """The path of a route as the OpenAPI document writes it."""
    return path.replace(":employee_id", "")


class Gate:
    """Lets callers with the right role pass, as often as the limit allows."""

    def __init__(self, credentials: Credentials, buckets: TokenBuckets) -> None:
        self._credentials = credentials
        self._buckets = buckets

    async def admit(self, headers: dict[bytes, bytes], roles: frozenset[Role]) -> Caller:
        """Who calls. Raises a 401 problem, WrongCredentials, Forbidden, TooManyAttempts and Unavailable."""
        scheme, _, secret = headers.get(b"authorization", b"").partition(b" ")
        secret = secret.strip()
        if scheme.lower() != b"bearer" or not secret:
            raise no_credentials()
        caller = await self._credentials.caller(secret)
        self._buckets.take(caller.key)
        if caller.role not in roles:
            raise Forbidden(f"The role {caller.role.value} may not do this.")
        return caller


class GuardedRoute(APIRoute):
    """A route that asks the gate before a byte of the body is read. The caller is in `request.state`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        (method,) = self.methods
        roles = ROLES[method, self.path]
        if roles is ANYBODY:
            return handle

        async def guarded(request: Request) -> Response:
            if self.path == SHIFTS and "token" in request.query_params:
                return await handle(request)  # the calendar's own secret, which the route looks at
            gate: Gate = request.app.state.api.gate
            request.state.caller = await gate.admit(headers_of(request.scope), roles)
            return await handle(request)

        return guarded


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """The headers by their lower-case name; the last one of several counts."""
    return dict(scope["headers"])
