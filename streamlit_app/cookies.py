"""The cookies of a browser that is signed in, and the route that sets them.

`SESSION` ends with the browser, or with the session. `DEVICE` stays: a browser that an account has signed
in with is not locked out by others who guess at its password.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response

from streamlit_app.tickets import tickets

SESSION, DEVICE = "session", "device"
ROUTE = "/session"
_YEAR_S = 365 * 24 * 3600
_LONGEST_BODY = 1000
_mount = st.components.v2.component(
    "rollcall_cookies", js=(Path(__file__).parent / "cookies.js").read_text(encoding="utf-8")
)


def read(kind: str) -> str:
    """What this browser sent when it opened the page, or nothing."""
    return st.context.cookies.get(name(kind), "")


def name(kind: str) -> str:
    """What a cookie of this page is called."""
    secure = (st.context.url or "").startswith("https:")
    return _name(kind, st.context.headers.get("Host", ""), secure)


def hand_over(ticket: str) -> None:
    """Lets the browser trade a ticket for its cookies; an empty one takes the session's away."""
    _mount(key="cookies", data={"route": ROUTE, "ticket": ticket})


async def keep(request: Request) -> Response:
    """POST `{"ticket": ...}`: 204 with the cookies that the ticket is for, or 403."""
    ticket = await _ticket(request) if _is_from_our_page(request) else None
    kept = tickets.take(ticket) if ticket else None
    if ticket is None or (ticket and kept is None):
        return Response(status_code=403, headers={"Cache-Control": "no-store"})
    response = Response(status_code=204, headers={"Cache-Control": "no-store"})
    if kept is None:
        _set(response, request, SESSION, "", 0)
    else:
        _set(response, request, SESSION, kept.session, None)
        _set(response, request, DEVICE, kept.device, _YEAR_S)
    return response


def _is_from_our_page(request: Request) -> bool:
    """Whether a script of our own page sends this. A form of another site cannot send JSON, its scripts
    cannot without being asked about first, and browsers tell where a request comes from."""
    origin = urlsplit(request.headers.get("origin", ""))
    return (
        origin.scheme in ("http", "https")
        and origin.netloc == request.headers.get("host", "")
        and request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
        and request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
    )


async def _ticket(request: Request) -> str | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            return None
    try:
        said = json.loads(body)
    except ValueError:
        return None
    ticket = said.get("ticket") if isinstance(said, dict) else None
    return ticket if isinstance(ticket, str) else None


def _set(response: Response, request: Request, kind: str, value: str, max_age_s: int | None) -> None:
    # The server itself may speak http behind a proxy; the browser knows better.
    secure = request.headers["origin"].startswith("https:")
    called = _name(kind, request.headers["host"], secure)
    response.set_cookie(
        called, value, max_age=max_age_s, path="/", secure=secure, httponly=True, samesite="strict"
    )


def _name(kind: str, host: str, secure: bool) -> str:
    """Two Rollcalls on one machine have cookies of their own. A browser takes a name with `__Host-` from
    https only, so that nobody on an insecure connection can set it."""
    port = urlsplit(f"//{host}").port or (443 if secure else 80)
    return f"{'__Host-' if secure else ''}rollcall_{kind}_{port}"
