"""People without number for tests: a picture carries its person's code in black and white squares, and an
engine reads it. Everything else around it is real.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ray_backend.domain.model import DetectedFace, Pack, Quality

CODED_PACK = Pack("coded", dimension=256, threshold=0.5, margin=0.05, licence="none: a test fake")
_BITS = 24
_SQUARE = 8  # pixels: survives JPEG
_SIDE = 160
_FRAME = 20


def coded_photo(code: int, variant: int = 0) -> bytes:
    """A PNG of person `code`, 0 to 2**24 - 1. Other variants are other files of the same person."""
    picture = np.full((_SIDE, _SIDE), 100 + variant, np.uint8)
    for bit in range(_BITS):
        row, column = divmod(bit, 6)
        top, left = _FRAME + row * _SQUARE, _FRAME + column * _SQUARE
        picture[top : top + _SQUARE, left : left + _SQUARE] = 255 if code >> bit & 1 else 0
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def coded_folder(root: Path, people: int, photos: int = 1) -> Path:
    """A folder with so many people, as `rollcall people import` takes it."""
    for code in range(people):
        folder = root / f"E{code:05d}_Person {code}"
        folder.mkdir(parents=True)
        for variant in range(photos):
            (folder / f"{variant}.png").write_bytes(coded_photo(code, variant))
    return root


class CodedEngine:
    """Implements `FaceEngine` on such pictures. `embedded` counts the faces."""

    pack = CODED_PACK

    def __init__(self) -> None:
        self.embedded = 0

    def detect(self, image_bgr: np.ndarray, quick: bool = False) -> list[DetectedFace]:
        if image_bgr.shape[:2] != (_SIDE, _SIDE):
            return []
        centre = np.full((5, 2), _SIDE / 2, np.float32)
        return [DetectedFace((10.0, 10.0, _SIDE - 10.0, _SIDE - 10.0), centre, 0.99)]

    def align(self, image_bgr: np.ndarray, face: DetectedFace) -> np.ndarray:
        return image_bgr

    def embed(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        self.embedded += len(crops)
        rows = [self._embedding(crop) for crop in crops]
        return np.stack(rows) if rows else np.empty((0, self.pack.dimension), np.float32)

    def quality(self, image_bgr: np.ndarray, face: DetectedFace, crop: np.ndarray) -> Quality:
        return Quality(
            size_px=_SIDE - 20,
            sharpness=200.0,
            brightness=120.0,
            yaw_deg=0.0,
            pitch_deg=0.0,
            roll_deg=0.0,
            visible=1.0,
            detection_score=face.score,
        )

    def _embedding(self, crop: np.ndarray) -> np.ndarray:
        centre = _FRAME + _SQUARE // 2
        squares = crop[centre : centre + 4 * _SQUARE : _SQUARE, centre : centre + 6 * _SQUARE : _SQUARE, 0]
        code = sum(1 << bit for bit, value in enumerate(squares.ravel()) if value > 127)
        vector = np.random.default_rng(code).standard_normal(self.pack.dimension).astype(np.float32)
        return vector / np.linalg.norm(vector)
