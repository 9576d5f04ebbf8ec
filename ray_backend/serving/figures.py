"""What each actor answers when it is asked for its figures."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ray_backend import __version__
from ray_backend.domain.cluster import Node, PartState, PoolStatus
from ray_backend.domain.errors import StoreUnavailable
from ray_backend.domain.model import Liveness
from ray_backend.observing import meters
from ray_backend.observing.snapshots import Snapshot, snapshot
from ray_backend.ports import GalleryIndex
from ray_backend.services.faces import FaceService
from ray_backend.serving.gpus import gpu_metrics
from ray_backend.serving.telling import own_name

if TYPE_CHECKING:
    from ray_backend.bootstrap import Records

# Counting is a query of its own, and a gallery that differs is not mended by knowing it sooner.
_COUNT_EVERY_S = 60.0


class Asked(Collector):
    """Figures that are read when somebody asks for them."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """See `read`."""
        return self._read()


def own_figures(*more: Callable[[], Iterable[Metric]]) -> Snapshot:
    """Everything that this actor's process counts, and what these say."""
    return snapshot(own_name(), meters.REGISTRY, *(Asked(read) for read in more))


def gauge(name: str, meaning: str, value: float) -> Metric:
    """One number."""
    return GaugeMetricFamily(name, meaning, value=value)


def face_metrics(faces: FaceService) -> Iterable[Metric]:
    """Of a FaceEmbeddingActor: the pack, what was survived, and the GPUs."""
    pack = GaugeMetricFamily("rollcall_pack_info", "The face models that run.", labels=["pack"])
    pack.add_metric([faces.pack.pack_id], 1)
    meters.rejected(0)
    survived = recoveries({"out_of_memory": 0, "poisoned_image": 0} | dict(faces.recoveries))
    return [pack, survived, *gpu_metrics()]


def recoveries(kinds: dict[str, int]) -> Metric:
    """What went wrong and was survived, by kind."""
    found = CounterMetricFamily(
        "rollcall_recoveries", "What went wrong in the engine and was survived.", labels=["kind"]
    )
    for kind, count in sorted(kinds.items()):
        found.add_metric([kind], count)
    return found


def shard_metrics(gallery: GalleryIndex) -> Iterable[Metric]:
    """Of one part of a gallery."""
    return [
        gauge("rollcall_shard_templates", "Templates in one part of the gallery.", len(gallery)),
        gauge("rollcall_shard_version", "Grows with every change of this part.", gallery.version),
    ]


class RecordsFigures:
    """Of the DatabaseActor: the gallery, the journal, the database and the disk that all lie on."""

    def __init__(self, records: Records, folder: Path) -> None:
        self._records = records
        self._folder = folder
        self._counted_at = float("-inf")
        self._stored: int | None = None
        for outcome in Liveness:
            meters.liveness(outcome.value, 0)

    def read(self) -> Iterable[Metric]:
        """Needs no database: what that would have to say is left out while it is away."""
        overview = self._records.overview
        templates, version = overview.gallery()
        yield gauge("rollcall_gallery_templates", "Templates in the gallery.", templates)
        yield gauge("rollcall_gallery_version", "Grows with every change of the gallery.", version)
        yield gauge(
            "rollcall_journal_depth",
            "Punches on the server's disk that the database has not got yet.",
            overview.journal_depth(),
        )
        yield from self._database()
        yield from _disk(self._folder)
        yield CounterMetricFamily(
            "rollcall_decisions_dropped",
            "Decisions missing in the statistics, because the database was away.",
            value=self._records.check_ins.notes_dropped,
        )

    def _database(self) -> Iterable[Metric]:
        away = self._records.overview.away()
        yield gauge("rollcall_database_away", "1 while the database does not answer.", float(away))
        if not away and time.monotonic() - self._counted_at > _COUNT_EVERY_S:
            self._counted_at = time.monotonic()
            with suppress(StoreUnavailable):
                self._stored = self._records.overview.stored_templates()
        if self._stored is not None:
            meaning = "Templates of this pack in the database, up to a minute ago."
            yield gauge("rollcall_database_templates", meaning, self._stored)


def _disk(folder: Path) -> Iterable[Metric]:
    try:
        disk = shutil.disk_usage(folder)
    except OSError:
        return []
    kinds = GaugeMetricFamily("rollcall_disk_bytes", "The disk of the data folder.", labels=["kind"])
    kinds.add_metric(["free"], disk.free)
    kinds.add_metric(["total"], disk.total)
    return [kinds]


def cluster_metrics(nodes: Sequence[Node], pool: PoolStatus) -> Iterable[Metric]:
    """Of the ClusterActor: which machines there are, and which FaceEmbeddingActors."""
    there = GaugeMetricFamily("rollcall_nodes", "Machines or containers of the cluster.", labels=["state"])
    alive = [node for node in nodes if node.alive]
    there.add_metric(["alive"], len(alive))
    there.add_metric(["draining"], sum(node.draining for node in alive))
    actors = GaugeMetricFamily(
        "rollcall_face_actors", "FaceEmbeddingActors, by how they are doing.", labels=["state"]
    )
    for state in PartState:
        actors.add_metric([state.value], sum(part.state is state for part in pool.parts))
    info = GaugeMetricFamily("rollcall_build_info", "The version of Rollcall.", labels=["version"])
    info.add_metric([__version__], 1)
    return [
        there,
        actors,
        gauge("rollcall_face_actors_wanted", "As many as the work needs, within the limits.", pool.wanted),
        info,
    ]
