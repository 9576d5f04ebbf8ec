"""The actors: thin shells around plain services, and the builder that turns them into Ray actors."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar

import numpy as np
import ray

from ray_backend import bootstrap
from ray_backend.domain.answers import Recognition
from ray_backend.domain.cluster import ClusterStatus, PoolMembers, Queue
from ray_backend.domain.errors import ImageRejected, InvalidInput, StoreUnavailable
from ray_backend.domain.figures import Moment
from ray_backend.domain.model import Candidate, FrameAnalysis, Pack, Punch, Template
from ray_backend.domain.permissions import SYSTEM, Caller
from ray_backend.observing.snapshots import Snapshot
from ray_backend.ports import GalleryIndex
from ray_backend.services.faces import Embed, FaceService
from ray_backend.services.gate import Gate
from ray_backend.services.report_records import collect_rarely
from ray_backend.serving import figures, near, telling
from ray_backend.serving.cluster_watch import ClusterWatch
from ray_backend.serving.placement import RayPlacement
from ray_backend.serving.report_calls import made_elsewhere
from ray_backend.serving.second_pack import SecondPack
from ray_backend.serving.site_figures import SiteFigures
from ray_backend.serving.turns import Turns
from ray_backend.settings import Settings
from ray_backend.vision.packs import Choice

log = logging.getLogger(__name__)

T = TypeVar("T")
_ASK_AGAIN_S = 1.0
# On a machine with few cores, whoever stands before a kiosk comes before whoever reads a report.
_REPORTS_STAND_BACK = 10
# Frames of several kiosks are decided at once; the store's unique keys keep that safe.
RECORDS_THREADS = 8
# Whoever hands the models their next batch gets the next turn at the processor.
_MODELS_STAND_BACK = 5


def _patiently(build: Callable[[], T]) -> T:
    """Builds what needs the database. Raises StoreUnavailable at the first start only.

    Ray starts an actor that was killed again, but gives up on one for ever whose constructor fails: that
    one waits for the database to come back.
    """
    while True:
        try:
            return build()
        except StoreUnavailable:
            if not (ray.is_initialized() and ray.get_runtime_context().was_current_actor_reconstructed):
                raise
            log.exception("the actor was started again, but the database is away; it is asked again")
            time.sleep(_ASK_AGAIN_S)


def _stand_back(steps: int) -> None:
    """Lowers this process's priority, where the system knows such a thing."""
    if hasattr(os, "nice"):
        os.nice(steps)


def _quickly(faces: FaceService) -> Callable[..., list[FrameAnalysis | ImageRejected]]:
    return partial(faces.analyse_many, quick=True)


