"""The outermost layer: counts every request, adds the headers that every answer has, and serves the hot
path before any router looks at it."""

from __future__ import annotations

from time import perf_counter

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ray_backend.api.access import headers_of
from ray_backend.api.context import Api
from ray_backend.api.metrics import CLIENT_GONE
from ray_backend.api.problems import EXPECTED, response
from ray_backend.api.recognition import RECOGNIZE, recognise_for_caller

# Answers hold faces and names: nobody on the way keeps them, and no browser takes them for a page.
SECURITY_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
_PAGE_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_EVERYWHERE = [*SECURITY_HEADERS, _PAGE_POLICY]
_HOT_HEADERS = [(b"content-type", b"application/json"), *_EVERYWHERE]
_OTHER = "other"


class Edge:
    """ASGI middleware. With `shortcut` False /recognize takes the way of all other routes."""

    def __init__(self, app: ASGIApp, api: Api, shortcut: bool) -> None:
        self._app = app
        self._api = api
        self._hot_path = RECOGNIZE if shortcut else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 500
        hot = scope["path"] == self._hot_path and scope["method"] == "POST"
        try:
            status = await (self._recognize if hot else self._serve)(scope, receive, send)
        except ClientDisconnect:
            # There is nobody left to answer.
            status = CLIENT_GONE
        finally:
            method, route = ("POST", RECOGNIZE) if hot else _labels(scope)
            self._api.meters.answered(method, route, status, perf_counter() - started)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> int:
        """Any route; returns the status."""
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                theirs = {name for name, _ in message["headers"]}
                ours = [header for header in _EVERYWHERE if header[0] not in theirs]
                message["headers"] = [*message["headers"], *ours]
            await send(message)

        await self._app(scope, receive, send_with_headers)
        return status

    async def _recognize(self, scope: Scope, receive: Receive, send: Send) -> int:
        """The hot path: the same answer without routers, requests and responses."""
        try:
            body = await recognise_for_caller(self._api, scope, receive, headers_of(scope))
        except EXPECTED as error:
            answer = response(error, RECOGNIZE)
            answer.raw_headers.extend(_EVERYWHERE)
            await answer(scope, receive, send)
            return answer.status_code
        headers = [*_HOT_HEADERS, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return 200


def _labels(scope: Scope) -> tuple[str, str]:
    """Method and route of a request, from a bounded set: what was sent is not trusted."""
    route = scope.get("route")
    if route is None:
        return _OTHER, _OTHER
    return (scope["method"] if scope["method"] in (route.methods or ()) else _OTHER), route.path
