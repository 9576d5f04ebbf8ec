"""As many FaceEmbeddingActors as there is room and work for, on nodes that stay."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from ray_backend.domain.cluster import Node, Part, PartState, Queue
from ray_backend.serving.names import FACES_RESOURCE
from ray_backend.serving.pool import Limits, Pool, bounds, room_of, wanted_size


def node(name: str, places: int, *, alive=True, draining=False, gpus=0) -> Node:
    return Node(name, name, "10.0.0.1", alive, draining, {FACES_RESOURCE: places, "CPU": 8, "GPU": gpus})


@dataclass
class FakeCluster:
    """Starts actors on the node with the most room, at once unless `slow`; as Ray does, an actor whose
    node died is put on another one or waits for room."""

    machines: dict[str, Node]
    slow: bool = False
    actors: dict[str, Part] = field(default_factory=dict)
    made: int = 0

    def nodes(self):
        return list(self.machines.values())

    def parts(self):
        for part in list(self.actors.values()):
            if part.state is not PartState.READY or not self.machines[part.node_id].alive:
                self._place(part)
        return [Part("DatabaseActor", "d", PartState.READY, "head"), *self.actors.values()]

    def start(self, name):
        self.made += 1
        self.actors[name] = Part(name, str(self.made), PartState.STARTING)
        if not self.slow:
            self._place(self.actors[name])

    def stop(self, name):
        self.actors.pop(name, None)

    def on(self, machine: str) -> set[str]:
        return {part.name for part in self.actors.values() if part.node_id == machine}

    def _place(self, part):
        free = {
            machine.node_id: room_of([machine]) - len(self.on(machine.node_id) - {part.name})
            for machine in self.machines.values()
        }
        best = max(free, key=free.get)
        placed = free[best] > 0 and not self.slow
        state = PartState.READY if placed else replace(part).state
        if not placed and part.state is PartState.READY:
            state = PartState.AWAY
        self.actors[part.name] = replace(part, state=state, node_id=best if placed else "")


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def pool_of(cluster, clock, **limits) -> Pool:
    pool = Pool(cluster, Limits(**limits), clock)
    settle(pool, clock)
    return pool


def settle(pool, clock, seconds=6):
    for _ in range(seconds):
        pool.look()
        clock.now += 1


@pytest.mark.parametrize(
    ("nodes", "gpus_each", "room"),
    [
        ([node("a", 2), node("b", 3)], 0, 5),
        ([node("a", 2), node("b", 3, alive=False)], 0, 2),
        ([node("a", 2), node("b", 3, draining=True)], 0, 2),
        ([node("a", 8, gpus=1)], 0.25, 4),
        ([node("a", 3, gpus=1)], 0.25, 3),
        ([node("a", 8, gpus=2)], 0.3, 6),
        ([node("a", 8, gpus=4)], 2, 2),
        ([node("a", 8)], 0.5, 0),
        ([], 0, 0),
    ],
)
def test_room(nodes, gpus_each, room):
    assert room_of(nodes, gpus_each) == room


@pytest.mark.parametrize(
    ("limits", "room", "expected"),
    [
        (Limits(), 4, (4, 4)),
        (Limits(most=2), 4, (2, 2)),
        (Limits(fewest=1), 4, (1, 4)),
        (Limits(fewest=2, most=3), 8, (2, 3)),
        (Limits(fewest=5, most=3), 8, (3, 3)),
        (Limits(fewest=2, most=6), 1, (1, 1)),
        (Limits(), 0, (0, 0)),
    ],
)
def test_bounds(limits, room, expected):
    assert bounds(limits, room) == expected


def test_the_size_follows_the_pictures_between_the_bounds():
    assert [wanted_size(1, 4, pictures) for pictures in (0, 4, 5, 12, 100)] == [1, 1, 2, 3, 4]


def test_all_places_are_filled_and_a_node_that_joins_is_used(clock):
    cluster = FakeCluster({"head": node("head", 2)})
    pool = pool_of(cluster, clock)
    assert set(pool.members().identities) == {"FaceEmbeddingActor-0", "FaceEmbeddingActor-1"}
    cluster.machines["b"] = node("b", 2)
    settle(pool, clock)
    assert len(pool.members().identities) == 4
    assert len(cluster.on("b")) == 2


def test_after_a_node_died_there_are_as_many_as_the_others_take_and_later_as_many_as_before(clock):
    cluster = FakeCluster({"head": node("head", 2), "b": node("b", 2)})
    pool = pool_of(cluster, clock)
    cluster.machines["b"] = node("b", 2, alive=False)
    settle(pool, clock)
    assert pool.status().room == pool.status().wanted == len(cluster.actors) == 2
    assert len(pool.members().identities) == 2
    cluster.machines["c"] = node("c", 2)
    settle(pool, clock)
    assert len(pool.members().identities) == 4


def test_with_room_elsewhere_as_many_as_the_limit_are_there_after_a_node_died(clock):
    cluster = FakeCluster({name: node(name, 2) for name in ("head", "b", "c")})
    pool = pool_of(cluster, clock, most=4)
    dying = next(part.node_id for part in cluster.actors.values())
    cluster.machines[dying] = node(dying, 2, alive=False)
    settle(pool, clock)
    assert len(pool.members().identities) == 4
    assert not cluster.on(dying)


def test_a_drained_node_works_on_until_others_are_there_for_it(clock):
    cluster = FakeCluster({"head": node("head", 2), "b": node("b", 2)})
    pool = pool_of(cluster, clock, most=2)
    drained = next(iter(cluster.actors.values())).node_id
    moving = cluster.on(drained)
    cluster.machines[drained] = node(drained, 2, draining=True)
    cluster.slow = True
    settle(pool, clock)
    assert moving <= set(pool.members().identities), "gone before anybody stands in for them"
    cluster.slow = False
    settle(pool, clock)
    assert not cluster.on(drained)
    assert len(pool.members().identities) == 2


def test_who_leaves_gets_nothing_new_and_some_time_to_finish(clock):
    cluster = FakeCluster({"head": node("head", 2), "b": node("b", 2)})
    pool = pool_of(cluster, clock)
    cluster.machines["b"] = node("b", 2, draining=True)
    leaving = cluster.on("b")
    pool.look()
    assert not leaving & set(pool.members().identities)
    assert leaving == cluster.on("b"), "ended while they may still have work"
    states = {part.name: part.state for part in pool.status().parts}
    assert {states[name] for name in leaving} == {PartState.LEAVING}
    settle(pool, clock)
    assert not cluster.on("b")


def test_work_makes_it_grow_at_once_and_shrink_after_a_quiet_minute(clock):
    cluster = FakeCluster({"head": node("head", 6)})
    pool = pool_of(cluster, clock, fewest=1)
    assert len(cluster.actors) == 1
    assert pool.follow(Queue("api", 6, 8)).identities
    settle(pool, clock, 2)
    assert len(cluster.actors) == 4
    pool.follow(Queue("api", 0, 0))
    settle(pool, clock, 50)
    assert len(cluster.actors) == 4
    settle(pool, clock, 20)
    assert len(cluster.actors) == 1


def test_senders_are_added_up_and_forgotten_when_they_are_gone(clock):
    pool = pool_of(FakeCluster({"head": node("head", 6)}), clock, fewest=1)
    pool.follow(Queue("api 1", 2, 2))
    pool.follow(Queue("api 2", 4, 0))
    pool.look()
    assert pool.status().wanted == 2
    assert {queue.name for queue in pool.queues()} == {"api 1", "api 2"}
    clock.now += 11
    assert pool.queues() == ()


def test_actors_that_run_already_are_taken_over(clock):
    cluster = FakeCluster({"head": node("head", 2)})
    pool_of(cluster, clock)
    before = dict(cluster.actors)
    pool_of(cluster, clock)
    assert cluster.actors == before


def test_names_of_gone_actors_are_used_again(clock):
    cluster = FakeCluster({"head": node("head", 3)})
    pool = pool_of(cluster, clock)
    cluster.stop("FaceEmbeddingActor-1")
    settle(pool, clock)
    assert set(pool.members().identities) == {f"FaceEmbeddingActor-{n}" for n in range(3)}
    assert pool.members().identities["FaceEmbeddingActor-1"] == "4"