class FaceEmbeddingActor:
    """Finds and embeds faces: one picture at a time, those of people who wait before those of bulk work.

    Ray gives bulk work and questions about health threads of their own (`CONCURRENCY_GROUPS`), so that
    neither stands in the line of the others; whose turn it is at the models is decided here.
    """

    CONCURRENCY_GROUPS: ClassVar[dict[str, int]] = {"bulk": 1, "health": 1}

    def __init__(self, settings: Settings, choice: Choice) -> None:
        telling.begin(settings)
        _stand_back(_MODELS_STAND_BACK)
        self._faces: FaceService = bootstrap.build_faces(settings, choice)
        self._beside = SecondPack(settings)
        self._turns = Turns()
        self._priority = os.getpriority(os.PRIO_PROCESS, 0) if sys.platform == "linux" else 0
        near.open_own_door(
            {
                "analyse_batch": self.analyse_batch,
                "analyse_batch_in_bulk": self.analyse_batch_in_bulk,
            }
        )

    @ray.method(concurrency_group="health")
    def describe(self) -> Pack:
        """The pack that this actor runs."""
        return self._faces.pack

    @ray.method(concurrency_group="health")
    def health(self) -> dict[str, Any]:
        """`pid`, `pack`, and `recoveries` by kind since the start; answering at all is the news."""
        return {
            "pid": os.getpid(),
            "pack": self._faces.pack.pack_id,
            "recoveries": dict(self._faces.recoveries),
        }

    def analyse(
        self, image: bytes, embed: Embed, thumbnails: bool, liveness: bool = False, origin: str = ""
    ) -> FrameAnalysis:
        """See `FaceService.analyse`; `origin` is what the picture belongs to."""
        with self._turns.person():
            return telling.analysed(origin, self._faces.analyse, image, embed, thumbnails, liveness)

    def analyse_many(self, images: Sequence[bytes], embed: Embed, thumbnails: bool, origins: str = ""):
        """See `FaceService.analyse_many`; `origins` are joined."""
        with self._turns.person():
            return telling.analysed_many(origins, self._faces.analyse_many, images, embed, thumbnails)

    def analyse_batch(self, *images: bytes, origins: str = "") -> list[FrameAnalysis | ImageRejected]:
        """`analyse_many` for recognition: quick, with all faces embedded. Each picture is an argument of its
        own, so that Ray hands it over without copying it into a list first."""
        with self._turns.person():
            return telling.analysed_many(origins, _quickly(self._faces), images)

    @ray.method(concurrency_group="bulk")
    def analyse_in_bulk(
        self, images: Sequence[bytes], embed: Embed, thumbnails: bool, origins: str = ""
    ) -> list[FrameAnalysis | ImageRejected]:
        """As `analyse_many`, one picture at a time whenever nobody waits."""
        return telling.analysed_many(
            origins, self._one_by_one, images, self._faces.analyse_many, embed, thumbnails
        )

    @ray.method(concurrency_group="bulk")
    def analyse_batch_in_bulk(self, *images: bytes, origins: str = "") -> list[FrameAnalysis | ImageRejected]:
        """As `analyse_batch`, one picture at a time whenever nobody waits."""
        return telling.analysed_many(origins, self._one_by_one, images, _quickly(self._faces))

    @ray.method(concurrency_group="bulk")
    def analyse_batch_beside(self, spec: str, *images: bytes) -> list[FrameAnalysis | ImageRejected]:
        """As `analyse_batch_in_bulk`, with the pack that `spec` names, whose models are loaded when they are
        first asked for. Raises PackUnavailable."""
        return self._one_by_one(images, _quickly(self._beside.faces(spec)))

    def _one_by_one(
        self, images: Sequence[bytes], analyse_many: Callable[..., list], *how: Any
    ) -> list[FrameAnalysis | ImageRejected]:
        # Ray made this thread before the constructor lowered the priority of its own.
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, 0, self._priority)
        answers = []
        for image in images:
            with self._turns.bulk():
                answers += analyse_many([image], *how)
        return answers

    @ray.method(concurrency_group="health")
    def figures(self) -> Snapshot:
        """What this process counts."""
        return figures.own_figures(lambda: figures.face_metrics(self._faces))

    def compute_embedding(self, image: bytes) -> np.ndarray:
        """(D,) float32 of the nearest face. Raises ImageRejected, InvalidInput."""
        with self._turns.person():
            return self._faces.compute_embedding(image)

    def batch_compute_embeddings(self, images: Sequence[bytes]) -> list[np.ndarray | InvalidInput]:
        """One embedding or error for each picture, in order."""
        with self._turns.person():
            return self._faces.compute_embeddings(images)


class GalleryShardActor:
    """Holds one part of a gallery that is spread over several actors; fills itself from the database."""

    def __init__(self, settings: Settings, pack: Pack, index: int) -> None:
        telling.begin(settings)
        self._gallery = _patiently(lambda: bootstrap.build_gallery_shard(settings, pack, index))

    def pid(self) -> int:
        """This actor's process."""
        return os.getpid()

    def figures(self) -> Snapshot:
        """What this process counts."""
        return figures.own_figures(lambda: figures.shard_metrics(self._gallery))

    def call(self, method: str, *args: Any) -> Any:
        """Runs one method of `GalleryIndex`, or reads its version."""
        found = getattr(self._gallery, method)
        return found(*args) if callable(found) else found


class ReportActor:
    """Answers what takes seconds of reckoning, so that no kiosk waits for it. Reads only."""

    def __init__(self, settings: Settings, pack: Pack) -> None:
        telling.begin(settings)
        _stand_back(_REPORTS_STAND_BACK)
        collect_rarely()
        self._call = telling.ToldCalls(Gate(_patiently(lambda: bootstrap.build_reports(settings, pack))).call)

    def health(self) -> dict[str, Any]:
        """`pid`; answering at all is the news."""
        return {"pid": os.getpid()}

    def call(self, caller: Caller, service: str, method: str, args: tuple, kwargs: dict) -> Any:
        """As `DatabaseActor.call`, for callers whom `DatabaseActor.present` has looked at."""
        return self._call(caller, service, method, args, kwargs)

    def figures(self) -> Snapshot:
        """What this process counts."""
        return figures.own_figures()


