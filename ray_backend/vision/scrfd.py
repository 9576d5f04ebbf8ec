"""Runs an SCRFD detector that insightface opened, and decodes only the anchors that saw a face.

insightface's own `detect` decodes every anchor of the picture in numpy first: a millisecond under
Python's lock for each frame, an eighth of a small detector's time. The results are the same.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from insightface.model_zoo import SCRFD

from ray_backend.domain.model import DetectedFace

STRIDES = (8, 16, 32)
ANCHORS = 2  # at each place of each stride, for detectors with nine outputs


def find_faces(
    detector: SCRFD, image_bgr: np.ndarray, size: tuple[int, int], min_score: float
) -> list[DetectedFace]:
    """Faces in a (H, W, 3) uint8 BGR picture, looked at in an input of `size` (width, height).

    The picture is fitted into the top left of the input. Most certain face first, boxes and landmarks
    in pixels of the picture, landmarks (5, 2): eyes, nose, mouth corners, as seen from left to right.
    """
    blob, scale = network_input(detector, image_bgr, size)
    outputs = detector.session.run(detector.output_names, {detector.input_name: blob})
    # Old exports put out (anchors, values), newer ones (1, anchors, values).
    outputs = [output.reshape(-1, output.shape[-1]) for output in outputs]
    levels = [
        _decode(outputs[level :: len(STRIDES)], stride, size, min_score)
        for level, stride in enumerate(STRIDES)
    ]
    scores, boxes, points = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    order = np.argsort(-scores, kind="stable")
    kept = detector.nms(np.column_stack([boxes[order] / scale, scores[order]])) if len(order) else []
    return [
        DetectedFace(
            tuple(float(edge) for edge in boxes[i] / scale),
            (points[i] / scale).reshape(5, 2).astype(np.float32),
            float(scores[i]),
        )
        for i in order[kept]
    ]


def network_input(detector: SCRFD, image_bgr: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, float]:
    """The network's input and how many of its pixels make one of the picture's."""
    height, width = image_bgr.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    # Rounded down as insightface does it; the small sum keeps 639.9999999 from becoming 639.
    fitted = tuple(max(1, int(side * scale + 1e-6)) for side in (width, height))
    if fitted != (width, height):
        image_bgr = cv2.resize(image_bgr, fitted)
    if fitted != size:
        image_bgr = cv2.copyMakeBorder(
            image_bgr, 0, size[1] - fitted[1], 0, size[0] - fitted[0], cv2.BORDER_CONSTANT
        )
    # As cv2.dnn.blobFromImage with swapRB does it, in half the time.
    blob = np.empty((1, 3, size[1], size[0]), np.float32)
    factor, offset = 1.0 / detector.input_std, -detector.input_mean / detector.input_std
    for channel, plane in zip(reversed(blob[0]), cv2.split(image_bgr), strict=True):
        cv2.addWeighted(plane, factor, plane, 0.0, offset, dst=channel, dtype=cv2.CV_32F)
    return blob, fitted[1] / height


def _decode(
    outputs: list[np.ndarray], stride: int, size: tuple[int, int], min_score: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n,) scores, (n, 4) boxes and (n, 10) landmarks of one stride's anchors, in input pixels.

    The network gives distances from an anchor's place to the edges and offsets to the landmarks, in
    strides.
    """
    scores, distances, offsets = outputs
    hits = np.flatnonzero(scores[:, 0] >= min_score)
    places = _places(stride, size)[hits]
    edges = distances[hits] * stride
    boxes = np.hstack([places - edges[:, :2], places + edges[:, 2:]])
    return scores[hits, 0], boxes, np.tile(places, 5) + offsets[hits] * stride


@lru_cache(maxsize=128)
def _places(stride: int, size: tuple[int, int]) -> np.ndarray:
    """(n, 2) x and y of every anchor in input pixels, row by row."""
    rows, columns = np.mgrid[: size[1] // stride, : size[0] // stride]
    places = np.stack([columns, rows], axis=-1).reshape(-1, 2).astype(np.float32) * stride
    return np.repeat(places, ANCHORS, axis=0)
