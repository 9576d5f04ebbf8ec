"""Runs an embedder in bfloat16 through OpenVINO, on processors that have instructions for it.

That takes half the time that float32 takes, and embeddings keep their direction: on the labelled photos their
cosine with those of float32 is 0.999 in the median and 0.98 at least. Detectors stay in float32: they would
lose faces at the edge of their threshold.
"""

from __future__ import annotations

import importlib.util
import logging
import os
from functools import cache
from pathlib import Path
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING

import numpy as np

from ray_backend.vision.session import CUDA, providers

if TYPE_CHECKING:
    import onnxruntime as ort
    import openvino

log = logging.getLogger(__name__)

# Rows that one process embeds at the same time: an actor one, a program without Ray one for each core.
MOST_AT_ONCE = 8


class Bfloat16Session:
    """Called as an `InferenceSession` of onnxruntime is, by models of one input (N, ...) and one output.

    Safe to call from several threads, each on a processor core of its own.
    """

    def __init__(self, model: Path | bytes, row: tuple[int, ...]) -> None:
        """`row` is the shape of one of the input's N rows. Raises RuntimeError where OpenVINO cannot."""
        network = _core().read_model(model if isinstance(model, bytes) else str(model))
        # One row at a time: a fixed shape is faster than any, and more rows a call are not faster here.
        network.reshape([1, *row])
        streams = min(os.cpu_count() or 1, MOST_AT_ONCE)
        self._model = _core().compile_model(
            network,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "bf16",
                "INFERENCE_NUM_THREADS": streams,
                "NUM_STREAMS": streams,
                # Several processes share the cores; each would take the first ones for itself.
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._requests: LifoQueue[openvino.InferRequest] = LifoQueue()

    def run(self, _outputs: object, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        """The one output, (N, ...) float32."""
        (rows,) = feed.values()
        try:
            request = self._requests.get_nowait()
        except Empty:
            request = self._model.create_infer_request()
        try:
            return [np.concatenate([request.infer([row[None]])[0] for row in rows])]
        finally:
            self._requests.put(request)


def in_bfloat16(
    session: ort.InferenceSession, model: Path | bytes, row: tuple[int, ...]
) -> ort.InferenceSession | Bfloat16Session:
    """What to run the embedder that `session` opened with: that, or bfloat16 where this is faster."""
    if not is_quicker():
        return session
    try:
        return Bfloat16Session(model, row)
    except RuntimeError as error:
        log.warning("OpenVINO cannot run this embedder, so it runs in float32: %s", error)
        return session


def is_quicker() -> bool:
    """Whether embedders run in bfloat16 on this machine."""
    return CUDA not in providers() and _has_bfloat16()


@cache
def _core() -> openvino.Core:
    import openvino

    return openvino.Core()


@cache
def _has_bfloat16() -> bool:
    if importlib.util.find_spec("openvino") is None:
        return False
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
