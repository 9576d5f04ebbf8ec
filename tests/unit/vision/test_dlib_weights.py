"""The built-in pack's ONNX graph and face crops against dlib itself."""

from __future__ import annotations

import dlib
import numpy as np
import pytest

from ray_backend.domain.errors import PackUnavailable
from ray_backend.vision import dlib_pack
from ray_backend.vision.alignment import dlib_crop
from ray_backend.vision.dlib_graph import to_onnx
from ray_backend.vision.dlib_weights import read_network
from ray_backend.vision.session import open_session
from tests import faces

WEIGHTS = dlib_pack.weights_folder() / dlib_pack.RESNET


@pytest.fixture(scope="module")
def session():
    return open_session(to_onnx(read_network(WEIGHTS)))


@pytest.fixture(scope="module")
def reference():
    return dlib.face_recognition_model_v1(str(WEIGHTS))


@pytest.fixture(scope="module")
def dlib_faces() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(picture BGR, dlib's landmarks, dlib's own crop RGB) of every face of the packages' photos."""
    predictor = dlib.shape_predictor(str(dlib_pack.weights_folder() / dlib_pack.LANDMARKS))
    detector, found = dlib.get_frontal_face_detector(), []
    for path in (faces.six_people(), faces.astronaut()):
        picture = faces.open_photo(path)
        rgb = np.ascontiguousarray(picture[:, :, ::-1])
        for rectangle in detector(rgb):
            shape = predictor(rgb, rectangle)
            points = np.array([(point.x, point.y) for point in shape.parts()])
            found.append((picture, points, dlib.get_face_chip(rgb, shape, 150, 0.25)))
    return found


def descriptor(session, crop_rgb: np.ndarray) -> np.ndarray:
    batch = crop_rgb.transpose(2, 0, 1)[None].astype(np.float32)
    return session.run(None, {"crops": batch})[0][0]


@pytest.mark.parametrize("what", ["black", "white", "noise"])
def test_the_graph_equals_dlib_on_made_pictures(session, reference, what):
    noise = np.random.default_rng(0).integers(0, 256, (150, 150, 3), dtype=np.uint8)
    crop = {"black": noise * 0, "white": noise * 0 + 255, "noise": noise}[what]
    expected = np.array(reference.compute_face_descriptor(crop))
    np.testing.assert_allclose(descriptor(session, crop), expected, atol=1e-5)


def test_the_graph_equals_dlib_on_faces(session, reference, dlib_faces):
    assert len(dlib_faces) >= 6
    for _, _, crop in dlib_faces:
        expected = np.array(reference.compute_face_descriptor(crop))
        np.testing.assert_allclose(descriptor(session, crop), expected, atol=1e-5)


def test_crops_are_dlibs_own_within_a_grey_level(dlib_faces):
    for picture, points, expected in dlib_faces:
        crop = dlib_crop(picture, points)[:, :, ::-1]
        assert np.abs(crop.astype(int) - expected).max() <= 1


def test_the_whole_pack_equals_dlib(reference, dlib_faces):
    """From the same landmarks to the normalised embedding."""
    engine = dlib_pack.DlibPack()
    mine = engine.embed([dlib_crop(picture, points) for picture, points, _ in dlib_faces])
    for row, (_, _, crop) in zip(mine, dlib_faces, strict=True):
        expected = np.array(reference.compute_face_descriptor(crop))
        assert row @ expected / np.linalg.norm(expected) > 0.9999


@pytest.mark.parametrize("cut", [0, 100, 10_000, -1])
def test_damaged_weights_are_reported(tmp_path, cut):
    path = tmp_path / "weights.dat"
    path.write_bytes(WEIGHTS.read_bytes()[:cut])
    with pytest.raises(PackUnavailable, match="damaged"):
        read_network(path)


def test_missing_weights_are_reported(monkeypatch):
    monkeypatch.setattr(dlib_pack, "WEIGHTS_PACKAGE", "no_such_package_at_all")
    with pytest.raises(PackUnavailable, match="pip install face_recognition_models"):
        dlib_pack.DlibPack()
