"""The quick decoding of SCRFD against insightface's own."""

from __future__ import annotations

import numpy as np
import pytest
from insightface.model_zoo import get_model

from ray_backend.vision.insightface_pack import MIN_SCORE, input_size
from ray_backend.vision.scrfd import find_faces
from ray_backend.vision.session import session_options
from tests import faces

pytestmark = faces.needs_shared


@pytest.fixture(scope="module")
def detector():
    return get_model(
        str(faces.EDGE_PACK / "det_500m.onnx"), sess_options=session_options(), static_shape_sessions=False
    )


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
            # Where insightface's floats make a side one pixel shorter, a point moves by about one too.
            np.testing.assert_allclose(face.box, box[:4], atol=2)
            np.testing.assert_allclose(face.landmarks, five, atol=2)
            assert face.score == pytest.approx(box[4], abs=0.02)
        found_any += len(found)
    assert found_any > 20
