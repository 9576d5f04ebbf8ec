"""The HTTP API as a Ray Serve deployment: an ingress replica that batches into the actors."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import Any

from prometheus_client import CollectorRegistry
from ray import serve

from ray_backend import client
from ray_backend.domain.beside import Beside
from ray_backend.serving import cluster_view, handles, telling
from ray_backend.serving.beside import BesideFollower
from ray_backend.serving.engine_metrics import EngineCollector
from ray_backend.serving.members import PoolFollower
from ray_backend.serving.names import RECORDS_RESOURCE, SLIVER
from ray_backend.serving.recogniser import BatchingRecogniser
from ray_backend.serving.reporter import Reporter
from ray_backend.serving.workers import build_recogniser
from ray_backend.settings import Settings

APP_NAME = "rollcall"
DEPLOYMENT = "FaceRecognitionDeployment"
# A line for every request would be a twentieth of what an answer costs; requests are counted in /metrics.
_LOGGING = {"log_level": "WARNING", "enable_access_log": False}
# Above what the batcher lets wait, so that a full queue is answered by us with 503 and not by Serve.
_MAX_ONGOING = 2048
# With more requests than that under way in each replica another one is started, where that is allowed.
_ONGOING_EACH = 32
_OBJECTS_BETWEEN_COLLECTIONS = 10_000


def _size(settings: Settings) -> dict[str, Any]:
    """How many replicas: a number, or limits that Serve keeps to."""
    fewest, most = settings.api_replicas, settings.api_replicas_max
    if most <= fewest:
        return {"num_replicas": fewest}
    limits = {"min_replicas": fewest, "max_replicas": most, "target_ongoing_requests": _ONGOING_EACH}
    return {"autoscaling_config": limits}


class FaceRecognitionDeployment:
    """The ingress replica. All that it does is in `ray_backend.api` and in the recogniser."""


def start_serve(settings: Settings) -> None:
    """Starts Serve's controller and its proxy on `settings.api_address` and `settings.api_port`."""
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    serve.start(
        http_options={"host": settings.api_address, "port": settings.api_port, "location": "HeadOnly"},
        logging_config=_LOGGING,
    )


def start_api(settings: Settings) -> None:
    """Runs the API over the actors of this cluster; returns when it answers."""
    serve.run(application(settings), name=APP_NAME, route_prefix="/")


def _follow_beside(recogniser: BatchingRecogniser, settings: Settings) -> None:
    """The recogniser knows within seconds which pack stands beside the site's own."""

    def ask() -> Beside | None:
        return handles.result(handles.use_case("beside", "current")((), {}), settings.call_timeout_s)

    def tell(found: Beside | None) -> None:
        recogniser.beside.pack = found

    BesideFollower(ask, tell).start(asyncio.get_running_loop())


def application(settings: Settings) -> serve.Application:
    """What Serve is to run: the API, over actors that run by then."""

    def build_app():
        from ray_backend.api.app import create_app

        # What requests under way hold is young and in use: Python's collector of cycles, which looks at it
        # after each 700 objects, finds nothing and takes a tenth of this process's time.
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
        recogniser = build_recogniser(settings)
        follower = PoolFollower(recogniser.queue, recogniser.set_members)
        follower.start(asyncio.get_running_loop())
        _follow_beside(recogniser, settings)
        registry = CollectorRegistry()
        registry.register(EngineCollector(recogniser.queues))
        process = f"api-{serve.get_replica_context().replica_tag}"
        telling.begin(settings, process)
        reporter = Reporter(process, registry)
        reporter.start()
        return create_app(
            client.ray_backend(settings),
            recogniser,
            settings,
            cluster_status=cluster_view.summary,
            registry=registry,
            whole_site=reporter.exposition,
        )

    deployment = serve.deployment(serve.ingress(build_app)(FaceRecognitionDeployment)).options(
        name=DEPLOYMENT,
        **_size(settings),
        max_ongoing_requests=_MAX_ONGOING,
        # Beside the proxy: no node that recognises faces takes requests with it when it goes.
        ray_actor_options={"num_cpus": 0, "resources": {RECORDS_RESOURCE: SLIVER}},
        logging_config=_LOGGING,
    )
    return deployment.bind()
