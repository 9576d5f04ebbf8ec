"""What a guided enrolment asks for and tells. `at_s` are seconds of a monotonic clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ray_backend.domain.model import AnalysedFace, Box


class Target(StrEnum):
    """How a person is to look for a photo. Left and right are the person's own."""

    FRONT = "front"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"


class Fix(StrEnum):
    """The one thing to do next. Left and right are the person's own."""

    STEP_IN = "step_in"
    ONE_PERSON = "one_person"
    ANOTHER_PERSON = "another_person"
    COME_CLOSER = "come_closer"
    STEP_BACK = "step_back"
    MORE_LIGHT = "more_light"
    LIGHT_BEHIND = "light_behind"
    LESS_LIGHT = "less_light"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    TURN_BACK = "turn_back"
    CHIN_UP = "chin_up"
    CHIN_DOWN = "chin_down"
    HEAD_UPRIGHT = "head_upright"
    HOLD_STILL = "hold_still"


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """The photo taken for a target: the picture as it came from the camera, and its one face."""

    target: Target
    image: bytes
    face: AnalysedFace


@dataclass(frozen=True, slots=True)
class GuideState:
    """What to show now. `target` is None when there is nothing left to do.

    `fix` is None while everything is right and the frames are being collected; `progress` of that runs from
    0 to 1. `box` is the face's, None where there is none. `captured` is set for the one frame that completed
    a target. `may_skip` says that the target was tried for long enough to be left out.
    """

    target: Target | None
    fix: Fix | None = None
    progress: float = 0.0
    box: Box | None = None
    captured: Target | None = None
    may_skip: bool = False
