"""Fakes for unit tests: a clock that is set, pictures of coloured squares, and an engine that sees them.

A square of one colour is a face, and its colour is who it is. Everything else (decoding, the gallery,
the services, the stores) is real around it, and the engine stands under the engines' contract suite.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from PIL import Image

from ray_backend.domain.model import DetectedFace, Pack, Quality

FAKE_PACK = Pack("fake", dimension=32, threshold=0.5, margin=0.05, licence="none: a test fake")
SIDE = 112


class SetClock:
    """Implements `Clock`: stands still until it is moved."""

    def __init__(self, at: datetime = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, **delta: float) -> None:
        """Moves by a timedelta given in its keywords."""
        self.at += timedelta(**delta)


def colour_of(who: int) -> tuple[int, int, int]:
    """The BGR colour of person number `who` (1 to 200); all channels differ from black."""
    return (40 + who, 40 + (who * 7) % 200, 40 + (who * 13) % 200)


def photo(*who: int, blurred: bool = False, variant: int = 0) -> bytes:
    """A PNG of these people side by side, the first one largest. Other variants are other files of the
    same people. Blurred faces carry a mark that the engine reads as no sharpness."""
    picture = np.zeros((240, 200 * max(1, len(who)) + variant, 3), np.uint8)
    for index, person in enumerate(who):
        size = 150 - 20 * index
        left = 200 * index + 20
        picture[40 : 40 + size, left : left + size] = colour_of(person)
        if blurred:
            picture[40 + size // 2, left + size // 2] = 0
    buffer = io.BytesIO()
    Image.fromarray(picture[:, :, ::-1]).save(buffer, "PNG")
    return buffer.getvalue()


class FakeEngine:
    """Implements `FaceEngine` on such pictures."""

    pack = FAKE_PACK

    def detect(self, image_bgr: np.ndarray, quick: bool = False) -> list[DetectedFace]:
        # One number for each pixel: comparing rows of three would take most of the tests' time.
        numbers = np.unique(image_bgr.astype(np.uint32) @ np.array([1, 256, 65536], np.uint32))
        colours = np.stack([numbers & 255, numbers >> 8 & 255, numbers >> 16], axis=1).astype(np.uint8)
        faces = [self._face(image_bgr, colour) for colour in colours if colour.any()]
        return sorted(faces, key=lambda face: face.box[0] - face.box[2])

    def align(self, image_bgr: np.ndarray, face: DetectedFace) -> np.ndarray:
        x1, y1, x2, y2 = (int(value) for value in face.box)
        rows = np.linspace(y1, y2 - 1, SIDE).astype(int)
        columns = np.linspace(x1, x2 - 1, SIDE).astype(int)
        return np.ascontiguousarray(image_bgr[rows[:, None], columns[None, :]])

    def embed(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        rows = [self._embedding(crop) for crop in crops]
        return np.stack(rows) if rows else np.empty((0, self.pack.dimension), np.float32)

    def quality(self, image_bgr: np.ndarray, face: DetectedFace, crop: np.ndarray) -> Quality:
        x1, y1, x2, y2 = (int(value) for value in face.box)
        blurred = not image_bgr[(y1 + y2) // 2, (x1 + x2) // 2].any()
        return Quality(
            size_px=x2 - x1,
            sharpness=0.0 if blurred else 200.0,
            brightness=float(crop.mean()),
            yaw_deg=0.0,
            pitch_deg=0.0,
            roll_deg=0.0,
            visible=1.0,
            detection_score=face.score,
        )

    def _face(self, image_bgr: np.ndarray, colour: np.ndarray) -> DetectedFace:
        rows, columns = np.nonzero((image_bgr == colour).all(axis=2))
        x1, y1, x2, y2 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        box = (float(x1), float(y1), float(x2), float(y2))
        centre = np.array([(x1 + x2) / 2, (y1 + y2) / 2], np.float32)
        return DetectedFace(box, np.repeat(centre[None], 5, axis=0), 0.99)

    def _embedding(self, crop: np.ndarray) -> np.ndarray:
        colour = crop[2, 2].astype(int)
        seed = int(colour @ (65536, 256, 1))
        vector = np.random.default_rng(seed).standard_normal(self.pack.dimension).astype(np.float32)
        return vector / np.linalg.norm(vector)


class SecondEngine(FakeEngine):
    """Another pack, with other dimensions and limits. It sees one face in a picture, also in a thumbnail,
    whose colours a JPEG has changed a little. Embeddings are its own."""

    pack = replace(FAKE_PACK, pack_id="second", dimension=48, threshold=0.6, margin=0.04)

    def detect(self, image_bgr: np.ndarray, quick: bool = False) -> list[DetectedFace]:
        rows, columns = np.nonzero(image_bgr.max(axis=2) > 35)
        if not rows.size:
            return []
        x1, y1, x2, y2 = (
            float(value) for value in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        )
        centre = np.array([(x1 + x2) / 2, (y1 + y2) / 2], np.float32)
        return [DetectedFace((x1, y1, x2, y2), np.repeat(centre[None], 5, axis=0), 0.99)]

    def _embedding(self, crop: np.ndarray) -> np.ndarray:
        colours = np.array([colour_of(who) for who in range(1, 201)], float)
        seen = crop[40:72, 40:72].reshape(-1, 3).mean(axis=0)
        who = int(np.linalg.norm(colours - seen, axis=1).argmin()) + 1
        vector = np.random.default_rng(9000 + who).standard_normal(self.pack.dimension).astype(np.float32)
        return vector / np.linalg.norm(vector)
