"""What a kiosk sees, wants to know, shows and decides. Boxes and similarities as in `domain.model`.

`at_s` are seconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np

from ray_backend.domain.model import Box, Candidate, Decision, Liveness, Quality, QualityIssue


class LivenessMode(StrEnum):
    """What becomes of the question whether a living person stands there."""

    OFF = "off"
    OBSERVE = "observe"
    REQUIRE = "require"


class Phase(StrEnum):
    """What the person at the kiosk is asked for, or told."""

    IDLE = "idle"
    COME_CLOSER = "come_closer"
    ADJUST = "adjust"
    HOLD_STILL = "hold_still"
    CHALLENGE = "challenge"
    DECIDED = "decided"


class Move(StrEnum):
    """A movement that a flat picture cannot make; left and right are the person's own."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    COME_CLOSER = "come_closer"
    FACE_CAMERA = "face_camera"


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """One face of a frame.

    `landmarks`: (5, 2) float32 pixels, the same five points of the face in every frame, in the pack's own
    order. `embedding`: (D,) float32, L2-normalised, None where it was not asked for or the face is too
    poor; `candidates` the nearest people then, best first. `liveness` is the passive model's
    probability, 0 to 1, that the face is a living one; None where it was not asked.
    """

    box: Box
    landmarks: np.ndarray
    quality: Quality
    embedding: np.ndarray | None = None
    candidates: tuple[Candidate, ...] = ()
    liveness: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SeenFrame:
    """One frame of a kiosk's camera: nearest (largest) face first."""

    at_s: float
    width: int
    height: int
    faces: tuple[SeenFace, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the next frame has to be asked. Everything costs, so an idle kiosk asks for faces only."""

    embedding: bool
    liveness: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """What the screen shows now. `box` is the served face; `progress` runs from 0 to 1.

    `issue` is set in the phase ADJUST, `move` in the phase CHALLENGE. `waiting_s` says for how long
    this person has been served without a result; `locked`, that after repeated attempts with pictures
    only the other way is left for a while.
    """

    phase: Phase
    box: Box | None = None
    issue: QualityIssue | None = None
    move: Move | None = None
    progress: float = 0.0
    waiting_s: float = 0.0
    locked: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What the vote over one track came to; there is one at most for a track.

    `frames` were voted; `seconds` passed between the first usable frame and the last. `face` is the
    best of them. `liveness_score` is the mean of the passive model's, or None. `threshold` is what was
    decided by.
    """

    track_id: int
    decision: Decision
    face: SeenFace
    frames: int
    seconds: float
    liveness: Liveness
    liveness_score: float | None
    threshold: float


@dataclass(frozen=True, slots=True)
class ChallengeState:
    """Where an active liveness check stands. `outcome` UNSURE: it goes on."""

    outcome: Liveness
    move: Move | None = None
    progress: float = 0.0


class Challenge(Protocol):
    """An active liveness check of one track."""

    def observe(self, frame: SeenFrame, face: SeenFace) -> ChallengeState:
        """Looks at the track's face in the next frame."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What this site decides by. `threshold` and `margin` as in `Pack`.

    With `new_challenge` liveness is found out by moves, without it by a model's scores in the frames;
    with `LivenessMode.OFF` not at all.
    """

    threshold: float
    margin: float
    liveness: LivenessMode = LivenessMode.OFF
    new_challenge: Callable[[], Challenge] | None = None
