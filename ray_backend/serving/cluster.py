"""Starting Ray on this machine and the actors on Ray."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import ray
from ray.exceptions import RayActorError, RayTaskError

from ray_backend import bootstrap
from ray_backend.domain.errors import BackendUnavailable
from ray_backend.domain.model import Pack
from ray_backend.serving import handles
from ray_backend.serving.actors import (
    DATABASE_ACTOR,
    FACE_ACTOR,
    NAMESPACE,
    REPORT_ACTOR,
    SHARD_ACTOR,
    DatabaseActor,
    FaceEmbeddingActor,
    GalleryShardActor,
    ReportActor,
)
from ray_backend.serving.shards import RemoteShard
from ray_backend.settings import Settings
from ray_backend.vision.packs import Choice

# Frames of several kiosks are decided at once; the store's unique keys keep that safe.
_DATABASE_THREADS = 8
_REPORT_THREADS = 4
# Pictures pass through quickly; Ray's default would take a third of a laptop's memory.
_LOCAL_OBJECT_STORE_BYTES = 256 * 1024 * 1024


def start_ray(settings: Settings) -> str:
    """Starts a local Ray, or joins the one of the settings, and returns its address.

    Raises BackendUnavailable.
    """
    local = {
        "address": "local",
        "include_dashboard": False,
        "object_store_memory": _LOCAL_OBJECT_STORE_BYTES,
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
    return context.address_info["gcs_address"]


def start_actors(settings: Settings, progress: Callable[[str], None] = lambda line: None) -> None:
    """Starts the DatabaseActor and the pool of FaceEmbeddingActors, where they do not run yet, and
    waits until they answer. `progress` is told each step in words.

    Raises PackUnavailable, PackMismatch, StoreUnavailable and BackendUnavailable.
    """
    settings = settings.model_copy(update={"admin_password": None})
    store = bootstrap.open_store(settings)
    try:
        progress("Looking for the face models")
        choice = bootstrap.find_pack(settings, store, _download_progress(progress))
        progress("Loading the face models")
        faces = [_face_actor(settings, choice, index) for index in range(pool_size(settings))]
        pack = _started(faces[0].describe.remote())
        bootstrap.check_pack(store, pack)
    finally:
        store.close()
    progress("Opening the database and filling the gallery")
    shards = _start_shards(settings, pack)
    database = _builder(DatabaseActor, DATABASE_ACTOR, _DATABASE_THREADS)
    _started(database.remote(settings, pack, choice.spec, shards).health.remote())
    _start_reports(settings, pack)
    for actor in faces:
        _started(actor.describe.remote())


def _start_reports(settings: Settings, pack: Pack) -> None:
    """None where the database is the memory of the DatabaseActor, which then makes the reports itself."""
    if settings.store.strip().lower() != "memory":
        reports = _builder(ReportActor, REPORT_ACTOR, _REPORT_THREADS)
        _started(reports.remote(settings, pack).health.remote())


def _start_shards(settings: Settings, pack: Pack) -> list[RemoteShard]:
    """The parts of the gallery as actors; none where the DatabaseActor holds it itself."""
    for index in range(settings.gallery_shards):
        actor = _builder(GalleryShardActor, f"{SHARD_ACTOR}-{index}", _DATABASE_THREADS)
        _started(actor.remote(settings, pack, index).call.remote("__len__"))
    return [RemoteShard(index, settings.call_timeout_s) for index in range(settings.gallery_shards)]


def _download_progress(progress: Callable[[str], None]) -> Callable[[int, int | None], None]:
    def tell(done_bytes: int, total_bytes: int | None) -> None:
        of_total = f" of {total_bytes / 1e6:.0f}" if total_bytes else ""
        progress(f"Downloading the face models: {done_bytes / 1e6:.0f}{of_total} MB")

    return tell


def pool_size(settings: Settings) -> int:
    """How many FaceEmbeddingActors: each runs its models on one thread of the machine's budget."""
    return settings.actors or settings.threads or os.cpu_count() or 1


def _face_actor(settings: Settings, choice: Choice, index: int):
    """One call at a time: two would fight for the one thread of the machine's budget that is the actor's."""
    return _builder(FaceEmbeddingActor, f"{FACE_ACTOR}-{index}", threads=1).remote(settings, choice)


def _builder(cls: type, name: str, threads: int):
    return ray.remote(cls).options(
        name=name,
        namespace=NAMESPACE,
        lifetime="detached",
        get_if_exists=True,
        max_restarts=-1,
        max_concurrency=threads,
        num_cpus=0,
    )


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
    for name in handles.actor_names():
        try:
            ray.kill(ray.get_actor(name, namespace=NAMESPACE), no_restart=True)
        except ValueError:
            continue
