"""The naive server: one process, one picture at a time behind a lock, the gallery in a Python loop.

Started by bench.api with the settings of its site: python -m bench.naive_server PORT LOOP. To its favour,
its models may use all cores for a picture, and its templates lie in memory. LOOP is how it compares two
embeddings: `common` by the formula of the cosine, lengths and all, as most such programs do; `kind` by
the dot product alone, knowing that both are normalised.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import closing

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bench.plain import open_with
from ray_backend import bootstrap
from ray_backend.settings import Settings
from ray_backend.storage import open_store
from ray_backend.vision.images import PillowCodec


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """By the formula."""
    return np.dot(one, other) / (np.linalg.norm(one) * np.linalg.norm(other))


LOOPS = {"common": cosine, "kind": np.dot}


class NaiveServer:
    """Recognises as `POST /recognize` does, one request after the other."""

    def __init__(self, settings: Settings, similarity: Callable[[np.ndarray, np.ndarray], float]) -> None:
        self._similarity = similarity
        self._codec = PillowCodec(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)
        self._lock = threading.Lock()
        with closing(open_store(settings)) as store:
            self._engine = open_with(bootstrap.find_pack(settings, store), threads=os.cpu_count() or 1)
            people: dict[str, str] = {}
            self._gallery: list[tuple[str, np.ndarray]] = []
            for template in store.templates(self._engine.pack.pack_id):
                if template.person_id not in people:
                    people[template.person_id] = store.get_person(template.person_id).employee_id
                self._gallery.append((people[template.person_id], template.embedding))

    async def recognize(self, request: Request) -> JSONResponse:
        """Answers as much of the API's document as the load generator reads."""
        body = await request.body()
        return JSONResponse({"faces": await run_in_threadpool(self._one_at_a_time, body)})

    def _one_at_a_time(self, jpeg: bytes) -> list[dict]:
        with self._lock:
            picture = self._codec.decode(jpeg)
            return [self._face(picture, face) for face in self._engine.detect(picture)]

    def _face(self, picture: np.ndarray, face) -> dict:
        embedding = self._engine.embed([self._engine.align(picture, face)])[0]
        best, employee_id = -1.0, ""
        for candidate, template in self._gallery:
            similarity = self._similarity(template, embedding)
            if similarity > best:
                best, employee_id = similarity, candidate
        if best < self._engine.pack.threshold:
            return {"decision": "unknown", "person": None}
        return {"decision": "match", "person": {"employee_id": employee_id}}


async def health(request: Request) -> JSONResponse:
    """It answers when the models are loaded."""
    return JSONResponse({"status": "ok"})


def main() -> None:
    """Serves until it is stopped."""
    server = NaiveServer(Settings(), LOOPS[sys.argv[2]])
    routes = [Route("/recognize", server.recognize, methods=["POST"]), Route("/health", health)]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
