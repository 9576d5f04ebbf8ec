"""Made-up people from real faces: two or three of them laid over each other after alignment, and stretched.

Nobody has two thousand different people's photos at hand. A blend has a face of its own for a face pack, but
stays near its parents, and a pack rightly refuses many blends as somebody who is there already: this is for
what an import does with thousands of people, not for how well a pack tells them apart.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ray_backend.domain.errors import ImageRejected
from ray_backend.domain.quality import ENROL_LIMITS, find_issue
from ray_backend.ports import FaceEngine
from ray_backend.vision.images import PillowCodec
from tests import faces as test_faces

SIDE = 320
_ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


def different_faces(engine: FaceEngine, folder: Path | None) -> list[np.ndarray]:
    """Aligned crops (SIDE, SIDE, 3) uint8 BGR of different people, as the pack tells them apart."""
    codec = PillowCodec(max_bytes=50_000_000, max_pixels=100_000_000)
    paths = [test_faces.six_people(), test_faces.astronaut(), test_faces.actor()]
    if folder is not None:
        paths += sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS)
    crops: list[np.ndarray] = []
    known: list[np.ndarray] = []
    shape = None
    for path in paths:
        try:
            picture = codec.decode(path.read_bytes())
        except ImageRejected:
            continue
        for face in engine.detect(picture):
            aligned = engine.align(picture, face)
            if find_issue(engine.quality(picture, face, aligned), ENROL_LIMITS) is not None:
                continue
            (embedding,) = engine.embed([aligned])
            if known and max(float(embedding @ other) for other in known) >= engine.pack.threshold:
                continue
            shape = _shape(face) if shape is None else shape
            known.append(embedding)
            crops.append(_placed(picture, face.landmarks, shape))
    return crops


def _shape(face) -> np.ndarray:
    """Where the landmarks lie on a canvas whose middle half the face fills."""
    x1, y1, x2, y2 = face.box
    scale = SIDE / 2 / max(x2 - x1, y2 - y1)
    centre = np.array([(x1 + x2) / 2, (y1 + y2) / 2], np.float32)
    return ((face.landmarks - centre) * scale + SIDE / 2).astype(np.float32)


def _placed(picture: np.ndarray, landmarks: np.ndarray, shape: np.ndarray) -> np.ndarray:
    matrix, _ = cv2.estimateAffinePartial2D(landmarks.astype(np.float32), shape)
    return cv2.warpAffine(picture, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)


def blends(crops: Sequence[np.ndarray], number: int, seed: int = 0) -> Iterator[bytes]:
    """So many JPEGs, each of another made-up person; the same for the same seed."""
    random = np.random.default_rng(seed)
    for _ in range(number):
        parents = random.choice(len(crops), size=int(random.integers(2, 4)), replace=False)
        yield _jpeg(_stretched(_blend([crops[parent] for parent in parents], random), random))


def _blend(parents: Sequence[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """The upper part of one over the lower part of another, with a third one shining through."""
    first, second = (parent.astype(np.float32) for parent in parents[:2])
    seam = random.uniform(0.42, 0.6) * SIDE
    rows = np.arange(SIDE, dtype=np.float32)
    weight = 1 / (1 + np.exp((rows - seam) / 12))[:, None, None]
    mixed = weight * first + (1 - weight) * second
    if len(parents) > 2:
        share = random.uniform(0.2, 0.45)
        mixed = (1 - share) * mixed + share * parents[2]
    return mixed.clip(0, 255).astype(np.uint8)


def _stretched(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    wide, high = random.uniform(0.85, 1.15, 2)
    return cv2.resize(picture, (round(SIDE * wide), round(SIDE * high)), interpolation=cv2.INTER_CUBIC)


def _jpeg(picture: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture[:, :, ::-1]).save(out, "JPEG", quality=93)
    return out.getvalue()
