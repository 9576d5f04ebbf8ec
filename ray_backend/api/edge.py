"""The outermost layer: counts every request, gives it an id, adds the headers that every answer has, and
serves the hot path before any router looks at it."""

from __future__ import annotations

import logging
from time import perf_counter

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ray_backend.api.access import headers_of
from ray_backend.api.context import Api
from ray_backend.api.metrics import CLIENT_GONE
from ray_backend.api.problems import EXPECTED, response
from ray_backend.api.recognition import RECOGNIZE, recognise_for_caller
from ray_backend.domain.errors import Overloaded
from ray_backend.observing import origin, tracing

log = logging.getLogger(__name__)

# Answers hold faces and names: nobody on the way keeps them, and no browser takes them for a page.
SECURITY_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
_PAGE_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
EVERYWHERE = [*SECURITY_HEADERS, _PAGE_POLICY]
_HOT_HEADERS = [(b"content-type", b"application/json"), *EVERYWHERE]
# Between HAProxy and this process; see serving/haproxy-rules.cfg. With the first, HAProxy turns pictures
# away for a moment by itself; with the second it tells how many those were.
_FULL = (b"rollcall-full", b"1")
_REFUSED = b"rollcall-refused"
_OTHER = "other"
# Asked every few seconds by machines: a line for each would bury the rest.
_QUIET = frozenset({"/health", "/health/ready", "/metrics"})


class Edge:
    """ASGI middleware. With `shortcut` False /recognize takes the way of all other routes."""

    def __init__(self, app: ASGIApp, api: Api, shortcut: bool) -> None:
        self._app = app
        self._api = api
        self._hot_path = RECOGNIZE if shortcut else None
        self._behind_haproxy = api.settings.api_proxy == "haproxy"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 500
        hot = scope["path"] == self._hot_path and scope["method"] == "POST"
        headers = headers_of(scope)
        if hot and self._behind_haproxy:
            self._api.meters.refused(RECOGNIZE, _count(headers.get(_REFUSED, b"")))
        own = (b"x-request-id", origin.begin(_request_id(headers)).encode())
        try:
            with tracing.continued(headers.get(b"traceparent", b"").decode("latin-1"), "API"):
                if hot:
                    status = await self._recognize(scope, receive, send, headers, own)
                else:
                    status = await self._serve(scope, receive, send, own)
        except ClientDisconnect:
            # There is nobody left to answer.
            status = CLIENT_GONE
        finally:
            method, route = ("POST", RECOGNIZE) if hot else _labels(scope)
            seconds = perf_counter() - started
            self._api.meters.answered(method, route, status, seconds)
            _log(method, route, status, seconds)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, own: tuple[bytes, bytes]) -> int:
        """Any route; returns the status. `own` is the header of this answer alone."""
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                theirs = {name for name, _ in message["headers"]}
                ours = [header for header in EVERYWHERE if header[0] not in theirs]
                message["headers"] = [*message["headers"], *ours, own]
            await send(message)

        await self._app(scope, receive, send_with_headers)
        return status

    async def _recognize(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        theirs: dict[bytes, bytes],
        own: tuple[bytes, bytes],
    ) -> int:
        """The hot path: the same answer without routers, requests and responses."""
        try:
            body = await recognise_for_caller(self._api, scope, receive, theirs)
        except EXPECTED as error:
            answer = response(error, RECOGNIZE)
            answer.raw_headers.extend((*EVERYWHERE, own))
            if isinstance(error, Overloaded) and self._behind_haproxy:
                answer.raw_headers.append(_FULL)
            await answer(scope, receive, send)
            return answer.status_code
        headers = [*_HOT_HEADERS, own, (b"content-length", b"%d" % len(body))]
        if self._behind_haproxy and self._api.recogniser.nearly_full:
            headers.append(_FULL)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return 200


def _count(told: bytes) -> int:
    """A number of few digits, or 0: where HAProxy is missing, clients can send the header."""
    return int(told) if told.isdigit() and len(told) <= 6 else 0


def _request_id(headers: dict[bytes, bytes]) -> str:
    """The client's own id where it is a sane one, or a new one."""
    return origin.sane_or_new(headers.get(b"x-request-id", b"").decode("latin-1"))


def _log(method: str, route: str, status: int, seconds: float) -> None:
    """A line for each request but recognitions, of which there are many: of those only what broke."""
    if route in _QUIET or (route == RECOGNIZE and status != 500):
        return
    facts = {"method": method, "route": route, "status": status, "ms": round(1000 * seconds, 1)}
    log.info("%s %s %d", method, route, status, extra=facts)


def _labels(scope: Scope) -> tuple[str, str]:
    """Method and route of a request, from a bounded set: what was sent is not trusted."""
    route = scope.get("route")
    if route is None:
        return _OTHER, _OTHER
    return (scope["method"] if scope["method"] in (route.methods or ()) else _OTHER), route.path
