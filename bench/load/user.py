"""A Locust user that knows the API: how to send, what to make of a full queue, and whom to expect."""

from __future__ import annotations

import json

import gevent
from locust import FastHttpUser

from bench.load.checks import MALFORMED, Check, Document
from bench.load.timeline import BUSY

TIMEOUT_S = 30.0


class ApiUser(FastHttpUser):
    """Sends requests with the token of the options."""

    abstract = True
    host = "http://127.0.0.1:8000"
    network_timeout = connection_timeout = TIMEOUT_S

    def send(
        self,
        method: str,
        path: str,
        check: Check,
        *,
        name: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        awaited: bool = False,
        expected: tuple[int, ...] = (200,),
    ) -> Document | None:
        """The answer's JSON when its status is expected and `check` finds no fault, else None.

        When the queue is full, waits as long as the answer says. `awaited`: somebody stands there.
        """
        token = self.environment.parsed_options.token
        headers = {"Authorization": f"Bearer {token}"} | (headers or {})
        context = {"awaited": awaited}
        with self.client.request(
            method, path, name=name, data=body, headers=headers, context=context, catch_response=True
        ) as response:
            if response.status_code != 503:
                return self._judged(response, check, response.request_meta["context"], expected)
            _count_as_busy(response)
            wait_s = float(response.headers.get("retry-after") or 1)
        gevent.sleep(wait_s)
        return None

    def download(self, path: str, *, name: str, starts_with: bytes) -> None:
        """A file that has to begin as its kind does."""
        token = self.environment.parsed_options.token
        headers = {"Authorization": f"Bearer {token}"}
        with self.client.get(path, name=name, headers=headers, catch_response=True) as response:
            if response.status_code == 503:
                _count_as_busy(response)
            elif response.status_code == 200 and not response.content.startswith(starts_with):
                response.failure(MALFORMED)

    def _judged(
        self, response, check: Check, context: dict[str, object], expected: tuple[int, ...]
    ) -> Document | None:
        if response.status_code not in expected:
            if response.status_code:
                response.failure(f"status {response.status_code}")
            return None
        document = _document(response.content)
        fault = MALFORMED if document is None else check(document)
        if fault is None:
            response.success()
            context.setdefault("decision", document.get("decision") or _first_decision(document))
            return document
        context["fault"] = fault
        response.failure(fault)
        return None


def _count_as_busy(response) -> None:
    response.request_meta.update({"name": BUSY, "request_type": "busy"})
    response.request_meta["context"]["decision"] = BUSY
    response.success()


def _document(content: bytes) -> Document | None:
    try:
        document = json.loads(content)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _first_decision(document: Document) -> str:
    faces = document.get("faces") or [{}]
    return faces[0].get("decision") or "other"
