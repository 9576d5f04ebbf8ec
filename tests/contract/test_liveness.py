"""Liveness on real photos with real models: single frames, and photos that a hand moves."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest

from ray_backend.domain.kiosk.challenge import ActiveChallenge
from ray_backend.domain.kiosk.parallax import Parallax, in_eye_distances, points_of
from ray_backend.domain.model import Liveness
from ray_backend.settings import Settings
from ray_backend.vision.liveness import LIVE_FROM, open_liveness
from ray_backend.vision.packs import load_engine
from tests import faces
from tests.heads import ATTACKS, moved_photo, perform, seen_by

PACKS = ["dlib", pytest.param("edge", marks=faces.needs_shared)]
MINIFASNET = faces.MODELS / "liveness"


@pytest.fixture(scope="module", params=PACKS)
def engine(request):
    return load_engine(Settings(pack="dlib-resnet" if request.param == "dlib" else str(faces.EDGE_PACK)))


@pytest.fixture(scope="module")
def edge():
    """The best detector at hand."""
    there = faces.EDGE_PACK.is_dir()
    return load_engine(Settings(pack=str(faces.EDGE_PACK) if there else "dlib-resnet"))


def score(engine, model, path) -> float:
    picture = faces.open_photo(path)
    return model.score(picture, engine.detect(picture)[0])


@faces.needs_shared
def test_the_living_face_counts_as_live_and_the_pictures_do_not(engine):
    model = open_liveness(str(MINIFASNET))
    assert score(engine, model, faces.FACES / "liveness/live_T1.jpg") > 0.9
    for name in ("spoof_F1", "spoof_F2"):
        assert score(engine, model, faces.FACES / f"liveness/{name}.jpg") < LIVE_FROM


@faces.needs_shared
def test_most_photos_of_enrolled_people_count_as_live(engine):
    """88 and 96 % with the two packs when this was written; some are scans and stills from films."""
    model = open_liveness(str(MINIFASNET))
    pictures = [faces.open_photo(photo.path) for photo in faces.labelled("enrol", "probe", "many")]
    scores = [model.score(picture, face) for picture in pictures for face in engine.detect(picture)[:1]]
    assert len(scores) >= 50
    assert np.mean(np.array(scores) >= LIVE_FROM) > 0.8


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_photo_that_follows_what_is_asked_does_not_pass(edge, attack, seed):
    photo = faces.open_photo(faces.astronaut())[:300, 80:380]
    ending = perform(moved_photo(edge, photo, attack, seed), seed, fps=6.0)
    assert ending.seconds > 0
    assert not ending.live, attack


@faces.needs_shared
@pytest.mark.parametrize("seed", range(6))
def test_people_who_talk_are_never_called_a_picture(edge, seed):
    challenge = ActiveChallenge(random.Random(seed))
    capture = cv2.VideoCapture(str(faces.FACES / "video/hamilton_clip.mp4"))
    outcomes, index = set(), 0
    while True:
        read, frame = capture.read()
        if not read:
            break
        seen = seen_by(edge, index / 30, frame) if index % 5 == 0 else None
        index += 1
        if seen:
            outcomes.add(challenge.observe(*seen).outcome)
    assert outcomes
    assert Liveness.SPOOF not in outcomes


@faces.needs_shared
@pytest.mark.parametrize(("name", "side"), [("left_face", -1), ("right_face", 1)])
def test_a_photo_of_a_turned_head_has_the_parallax_of_one(edge, name, side):
    """Against the frontal face of somebody else, since no two photos show one person."""
    ahead = edge.detect(faces.open_photo(faces.FACES / "pose/rise_face.jpg"))[0].landmarks
    turned = edge.detect(faces.open_photo(faces.FACES / f"pose/{name}.jpg"))[0].landmarks
    points = points_of(ahead)
    seen = Parallax(points, in_eye_distances(ahead, points))
    assert side * (seen.of(turned) - seen.of(ahead)) > 0.3
