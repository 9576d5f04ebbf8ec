"""Leads one person through the targets and takes each photo by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ray_backend.domain.enrolment.poses import GuideRules, find_fix
from ray_backend.domain.enrolment.words import Fix, GuideState, Shot, Target
from ray_backend.domain.model import AnalysedFace, FrameAnalysis
from ray_backend.domain.quality import score


class Guide:
    """One person's photos. Frames come in one at a time, in order.

    A target's photo is the best of some frames in a row that all pass. All photos show the same person: the
    first one says who, and nobody else's face is taken until `restart`.
    """

    def __init__(self, rules: GuideRules, *, threshold: float, margin: float) -> None:
        """`threshold` and `margin` as in `Pack`."""
        self._rules = rules
        self._threshold = threshold
        self._margin = margin
        self.restart()

    @property
    def shots(self) -> Mapping[Target, Shot]:
        """The photos taken so far."""
        return dict(self._shots)

    @property
    def skipped(self) -> frozenset[Target]:
        """The targets that were left out."""
        return frozenset(self._skipped)

    @property
    def target(self) -> Target | None:
        """What is asked for now; None when nothing is left."""
        open_targets = (one for one in self._rules.targets if one not in self._shots)
        return next((one for one in open_targets if one not in self._skipped), None)

    def restart(self) -> None:
        """Forgets everything: for another person."""
        self._shots: dict[Target, Shot] = {}
        self._skipped: set[Target] = set()
        self._run: list[Shot] = []
        self._at_s: float | None = None
        self._run_times: list[float] = []
        self._since_s: float | None = None
        self._last_own: tuple[float, np.ndarray] | None = None
        self._fix: Fix | None = Fix.STEP_IN
        self._fix_wanted: tuple[Fix | None, float] = (Fix.STEP_IN, 0.0)
        self._state = GuideState(self.target)

    def skip(self) -> bool:
        """Leaves the present target out. The front is never left out; says whether it was done."""
        if self.target in (None, Target.FRONT):
            return False
        self._skipped.add(self.target)
        self._begin_target()
        return True

    def retake(self, target: Target) -> None:
        """Takes the photo of a target again, or takes one that was left out."""
        self._shots.pop(target, None)
        self._skipped.discard(target)
        self._begin_target()

    def observe(self, at_s: float, analysis: FrameAnalysis, image: bytes) -> GuideState:
        """What to show after this frame. One that is not newer than the last changes nothing.

        `image` are the bytes that `analysis` was made of; they become the photo. The largest face needs its
        embedding where it is good enough for a check-in.
        """
        if self._at_s is not None and at_s <= self._at_s:
            return replace(self._state, captured=None)
        self._at_s = at_s
        target = self.target
        if target is None:
            self._state = GuideState(None)
            return self._state
        self._since_s = at_s if self._since_s is None else self._since_s
        fix = self._judge(at_s, target, analysis)
        captured = self._collect(at_s, target, fix, analysis, image)
        if captured is not None:
            self._begin_target()
        box = analysis.faces[0].box if analysis.faces else None
        self._state = GuideState(
            self.target,
            self._settled(at_s, fix),
            self._progress(),
            box,
            captured,
            self._may_skip(at_s),
        )
        return self._state

    def _judge(self, at_s: float, target: Target, analysis: FrameAnalysis) -> Fix | None:
        front = self._shots.get(Target.FRONT)
        fix = find_fix(analysis, target, self._rules, front.face.quality.pitch_deg if front else None)
        if fix in (Fix.STEP_IN, Fix.ONE_PERSON):
            return fix
        stranger = self._is_stranger(at_s, analysis.faces[0])
        if stranger:
            return Fix.ANOTHER_PERSON
        if fix is None and not self._would_be_accepted(analysis.faces[0]):
            # The same head, seen too differently to be told from others: less of a turn will do.
            return Fix.TURN_BACK if target in (Target.LEFT, Target.RIGHT) else Fix.HOLD_STILL
        return fix

    def _is_stranger(self, at_s: float, face: AnalysedFace) -> bool:
        """Whether the face is unlike every photo so far, and unlike the person of the frame before."""
        if not self._shots or face.embedding is None:
            return False
        known = [shot.face.embedding for shot in self._shots.values()]
        if self._last_own is not None and at_s - self._last_own[0] <= self._rules.longest_gap_s:
            known.append(self._last_own[1])
        limit = self._threshold - self._rules.change_margins * self._margin
        if not _likeness(face.embedding, known) >= limit:
            return True
        self._last_own = at_s, face.embedding
        return False

    def _would_be_accepted(self, face: AnalysedFace) -> bool:
        """Whether an enrolment takes it for the person of the other photos."""
        if face.embedding is None:
            return False
        shots = list(self._shots.values()) or self._run[:1]
        known = [shot.face.embedding for shot in shots]
        return not known or _likeness(face.embedding, known) >= self._threshold

    def _collect(
        self, at_s: float, target: Target, fix: Fix | None, analysis: FrameAnalysis, image: bytes
    ) -> Target | None:
        """Adds a frame that passed to the run; the target when this completes it."""
        if fix is not None or (self._run_times and at_s - self._run_times[-1] > self._rules.longest_gap_s):
            self._run, self._run_times = [], []
        if fix is not None:
            return None
        self._run.append(Shot(target, image, analysis.faces[0]))
        self._run_times.append(at_s)
        if self._progress() < 1:
            return None
        self._shots[target] = max(self._run, key=lambda shot: score(shot.face.quality, self._rules.limits))
        return target

    def _progress(self) -> float:
        if not self._run:
            return 0.0
        seconds = self._run_times[-1] - self._run_times[0]
        return min(1.0, len(self._run) / self._rules.frames, self._part(seconds))

    def _part(self, seconds: float) -> float:
        return seconds / self._rules.seconds if self._rules.seconds > 0 else 1.0

    def _settled(self, at_s: float, fix: Fix | None) -> Fix | None:
        """The fix to show. That everything is right now is shown at once."""
        if fix is not self._fix_wanted[0]:
            self._fix_wanted = fix, at_s
        if fix is None or self._fix is None or at_s - self._fix_wanted[1] >= self._rules.settle_s:
            self._fix = fix
        return self._fix

    def _may_skip(self, at_s: float) -> bool:
        waited = self._since_s is not None and at_s - self._since_s >= self._rules.skip_after_s
        return waited and self.target not in (None, Target.FRONT)

    def _begin_target(self) -> None:
        self._run, self._run_times, self._since_s = [], [], self._at_s


def _likeness(embedding: np.ndarray, known: list[np.ndarray]) -> float:
    return max(float(embedding @ one) for one in known)
