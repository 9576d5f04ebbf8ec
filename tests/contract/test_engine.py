"""What every face engine promises, whichever pack runs."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from ray_backend.ports import FaceEngine
from ray_backend.settings import Settings
from ray_backend.vision.images import decode
from ray_backend.vision.packs import load_engine
from tests import faces, fakes

REAL = ["dlib", pytest.param("edge", marks=faces.needs_shared)]


def open_engine(name: str) -> FaceEngine:
    if name == "fake":
        return fakes.FakeEngine()
    return load_engine(Settings(pack="dlib-resnet" if name == "dlib" else str(faces.EDGE_PACK)))


@pytest.fixture(scope="module", params=["fake", *REAL])
def named_engine(request):
    return request.param, open_engine(request.param)


@pytest.fixture(scope="module")
def engine(named_engine) -> FaceEngine:
    return named_engine[1]


@pytest.fixture(scope="module")
def crowd(named_engine) -> np.ndarray:
    """A picture of at least five different people, as this engine sees people."""
    if named_engine[0] == "fake":
        return decode(fakes.photo(1, 2, 3, 4, 5), max_bytes=10**7, max_pixels=10**7)
    return faces.open_photo(faces.six_people())


@pytest.fixture(scope="module")
def crops(engine, crowd) -> list[np.ndarray]:
    return [engine.align(crowd, face) for face in engine.detect(crowd)]


def test_finds_everybody_in_the_picture(engine, crowd):
    assert len(engine.detect(crowd)) >= 5


def test_faces_come_largest_first_with_plain_values(engine, crowd):
    found = engine.detect(crowd)
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (face.box for face in found)]
    assert areas == sorted(areas, reverse=True)
    for face in found:
        assert all(type(value) is float for value in face.box)
        assert face.landmarks.shape == (5, 2)
        assert face.landmarks.dtype == np.float32
        assert type(face.score) is float
        assert 0 <= face.score <= 1


@pytest.mark.parametrize("shape", [(480, 640, 3), (1, 1, 3), (40, 2000, 3), (2000, 8, 3), (1500, 1100, 3)])
def test_finds_nobody_in_a_blank_picture_of_any_shape(engine, shape):
    assert engine.detect(np.zeros(shape, np.uint8)) == []


def test_crops_have_one_square_shape(crops):
    assert {crop.shape for crop in crops} == {(crops[0].shape[0], crops[0].shape[0], 3)}
    assert all(crop.dtype == np.uint8 for crop in crops)


def test_embeddings_are_unit_rows_of_the_packs_dimension(engine, crops):
    embeddings = engine.embed(crops)
    assert embeddings.shape == (len(crops), engine.pack.dimension)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


def test_a_batch_gives_what_single_faces_give(engine, crops):
    single = np.concatenate([engine.embed([crop]) for crop in crops])
    np.testing.assert_allclose(engine.embed(crops), single, atol=1e-5)


def test_an_empty_batch_gives_no_rows(engine):
    embeddings = engine.embed([])
    assert embeddings.shape == (0, engine.pack.dimension)
    assert embeddings.dtype == np.float32


def test_different_people_stay_below_the_threshold(engine, crops):
    similarity = engine.embed(crops) @ engine.embed(crops).T
    np.fill_diagonal(similarity, -1)
    assert similarity.max() < engine.pack.threshold


def test_input_is_left_as_it_was(engine, crowd, crops):
    picture, crop = crowd.copy(), crops[0].copy()
    face = engine.detect(crowd)[0]
    engine.quality(crowd, face, engine.align(crowd, face))
    engine.embed(crops)
    assert np.array_equal(crowd, picture)
    assert np.array_equal(crops[0], crop)


def test_quality_is_finite_and_within_its_ranges(engine, crowd):
    for face in engine.detect(crowd):
        quality = engine.quality(crowd, face, engine.align(crowd, face))
        assert quality.size_px > 20
        assert quality.sharpness >= 0
        assert 0 <= quality.brightness <= 255
        assert 0 < quality.visible <= 1
        assert max(abs(quality.yaw_deg), abs(quality.pitch_deg), abs(quality.roll_deg)) <= 180


def test_four_threads_get_the_same_answers(engine, crowd):
    def work(_):
        found = engine.detect(crowd)
        return [face.box for face in found], engine.embed([engine.align(crowd, face) for face in found])

    expected_boxes, expected = work(None)
    with ThreadPoolExecutor(4) as threads:
        for boxes, embeddings in threads.map(work, range(12)):
            assert boxes == expected_boxes
            np.testing.assert_allclose(embeddings, expected, atol=1e-6)


def test_the_pack_says_what_it_is(engine):
    pack = engine.pack
    assert pack.pack_id
    assert pack.licence
    assert pack.dimension > 0
    assert 0 < pack.margin < pack.threshold < 1


@pytest.mark.parametrize("name", REAL)
def test_the_same_face_again_is_nearer_than_anybody_else(name):
    engine = open_engine(name)
    person = faces.open_photo(faces.astronaut())
    (first,) = embeddings(engine, person)
    (again,) = embeddings(engine, worse(person))
    others = embeddings(engine, faces.open_photo(faces.six_people()))
    assert first @ again > engine.pack.threshold
    assert (others @ first).max() < engine.pack.threshold


@pytest.mark.parametrize("name", REAL)
def test_a_face_that_fills_the_picture_is_found(name):
    engine = open_engine(name)
    person = faces.open_photo(faces.astronaut())
    x1, y1, x2, y2 = (int(value) for value in engine.detect(person)[0].box)
    close_up = Image.fromarray(person[y1 - 10 : y2 + 10, x1 - 10 : x2 + 10]).resize((640, 640))
    assert len(engine.detect(np.asarray(close_up))) == 1


@pytest.mark.parametrize("name", REAL)
def test_boxes_are_in_pixels_of_the_whole_picture(name):
    engine = open_engine(name)
    person = faces.open_photo(faces.astronaut())
    large = np.asarray(Image.fromarray(person).resize((2048, 2048)))
    small_box, large_box = engine.detect(person)[0].box, engine.detect(large)[0].box
    np.testing.assert_allclose(np.array(small_box) * 4, large_box, atol=60)


def embeddings(engine: FaceEngine, picture: np.ndarray) -> np.ndarray:
    return engine.embed([engine.align(picture, face) for face in engine.detect(picture)])


def worse(picture: np.ndarray) -> np.ndarray:
    """The same picture smaller, darker and strongly compressed."""
    image = Image.fromarray(picture).resize((picture.shape[1] * 3 // 4, picture.shape[0] * 3 // 4))
    out = io.BytesIO()
    image.point(lambda value: value * 0.7).save(out, "JPEG", quality=40)
    return np.asarray(Image.open(out))
