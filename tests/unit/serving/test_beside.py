"""The second pack in the API: asked by name, and looking at a share without anybody waiting for it."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from ray_backend.domain.answers import Recognition
from ray_backend.domain.beside import Beside
from ray_backend.domain.cluster import PoolMembers
from ray_backend.domain.errors import BackendUnavailable, ImageRejected, NotFound
from ray_backend.observing import meters
from ray_backend.serving import beside as second
from ray_backend.serving.beside import BesideFollower
from ray_backend.serving.recogniser import BatchingRecogniser, Workers
from tests.fakes import FAKE_PACK

SECOND = Beside(replace(FAKE_PACK, pack_id="second"), "/models/second", 0.25)
OURS = Recognition((), "fake", 1, {"decode": 2.0, "detect": 3.0})
THEIRS = replace(OURS, pack_id="second")


class Actors:
    """What the second pack was asked; `failure` comes instead of its answers, `gate` before them."""

    def __init__(self) -> None:
        self.asked = []
        self.failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    def site(self, name: str):
        async def recognise(questions):
            return [OURS] * len(questions)

        return recognise

    def second(self, name: str):
        async def recognise(questions):
            self.asked += questions
            await self.gate.wait()
            return [self.failure or THEIRS] * len(questions)

        return recognise


def recogniser(actors: Actors, *, pack: Beside | None = SECOND, chance: float = 0.0) -> BatchingRecogniser:
    made = BatchingRecogniser(Workers(actors.site, actors.site, actors.site, actors.second), None)
    made.set_members(PoolMembers({"one": "1"}))
    made.beside.pack = pack
    made.beside._chance = lambda: chance
    return made


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(second, "_AFTER_S", 0.0)


def counted(outcome: str) -> float:
    return meters.REGISTRY.get_sample_value("rollcall_packs_compared_total", {"outcome": outcome}) or 0.0


async def quiet(made: BatchingRecogniser) -> None:
    """Until everything that was begun is done."""
    await asyncio.sleep(0.02)
    await asyncio.gather(*made.beside._comparing)


def test_the_pack_that_is_named_answers():
    async def scenario():
        actors = Actors()
        answer = await recogniser(actors).recognise_beside("second", b"picture", "Engines")
        (question,) = actors.asked
        return answer, question

    answer, question = asyncio.run(scenario())
    assert answer is THEIRS
    assert (question.spec, question.image, question.department) == ("/models/second", b"picture", "Engines")


@pytest.mark.parametrize("pack", [None, SECOND])
def test_a_pack_that_is_not_there_is_not_found(pack):
    with pytest.raises(NotFound, match="pack beside"):
        asyncio.run(_ask_for(pack, "third"))


async def _ask_for(pack, pack_id):
    return await recogniser(Actors(), pack=pack).recognise_beside(pack_id, b"picture")


@pytest.mark.parametrize(("chance", "pack", "looks"), [(0.2, SECOND, 1), (0.25, SECOND, 0), (0.0, None, 0)])
def test_a_share_of_the_pictures_is_looked_at_by_both(chance, pack, looks):
    async def scenario():
        actors = Actors()
        made = recogniser(actors, chance=chance, pack=pack)
        before = counted("nobody")
        assert await made.recognise(b"picture") is OURS
        await quiet(made)
        return len(actors.asked), counted("nobody") - before

    assert asyncio.run(scenario()) == (looks, looks)


def test_nobody_waits_for_the_second_pack():
    async def scenario():
        actors = Actors()
        actors.gate.clear()
        made = recogniser(actors)
        for _ in range(20):
            assert await asyncio.wait_for(made.recognise(b"picture"), 1) is OURS
            await asyncio.sleep(0.002)
        waiting = made.beside.queue.waiting
        actors.gate.set()
        await quiet(made)
        return waiting, len(actors.asked)

    waiting, asked = asyncio.run(scenario())
    # What comes while another picture waits is not compared at all.
    assert waiting <= 2
    assert 1 <= asked <= 4


@pytest.mark.parametrize("failure", [ImageRejected("broken"), BackendUnavailable("away")])
def test_what_the_second_pack_cannot_do_reaches_nobody(failure):
    async def scenario():
        actors = Actors()
        actors.failure = failure
        made = recogniser(actors)
        before = sum(map(counted, ("nobody", "same")))
        assert await made.recognise(b"picture") is OURS
        await quiet(made)
        assert len(actors.asked) == 1
        return sum(map(counted, ("nobody", "same"))) - before

    assert asyncio.run(scenario()) == 0


def test_the_figures_tell_both_packs_apart():
    def seconds(pack: str) -> float:
        return meters.REGISTRY.get_sample_value("rollcall_packs_seconds_count", {"pack": pack}) or 0.0

    async def scenario():
        made = recogniser(Actors())
        await made.recognise(b"picture")
        await quiet(made)

    before = seconds("fake"), seconds("second")
    asyncio.run(scenario())
    assert (seconds("fake") - before[0], seconds("second") - before[1]) == (1, 1)


def test_the_loop_hears_of_changes_and_keeps_what_it_knew(monkeypatch):
    monkeypatch.setattr(second, "_ASK_AGAIN_S", 0.01)
    answers = iter([SECOND, BackendUnavailable("away"), None])
    done = threading.Event()

    def ask():
        answer = next(answers, done)
        if answer is done:
            done.set()
            return None
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def scenario():
        told = []
        BesideFollower(ask, told.append).start(asyncio.get_running_loop())
        await asyncio.to_thread(done.wait, 5)
        await asyncio.sleep(0.05)
        return told

    told = asyncio.run(scenario())
    assert told[:2] == [SECOND, None]
