"""The API's batches take the short way where there is one, and go through Ray where there is none."""

from __future__ import annotations

import asyncio
import pickle
from types import SimpleNamespace

import pytest

from ray_backend.domain.cluster import PoolMembers
from ray_backend.domain.errors import BackendUnavailable
from ray_backend.serving import handles
from ray_backend.serving.names import DATABASE_ACTOR
from ray_backend.serving.near import Lost, NotNear, Packed
from ray_backend.serving.workers import build_recogniser
from ray_backend.settings import Settings

FACES = "FaceEmbeddingActor-0"


class Site:
    """Actors that answer with what they were asked, by either way; `closed` has the doors to leave out."""

    def __init__(self, monkeypatch) -> None:
        self.asked: list[str] = []
        self.retried: list[str] = []
        self.closed: dict[str, Exception] = {}
        monkeypatch.setattr(handles, "actor_id", lambda name: name)
        monkeypatch.setattr(handles, "get_handle", self._handle)
        monkeypatch.setattr(handles, "async_result", self._result)
        monkeypatch.setattr("ray_backend.serving.workers.NearCalls", lambda: SimpleNamespace(call=self._near))

    async def _near(self, name: str, method: str, *args, **kwargs) -> Packed:
        if name in self.closed:
            raise self.closed[name]
        self.asked.append(f"near {name} {method}")
        unpacked = [arg.value() if isinstance(arg, Packed) else arg for arg in args]
        return Packed(b"\x00" + pickle.dumps(self._answer(method, unpacked)))

    def _handle(self, name: str):
        def remote(method: str):
            def call(*args, **kwargs):
                self.asked.append(f"ray {name} {method}")
                return self._answer(method, args)

            return SimpleNamespace(remote=call, options=lambda max_task_retries: retried(method))

        def retried(method: str):
            self.retried.append(method)
            return remote(method)

        return SimpleNamespace(**{method: remote(method) for method in ("analyse_batch", "recognise")})

    @staticmethod
    def _answer(method: str, args) -> list:
        return [f"seen {image}" for image in args] if method == "analyse_batch" else args[0]

    @staticmethod
    async def _result(answer, timeout_s: float):
        return answer


@pytest.fixture
def site(monkeypatch) -> Site:
    return Site(monkeypatch)


def recognised(settings: Settings | None = None) -> object:
    async def run():
        recogniser = build_recogniser(settings or Settings())
        recogniser.set_members(PoolMembers({FACES: "1"}))
        return await recogniser.recognise(b"picture")

    return asyncio.run(run())


def test_both_actors_are_near(site):
    assert recognised() == "seen b'picture'"
    assert site.asked == [f"near {FACES} analyse_batch", f"near {DATABASE_ACTOR} recognise"]


def test_a_face_actor_of_another_machine_is_called_through_ray(site):
    site.closed[FACES] = NotNear()
    assert recognised() == "seen b'picture'"
    assert site.asked == [f"ray {FACES} analyse_batch", f"ray {DATABASE_ACTOR} recognise"]


@pytest.mark.parametrize("error", [NotNear(), Lost("killed")])
def test_a_database_actor_that_starts_again_is_asked_through_ray_with_what_was_seen(site, error):
    site.closed[DATABASE_ACTOR] = error
    assert recognised() == "seen b'picture'"
    assert site.asked == [f"near {FACES} analyse_batch", f"ray {DATABASE_ACTOR} recognise"]
    assert site.retried == ["recognise"]


def test_a_database_actor_that_is_slow_is_not_asked_twice(site):
    site.closed[DATABASE_ACTOR] = TimeoutError()
    with pytest.raises(BackendUnavailable):
        recognised()
    assert not [call for call in site.asked if call.startswith("ray")]


def test_the_whole_of_it_has_one_time_limit(site, monkeypatch):
    async def never(*_args, **_kwargs) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("ray_backend.serving.workers.NearCalls", lambda: SimpleNamespace(call=never))
    with pytest.raises(BackendUnavailable):
        recognised(Settings(call_timeout_s=0.05))


def test_a_face_actor_that_dies_is_told_to_the_batcher(site):
    site.closed[FACES] = Lost("killed")
    with pytest.raises(BackendUnavailable):
        recognised()
    assert site.asked == []
