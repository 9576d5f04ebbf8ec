"""How the cluster is doing, put together from nodes, pool, queues and the DatabaseActor."""

from __future__ import annotations

from ray_backend.domain.cluster import GalleryStatus, PartState, Queue
from ray_backend.serving.cluster_watch import ClusterWatch
from ray_backend.settings import Settings
from tests.unit.serving.test_pool import FakeCluster, node

HEALTH = {"templates": 5, "gallery_version": 7, "journal": 2}


class Cluster(FakeCluster):
    """One that says what it is asked for."""

    def ask_for(self, actors):
        self.asked = actors


def watch(cluster, health=lambda: HEALTH, **settings) -> ClusterWatch:
    made = ClusterWatch(cluster, Settings(**settings), health)
    for _ in range(3):
        made.look()
    return made


def test_everything_has_its_place():
    cluster = Cluster({"head": node("head", 1), "b": node("b", 1), "c": node("c", 1, alive=False)})
    watching = watch(cluster)
    watching.pool.follow(Queue("api", 3, 1))
    status = watching.status()
    parts = {one.node_id: one.parts for one in status.nodes}
    assert parts["head"][0] == "DatabaseActor"
    assert {*parts["head"][1:], *parts["b"]} == {"FaceEmbeddingActor-0", "FaceEmbeddingActor-1"}
    assert parts["c"] == ()
    assert [part.state for part in status.pool.parts] == [PartState.READY] * 2
    assert [part.name for part in status.others] == ["DatabaseActor"]
    assert status.queues == (Queue("api", 3, 1),)
    assert status.galleries == (GalleryStatus("DatabaseActor", 5, 7),)
    assert status.journal == 2


def test_while_the_database_actor_is_away_the_rest_is_told():
    status = watch(Cluster({"head": node("head", 1)}), health=dict).status()
    assert status.galleries == ()
    assert status.journal is None
    assert status.pool.wanted == 1


def test_the_settings_are_the_limits():
    cluster = Cluster({"head": node("head", 8, gpus=1)})
    pool = watch(cluster, actors_min=1, actors=3, gpus_per_actor=0.5).status().pool
    assert (pool.fewest, pool.most, pool.room) == (1, 2, 2)


def test_a_look_that_fails_is_repeated():
    class Failing(Cluster):
        fails = True

        def nodes(self):
            if self.fails:
                raise ConnectionError
            return super().nodes()

    cluster = Failing({"head": node("head", 1)})
    watching = watch(cluster)
    cluster.fails = False
    watching.look()
    watching.look()
    assert len(watching.pool.members().identities) == 1
