"""The HTTP API as a Ray Serve deployment: an ingress replica that batches into the actors."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry
from ray import serve

from ray_backend import client
from ray_backend.domain.answers import CheckIn, Recognition
from ray_backend.domain.errors import ImageRejected
from ray_backend.domain.model import FrameAnalysis
from ray_backend.observing import origin
from ray_backend.serving import handles, telling
from ray_backend.serving.batcher import BatchPolicy, Worker
from ray_backend.serving.engine_metrics import EngineCollector
from ray_backend.serving.names import DATABASE_ACTOR
from ray_backend.serving.recogniser import BatchingRecogniser, Question
from ray_backend.serving.reporter import Reporter
from ray_backend.settings import Settings

APP_NAME = "rollcall"
DEPLOYMENT = "FaceRecognitionDeployment"
# A line for every request would be a twentieth of what an answer costs; requests are counted in /metrics.
_LOGGING = {"log_level": "WARNING", "enable_access_log": False}
# Above what the batcher lets wait, so that a full queue is answered by us with 503 and not by Serve.
_MAX_ONGOING = 2048


def build_recogniser(settings: Settings) -> BatchingRecogniser:
    """The fast path over the actors of the cluster that this process belongs to."""
    timeout_s = settings.call_timeout_s

    async def check_in(analysis: FrameAnalysis, **kwargs: Any) -> CheckIn:
        call = handles.use_case("check_ins", "check_in")((analysis,), kwargs)
        return await handles.async_result(call, timeout_s)

    names = handles.face_actor_names()
    return BatchingRecogniser(
        [_recogniser(name, timeout_s) for name in names],
        [_analyser(name, timeout_s) for name in names],
        check_in,
        BatchPolicy(max_waiting=settings.api_max_waiting, deadline_s=settings.api_deadline_s),
    )


def _recogniser(name: str, timeout_s: float) -> Worker:
    """The analysis goes from one actor to the other; this process never unpacks it."""

    async def recognise(questions: list[Question]) -> Sequence[Recognition | ImageRejected]:
        images, departments, origins = zip(*questions, strict=True)
        whose = origin.joined(origins)
        analyses = handles.get_handle(name).analyse_batch.remote(*images, origins=whose)
        call = handles.get_handle(DATABASE_ACTOR).recognise.remote(
            analyses, departments if any(departments) else (), origins=whose
        )
        return await handles.async_result(call, timeout_s)

    return recognise


def _analyser(name: str, timeout_s: float) -> Worker:
    async def analyse(pictures: list[tuple[bytes, str]]) -> Sequence[FrameAnalysis | ImageRejected]:
        images, origins = zip(*pictures, strict=True)
        call = handles.get_handle(name).analyse_batch.remote(*images, origins=origin.joined(origins))
        return await handles.async_result(call, timeout_s)

    return analyse


def cluster_status() -> dict[str, Any]:
    """Nodes, resources and actors of the cluster, for `GET /health/ray`."""
    import ray

    nodes = ray.nodes()
    return {
        "nodes": sum(node["Alive"] for node in nodes),
        "resources": {
            name: amount
            for name, amount in ray.cluster_resources().items()
            if name in {"CPU", "GPU", "memory"}
        },
        "face_actors": len(handles.face_actor_names()),
    }


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


def application(settings: Settings) -> serve.Application:
    """What Serve is to run: the API, over actors that run by then."""

    def build_app():
        from ray_backend.api.app import create_app

        recogniser = build_recogniser(settings)
        queues = {"recognise": recogniser.recognising, "check_in": recogniser.analysing}
        registry = CollectorRegistry()
        registry.register(EngineCollector(queues))
        process = f"api-{serve.get_replica_context().replica_tag}"
        telling.begin(settings, process)
        reporter = Reporter(process, registry)
        reporter.start()
        return create_app(
            client.ray_backend(settings),
            recogniser,
            settings,
            cluster_status=cluster_status,
            registry=registry,
            whole_site=reporter.exposition,
        )

    deployment = serve.deployment(serve.ingress(build_app)(FaceRecognitionDeployment)).options(
        name=DEPLOYMENT,
        num_replicas=1,
        max_ongoing_requests=_MAX_ONGOING,
        ray_actor_options={"num_cpus": 0},
        logging_config=_LOGGING,
    )
    return deployment.bind()
