"""Quality: signs and sizes of head angles, sharpness, brightness, and how much of a face is there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ray_backend.domain.model import DetectedFace
from ray_backend.settings import Settings
from ray_backend.vision.packs import load_engine
from ray_backend.vision.quality import DLIB, INSIGHTFACE, head_angles, measure, sharpness, visible_part
from tests import faces

# Points of a head in units of eye distance: x to the right of the picture, y down, z to the camera.
INSIGHTFACE_HEAD = np.array(
    [(-0.5, 0, 0), (0.5, 0, 0), (0, INSIGHTFACE.drop, INSIGHTFACE.protrusion)]
    + [(x, INSIGHTFACE.mouth_drop, 0) for x in (-0.4, 0.4)]
)
DLIB_HEAD = np.array([(0.7, 0, 0), (0.3, 0, 0), (-0.7, 0, 0), (-0.3, 0, 0), (0, DLIB.drop, DLIB.protrusion)])
HEADS = [(INSIGHTFACE, INSIGHTFACE_HEAD), (DLIB, DLIB_HEAD)]


def seen(head: np.ndarray, yaw: float = 0, pitch: float = 0, roll: float = 0) -> np.ndarray:
    """Landmarks in pixels of a head turned to the right of the picture, then down, then clockwise."""
    x, y, z = head.T
    a, b, c = np.radians([yaw, pitch, roll])
    x, z = x * np.cos(a) + z * np.sin(a), z * np.cos(a) - x * np.sin(a)
    y = y * np.cos(b) + z * np.sin(b)
    x, y = x * np.cos(c) - y * np.sin(c), x * np.sin(c) + y * np.cos(c)
    return (np.stack([x, y], axis=1) * 80 + 300).astype(np.float32)


@pytest.mark.parametrize(("scheme", "head"), HEADS)
@pytest.mark.parametrize("angle", [-45, -20, 0, 20, 45])
def test_angles_are_found_one_by_one(scheme, head, angle):
    np.testing.assert_allclose(head_angles(seen(head, yaw=angle), scheme), (angle, 0, 0), atol=0.5)
    np.testing.assert_allclose(head_angles(seen(head, roll=angle), scheme), (0, 0, angle), atol=0.5)


@pytest.mark.parametrize("angle", [-25, -10, 10, 25])
def test_pitch_has_the_right_sign_and_size(angle):
    assert head_angles(seen(INSIGHTFACE_HEAD, pitch=angle), INSIGHTFACE)[1] == pytest.approx(angle, abs=3)
    coarse = head_angles(seen(DLIB_HEAD, pitch=angle), DLIB)[1]
    assert 0.4 < coarse / angle < 1.5


def test_landmarks_in_one_point_give_finite_angles():
    for scheme, _ in HEADS:
        assert np.all(np.isfinite(head_angles(np.zeros((5, 2), np.float32), scheme)))


@pytest.mark.parametrize(
    ("box", "part"),
    [((10, 10, 20, 20), 1), ((-10, 0, 10, 20), 0.5), ((90, 90, 110, 110), 0.25), ((200, 0, 210, 9), 0)],
)
def test_visible_part_of_a_box(box, part):
    assert visible_part(box, 100, 100) == pytest.approx(part)


def test_blurring_lowers_sharpness():
    grey = np.random.default_rng(0).integers(0, 256, (150, 150), np.uint8)
    values = [sharpness(cv2.GaussianBlur(grey, (0, 0), sigma)) for sigma in (0.5, 1, 2, 4)]
    assert values == sorted(values, reverse=True)
    assert sharpness(np.full((150, 150), 128, np.uint8)) == 0


def test_brightness_is_that_of_the_face_and_not_of_what_is_around():
    crop = np.full((112, 112, 3), 250, np.uint8)
    crop[20:92, 20:92] = 40
    face = DetectedFace((0.0, 0.0, 80.0, 90.0), seen(INSIGHTFACE_HEAD), 0.9)
    quality = measure(np.zeros((100, 100, 3), np.uint8), face, crop, INSIGHTFACE)
    assert quality.brightness == pytest.approx(40, abs=5)
    assert quality.size_px == 80
    assert quality.detection_score == pytest.approx(0.9)


@pytest.fixture(scope="module")
def measured():
    engine = load_engine(Settings(pack=str(faces.EDGE_PACK)))

    def of(name: str):
        picture = faces.open_photo(faces.FACES / name)
        face = engine.detect(picture)[0]
        return engine.quality(picture, face, engine.align(picture, face))

    return of


@faces.needs_shared
def test_turned_heads_in_photos(measured):
    assert measured("pose/left_face.jpg").yaw_deg < -40
    assert measured("pose/right_face.jpg").yaw_deg > 40
    assert measured("pose/rise_face.jpg").pitch_deg < -20
    assert measured("pose/lower_face.jpg").pitch_deg > 10
    assert measured("pose/left_wryneck.jpg").roll_deg < -30
    assert measured("pose/right_wryneck.jpg").roll_deg > 30
    portrait = measured("enrol/obama/1.jpg")
    assert max(abs(portrait.yaw_deg), abs(portrait.pitch_deg), abs(portrait.roll_deg)) < 12


@faces.needs_shared
def test_the_blurred_photo_is_the_least_sharp_of_the_large_faces(measured):
    blurred = measured("quality/blur.jpg").sharpness
    for photo in faces.labelled("enrol", "resolution"):
        assert measured(photo.name).sharpness > 2 * blurred
