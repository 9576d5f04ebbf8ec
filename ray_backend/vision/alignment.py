"""Upright face crops, from five landmarks, as the embedders were trained on them.

Points are complex numbers (x + iy) inside: a similarity transform is then z -> a*z + b.
"""

from __future__ import annotations

import cv2
import numpy as np

# Where ArcFace's training crops of 112 px have left eye, right eye, nose and mouth corners
# (insightface, utils/face_align.py).
ARCFACE_POINTS = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
ARCFACE_SIZE = 112
# dlib's mean face in 0..1: outer and inner corner of the eye on the picture's right, of the one on
# its left, nose base (dlib, image_transforms/interpolation.h, get_face_chip_details).
DLIB_POINTS = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)
DLIB_SIZE = 150
DLIB_PADDING = 0.25


def arcface_crop(image_bgr: np.ndarray, landmarks: np.ndarray, size: int = ARCFACE_SIZE) -> np.ndarray:
    """(size, size, 3) uint8 crop with the landmarks moved to where ArcFace models expect them.

    `landmarks`: (5, 2) left eye, right eye, nose, left and right mouth corner as seen in the picture.
    """
    a, b = _similarity(_complex(landmarks), _complex(ARCFACE_POINTS * (size / ARCFACE_SIZE)))
    return _sample(image_bgr, 1 / a, -b / a, size)


def dlib_crop(image_bgr: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """(150, 150, 3) uint8: dlib's `get_face_chip(size=150, padding=0.25)`, within a grey level.

    `landmarks`: (5, 2) in dlib's order.
    """
    mean_face = _complex((DLIB_POINTS + DLIB_PADDING) / (1 + 2 * DLIB_PADDING) * DLIB_SIZE)
    a, b = _similarity(mean_face, _complex(landmarks))
    middle = a * DLIB_SIZE / 2 * (1 + 1j) + b
    # dlib spreads the crop's pixels over a rectangle whose corners are pixel centres.
    step = (DLIB_SIZE * abs(a) - 1) / (DLIB_SIZE - 1) * a / abs(a)
    return _sample(image_bgr, step, middle - step * (DLIB_SIZE - 1) / 2 * (1 + 1j), DLIB_SIZE)


def _complex(points: np.ndarray) -> np.ndarray:
    points = np.asarray(points, dtype=np.float64)
    return points[:, 0] + 1j * points[:, 1]


def _similarity(source: np.ndarray, target: np.ndarray) -> tuple[complex, complex]:
    """(a, b) such that a*source + b is nearest to target by least squares (Umeyama, no mirroring)."""
    from_middle = source - source.mean()
    a = np.vdot(from_middle, target - target.mean()) / np.vdot(from_middle, from_middle)
    return complex(a), complex(target.mean() - a * source.mean())


def _sample(image: np.ndarray, step: complex, origin: complex, size: int) -> np.ndarray:
    """The crop whose pixel p (x + iy) shows the picture at step*p + origin; black outside of it."""
    shrink = int(abs(step))
    if shrink >= 2:
        # Bilinear sampling that skips pixels would show noise instead of detail.
        image, moved = _shrunk_part(image, step, origin, size, shrink)
        step, origin = step / shrink, (origin - moved + 0.5 * (1 + 1j)) / shrink - 0.5 * (1 + 1j)
    matrix = np.array([[step.real, -step.imag, origin.real], [step.imag, step.real, origin.imag]])
    return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _shrunk_part(
    image: np.ndarray, step: complex, origin: complex, size: int, shrink: int
) -> tuple[np.ndarray, complex]:
    """The part of the picture under the crop at 1/shrink, and the part's top left corner.

    The part reaches a few pixels past the picture in black, so its size is a multiple of `shrink`.
    """
    corners = step * np.array([0, size, size * 1j, size * (1 + 1j)]) + origin
    left, top = int(corners.real.min()) - 2 * shrink, int(corners.imag.min()) - 2 * shrink
    width = -(-int(corners.real.max() - left + 2 * shrink) // shrink)
    height = -(-int(corners.imag.max() - top + 2 * shrink) // shrink)
    left, top = max(left, -2 * shrink), max(top, -2 * shrink)
    width = max(1, min(width, -(-(image.shape[1] - left) // shrink) + 2))
    height = max(1, min(height, -(-(image.shape[0] - top) // shrink) + 2))
    part = _part(image, left, top, width * shrink, height * shrink)
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA), complex(left, top)


def _part(image: np.ndarray, left: int, top: int, width: int, height: int) -> np.ndarray:
    part = np.zeros((height, width, 3), np.uint8)
    rows = slice(max(top, 0), min(top + height, image.shape[0]))
    columns = slice(max(left, 0), min(left + width, image.shape[1]))
    inside = image[rows, columns]
    if inside.size:
        y, x = rows.start - top, columns.start - left
        part[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    return part
