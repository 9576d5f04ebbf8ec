"""Who stands before the challenge: heads that turn, and photos that a hand moves as cleverly as it can.

Both follow what is asked, after a moment to react, and yield frames until the challenge has ended.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from ray_backend.domain.kiosk.challenge import ActiveChallenge
from ray_backend.domain.kiosk.words import ChallengeState, Move, SeenFace, SeenFrame
from ray_backend.domain.model import Liveness, Quality
from ray_backend.ports import FaceEngine
from ray_backend.vision.quality import DLIB, INSIGHTFACE, LandmarkScheme, head_angles

WIDTH, HEIGHT = 480, 360
LONGEST_S = 20.0
# x, y and depth away from the camera in eye distances, in the order of each pack's landmarks.
HEADS = {
    INSIGHTFACE: [[-0.5, 0, 0], [0.5, 0, 0], [0, 0.62, -0.6], [-0.4, 1.13, -0.05], [0.4, 1.13, -0.05]],
    DLIB: [[0.73, 0, 0], [0.27, 0, -0.07], [-0.73, 0, 0], [-0.27, 0, -0.07], [0, 0.7, -0.4]],
}
Pose = tuple[float, float]  # yaw in degrees (positive: nose towards the right of the picture), size
Looks = Callable[[float, Pose], tuple[SeenFrame, SeenFace] | None]


@dataclass(frozen=True)
class Ending:
    """How a challenge ended, or where it stood after `LONGEST_S`."""

    state: ChallengeState
    seconds: float
    turns_seen: bool

    @property
    def live(self) -> bool:
        return self.state.outcome is Liveness.LIVE


def perform(look: Looks, seed: int, fps: float, *, peak_deg: float | None = None) -> Ending:
    """Somebody who does what the challenge of this seed asks, seen `fps` times a second by `look`."""
    rng = random.Random(1000 + seed)
    challenge = ActiveChallenge(random.Random(seed))
    peak = peak_deg or rng.uniform(22, 38)
    state, asked, act_at_s, yaw, size, at_s = ChallengeState(Liveness.UNSURE), None, 0.0, 0.0, 1.0, 0.0
    while at_s < LONGEST_S:
        if state.move is not asked:
            asked, act_at_s = state.move, at_s + rng.uniform(0.3, 0.8)
        if at_s >= act_at_s:
            goal = {Move.TURN_LEFT: peak, Move.TURN_RIGHT: -peak}.get(asked, 0.0)
            yaw += min(max(goal - yaw, -70 / fps), 70 / fps)
            size = min(1.5, size + 0.35 / fps) if asked is Move.COME_CLOSER else size
        seen = look(at_s, (yaw, size))
        state = challenge.observe(*seen) if seen else state
        if seen and state.move is None:
            return Ending(state, at_s, any(move is not Move.COME_CLOSER for move in challenge.moves))
        at_s += 1 / fps
    return Ending(state, at_s, False)


def head(scheme: LandmarkScheme, seed: int, *, noise_px: float = 1.0, eyes_px: float = 70.0) -> Looks:
    """A head of its own proportions, seen in perspective by a detector whose landmarks tremble."""
    rng = np.random.default_rng(seed)
    shape = np.array(HEADS[scheme]) * (1 + rng.normal(0, 0.06, (5, 3)))

    def look(at_s: float, pose: Pose) -> tuple[SeenFrame, SeenFace]:
        turned = shape @ rotation(pose[0], rng.normal(0, 2), rng.normal(0, 2)).T
        landmarks = project(turned) * eyes_px * pose[1] + (WIDTH / 2, HEIGHT / 2)
        return as_seen(at_s, landmarks + rng.normal(0, noise_px, (5, 2)), scheme)

    return look


def sheared_picture(scheme: LandmarkScheme, seed: int, *, noise_px: float = 1.0) -> Looks:
    """A picture tilted about just the axis that moves the nose sideways and leaves the eyes level."""
    rng = np.random.default_rng(seed)
    flat = project(np.array(HEADS[scheme]) * (1 + rng.normal(0, 0.06, (5, 3))))

    def look(at_s: float, pose: Pose) -> tuple[SeenFrame, SeenFace]:
        landmarks = flat @ shear(pose[0]).T * 70 * pose[1] + (WIDTH / 2, HEIGHT / 2)
        return as_seen(at_s, landmarks + rng.normal(0, noise_px, (5, 2)), scheme)

    return look


def moved_photo(engine: FaceEngine, photo_bgr: np.ndarray, attack: str, seed: int) -> Looks:
    """A photo before a camera, with the real landmarks of `engine`; `attack` is one of `ATTACKS`."""
    rng = np.random.default_rng(seed)
    grain = rng.normal(0, 3, (HEIGHT, WIDTH, 3)).astype(np.float32)
    while photo_bgr.shape[0] > 2 * HEIGHT:
        photo_bgr = cv2.pyrDown(photo_bgr)
    height, width = photo_bgr.shape[:2]
    fit = 0.8 * HEIGHT / height
    centre = np.array([[fit, 0, -fit * width / 2], [0, fit, -fit * height / 2], [0, 0, 1]])
    place = np.array([[1, 0, WIDTH / 2], [0, 1, HEIGHT / 2], [0, 0, 1]])

    def look(at_s: float, pose: Pose) -> tuple[SeenFrame, SeenFace] | None:
        trembling = np.eye(3)
        trembling[:2, 2] = rng.normal(0, 2, 2)
        matrix = place @ trembling @ ATTACKS[attack](*pose) @ centre
        frame = cv2.warpPerspective(photo_bgr, matrix, (WIDTH, HEIGHT), borderValue=(90, 100, 110))
        frame = np.clip(frame + np.roll(grain, rng.integers(HEIGHT), 0), 0, 255).astype(np.uint8)
        return seen_by(engine, at_s, frame)

    return look


def seen_by(engine: FaceEngine, at_s: float, image_bgr: np.ndarray) -> tuple[SeenFrame, SeenFace] | None:
    """The largest face of a frame, or None."""
    found = engine.detect(image_bgr)
    if not found:
        return None
    quality = engine.quality(image_bgr, found[0], engine.align(image_bgr, found[0]))
    face = SeenFace(found[0].box, found[0].landmarks, quality)
    return SeenFrame(at_s, image_bgr.shape[1], image_bgr.shape[0], (face,)), face


def as_seen(at_s: float, landmarks: np.ndarray, scheme: LandmarkScheme) -> tuple[SeenFrame, SeenFace]:
    """A frame with one face of these landmarks."""
    yaw, pitch, roll = head_angles(landmarks, scheme)
    middle, side = landmarks.mean(axis=0), np.ptp(landmarks, axis=0).max()
    box = (*(middle - side).tolist(), *(middle + side).tolist())
    face = SeenFace(box, landmarks.astype(np.float32), Quality(2 * side, 100, 100, yaw, pitch, roll, 1, 1))
    return SeenFrame(at_s, WIDTH, HEIGHT, (face,)), face


def rotation(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """(3, 3), for angles in degrees; the depth axis points away from the camera."""
    (sy, sp, sr), (cy, cp, cr) = (f(np.radians([yaw, pitch, roll])) for f in (np.sin, np.cos))
    turn = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return tilt @ nod @ turn


def project(points: np.ndarray, distance: float = 9.0) -> np.ndarray:
    """(N, 2) perspective picture of (N, 3) points, from `distance` eye distances (about 55 cm)."""
    return points[:, :2] * distance / (distance + points[:, 2:])


def shear(yaw: float) -> np.ndarray:
    """(2, 2): what moves a picture's nose as a head of this yaw would."""
    return np.array([[np.cos(np.radians(yaw)), np.tan(np.radians(yaw))], [0, 1]])


