"""Face crops: landmarks land where the embedders expect them, also far out and far too large."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ray_backend.vision.alignment import ARCFACE_POINTS, arcface_crop


def placed(scale: float, degrees: float, x: float, y: float) -> np.ndarray:
    """The model landmarks scaled, turned and moved."""
    turn = np.exp(1j * np.radians(degrees)) * scale
    points = (ARCFACE_POINTS[:, 0] + 1j * ARCFACE_POINTS[:, 1]) * turn + x + 1j * y
    return np.stack([points.real, points.imag], axis=1).astype(np.float32)


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.9, 2.0, 3.7, 7.3])
@pytest.mark.parametrize("degrees", [0, 33, -90])
def test_landmarks_land_on_the_model_points(scale, degrees):
    landmarks = placed(scale, degrees, 900, 900)
    picture = np.zeros((1800, 1800, 3), np.uint8)
    for x, y in landmarks:
        cv2.circle(picture, (round(float(x)), round(float(y))), max(2, round(2 * scale)), (255,) * 3, -1)
    crop = arcface_crop(picture, landmarks)
    assert crop.shape == (112, 112, 3)
    for x, y in ARCFACE_POINTS:
        part = crop[round(y) - 6 : round(y) + 7, round(x) - 6 : round(x) + 7, 0].astype(float)
        rows, columns = np.mgrid[round(y) - 6 : round(y) + 7, round(x) - 6 : round(x) + 7]
        found = (part * columns).sum() / part.sum(), (part * rows).sum() / part.sum()
        np.testing.assert_allclose(found, (x, y), atol=max(0.9, 0.8 / scale))  # drawn on whole pixels


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_equals_insightface_for_faces_of_usual_size():
    from insightface.utils.face_align import norm_crop

    picture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8), (9, 9), 3)
    landmarks = placed(1.4, 12, 60, 20) + np.random.default_rng(1).normal(0, 2, (5, 2)).astype(np.float32)
    expected = norm_crop(picture, landmarks)
    assert np.abs(arcface_crop(picture, landmarks).astype(int) - expected).max() <= 1


def test_what_lies_outside_of_the_picture_is_black():
    picture = np.full((400, 400, 3), 200, np.uint8)
    assert not arcface_crop(picture, placed(3.0, 0, 5000, 5000)).any()
    half = arcface_crop(picture, placed(3.0, 0, 232, 0))
    assert half[56, 10, 0] == 200
    assert half[56, 100, 0] == 0


def test_large_faces_are_averaged_and_not_skipped_over():
    """A fine chequerboard is grey from afar; picking single pixels would leave it black and white."""
    board = np.indices((1200, 1200)).sum(0) % 2 * 255
    picture = np.repeat(board[:, :, None], 3, axis=2).astype(np.uint8)
    crop = arcface_crop(picture, placed(8.0, 0, 100, 100))
    assert crop[20:90, 20:90].std() < 5
    assert abs(float(crop[20:90, 20:90].mean()) - 127.5) < 3
