"""Measures how good a face is for recognition. What is good enough is the policy's business.

Head angles come from five landmarks and a plain model of a head: lengths are in units of the
distance between the eyes' centres, the nose stands out of the plane of the eyes by `protrusion` and
hangs `drop` below them when the head is upright. Good for telling frontal from turned, not for more.
Points are complex numbers (x + iy) inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan, atan2, cos, degrees

import cv2
import numpy as np

from ray_backend.domain.model import Box, DetectedFace, Quality

SHARPNESS_SIZE = 112
FACE_PART = 0.2  # what is left off each side of a crop to look at the face alone


@dataclass(frozen=True, slots=True)
class LandmarkScheme:
    """How to read a pack's five landmarks. `left` and `right` are as seen in the picture.

    Rows of the landmarks: `left_eye` and `right_eye` (averaged), `nose`, `mouth` (averaged; empty
    where the scheme has none).
    """

    left_eye: tuple[int, ...]
    right_eye: tuple[int, ...]
    nose: int
    mouth: tuple[int, ...]
    protrusion: float
    drop: float
    mouth_drop: float = 0.0


# A nose tip lies about 0.6 eye distances before the eyes, its base about 0.35. Drops are such that
# the median pitch of 55 frontal photos is 0; the mean faces in `alignment` say 0.571 and 0.774.
INSIGHTFACE = LandmarkScheme((0,), (1,), 2, (3, 4), protrusion=0.6, drop=0.671, mouth_drop=1.151)
DLIB = LandmarkScheme((2, 3), (0, 1), 4, (), protrusion=0.35, drop=0.735)


def measure(image_bgr: np.ndarray, face: DetectedFace, crop: np.ndarray, scheme: LandmarkScheme) -> Quality:
    """Everything in `Quality` for one face of a picture; `crop` is its aligned face."""
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    yaw, pitch, roll = head_angles(face.landmarks, scheme)
    x1, y1, x2, y2 = face.box
    return Quality(
        size_px=float(min(x2 - x1, y2 - y1)),
        sharpness=sharpness(grey),
        brightness=_brightness(grey),
        yaw_deg=yaw,
        pitch_deg=pitch,
        roll_deg=roll,
        visible=visible_part(face.box, image_bgr.shape[1], image_bgr.shape[0]),
        detection_score=float(face.score),
    )


def sharpness(grey: np.ndarray) -> float:
    """Variance of the Laplacian of a square (S, S) uint8 crop scaled to 112 px."""
    if grey.shape[0] != SHARPNESS_SIZE:
        grey = cv2.resize(grey, (SHARPNESS_SIZE, SHARPNESS_SIZE), interpolation=cv2.INTER_AREA)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return float(deviation[0, 0]) ** 2


def visible_part(box: Box, width: int, height: int) -> float:
    """The part of a box that lies inside a picture of this size, 0 to 1."""
    x1, y1, x2, y2 = box
    inside_x = max(0.0, min(x2, width) - max(x1, 0))
    inside_y = max(0.0, min(y2, height) - max(y1, 0))
    area = (x2 - x1) * (y2 - y1)
    return float(inside_x * inside_y / area) if area > 0 else 0.0


def head_angles(landmarks: np.ndarray, scheme: LandmarkScheme) -> tuple[float, float, float]:
    """(yaw, pitch, roll) in degrees from (5, 2) landmarks; signs as in `Quality`.

    Roll is positive when the head is tilted clockwise in the picture.
    """
    points = [complex(x, y) for x, y in landmarks.tolist()]
    left, right = _middle(points, scheme.left_eye), _middle(points, scheme.right_eye)
    middle = (left + right) / 2
    eye_distance = max(abs(right - left), 1e-6)
    along = (right - left) / eye_distance
    # As seen by an upright head: x along the eyes, y down from their middle.
    nose = (points[scheme.nose] - middle) * along.conjugate()
    # Turning by yaw shortens the eyes' distance by cos and moves the nose by sin: tan remains.
    yaw = atan(nose.real / eye_distance / scheme.protrusion)
    if scheme.mouth:
        mouth = (_middle(points, scheme.mouth) - middle) * along.conjugate()
        pitch = _pitch_by_mouth(nose.imag, mouth.imag, scheme)
    else:
        pitch = _pitch_by_eyes(nose.imag * cos(yaw) / eye_distance, scheme)
    return degrees(yaw), degrees(pitch), degrees(atan2(along.imag, along.real))


def _middle(points: Sequence[complex], rows: tuple[int, ...]) -> complex:
    return sum(points[row] for row in rows) / len(rows)


def _pitch_by_mouth(drop: float, mouth_drop: float, scheme: LandmarkScheme) -> float:
    """Where between eyes and mouth the nose appears; both shrink alike when the head nods."""
    part = drop / max(mouth_drop, 1e-6)
    neutral = scheme.drop / scheme.mouth_drop
    return atan((part - neutral) * scheme.mouth_drop / scheme.protrusion)


def _pitch_by_eyes(drop: float, scheme: LandmarkScheme) -> float:
    """How far the nose hangs lower than in an upright head.

    Coarse: noses differ, and the shortening of the face, which works against looking down, is left
    out, because an exact inverse has no answer for the long noses of real faces.
    """
    return atan((drop - scheme.drop) / scheme.protrusion)


def _brightness(grey: np.ndarray) -> float:
    """Mean of the crop's middle: a bright window behind a dark face must not hide that it is dark."""
    edge = round(grey.shape[0] * FACE_PART)
    return float(grey[edge:-edge, edge:-edge].mean())
