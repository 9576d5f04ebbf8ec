"""Telling a folder's models apart, and what is said about folders that are no pack."""

from __future__ import annotations

import json

import onnx
import pytest

from ray_backend.domain.errors import PackUnavailable
from ray_backend.vision.onnx_signature import read_signature
from ray_backend.vision.pack_folder import PackNotes, open_folder, read_notes
from tests import faces
from tests.unit.vision import models


@pytest.fixture
def folder(tmp_path):
    return models.save_pack(tmp_path / "office")


def test_detector_and_embedder_are_found_among_five_models(folder):
    files = open_folder(folder)
    assert (files.detector.name, files.embedder.name) == ("det_test.onnx", "w_test.onnx")


@faces.needs_shared
def test_signatures_equal_those_that_onnx_reads():
    for path in faces.EDGE_PACK.glob("*.onnx"):
        graph = onnx.load(path).graph
        signature = read_signature(path)
        assert len(signature.inputs) == len(graph.input)
        assert len(signature.outputs) == len(graph.output)
        shape = graph.input[0].type.tensor_type.shape.dim
        assert signature.inputs[0] == tuple(d.dim_value or d.dim_param for d in shape)


def test_the_id_changes_with_the_weights_and_not_with_the_other_files(folder):
    before = open_folder(folder).pack_id
    assert before.startswith("office-")
    assert len(before) == len("office-") + 8
    (folder / "genderage.onnx").unlink()
    assert open_folder(folder).pack_id == before
    models.save_embedder(folder / "w_test.onnx", dimension=32)
    assert open_folder(folder).pack_id != before


@pytest.mark.parametrize(("missing", "said"), [("det_test", "detector"), ("w_test", "embedder")])
def test_what_is_missing_is_named(folder, missing, said):
    (folder / f"{missing}.onnx").unlink()
    with pytest.raises(PackUnavailable, match=f"lacks a face {said}"):
        open_folder(folder)


def test_two_detectors_are_one_too_many(folder):
    models.save_detector(folder / "another.onnx")
    with pytest.raises(PackUnavailable, match=r"another\.onnx, det_test\.onnx"):
        open_folder(folder)


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x3a\xff\xff\xff\xff\x0f", b"\x80" * 40])
def test_a_damaged_model_is_named(folder, content):
    (folder / "det_test.onnx").write_bytes(content)
    with pytest.raises(PackUnavailable, match=r"det_test\.onnx"):
        open_folder(folder)


def test_no_folder_at_all(tmp_path):
    with pytest.raises(PackUnavailable, match="no folder"):
        open_folder(tmp_path / "nowhere")


def test_notes_are_optional_and_partial(folder):
    assert read_notes(folder) == PackNotes()
    (folder / "rollcall-pack.json").write_text(json.dumps({"threshold": 0.5}))
    assert read_notes(folder) == PackNotes(threshold=0.5)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"treshold": 0.5}', '{"threshold": "high"}', '{"margin": 4}', '{"threshold": []}']
)
def test_wrong_notes_are_reported(folder, text):
    (folder / "rollcall-pack.json").write_text(text)
    with pytest.raises(PackUnavailable, match=r"rollcall-pack\.json"):
        read_notes(folder)
