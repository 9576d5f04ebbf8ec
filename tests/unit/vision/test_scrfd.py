"""The quick decoding of SCRFD against insightface's own, and its steadier landmarks."""

from __future__ import annotations

import numpy as np
import pytest
from insightface.model_zoo import get_model

from ray_backend.vision.insightface_pack import MIN_SCORE, input_size
from ray_backend.vision.scrfd import find_faces
from ray_backend.vision.session import session_options
from tests import faces


@pytest.fixture(scope="module")
def detector():
    return get_model(
        str(faces.EDGE_PACK / "det_500m.onnx"), sess_options=session_options(), static_shape_sessions=False
    )


@faces.needs_shared
@pytest.mark.parametrize("size", [(640, 640), None, (256, 256)])
def test_faces_are_those_that_insightface_finds(detector, size):
    found_any = 0
    for photo in faces.labelled("enrol", "probe", "group", "pose"):
        picture = faces.open_photo(photo.path)
        chosen = size or input_size(picture.shape[1], picture.shape[0])
        boxes, points = detector.detect(picture, input_size=chosen, det_thresh=MIN_SCORE)
        found = find_faces(detector, picture, chosen, MIN_SCORE)
        assert len(found) == len(boxes), photo.name
        for face, box, five in zip(found, boxes, points, strict=True):
            # Where insightface's floats make a side one pixel shorter, an edge moves by about one too.
            np.testing.assert_allclose(face.box, box[:4], atol=2)
            # Several anchors agree about a face; about one that is cut off they do less.
            np.testing.assert_allclose(face.landmarks, five, atol=0.12 * max(box[2:4] - box[:2]))
            assert face.score == pytest.approx(box[4], abs=0.02)
        found_any += len(found)
    assert found_any > 20


class _TwoAnchors:
    """Sees one face with two anchors at the top left, which differ in its landmarks, and another with one."""

    input_name, input_mean, input_std = "input", 127.5, 128.0
    output_names = ("outputs",)

    def __init__(self) -> None:
        self.session = self

    def run(self, _names: object, _feed: object) -> list[np.ndarray]:
        outputs = [
            np.zeros((8 * 8 * 2 // part, values), np.float32) for values in (1, 4, 10) for part in (1, 4, 16)
        ]
        scores, distances, landmarks = outputs[0], outputs[3], outputs[6]
        scores[[0, 1, 100], 0] = 0.9, 0.6, 0.7
        distances[[0, 1, 100]] = 2
        landmarks[0], landmarks[1], landmarks[100] = 1, 2, 3
        return outputs

    def nms(self, found: np.ndarray) -> list[int]:
        return [0, 1]


def test_the_landmarks_are_the_mean_of_all_anchors_that_saw_the_face():
    one, other = find_faces(_TwoAnchors(), np.zeros((64, 64, 3), np.uint8), (64, 64), MIN_SCORE)
    assert one.score == pytest.approx(0.9)
    np.testing.assert_allclose(one.landmarks, 8 * (0.9 * 1 + 0.6 * 2) / 1.5, rtol=1e-6)
    assert other.score == pytest.approx(0.7)
    x, y = 8 * (50 % 8), 8 * (50 // 8)
    np.testing.assert_allclose(other.landmarks, [[x + 24, y + 24]] * 5)
