"""Work goes to whoever is there, and on to another one when somebody dies."""

from __future__ import annotations

from collections import Counter

import pytest

from ray_backend.domain.cluster import PoolMembers
from ray_backend.domain.errors import BackendUnavailable
from ray_backend.serving import handles, pooled_faces
from ray_backend.serving.pooled_faces import PooledFaces


class Pool:
    """Stands for Ray: actors that answer with their name, or are dead."""

    def __init__(self, monkeypatch) -> None:
        self.identities = {"a": "1", "b": "1"}
        self.dead: set[str] = set()
        self.calls: Counter[str] = Counter()
        self.methods: Counter[str] = Counter()
        self.queues: list = []
        self.forgotten: list[str] = []
        monkeypatch.setattr(pooled_faces, "pool_members", self._members)
        monkeypatch.setattr(handles, "get_handle", lambda name: _Handle(self, name))
        monkeypatch.setattr(handles, "result", lambda call, timeout_s: call())
        monkeypatch.setattr(handles, "forget_handle", self.forgotten.append)

    def _members(self, queue):
        self.queues.append(queue)
        return PoolMembers(dict(self.identities))


class _Handle:
    def __init__(self, pool: Pool, name: str) -> None:
        self._pool, self._name = pool, name

    def __getattr__(self, method: str):
        return _Method(self._pool, self._name, method)


class _Method:
    def __init__(self, pool: Pool, name: str, method: str) -> None:
        self._pool, self._name, self._method = pool, name, method

    def remote(self, *args):
        def call():
            self._pool.calls[self._name] += 1
            self._pool.methods[self._method] += 1
            if self._name in self._pool.dead:
                raise BackendUnavailable("gone")
            return [self._name] if "many" in self._method or "bulk" in self._method else self._name

        return call


@pytest.fixture
def pool(monkeypatch):
    return Pool(monkeypatch)


@pytest.fixture
def faces(pool):
    return PooledFaces(timeout_s=1)


def later(faces) -> None:
    """As if a second had gone by."""
    faces._known_until = 0.0


def test_everybody_gets_work(faces, pool):
    assert len(faces.analyse_many([b"picture"] * 40)) == 40
    assert set(pool.calls) == {"a", "b"}
    assert faces.width == 2


def test_what_is_asked_of_one_that_died_is_answered_by_another_one(faces, pool):
    pool.dead = {"a"}
    assert {faces.analyse(b"picture") for _ in range(20)} == {"b"}
    assert pool.calls["a"] <= 1, "who failed rests"


def test_two_that_died_together_are_survived(faces, pool):
    pool.identities = dict.fromkeys("abc", "1")
    pool.dead = {"a", "b"}
    assert faces.analyse(b"picture") == "c"


def test_when_nobody_answers_the_caller_hears_it(faces, pool):
    pool.dead = {"a", "b"}
    with pytest.raises(BackendUnavailable):
        faces.analyse(b"picture")
    pool.dead = set()
    assert faces.analyse(b"picture") in {"a", "b"}


def test_an_empty_pool_is_said_and_filled_again(faces, pool):
    pool.identities = {}
    with pytest.raises(BackendUnavailable):
        faces.analyse(b"picture")
    pool.identities = {"c": "1"}
    assert faces.analyse(b"picture") == "c"


def test_who_joins_gets_work_and_who_left_gets_none(faces, pool):
    faces.analyse(b"picture")
    pool.identities = {"b": "1", "c": "1"}
    later(faces)
    pool.calls.clear()
    faces.analyse_many([b"picture"] * 40)
    assert set(pool.calls) == {"b", "c"}


def test_an_actor_that_was_replaced_is_asked_for_anew(faces, pool):
    faces.analyse(b"picture")
    pool.identities = {"a": "2", "b": "1"}
    later(faces)
    faces.analyse(b"picture")
    assert pool.forgotten == ["a"]


def test_bulk_work_goes_where_it_stands_behind_people(faces, pool):
    faces.analyse_many([b"picture"] * 3, bulk=True)
    faces.analyse_many([b"picture"] * 2)
    assert pool.methods == {"analyse_in_bulk": 3, "analyse_many": 2}


def test_the_pool_hears_what_is_under_way(faces, pool):
    taken = faces._take()
    later(faces)
    faces._give_back(faces._take())
    faces._give_back(taken)
    later(faces)
    faces._give_back(faces._take())
    assert [queue.under_way for queue in pool.queues] == [0, 1, 0]
