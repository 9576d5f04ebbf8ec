"""A server that answers as the API does, and as wrongly as a test wants it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, dict, dict]  # status, document, headers
Behaviour = Callable[[str, str, bytes], Answer]


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[str]:
    """Its URL; `behaviour` is given method, path and body."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, document, headers = behaviour(self.command, self.path, body)
            data = json.dumps(document).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = _answer

        def log_message(self, *arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def without_comment(jpeg: bytes) -> str:
    """What tells pictures apart once the comment is gone that makes each request's bytes unique."""
    return sha256(jpeg[:2] + jpeg[2 + 2 + 18 :]).hexdigest()


def face(employee_id: str | None) -> dict:
    """A face of an answer."""
    person = {"employee_id": employee_id, "name": "Somebody"} if employee_id else None
    return {"decision": "match" if person else "unknown", "person": person}
