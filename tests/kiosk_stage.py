"""The kiosk's real screen and WebSocket over a kiosk that says what a test wants. No Streamlit, no models."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute

from ray_backend.domain.answers import CheckIn, KioskAnswer
from ray_backend.domain.errors import RollcallError, WrongCredentials
from ray_backend.domain.kiosk.words import Phase, Scene
from ray_backend.domain.model import Candidate, Decision, DecisionKind, Direction, Person, Punch, new_id
from ray_backend.domain.site import SiteSettings
from streamlit_app.camera import live
from streamlit_app.camera.modes import Mode
from streamlit_app.camera.socket import CameraEndpoint

AT = datetime(2026, 3, 2, 7, 59, tzinfo=UTC)
FACE = (210.0, 90.0, 430.0, 370.0)
PICTURE = (640, 480)
NOBODY = KioskAnswer(Scene(Phase.IDLE), PICTURE)
TOKEN = "the-right-token"


def check_in(
    name: str = "Ada Example", direction: Direction = Direction.IN, *, repeated=False, delivered=True
) -> CheckIn:
    """What somebody got who was recognised."""
    person = Person("E1", name, AT)
    punch = Punch(person.person_id, AT, direction, "entrance", "face", new_id(), ("a", "b"))
    decision = Decision(DecisionKind.MATCH, Candidate(person.person_id, 0.9))
    return CheckIn(decision, FACE, PICTURE, person, punch, AT, repeated, delivered)


def refusal(kind: DecisionKind) -> KioskAnswer:
    """The answer to somebody who was not recognised."""
    scene = Scene(Phase.DECIDED, FACE)
    return KioskAnswer(scene, PICTURE, CheckIn(Decision(kind), FACE), offer_code=True)


def greeting(result: CheckIn | None = None) -> KioskAnswer:
    """The answer to somebody who was recognised."""
    return KioskAnswer(Scene(Phase.DECIDED, FACE), PICTURE, result or check_in())


def prompt(phase: Phase, **scene) -> KioskAnswer:
    """The answer while somebody is being served."""
    return KioskAnswer(Scene(phase, FACE, **scene), PICTURE)


@dataclass
class ScriptedKiosk:
    """Stands in for `KioskSession`: says `now` to every frame, and notes what it was asked.

    `codes` are the right ones; `trouble` is raised for every call. `pause_s` is how long a frame takes.
    `site` is what its screen is told.
    """

    now: KioskAnswer = NOBODY
    codes: dict[str, KioskAnswer] = field(default_factory=dict)
    trouble: RollcallError | None = None
    pause_s: float = 0.0
    site: SiteSettings = field(default_factory=lambda: SiteSettings("Example Works", "Europe/Berlin"))
    frames: list[float] = field(default_factory=list)
    typed: list[tuple[str, str]] = field(default_factory=list)
    disputed: list[str] = field(default_factory=list)

    def frame(self, image: bytes) -> KioskAnswer:
        self.frames.append(time.monotonic())
        time.sleep(self.pause_s)
        if self.trouble:
            raise self.trouble
        return self.now

    def code(self, digits: str, request_id: str) -> KioskAnswer:
        self.typed.append((digits, request_id))
        if self.trouble:
            raise self.trouble
        if digits not in self.codes:
            raise WrongCredentials("This code is not right.")
        return self.codes[digits]

    def not_me(self, punch_id: str) -> None:
        self.disputed.append(punch_id)


def scripted_backend(kiosk: ScriptedKiosk) -> SimpleNamespace:
    """What the endpoint needs of a `Backend`."""

    def verify(token: str) -> str:
        if token != TOKEN:
            raise WrongCredentials("This token is not valid.")
        return "entrance"

    return SimpleNamespace(access=SimpleNamespace(verify_token=verify), kiosk_session=lambda _kiosk: kiosk)


@contextmanager
def stage(kiosk: ScriptedKiosk, *, naming: str = "full", port: int = 0) -> Iterator[str]:
    """Serves the screen; gives its address."""
    backend = scripted_backend(kiosk)

    def shown() -> dict:
        return live.screen_data(kiosk.site, Mode.WEBSOCKET)

    listener = socket.create_server(("localhost", port))
    app = Starlette(
        routes=[
            Route("/", lambda request: _page(request, kiosk.site)),
            Route("/kiosk.js", _script),
            WebSocketRoute("/cam", CameraEndpoint(lambda: backend, lambda: naming, shown).serve),
        ]
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
        listener.close()


def _file(name: str) -> str:
    return live.HERE.joinpath(name).read_text(encoding="utf-8")


def _page(_request: Request, site: SiteSettings) -> Response:
    """As Streamlit mounts it, without Streamlit."""
    data = json.dumps(live.kiosk_data(TOKEN, site))
    return HTMLResponse(
        f'<!doctype html><html lang="en"><style>{_file("live.css")}</style>'
        f'<div id="root">{_file("live.html")}</div>'
        f'<script type="module">import mount from "/kiosk.js"; window.triggers = [];'
        f'window.unmount = mount({{parentElement: document.getElementById("root"), data: {data},'
        f"setTriggerValue: (...what) => window.triggers.push(what)}})</script>"
    )


def _script(_request: Request) -> Response:
    return Response("\n".join(map(_file, live.SCRIPTS)), media_type="text/javascript")
