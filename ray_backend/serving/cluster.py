"""Starting Ray on this machine and the actors on Ray."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable

import ray
from ray._private import worker
from ray.exceptions import RayActorError, RayTaskError

from ray_backend import bootstrap
from ray_backend.domain.errors import BackendUnavailable
from ray_backend.domain.model import Pack
from ray_backend.services.pinned import check_pack
from ray_backend.serving import handles
from ray_backend.serving.actors import (
    RECORDS_THREADS,
    ClusterActor,
    DatabaseActor,
    FaceEmbeddingActor,
    GalleryShardActor,
    ReportActor,
)
from ray_backend.serving.names import (
    CLUSTER_ACTOR,
    DATABASE_ACTOR,
    FACE_ACTOR,
    FACES_RESOURCE,
    NAMESPACE,
    RECORDS_RESOURCE,
    REPORT_ACTOR,
    SHARD_ACTOR,
)
from ray_backend.serving.placement import RayPlacement, builder, end_actor
from ray_backend.serving.pool import Limits, bounds, room_of
from ray_backend.serving.shards import RemoteShard
from ray_backend.settings import Settings

_REPORT_THREADS = 4
_CLUSTER_THREADS = 8
# Pictures pass through quickly; Ray's default would take a third of a laptop's memory.
_LOCAL_OBJECT_STORE_BYTES = 256 * 1024 * 1024

_NO_RECORDS = (
    "The Ray cluster at {address} has no node for Rollcall's records. Start its head with `rollcall cluster "
    "start head`; or, where Ray is started in another way, give one node the resource `rollcall_records: 1` "
    "and each node that is to recognise faces `rollcall_faces: N`, N being how many FaceEmbeddingActors it "
    "takes, such as its cores."
)
_NO_FACES = (
    "Waiting for a node that recognises faces: start one with `rollcall cluster start worker HEAD:PORT`, or "
    "give a node the resource `rollcall_faces`"
)


def start_ray(settings: Settings) -> str:
    """Starts a local Ray, or joins the one of the settings, and returns its address.

    Raises BackendUnavailable.
    """
    local = {
        "address": "local",
        "include_dashboard": False,
        "object_store_memory": _LOCAL_OBJECT_STORE_BYTES,
        "resources": {RECORDS_RESOURCE: 1, FACES_RESOURCE: faces_of_this_machine(settings)},
    }
    try:
        context = ray.init(
            **({"address": settings.ray_address} if settings.ray_address else local),
            namespace=NAMESPACE,
            log_to_driver=False,
            logging_level="error",
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        target = settings.ray_address or "this machine"
        raise BackendUnavailable(f"Ray could not be started on {target}: {error}") from error
    if not settings.ray_address:
        # It reads the logs of all processes ten times a second, for drivers that want to see them; no setting
        # keeps it from starting.
        worker._global_node.kill_log_monitor()
    return context.address_info["gcs_address"]


def start_actors(settings: Settings, progress: Callable[[str], None] = lambda line: None) -> None:
    """Starts the DatabaseActor, the pool of FaceEmbeddingActors and the ClusterActor that keeps it, where
    they do not run yet, and waits until they answer. `progress` is told each step in words.

    Waits for ever for a node that takes FaceEmbeddingActors, where there is none.

    Raises PackUnavailable, PackMismatch, StoreUnavailable and BackendUnavailable.
    """
    settings = settings.model_copy(update={"admin_password": None})
    store = bootstrap.open_store(settings)
    try:
        progress("Looking for the face models")
        choice = bootstrap.find_pack(settings, store, _download_progress(progress))
        placement = RayPlacement(FaceEmbeddingActor, settings, choice)
        size = _first_size(placement, settings, progress)
        progress("Loading the face models")
        faces = [placement.start(f"{FACE_ACTOR}-{index}") for index in range(size)]
        pack = _started(faces[0].describe.remote())
        check_pack(store, pack)
    finally:
        store.close()
    keeper = builder(ClusterActor, CLUSTER_ACTOR, _CLUSTER_THREADS).remote(settings, choice)
    progress("Opening the database and filling the gallery")
    shards = _start_shards(settings, pack)
    database = builder(DatabaseActor, DATABASE_ACTOR, RECORDS_THREADS)
    _started(database.remote(settings, pack, choice.spec, shards).health.remote())
    _start_reports(settings, pack)
    for actor in faces:
        _started(actor.describe.remote())
    _started(keeper.look.remote())


def _first_size(placement: RayPlacement, settings: Settings, progress: Callable[[str], None]) -> int:
    """How many FaceEmbeddingActors to begin with, once there is room for one. Raises BackendUnavailable."""
    _require_records_node(placement, settings)
    limits = Limits(settings.actors_min, settings.actors, settings.gpus_per_actor)
    while True:
        room = room_of(placement.nodes(), settings.gpus_per_actor)
        if room:
            return max(1, bounds(limits, room)[0])
        progress(_NO_FACES)
        time.sleep(1)


def _require_records_node(placement: RayPlacement, settings: Settings) -> None:
    if not any(node.alive and node.resources.get(RECORDS_RESOURCE) for node in placement.nodes()):
        raise BackendUnavailable(_NO_RECORDS.format(address=settings.ray_address or "this address"))


def _start_reports(settings: Settings, pack: Pack) -> None:
    """None where the database is the memory of the DatabaseActor, which then makes the reports itself."""
    if settings.store.strip().lower() != "memory":
        reports = builder(ReportActor, REPORT_ACTOR, _REPORT_THREADS)
        _started(reports.remote(settings, pack).health.remote())


def _start_shards(settings: Settings, pack: Pack) -> list[RemoteShard]:
    """The parts of the gallery as actors; none where the DatabaseActor holds it itself."""
    for index in range(settings.gallery_shards):
        actor = builder(GalleryShardActor, f"{SHARD_ACTOR}-{index}", RECORDS_THREADS)
        _started(actor.remote(settings, pack, index).call.remote("__len__"))
    return [RemoteShard(index, settings.call_timeout_s) for index in range(settings.gallery_shards)]


def _download_progress(progress: Callable[[str], None]) -> Callable[[int, int | None], None]:
    def tell(done_bytes: int, total_bytes: int | None) -> None:
        of_total = f" of {total_bytes / 1e6:.0f}" if total_bytes else ""
        progress(f"Downloading the face models: {done_bytes / 1e6:.0f}{of_total} MB")

    return tell


def faces_of_this_machine(settings: Settings) -> int:
    """How many FaceEmbeddingActors it takes: each runs its models on one thread of the machine's budget."""
    return max(settings.actors, settings.threads or os.cpu_count() or 1)


def _started(reference):
    try:
        return ray.get(reference, timeout=300)
    except RayTaskError as error:
        raise error.cause from None
    except RayActorError as error:
        cause = getattr(error, "cause", None) or error.__cause__
        if cause is not None:
            raise cause from None
        raise BackendUnavailable(f"A Ray actor could not be started: {error}") from error


def stop_ray() -> None:
    """Leaves Ray, and ends it where this process started it."""
    ray.shutdown()


def ray_is_alive(address: str) -> bool:
    """Whether a Ray answers at `host:port`. Asking Ray itself would hang for a minute when it is dead."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=5):
            return True
    except OSError:
        return False


def stop_actors() -> None:
    """Ends the actors for good; what they acknowledged is in the database."""
    handles.forget_handles()
    # First of all the one that would start others again.
    end_actor(CLUSTER_ACTOR)
    while names := handles.actor_names():
        for name in names:
            end_actor(name)
