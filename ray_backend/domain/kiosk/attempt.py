"""One attempt to find out who a track is: the vote, the liveness check and what the screen says meanwhile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ray_backend.domain.kiosk.living import LivingCheck
from ray_backend.domain.kiosk.rules import KioskRules
from ray_backend.domain.kiosk.vote import Vote
from ray_backend.domain.kiosk.words import LivenessMode, Phase, Scene, SeenFace, SeenFrame, Terms, Verdict
from ray_backend.domain.model import Decision, DecisionKind, Liveness, QualityIssue
from ray_backend.domain.quality import find_issue


class Identity:
    """What one track's face looks like, to notice when somebody else's takes its place."""

    def __init__(self, limit: float) -> None:
        """`limit`: the cosine similarity below which a face is somebody else's."""
        self._limit = limit
        self._last: np.ndarray | None = None
        self._sum: np.ndarray | float = 0.0

    def add(self, embedding: np.ndarray) -> None:
        """Takes (D,) float32, L2-normalised, as the track's."""
        self._last = embedding
        self._sum = self._sum + embedding

    def is_another(self, embedding: np.ndarray) -> bool:
        """Whether it is like neither the last one nor the mean of all."""
        if self._last is None:
            return False
        mean = self._sum / max(float(np.linalg.norm(self._sum)), 1e-9)
        return not max(float(self._last @ embedding), float(mean @ embedding)) >= self._limit


class Hint:
    """The quality issue to show: it changes once the shown one was not seen for `settle_s`."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._contradicted_s: float | None = None
        self.shown: QualityIssue | None = None

    def see(self, at_s: float, issue: QualityIssue | None) -> None:
        """Takes the issue of one frame, None for a good one."""
        if issue is self.shown:
            self._contradicted_s = None
            return
        if self._contradicted_s is None:
            self._contradicted_s = at_s
        if at_s - self._contradicted_s >= self._settle_s:
            self.shown, self._contradicted_s = issue, None


class Attempt:
    """The way of one track from its first frame in the zone to its verdict.

    It ends by the `terms` that it began with. `since_s`: when the person began to wait. `failures`: how many
    attempts on the same face failed before.
    """

    def __init__(
        self,
        rules: KioskRules,
        vote: Vote,
        living: LivingCheck,
        identity: Identity,
        *,
        terms: Terms,
        since_s: float,
        failures: int = 0,
    ) -> None:
        self._rules = rules
        self._vote = vote
        self._living = living
        self._identity = identity
        self._hint = Hint(rules.settle_s)
        self._scene = Scene(Phase.HOLD_STILL)
        self._doubted = False
        self._compared_s = since_s
        self._ended_s = since_s
        self.terms = terms
        self.since_s = since_s
        self.failures = failures
        self.verdict: Verdict | None = None
        self.left = False

    def is_another(self, at_s: float, face: SeenFace) -> bool:
        """Whether the face is not the attempt's any more.

        After the verdict only two frames in a row say so, since the person would be served again.
        """
        if not self._usable(face):
            return False
        self._compared_s = at_s
        different = self._identity.is_another(face.embedding)
        doubted, self._doubted = self._doubted, different
        if self.verdict is not None and not different:
            self._identity.add(face.embedding)
        return different and (self.verdict is None or doubted)

    def wants_comparison(self, at_s: float) -> bool:
        """Whether a face that has its verdict is to be looked at again."""
        return self._doubted or at_s - self._compared_s >= self._rules.recheck_s

    def may_begin_again(self, at_s: float) -> bool:
        """Whether a verdict that was no match is long enough ago for another attempt."""
        if self.verdict is None or self.verdict.decision.kind is DecisionKind.MATCH:
            return False
        wait_s = min(self._rules.retry_s * 2**self.failures, self._rules.longest_retry_s)
        return at_s - self._ended_s >= wait_s

    def wait(self, face: SeenFace) -> None:
        """Only remembers the face, of somebody who is locked out."""
        if self.verdict is None and self._usable(face):
            self._identity.add(face.embedding)

    def see(self, track_id: int, frame: SeenFrame, face: SeenFace) -> Verdict | None:
        """Takes the track's face in one frame; the verdict where that ends the attempt."""
        usable = self._usable(face)
        if usable:
            self._identity.add(face.embedding)
            self._vote.add(frame.at_s, face)
        self._living.see(frame, face, usable)
        self._hint.see(frame.at_s, find_issue(face.quality, self._rules.limits))
        self._scene = self._next_scene(face)
        self.verdict = self._judge(track_id)
        if self.verdict is not None:
            self._ended_s = frame.at_s
        return self.verdict

    def scene(self, at_s: float, face: SeenFace | None) -> Scene:
        """What the screen shows; `face` is None in a frame that misses it."""
        box = self._scene.box if face is None else face.box
        if self.verdict is not None:
            return Scene(Phase.IDLE) if self.left else Scene(Phase.DECIDED, box)
        return replace(self._scene, box=box, waiting_s=at_s - self.since_s)

    def _usable(self, face: SeenFace) -> bool:
        return face.embedding is not None and find_issue(face.quality, self._rules.limits) is None

    def _next_scene(self, face: SeenFace) -> Scene:
        challenge, issue = self._living.challenge, self._hint.shown
        if challenge is not None:
            return Scene(Phase.CHALLENGE, face.box, move=challenge.move, progress=challenge.progress)
        if issue is QualityIssue.TOO_SMALL:
            return Scene(Phase.COME_CLOSER, face.box)
        if issue is not None:
            return Scene(Phase.ADJUST, face.box, issue=issue)
        return Scene(Phase.HOLD_STILL, face.box, progress=self._vote.progress)

    def _judge(self, track_id: int) -> Verdict | None:
        decision, liveness = self._vote.decision(), self._living.outcome()
        if decision is None or liveness is None:
            return None
        if self.terms.liveness is LivenessMode.REQUIRE and liveness is not Liveness.LIVE:
            # Also where no model answered: what is required and was not seen was not met.
            decision = Decision(DecisionKind.SPOOF, decision.best, decision.second)
        return Verdict(
            track_id=track_id,
            decision=decision,
            face=self._vote.best_face,
            frames=self._vote.frames,
            seconds=self._vote.seconds,
            liveness=liveness,
            liveness_score=self._living.score,
            threshold=self.terms.threshold,
        )
