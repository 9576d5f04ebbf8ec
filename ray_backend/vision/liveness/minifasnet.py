"""MiniFASNet models (minivision-ai/Silent-Face-Anti-Spoofing) as a `LivenessModel`.

Each file looks at the face with a certain amount of its surroundings, which its name states:
`2.7_80x80_MiniFASNetV2.onnx` at the face's box made 2.7 times as large.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from ray_backend.domain.errors import PackUnavailable
from ray_backend.domain.model import Box, DetectedFace
from ray_backend.vision.onnx_signature import Signature, read_signature
from ray_backend.vision.session import open_session

LIVE = 1  # which of the three classes is a living face; the others are printed and replayed ones
CLASSES = 3
# `4_0_0_80x80_...`: scale 4, then the height and width of the input.
NAME = re.compile(r"(?P<scale>\d+(?:\.\d+)?)_(?:\d+_)*(?P<height>\d+)x(?P<width>\d+)_.+")
UNUSABLE = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


@dataclass(frozen=True, slots=True)
class Look:
    """One of the models: how large its crop is in face boxes, and its (height, width) in pixels."""

    session: ort.InferenceSession
    scale: float
    size: tuple[int, int]


class MiniFasNet:
    """The mean of one or several MiniFASNet models. Safe to call from several threads."""

    def __init__(self, model_id: str, looks: Sequence[Look]) -> None:
        """`looks` are one or more."""
        self.model_id = model_id
        self._looks = tuple(looks)

    def score(self, image_bgr: np.ndarray, face: DetectedFace) -> float:
        """The probability, 0 to 1, that the face of a (H, W, 3) uint8 BGR picture is a living one."""
        return float(np.mean([_live(look, image_bgr, face.box) for look in self._looks]))


def open_folder(folder: Path) -> MiniFasNet:
    """All ONNX files of a folder together. Raises PackUnavailable when there is none or one is no good."""
    if not folder.is_dir():
        raise PackUnavailable(
            f"There is no folder {folder} with liveness models. Set ROLLCALL_LIVENESS_MODELS to the folder "
            "that holds them, or to nothing to do without."
        )
    paths = sorted(folder.glob("*.onnx"))
    if not paths:
        raise PackUnavailable(f"The folder {folder} has no liveness models: put MiniFASNet ONNX files there.")
    digest = sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:8]
    return MiniFasNet(f"minifasnet-{digest}", [_open(path) for path in paths])


def crop_box(box: Box, scale: float, width: int, height: int) -> tuple[int, int, int, int]:
    """`box` made `scale` times as large, as the models were trained: (x1, y1, x2, y2), both ends inside.

    What does not fit into a picture of `width` x `height` is made smaller, what sticks out is shifted
    inwards (Silent-Face-Anti-Spoofing, src/generate_patches.py).
    """
    x1, y1, x2, y2 = box
    # That program takes boxes in whole pixels, and no narrower than one.
    across, down = max(x2 - x1, 1.0), max(y2 - y1, 1.0)
    scale = min(scale, (width - 1) / across, (height - 1) / down)
    left, right = _inside((x1 + x2) / 2, across * scale, width - 1)
    top, bottom = _inside((y1 + y2) / 2, down * scale, height - 1)
    return left, top, right, bottom


def _inside(middle: float, length: float, last: int) -> tuple[int, int]:
    start = min(max(middle - length / 2, 0.0), last - length)
    return max(0, int(start)), min(last, int(start + length))


def _live(look: Look, image_bgr: np.ndarray, box: Box) -> float:
    height, width = image_bgr.shape[:2]
    left, top, right, bottom = crop_box(box, look.scale, width, height)
    crop = cv2.resize(image_bgr[top : bottom + 1, left : right + 1], look.size[::-1])
    # BGR from 0 to 255: these models were trained without dividing by 255.
    blob = np.ascontiguousarray(crop.transpose(2, 0, 1)[None], dtype=np.float32)
    (logits,) = look.session.run(None, {look.session.get_inputs()[0].name: blob})
    powers = np.exp(logits[0] - logits[0].max())
    return float(powers[LIVE] / powers.sum())


def _open(path: Path) -> Look:
    name = NAME.fullmatch(path.stem)
    if name is None or float(name["scale"]) <= 0:
        raise PackUnavailable(
            f"The name of {path} does not say how a liveness model looks at a face. Give it its original "
            "name, such as 2.7_80x80_MiniFASNetV2.onnx, or take it out of the folder."
        )
    size = int(name["height"]), int(name["width"])
    try:
        fits = _fits(read_signature(path), size)
        session = open_session(path) if fits else None
    except (ValueError, OSError, *UNUSABLE) as error:
        raise PackUnavailable(
            f"{path} cannot be opened: it is damaged, or no ONNX model. Fetch it again."
        ) from error
    if session is None:
        raise PackUnavailable(
            f"{path} is no MiniFASNet model: one takes pictures of {size[1]} x {size[0]} pixels and puts out "
            f"{CLASSES} numbers. Take it out of the folder."
        )
    return Look(session, float(name["scale"]), size)


def _fits(signature: Signature, size: tuple[int, int]) -> bool:
    if len(signature.inputs) != 1 or len(signature.outputs) != 1:
        return False
    (into,), (out,) = signature.inputs, signature.outputs
    return len(into) == 4 and into[1:] == (3, *size) and len(out) == 2 and out[1] == CLASSES