class ClusterActor:
    """Keeps the pool of FaceEmbeddingActors, and knows how the cluster is doing.

    Its parts lie in files of their own, each a plain class that this one makes and hands calls on to.
    """

    def __init__(self, settings: Settings, choice: Choice) -> None:
        telling.begin(settings)
        self._watch = ClusterWatch(RayPlacement(FaceEmbeddingActor, settings, choice), settings)
        self._watch.start()
        self._figures = SiteFigures(self._watch.ready_parts, self._own_figures)
        self._figures.start()

    def health(self) -> dict[str, Any]:
        """`pid`; answering at all is the news."""
        return {"pid": os.getpid()}

    def status(self) -> ClusterStatus:
        """Nodes, actors, queues and galleries. Takes a second longer while the DatabaseActor is away."""
        return self._watch.status()

    def follow(self, queue: Queue) -> PoolMembers:
        """See `Pool.follow`."""
        return self._watch.pool.follow(queue)

    def look(self) -> None:
        """Looks at nodes and actors now; otherwise that happens every second."""
        self._watch.look()

    def take_figures(self, snapshot: Snapshot) -> None:
        """What a process counts that is no actor: the web app, the API."""
        self._figures.take(snapshot)

    def exposition(self, snapshot: Snapshot | None = None) -> bytes:
        """See `SiteFigures.exposition`."""
        return self._figures.exposition(snapshot)

    def history(self) -> tuple[Moment, ...]:
        """Throughput, latency and decisions of the last quarter of an hour, the oldest first."""
        return self._figures.history()

    def _own_figures(self) -> Snapshot:
        nodes, pool = self._watch.nodes(), self._watch.pool.status()
        return figures.own_figures(lambda: figures.cluster_metrics(nodes, pool))


class DatabaseActor:
    """Owns the gallery and the database: searches, decides, records."""

    def __init__(
        self, settings: Settings, pack: Pack, pack_spec: str, shards: Sequence[GalleryIndex] = ()
    ) -> None:
        telling.begin(settings)
        self._records = _patiently(lambda: bootstrap.build_records(settings, pack, pack_spec, shards=shards))
        self._call = telling.ToldCalls(self._records.call)
        self._figures = figures.RecordsFigures(self._records, settings.data_dir)
        self._retention = self._records.start_retention(made_elsewhere(self._records.call))
        near.open_own_door({"recognise": self.recognise}, at_once=RECORDS_THREADS)

    def health(self) -> dict[str, Any]:
        """`pid`, `templates` in the gallery and its `gallery_version`, and `journal`: how many punches
        wait for the database. Answers while that is away, too. `decisions_dropped`: see `CheckInService`.
        """
        templates, version = self._records.overview.gallery()
        return {
            "pid": os.getpid(),
            "templates": templates,
            "gallery_version": version,
            "journal": self._records.overview.journal_depth(),
            "decisions_dropped": self._records.check_ins.notes_dropped,
        }

    def call(self, caller: Caller, service: str, method: str, args: tuple, kwargs: dict) -> Any:
        """Runs one use case as this caller; see `Gate.call`. Whoever has Ray's token says who calls."""
        return self._call(caller, service, method, args, kwargs)

    def figures(self) -> Snapshot:
        """What this process counts, the gallery, the journal, and whether the database answers."""
        return figures.own_figures(self._figures.read)

    def present(self, caller: Caller, service: str, method: str) -> Caller:
        """See `Gate.present`: for calls that the ReportActor answers."""
        return Gate(self._records).present(caller, service, method)

    def recognise(
        self,
        answers: list[FrameAnalysis | ImageRejected],
        departments: Sequence[str | None] = (),
        caller: Caller = SYSTEM,
        origins: str = "",
    ) -> list[Recognition | ImageRejected]:
        """See `CheckInService.recognise`; `origins` are joined."""
        asked = (answers, departments)
        return telling.recognised(origins, lambda: self.call(caller, "check_ins", "recognise", asked, {}))

    def save_face_embedding(self, template: Template, caller: Caller = SYSTEM) -> None:
        """Adds one template to an existing person. Raises PersonNotFound, PackMismatch."""
        self.call(caller, "enrolments", "add_template", (template,), {})

    def find_similar_embeddings(
        self, embedding: np.ndarray, limit: int = 5, caller: Caller = SYSTEM
    ) -> list[Candidate]:
        """The nearest people to a (D,) embedding, best first."""
        return self.find_similar_embeddings_batch(embedding[None, :], limit, caller)[0]

    def find_similar_embeddings_batch(
        self, embeddings: np.ndarray, limit: int = 5, caller: Caller = SYSTEM
    ) -> list[list[Candidate]]:
        """The nearest people to each row of (N, D) float32, best first."""
        return self.call(caller, "check_ins", "find_similar", (embeddings, limit), {})

    def record_attendance(
        self,
        person_id: str,
        kiosk: str,
        idempotency_key: str,
        source: str = "manual",
        caller: Caller = SYSTEM,
    ) -> Punch:
        """Records a punch of a known person once. Raises PersonNotFound."""
        named = {"kiosk": kiosk, "source": source, "idempotency_key": idempotency_key}
        return self.call(caller, "check_ins", "record", (person_id,), named)
