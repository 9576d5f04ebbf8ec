"""How insightface's detector is asked: a small look first, the whole picture where that is not enough."""

from __future__ import annotations

import numpy as np
import pytest

from ray_backend.domain.model import DetectedFace
from ray_backend.settings import Settings
from ray_backend.vision import insightface_pack
from ray_backend.vision.packs import load_engine
from tests.unit.vision import models

SMALL, WHOLE, SQUARE = (256, 192), (640, 480), (640, 640)


def face(side: float) -> DetectedFace:
    return DetectedFace((0.0, 0.0, side, side), np.zeros((5, 2), np.float32), 0.9)


@pytest.fixture
def looks(tmp_path, monkeypatch):
    """`looks(picture, small=..., whole=...)` tells which inputs were used and what came of it."""
    folder = str(models.save_pack(tmp_path / "office"))

    def look(width=640, height=480, quick=True, inference="fast", **seen):
        sizes = []
        engine = load_engine(Settings(pack=folder, inference=inference))

        def find(_detector, _picture, size, _min_score):
            sizes.append(size)
            return seen["whole" if size in (WHOLE, SQUARE) else "small"]

        monkeypatch.setattr(insightface_pack, "find_faces", find)
        found = engine.detect(np.zeros((height, width, 3), np.uint8), quick)
        return sizes, [one.box[2] for one in found]

    return look


def test_a_face_before_the_kiosk_is_seen_at_once(looks):
    assert looks(small=[face(81)], whole=[]) == ([SMALL], [81])


def test_a_face_that_is_small_in_the_first_look_is_looked_at_again(looks):
    assert looks(small=[face(79)], whole=[face(80)]) == ([SMALL, WHOLE], [80])


def test_somebody_far_behind_has_the_whole_picture_looked_at(looks):
    seen = looks(small=[face(200), face(40)], whole=[face(201), face(41), face(30)])
    assert seen == ([SMALL, WHOLE], [201, 41, 30])


def test_the_whole_picture_is_looked_at_before_nobody_is_there(looks):
    assert looks(small=[], whole=[face(20)]) == ([SMALL, WHOLE], [20])


def test_what_the_whole_picture_does_not_show_counts_from_the_small_one(looks):
    assert looks(small=[face(70)], whole=[]) == ([SMALL, WHOLE, SMALL], [70])
    assert looks(small=[face(200)], whole=[], quick=False) == ([WHOLE, SMALL], [200])


def test_who_measures_angles_looks_at_the_whole_picture_at_once(looks):
    assert looks(small=[face(200)], whole=[face(201)], quick=False) == ([WHOLE], [201])


def test_plain_inference_looks_at_all_of_every_picture_in_a_square(looks):
    assert looks(small=[face(200)], whole=[face(201)], inference="plain") == ([SQUARE], [201])
    assert looks(small=[face(200)], whole=[], inference="plain") == ([SQUARE], [])
