"""What all packs do with what their models put out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ray_backend.domain.model import DetectedFace


def largest_first(faces: Iterable[DetectedFace]) -> list[DetectedFace]:
    """The faces by the area of their boxes: the nearest person first."""
    return sorted(faces, key=_area, reverse=True)


def normalised(rows: np.ndarray) -> np.ndarray:
    """(N, D) float32 rows of length 1. Raises ValueError for a row without a direction."""
    rows = np.asarray(rows, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.all(np.isfinite(lengths) & (lengths > 0)):
        raise ValueError("the model put out an embedding of zeros or of no numbers")
    return rows / lengths


def _area(face: DetectedFace) -> float:
    x1, y1, x2, y2 = face.box
    return (x2 - x1) * (y2 - y1)
