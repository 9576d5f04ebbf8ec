"""Whether it lives, whether it can work, and how it does."""

from __future__ import annotations

import time
from typing import Any

from fastapi import FastAPI
from starlette.responses import Response

from ray_backend.api import describe, schemas
from ray_backend.api.context import Api, Context
from ray_backend.api.metrics import CONTENT_TYPE_LATEST
from ray_backend.domain.errors import Unavailable

# Anybody may ask, so asking often must not cost much.
_READY_FOR_S = 1.0


async def health() -> dict[str, str]:
    """This process answers. Says nothing about the parts behind it."""
    return {"status": "ok"}


class Readiness:
    """Whether a picture can become a punch now; see `Backend.ready`."""

    def __init__(self) -> None:
        self._good_until = 0.0

    def check(self, api: Api) -> None:
        """Raises Unavailable. What was good a moment ago is not asked again."""
        if time.monotonic() < self._good_until:
            return
        api.backend.ready()
        self._good_until = time.monotonic() + _READY_FOR_S


def ray_health(api: Context) -> dict[str, Any]:
    """How everything does; `cluster` is null where the work is done in this process.

    `status` is `ready` when /health/ready says so, and otherwise `not ready`, with the `problem` in words.
    """
    problem, state = None, {}
    try:
        state = api.backend.state()
        api.backend.ready()
    except Unavailable as error:
        problem = error.message
    cluster = api.cluster_status() if api.cluster_status else None
    status = "not ready" if problem else "ready"
    return {"status": status, "problem": problem, "where": api.backend.where, "cluster": cluster} | state


def metrics(api: Context) -> Response:
    """The figures of all processes of this site, for Prometheus."""
    return Response(api.meters.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def install(app: FastAPI) -> None:
    """Adds the routes."""
    readiness = Readiness()

    def ready(api: Context) -> dict[str, str]:
        """The database or its journal takes punches, the gallery is filled, and faces are found."""
        readiness.check(api)
        return {"status": "ready"}

    app.get("/health", response_model=schemas.Health, tags=["health"])(health)
    app.get(
        "/health/ready", response_model=schemas.Health, responses=describe.problems(503), tags=["health"]
    )(ready)
    app.get("/health/ray", response_model=schemas.RayHealth, tags=["health"])(ray_health)
    text = {"text/plain": {"schema": {"type": "string"}}}
    app.get(
        "/metrics",
        response_class=Response,
        responses={200: {"description": "Prometheus' text format.", "content": text}},
        tags=["health"],
    )(metrics)
