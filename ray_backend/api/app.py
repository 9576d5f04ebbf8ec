"""Puts the HTTP API together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.middleware.cors import CORSMiddleware

from ray_backend.api import attendance, documents, export, health, people, problems, recognition, shifts
from ray_backend.api.access import Gate, GuardedRoute
from ray_backend.api.bodies import Bodies
from ray_backend.api.context import Api
from ray_backend.api.credentials import Credentials
from ray_backend.api.edge import Edge
from ray_backend.api.limits import TokenBuckets
from ray_backend.api.metrics import Meters
from ray_backend.client import Backend
from ray_backend.ports import Recogniser
from ray_backend.settings import Settings


def create_app(
    backend: Backend,
    recogniser: Recogniser,
    settings: Settings,
    *,
    cluster_status: Callable[[], dict[str, Any]] | None = None,
    registry: CollectorRegistry | None = None,
    whole_site: Callable[[], bytes] | None = None,
) -> FastAPI:
    """The ASGI application over a backend and the fast way to recognise.

    `cluster_status` is what /health/ray shows, `registry` what /metrics shows besides the API's own, and
    `whole_site` what it shows instead where there are other processes.
    Raises InvalidInput when the settings' JWT key cannot be used.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.router.route_class = GuardedRoute
    app.state.api = Api(
        backend=backend,
        recogniser=recogniser,
        settings=settings,
        gate=Gate(Credentials(backend.access, settings), TokenBuckets(settings.api_requests_per_minute)),
        bodies=Bodies(settings),
        meters=Meters(registry, whole_site),
        cluster_status=cluster_status,
    )
    problems.install(app)
    for part in (recognition, attendance, export, people, shifts, health, documents):
        part.install(app)
    origins = settings.cors_origins
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "X-Request-ID"],
            expose_headers=["Retry-After", "X-Request-ID"],
        )
    # With CORS every answer needs its headers, so nothing may go round that layer.
    app.add_middleware(Edge, api=app.state.api, shortcut=not origins)
    return app