def _tilted(yaw: float, pitch: float, roll: float, size: float) -> np.ndarray:
    """Homography of a flat picture turned in space, seen from 600 px away."""
    turn = rotation(yaw, pitch, roll)
    matrix = np.eye(3)
    matrix[:2, :2] = turn[:2, :2] * size
    matrix[2, :2] = turn[2, :2] / 600
    return matrix


def _sheared(yaw: float, size: float) -> np.ndarray:
    matrix = np.eye(3)
    matrix[:2, :2] = shear(0.75 * yaw) * size
    return matrix


def _shifted(yaw: float, size: float) -> np.ndarray:
    matrix = np.diag([size, size, 1.0])
    matrix[0, 2] = 2.5 * yaw
    return matrix


def _diagonal(yaw: float, size: float) -> np.ndarray:
    """Tilted about a diagonal and turned back in its plane until the eyes are level again."""
    slant = 45.0 if yaw > 0 else -45.0
    turn = rotation(0, 0, -slant) @ rotation(1.5 * abs(yaw)) @ rotation(0, 0, slant)
    level = rotation(0, 0, -np.degrees(np.arctan2(turn[1, 0], turn[0, 0])))
    turn = level @ turn
    matrix = np.eye(3)
    matrix[:2, :2] = turn[:2, :2] * size
    matrix[2, :2] = turn[2, :2] / 600
    return matrix


# What a hand makes of "be at this yaw and size", as a homography about the picture's middle.
ATTACKS: dict[str, Callable[[float, float], np.ndarray]] = {
    "held still": lambda yaw, size: np.eye(3),
    "shifted and scaled": _shifted,
    "rotated": lambda yaw, size: _tilted(0, 0, 0.6 * yaw, size),
    "turned": lambda yaw, size: _tilted(1.3 * yaw, 0, 0, size),
    "turned the other way": lambda yaw, size: _tilted(-1.3 * yaw, 0, 0, size),
    "turned and nodded": lambda yaw, size: _tilted(1.2 * yaw, 0.8 * yaw, 0, size),
    "tilted about a diagonal": _diagonal,
    "tilted about the other diagonal": lambda yaw, size: _diagonal(-yaw, size),
    "tilted exactly": _sheared,
}
