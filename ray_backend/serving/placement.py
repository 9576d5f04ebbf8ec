"""Ray's nodes and actors as the pool sees them: how FaceEmbeddingActors are put on nodes, and found."""

from __future__ import annotations

from typing import Any

import ray
from ray._private.state import state as ray_state
from ray.autoscaler.sdk import request_resources

from ray_backend.domain.cluster import Node, Part, PartState
from ray_backend.serving.names import FACES_RESOURCE, NAMESPACE, RECORDS_RESOURCE, SLIVER
from ray_backend.settings import Settings
from ray_backend.vision.packs import Choice

_STATES = {
    "ALIVE": PartState.READY,
    "DEPENDENCIES_UNREADY": PartState.STARTING,
    "PENDING_CREATION": PartState.STARTING,
    "RESTARTING": PartState.AWAY,
}
# Ray's own entries, one for each node's address, say nothing to anybody.
_NOT_SHOWN = "node:"


def builder(cls: type, name: str, threads: int, **options: Any):
    """What starts an actor that stays until it is ended, or finds the one of this name that runs.

    It is put on the node of the records, unless `options` say otherwise.
    """
    chosen = {"num_cpus": 0, "resources": {RECORDS_RESOURCE: SLIVER}} | options
    groups = getattr(cls, "CONCURRENCY_GROUPS", None)
    actor = ray.remote(concurrency_groups=groups)(cls) if groups else ray.remote(cls)
    return actor.options(
        name=name,
        namespace=NAMESPACE,
        lifetime="detached",
        get_if_exists=True,
        max_restarts=-1,
        max_concurrency=threads,
        **chosen,
    )


class RayPlacement:
    """Implements `Placement`. `face_actor` is the class of the FaceEmbeddingActors."""

    def __init__(self, face_actor: type, settings: Settings, choice: Choice) -> None:
        self._class = face_actor
        self._settings = settings
        self._choice = choice

    def nodes(self) -> list[Node]:
        """See `Placement`."""
        draining = ray_state.get_draining_nodes()
        return [
            Node(
                node["NodeID"],
                node["NodeManagerHostname"],
                node["NodeManagerAddress"],
                node["Alive"],
                node["NodeID"] in draining,
                {name: n for name, n in node["Resources"].items() if not name.startswith(_NOT_SHOWN)},
            )
            for node in ray.nodes()
        ]

    def parts(self) -> list[Part]:
        """See `Placement`. Only detached actors with a name are Rollcall's."""
        return [
            Part(row["Name"], identity, _STATES[row["State"]], row["Address"]["NodeID"], row["Pid"])
            for identity, row in ray_state.actor_table(None).items()
            if row["State"] in _STATES and row["IsDetached"] and _is_ours(row["ActorClassName"])
        ]

    def start(self, name: str):
        """See `Placement`; returns the handle, too.

        One call at a time: two would fight for the one thread of the machine's budget that is the actor's.
        """
        how = {
            "resources": {FACES_RESOURCE: 1},
            "num_gpus": self._settings.gpus_per_actor,
            "scheduling_strategy": "SPREAD",
        }
        return builder(self._class, name, 1, **how).remote(self._settings, self._choice)

    def stop(self, name: str) -> None:
        """See `Placement`."""
        end_actor(name)

    def ask_for(self, actors: int) -> None:
        """See `Placement`. Ray keeps it for its autoscaler, where there is one."""
        share = self._settings.gpus_per_actor
        each = {FACES_RESOURCE: 1.0} | ({"GPU": share} if share else {})
        request_resources(bundles=[each] * actors)


def end_actor(name: str) -> None:
    """Ends the actor of this name for good; one that is gone already is no error."""
    try:
        ray.kill(ray.get_actor(name, namespace=NAMESPACE), no_restart=True)
    except ValueError:
        return


def _is_ours(class_name: str) -> bool:
    return class_name in {
        "FaceEmbeddingActor",
        "DatabaseActor",
        "GalleryShardActor",
        "ReportActor",
        "ClusterActor",
    }
