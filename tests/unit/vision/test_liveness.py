"""Passive liveness without its weights: crops, names, averaging, and what is said when files are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import requests
from insightface.addons import ADDON_CATALOG
from onnx import TensorProto, helper, save

from ray_backend.domain.errors import PackUnavailable
from ray_backend.domain.model import DetectedFace
from ray_backend.vision.alignment import ARCFACE_POINTS, DLIB_POINTS
from ray_backend.vision.liveness import addon, open_liveness
from ray_backend.vision.liveness.minifasnet import crop_box
from tests.unit.vision.models import save_model

FACE = DetectedFace((40.0, 40.0, 80.0, 80.0), (ARCFACE_POINTS * 0.4 + 40).astype(np.float32), 0.9)
PICTURE = np.full((200, 200, 3), 120, np.uint8)


def save_constant(path: Path, into: list, out: list[float], shape: list) -> Path:
    """A model that puts out the same numbers for every picture."""
    weights = helper.make_tensor("w", TensorProto.FLOAT, shape, out)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["out"])],
        "test",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, into)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, shape)],
        [weights],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def save_fasnet(path: Path, live: float) -> Path:
    """A MiniFASNet that always says `live`."""
    out = np.log([(1 - live) / 2, live, (1 - live) / 2]).tolist()
    return save_constant(path, [1, 3, 80, 80], out, [1, 3])


def test_nothing_asked_for_is_nothing():
    assert open_liveness("") is None


@pytest.mark.parametrize(
    ("box", "scale", "crop"),
    [
        ((80, 80, 120, 120), 2.0, (60, 60, 140, 140)),
        ((0, 80, 40, 120), 2.0, (0, 60, 80, 140)),
        ((160, 160, 200, 200), 2.0, (119, 119, 199, 199)),
        ((50, 50, 150, 150), 4.0, (0, 0, 199, 199)),
    ],
    ids=["inside", "shifted right", "shifted up and left", "made smaller"],
)
def test_the_crop_stays_inside_the_picture_as_the_original_does_it(box, scale, crop):
    assert crop_box(box, scale, 200, 200) == crop


def test_a_crop_is_never_empty_wherever_the_box_is():
    rng = np.random.default_rng(0)
    for _ in range(500):
        x1, y1 = rng.uniform(-50, 220, 2)
        box = (x1, y1, x1 + rng.uniform(0, 300), y1 + rng.uniform(0, 300))
        left, top, right, bottom = crop_box(box, 2.7, 200, 150)
        assert 0 <= left <= right <= 199
        assert 0 <= top <= bottom <= 149


def test_several_files_are_averaged(tmp_path):
    save_fasnet(tmp_path / "2.7_80x80_A.onnx", 0.9)
    save_fasnet(tmp_path / "4_0_0_80x80_B.onnx", 0.4)
    model = open_liveness(str(tmp_path))
    assert model.score(PICTURE, FACE) == pytest.approx(0.65, abs=1e-5)
    assert model.model_id.startswith("minifasnet-")


def test_other_weights_have_another_id(tmp_path):
    for name, live in (("a", 0.9), ("b", 0.8)):
        (tmp_path / name).mkdir()
        save_fasnet(tmp_path / name / "2.7_80x80_A.onnx", live)
    assert open_liveness(str(tmp_path / "a")).model_id != open_liveness(str(tmp_path / "b")).model_id


def refusal(folder: Path) -> str:
    with pytest.raises(PackUnavailable) as caught:
        open_liveness(str(folder))
    return caught.value.message


def test_a_folder_without_models_says_what_to_do(tmp_path):
    assert "ROLLCALL_LIVENESS_MODELS" in refusal(tmp_path / "none")
    assert "put MiniFASNet ONNX files there" in refusal(tmp_path)


def test_a_file_that_is_no_such_model_is_refused_with_its_name(tmp_path):
    wrong_name = save_fasnet(tmp_path / "model.onnx", 0.9)
    assert "original name" in refusal(tmp_path)
    wrong_name.unlink()
    damaged = tmp_path / "2.7_80x80_A.onnx"
    damaged.write_bytes(b"no model at all")
    assert "cannot be opened" in refusal(tmp_path)
    save_model(damaged, [[1, 3, 112, 112]], [[1, 512]])
    assert "is no MiniFASNet model" in refusal(tmp_path)


def test_the_addon_that_cannot_be_downloaded_says_what_to_do(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise requests.ConnectionError("no network")

    monkeypatch.setattr(requests, "get", no_network)
    with pytest.raises(PackUnavailable) as caught:
        open_liveness("insightface", models_dir=tmp_path)
    assert str(tmp_path / "addons" / "liveness.onnx") in caught.value.message
    assert "ROLLCALL_LIVENESS_MODELS" in caught.value.message


def test_a_file_in_the_addons_place_that_is_another_is_refused(tmp_path):
    (tmp_path / "addons").mkdir()
    (tmp_path / "addons" / ADDON_CATALOG["liveness"].filename).write_bytes(b"something else")
    with pytest.raises(PackUnavailable, match="not the published one"):
        open_liveness("insightface", models_dir=tmp_path)


def test_the_addons_own_loader_runs_a_model_of_its_shape(tmp_path):
    model = addon.LivenessAddon(save_constant(tmp_path / "a.onnx", [1, 3, 80, 80], [0.7], [1]))
    assert model.score(PICTURE, FACE) == pytest.approx(0.7)


def test_the_addon_does_not_let_through_what_it_cannot_judge(tmp_path):
    model = addon.LivenessAddon(save_constant(tmp_path / "a.onnx", [1, 3, 80, 80], [0.7], [1]))
    assert model.score(PICTURE[40:90, 40:90], FACE) == 0.0


def test_a_model_of_another_shape_is_not_the_addon(tmp_path):
    with pytest.raises(PackUnavailable, match="is not insightface's liveness model"):
        addon.LivenessAddon(save_fasnet(tmp_path / "a.onnx", 0.5))


def test_the_addon_sees_dlibs_faces_where_insightface_would():
    insightface = addon.arcface_points(ARCFACE_POINTS)
    np.testing.assert_allclose(insightface, ARCFACE_POINTS, atol=1e-4)
    placed = addon.arcface_points(DLIB_POINTS * 100)
    left, right, nose, *mouth = placed
    assert left[0] < nose[0] < right[0]
    assert all(corner[1] > nose[1] > left[1] for corner in mouth)
    np.testing.assert_allclose(left, DLIB_POINTS[2:4].mean(0) * 100, atol=1e-3)
