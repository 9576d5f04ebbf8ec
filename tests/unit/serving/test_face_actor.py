"""A kiosk's frame waits for one picture of an import at most, however long that is."""

from __future__ import annotations

import os
import threading
from types import SimpleNamespace

import pytest

from ray_backend.domain.model import FrameAnalysis
from ray_backend.services.faces import Embed
from ray_backend.serving.actors import FaceEmbeddingActor
from ray_backend.serving.turns import Turns
from tests.waiting import until

ANALYSIS = FrameAnalysis(640, 480, (), "pack", {}, 128.0)


class SlowFaces:
    """Notes what it looks at, and goes on only when it is told to."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.may_end = threading.Semaphore(0)

    def analyse(self, image, *how):
        return self.analyse_many([image])[0]

    def analyse_many(self, images, *how, quick=False):
        self.seen += images
        assert self.may_end.acquire(timeout=10)
        return [ANALYSIS] * len(images)


@pytest.fixture
def actor(monkeypatch):
    monkeypatch.setattr("ray_backend.serving.actors.telling.own_name", lambda: "test")
    made = object.__new__(FaceEmbeddingActor)
    made.__dict__.update(_faces=SlowFaces(), _turns=Turns(patience_s=60), _priority=os.getpriority(0, 0))
    return made


@pytest.mark.parametrize("bulk", ["import", "batch of the API"])
def test_a_kiosks_frame_comes_after_one_picture_of_bulk_work(actor, bulk):
    pictures = [f"bulk {number}".encode() for number in range(4)]
    answers = SimpleNamespace(bulk=None, person=None)

    def work():
        if bulk == "import":
            answers.bulk = actor.analyse_in_bulk(pictures, Embed.ALL, False)
        else:
            answers.bulk = actor.analyse_batch_in_bulk(*pictures)

    def person():
        answers.person = actor.analyse(b"kiosk", Embed.NEAREST_GOOD, False)

    threads = [threading.Thread(target=work), threading.Thread(target=person)]
    threads[0].start()
    until(lambda: actor._faces.seen)
    threads[1].start()
    until(lambda: actor._turns._people)
    for _ in range(5):
        actor._faces.may_end.release()
    for thread in threads:
        thread.join(10)

    assert actor._faces.seen == [b"bulk 0", b"kiosk", b"bulk 1", b"bulk 2", b"bulk 3"]
    assert answers.bulk == [ANALYSIS] * 4
    assert answers.person == ANALYSIS


def test_bulk_work_and_questions_about_health_have_lines_of_their_own():
    for method, line in {
        "analyse_in_bulk": "bulk",
        "analyse_batch_in_bulk": "bulk",
        "health": "health",
        "figures": "health",
        "describe": "health",
    }.items():
        assert getattr(FaceEmbeddingActor, method).__ray_concurrency_group__ == line
        assert line in FaceEmbeddingActor.CONCURRENCY_GROUPS
    for method in ("analyse", "analyse_many", "analyse_batch"):
        assert not hasattr(getattr(FaceEmbeddingActor, method), "__ray_concurrency_group__")
