"""How far a face's five landmarks are from moving as those of a flat picture would.

A flat picture that is moved, scaled, rotated or tilted before a camera moves its points by an affine
map (weak perspective). In a head that turns, what stands out of the face moves further than that: the
nose before eyes and mouth, or, where a pack has no mouth, the inner corners of the eyes before the outer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class FacePoints:
    """What is known of a pack's five points, in the order of the landmarks.

    `left_eye` and `right_eye` (as seen in the picture) are the points whose means are the eyes' centres.
    `depth` is how far each point stands out towards the camera, in distances between those centres.
    `noise` is the standard deviation of `Parallax.of` in a face that does not turn.
    """

    left_eye: tuple[int, ...]
    right_eye: tuple[int, ...]
    depth: tuple[float, ...]
    noise: float


# The nose's depth is the one by which `vision.quality` measures yaw. In a video of two people talking
# (faces of 57 to 83 px) the parallax then follows the tangent of the yaw with a slope of 1.07 to 1.24,
# and scatters by 0.03 around it; of a fourth face, of 49 px that hardly turns, the slope is 0.75.
EYES_NOSE_MOUTH = FacePoints((0,), (1,), (0.0, 0.0, 0.6, 0.0, 0.0), 0.03)
# Corners of the eyes lie nearly on a line, so an affine map can follow any nose, and only the corners
# tell. In the same video the outer ones lie 0.04 to 0.09 behind the inner ones; the scatter is 0.19.
EYE_CORNERS_NOSE = FacePoints((2, 3), (0, 1), (-0.07, 0.0, -0.07, 0.0, 0.35), 0.19)


def points_of(landmarks: np.ndarray) -> FacePoints:
    """Which five points these (5, 2) landmarks of a face are.

    insightface goes from left to right from the first to the second and from the fourth to the fifth;
    dlib goes from right to left from the first to the second.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    along = (points[1] - points[0]) @ (points[4] - points[3])
    return EYES_NOSE_MOUTH if along > 0 else EYE_CORNERS_NOSE


def in_eye_distances(landmarks: np.ndarray, points: FacePoints) -> np.ndarray:
    """(5, 2) float64: the landmarks with the eyes' centres at (-0.5, 0) and (0.5, 0), y downwards."""
    landmarks = np.asarray(landmarks, dtype=np.float64)
    left = landmarks[list(points.left_eye)].mean(axis=0)
    right = landmarks[list(points.right_eye)].mean(axis=0)
    x, y = right - left
    length = max(float(x * x + y * y), 1e-12)
    return (landmarks - (left + right) / 2) @ np.array([[x, -y], [y, x]]) / length


@dataclass(frozen=True, eq=False)
class Parallax:
    """Compares a face with itself as it looked before. `reference`: `in_eye_distances` of that."""

    points: FacePoints
    reference: np.ndarray

    @cached_property
    def _pattern(self) -> np.ndarray:
        """(5,) what remains of the depths when every affine map of the reference is taken out."""
        flat = np.column_stack([self.reference, np.ones(len(self.reference))])
        depth = np.array(self.points.depth)
        left = depth - flat @ np.linalg.lstsq(flat, depth, rcond=None)[0]
        return left / max(float(left @ left), 1e-9)

    def of(self, landmarks: np.ndarray) -> float:
        """How the head turned since, seen by parallax alone: 0 for every affine map of a flat picture.

        In a head about the change of the yaw's tangent; positive towards the right of the picture.
        """
        return float(in_eye_distances(landmarks, self.points)[:, 0] @ self._pattern)
