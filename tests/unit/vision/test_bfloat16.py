"""Embedders in bfloat16: the same people, and float32 wherever it has to be."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ray_backend.settings import Settings
from ray_backend.vision import bfloat16
from ray_backend.vision.bfloat16 import Bfloat16Session, in_bfloat16
from ray_backend.vision.dlib_graph import to_onnx
from ray_backend.vision.dlib_pack import CROP, RESNET, DlibPack, weights_folder
from ray_backend.vision.dlib_weights import read_network
from ray_backend.vision.packs import load_engine
from tests import faces

pytest.importorskip("openvino", reason="OpenVINO has no package for this kind of processor")


@pytest.fixture(scope="module")
def network() -> bytes:
    return to_onnx(read_network(weights_folder() / RESNET))


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    engine, picture = DlibPack(bfloat16=False), faces.open_photo(faces.six_people())
    return np.stack([engine.align(picture, face) for face in engine.detect(picture)])


@pytest.fixture(scope="module")
def rows(crops) -> np.ndarray:
    return np.ascontiguousarray(crops[:, :, :, ::-1].transpose(0, 3, 1, 2), dtype=np.float32)


@pytest.mark.parametrize(("inference", "exact"), [("plain", True), ("fast", False)])
def test_plain_inference_embeds_in_float32(crops, inference, exact):
    if not exact and not bfloat16.is_quicker():
        pytest.skip("this processor has no bfloat16")
    engine = load_engine(Settings(pack="dlib-resnet", inference=inference))
    assert np.array_equal(engine.embed(crops), DlibPack(bfloat16=False).embed(crops)) == exact


def test_embeddings_keep_their_direction(network, crops, rows):
    exact = DlibPack(bfloat16=False).embed(crops)
    (quick,) = Bfloat16Session(network, CROP).run(None, {"crops": rows})
    cosines = np.sum(exact * quick, axis=1) / np.linalg.norm(quick, axis=1)
    assert len(cosines) > 3
    assert cosines.min() > 0.998


def test_many_threads_get_each_their_own_answers(network, rows):
    session = Bfloat16Session(network, CROP)
    alone = [session.run(None, {"crops": row[None]})[0] for row in rows]
    with ThreadPoolExecutor(4) as threads:
        jobs = [threads.submit(session.run, None, {"crops": row[None]}) for row in np.repeat(rows, 5, axis=0)]
        for number, job in enumerate(jobs):
            np.testing.assert_array_equal(job.result()[0], alone[number // 5])


def test_whoever_asks_computes(network, rows):
    session = Bfloat16Session(network, CROP)
    session.run(None, {"crops": rows})
    own, everybody = time.thread_time(), time.process_time()
    for _ in range(5):
        session.run(None, {"crops": rows})
    # Handed on, it would be a tenth.
    assert time.thread_time() - own > 0.6 * (time.process_time() - everybody)


def test_there_are_no_more_networks_than_threads_that_want_one(monkeypatch, network, rows):
    made = []
    lane = bfloat16._Lane
    monkeypatch.setattr(bfloat16, "_Lane", lambda network: made.append(1) or lane(network))
    monkeypatch.setattr(bfloat16, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(bfloat16.os, "cpu_count", lambda: 4)
    session = Bfloat16Session(network, CROP)
    session.run(None, {"crops": rows})
    assert len(made) == 1
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: session.run(None, {"crops": rows}), range(12)))
    assert len(made) == 2


@pytest.mark.parametrize(
    ("capable", "providers"),
    [(False, ["CPUExecutionProvider"]), (True, ["CUDAExecutionProvider", "CPUExecutionProvider"])],
    ids=["a processor without it", "a graphics card"],
)
def test_float32_stays_where_bfloat16_is_no_gain(monkeypatch, network, capable, providers):
    monkeypatch.setattr(bfloat16, "_has_bfloat16", lambda: capable)
    monkeypatch.setattr(bfloat16, "providers", lambda: providers)
    session = object()
    assert in_bfloat16(session, network, CROP) is session


def test_float32_stays_aloud_where_openvino_cannot(monkeypatch, caplog):
    monkeypatch.setattr(bfloat16, "_has_bfloat16", lambda: True)
    session = object()
    with caplog.at_level(logging.WARNING):
        assert in_bfloat16(session, b"no model", CROP) is session
    assert "runs in float32" in caplog.text
