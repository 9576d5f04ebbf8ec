"""Frames with one face of any kind, for tests of the guide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ray_backend.domain.enrolment.poses import INSIGHTFACE
from ray_backend.domain.enrolment.words import Target
from ray_backend.domain.model import AnalysedFace, FrameAnalysis, Quality

WIDTH, HEIGHT = 640, 480
GOOD = Quality(
    size_px=200, sharpness=300, brightness=120, yaw_deg=0, pitch_deg=0, roll_deg=0, visible=1,
    detection_score=0.9,
)  # fmt: skip
# A good face for each target, as insightface's packs measure it.
POSES = {
    Target.FRONT: {},
    Target.LEFT: {"yaw_deg": 20.0},
    Target.RIGHT: {"yaw_deg": -20.0},
    Target.UP: {"pitch_deg": -INSIGHTFACE.up_by - 2},
}


def who(number: int, likeness: float = 1.0) -> np.ndarray:
    """The embedding of a person; different people are at right angles. `likeness` to that person, cosine."""
    vector = np.zeros(16, np.float32)
    vector[number] = likeness
    vector[15] = (1 - likeness**2) ** 0.5
    return vector


def face(person: int = 0, likeness: float = 1.0, *, left: float = 200, **measured) -> AnalysedFace:
    """One face; `measured` replaces parts of `GOOD`."""
    quality = replace(GOOD, **measured)
    box = (left, 100.0, left + quality.size_px, 100.0 + quality.size_px)
    landmarks = np.zeros((5, 2), np.float32)
    return AnalysedFace(box, landmarks, quality, who(person, likeness), thumbnail=b"small")


def frame(*faces: AnalysedFace, brightness: float | None = 110.0) -> FrameAnalysis:
    """A picture with these faces, largest first."""
    return FrameAnalysis(WIDTH, HEIGHT, faces, "edge", brightness=brightness)


def posed(target: Target, person: int = 0, **measured) -> FrameAnalysis:
    """A picture that is good for this target."""
    return frame(face(person, **(POSES[target] | measured)))
