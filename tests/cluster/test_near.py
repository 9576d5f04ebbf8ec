"""The short way to real actors, and what becomes of it when one is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from ray_backend.domain.errors import BackendUnavailable, UnsupportedImage
from ray_backend.domain.model import DecisionKind
from ray_backend.serving import handles
from ray_backend.serving.members import pool_members
from ray_backend.serving.names import DATABASE_ACTOR, FACE_ACTOR
from ray_backend.serving.near import NearCalls, NotNear
from ray_backend.serving.workers import build_recogniser
from tests.cluster.test_failures import enrol_everybody, pid_of
from tests.people import face_photo


async def recognised(calls: NearCalls, *pictures: bytes) -> list:
    faces, database = (handles.actor_id(name) for name in (f"{FACE_ACTOR}-0", DATABASE_ACTOR))
    analyses = await calls.call(faces, "analyse_batch", *pictures, origins="")
    return (await calls.call(database, "recognise", analyses, (), origins="")).value()


def test_pictures_are_recognised_by_the_short_way(backend):
    people = enrol_everybody(backend)

    pictures = face_photo(0, 1), b"no picture", face_photo(1, 1)
    first, broken, second = asyncio.run(recognised(NearCalls(), *pictures))

    assert [one.faces[0].person.person_id for one in (first, second)] == people[:2]
    assert {one.faces[0].decision.kind for one in (first, second)} == {DecisionKind.MATCH}
    assert isinstance(broken, UnsupportedImage)


@pytest.mark.parametrize("way", ["near", "through Ray"])
def test_the_apis_batches_are_recognised_either_way(backend, settings, monkeypatch, way):
    people = enrol_everybody(backend)

    async def not_near(*_args, **_kwargs) -> None:
        raise NotNear

    async def not_through_ray(*_) -> None:
        raise AssertionError("Ray was asked")

    if way == "near":
        monkeypatch.setattr(handles, "async_result", not_through_ray)
    else:
        monkeypatch.setattr(NearCalls, "call", not_near)

    async def run() -> list:
        recogniser = build_recogniser(settings)
        recogniser.set_members(pool_members(recogniser.queue()))
        pictures = [face_photo(person, 1) for person in range(len(people))]
        return await asyncio.gather(
            *(recogniser.recognise(picture) for picture in pictures), recogniser.recognise_many(pictures)
        )

    *singly, in_bulk = asyncio.run(run())
    for found in (singly, in_bulk):
        assert [one.faces[0].person.person_id for one in found] == people


def test_an_actor_that_was_killed_has_its_door_again(backend):
    enrol_everybody(backend)

    async def run() -> list:
        calls = NearCalls()
        await recognised(calls, face_photo(0, 1))
        os.kill(pid_of(DATABASE_ACTOR), signal.SIGKILL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                return await recognised(calls, face_photo(0, 1))
            except (NotNear, BackendUnavailable):
                await asyncio.sleep(0.2)
        raise TimeoutError("the door stayed closed")

    (found,) = asyncio.run(run())
    assert found.faces[0].decision.kind is DecisionKind.MATCH


def test_whoever_asks_while_the_database_actor_starts_again_waits_for_it(backend, settings):
    people = enrol_everybody(backend)

    async def run() -> object:
        recogniser = build_recogniser(settings)
        recogniser.set_members(pool_members(recogniser.queue()))
        await recogniser.recognise(face_photo(0, 1))
        os.kill(pid_of(DATABASE_ACTOR), signal.SIGKILL)
        return await recogniser.recognise(face_photo(1, 1))

    found = asyncio.run(run())
    assert found.faces[0].person.person_id == people[1]


def test_nobody_is_at_the_door_of_an_actor_that_ended(backend):
    with pytest.raises(NotNear):
        asyncio.run(NearCalls().call("0" * 32, "recognise"))
