"""Whether a living person stands there, as far as one track's frames tell."""

from __future__ import annotations

from typing import Protocol

from ray_backend.domain.kiosk.rules import KioskRules
from ray_backend.domain.kiosk.words import Challenge, ChallengeState, SeenFace, SeenFrame
from ray_backend.domain.model import Liveness


class LivingCheck(Protocol):
    """One way to find out, for one track."""

    @property
    def challenge(self) -> ChallengeState | None:
        """What the person is asked to do now; None when nothing is asked."""

    @property
    def score(self) -> float | None:
        """The mean of a model's scores, or None."""

    def see(self, frame: SeenFrame, face: SeenFace, usable: bool) -> None:
        """Looks at the track's face in one frame. `usable`: it is good enough to be recognised by."""

    def outcome(self) -> Liveness | None:
        """None while the check goes on."""


class Unchecked:
    """Implements `LivingCheck` where nobody asks."""

    challenge: ChallengeState | None = None
    score: float | None = None

    def see(self, frame: SeenFrame, face: SeenFace, usable: bool) -> None:
        """Nothing to look at."""

    def outcome(self) -> Liveness | None:
        """NOT_CHECKED, at once."""
        return Liveness.NOT_CHECKED


class ByModel:
    """Implements `LivingCheck` by the mean of a passive model's scores of the usable frames.

    Without an answer of a model nothing was checked. Where it answers now and then only, the check ends
    unsure after as many frames as a vote gives up after.
    """

    challenge: ChallengeState | None = None

    def __init__(self, rules: KioskRules) -> None:
        self._rules = rules
        self._usable = 0
        self._scores: list[float] = []

    @property
    def score(self) -> float | None:
        """The mean, 0 to 1; None without any."""
        return sum(self._scores) / len(self._scores) if self._scores else None

    def see(self, frame: SeenFrame, face: SeenFace, usable: bool) -> None:
        """Takes the frame's score, if it is usable and has one."""
        self._usable += usable
        if usable and face.liveness is not None:
            self._scores.append(face.liveness)

    def outcome(self) -> Liveness | None:
        """NOT_CHECKED, LIVE, SPOOF or UNSURE; None while more frames are needed."""
        if len(self._scores) >= self._rules.liveness_frames:
            # Asked as "is it living", so that a score that is no number (NaN) is not.
            return Liveness.LIVE if self.score >= self._rules.liveness_threshold else Liveness.SPOOF
        if self._usable < self._rules.liveness_frames:
            return None
        if not self._scores:
            return Liveness.NOT_CHECKED
        return Liveness.UNSURE if self._usable >= self._rules.give_up_frames else None


class ByChallenge:
    """Implements `LivingCheck` by movements that the person is asked for.

    It begins with the first usable frame and ends unsure when it takes longer than `challenge_s`.
    """

    score: float | None = None

    def __init__(self, rules: KioskRules, challenge: Challenge) -> None:
        self._rules = rules
        self._challenge = challenge
        self._state: ChallengeState | None = None
        self._started_s: float | None = None
        self._outcome: Liveness | None = None

    @property
    def challenge(self) -> ChallengeState | None:
        """The move that is asked for, while the challenge goes on."""
        return self._state if self._outcome is None else None

    def see(self, frame: SeenFrame, face: SeenFace, usable: bool) -> None:
        """Shows the challenge the face, usable or not, since a turned head is no usable one."""
        if self._outcome is not None or (self._started_s is None and not usable):
            return
        if self._started_s is None:
            self._started_s = frame.at_s
        self._state = self._challenge.observe(frame, face)
        if self._state.outcome in (Liveness.LIVE, Liveness.SPOOF):
            self._outcome = self._state.outcome
        elif frame.at_s - self._started_s >= self._rules.challenge_s:
            self._outcome = Liveness.UNSURE

    def outcome(self) -> Liveness | None:
        """LIVE, SPOOF, or UNSURE where the time is up; None while it goes on."""
        return self._outcome
