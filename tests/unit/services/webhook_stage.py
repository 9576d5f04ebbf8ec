"""Webhooks with a server of one's own that listens to them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zoneinfo import ZoneInfo

from ray_backend.ports import Clock, Store
from ray_backend.services.webhook_sender import WebhookSender
from ray_backend.services.webhooks import WebhookService

BERLIN = ZoneInfo("Europe/Berlin")


@dataclass
class Ear:
    """What was heard: `(headers, body)` of each message. `answer` gives the status of the next answers."""

    port: int = 0
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 204
    before_answer: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/told?key=1"

    @property
    def messages(self) -> list[dict]:
        return [json.loads(body) for _, body in self.heard]


@contextmanager
def listening() -> Iterator[Ear]:
    """A server on this machine."""
    ear = Ear()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            ear.heard.append((dict(self.headers) | {"path": self.path}, body))
            ear.before_answer()
            self.send_response(ear.status)
            self.send_header("Location", f"http://127.0.0.1:{ear.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ear.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield ear
    finally:
        server.shutdown()
        server.server_close()


def service_of(store: Store, clock: Clock, *, private: bool = True, timeout_s: float = 2.0) -> WebhookService:
    """The service as bootstrap makes it, which may tell this machine."""
    sender = WebhookSender(private=private, timeout_s=timeout_s)
    return WebhookService(store, clock, lambda: BERLIN, sender)
