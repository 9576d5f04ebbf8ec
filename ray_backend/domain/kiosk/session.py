"""One kiosk over time: whom it serves, what it asks of the next frame, and each person's one verdict."""

from __future__ import annotations

from dataclasses import replace

from ray_backend.domain.kiosk.attempt import Attempt, Identity
from ray_backend.domain.kiosk.living import ByChallenge, ByModel, LivingCheck, Unchecked
from ray_backend.domain.kiosk.lock import Lock
from ray_backend.domain.kiosk.rules import KioskRules
from ray_backend.domain.kiosk.tracker import Tracker
from ray_backend.domain.kiosk.vote import LookAlikes, Vote, no_look_alikes
from ray_backend.domain.kiosk.words import (
    LivenessMode,
    Phase,
    Scene,
    SeenFace,
    SeenFrame,
    Terms,
    Verdict,
    Wanted,
)
from ray_backend.domain.kiosk.zone import Zone
from ray_backend.domain.model import DecisionKind

__all__ = ["KioskRules", "LookAlikes", "Session", "Terms", "no_look_alikes"]


class Session:
    """What one kiosk knows. Frames come in one at a time, in order.

    A verdict belongs to its track, and a track gets one at most. Somebody else in the same place, and
    another attempt of somebody who was not recognised, are new tracks.
    """

    def __init__(
        self,
        rules: KioskRules,
        terms: Terms,
        look_alikes: LookAlikes = no_look_alikes,
    ) -> None:
        """`terms`: what it goes by until `adopt` gives it others."""
        self._rules = rules
        self._terms = terms
        self._look_alikes = look_alikes
        self._tracker = Tracker(rules)
        self._zone = Zone(rules)
        self._attempts: dict[int, Attempt] = {}
        self._frame: SeenFrame | None = None
        self._tracks: dict[int, SeenFace] = {}
        self._lock = Lock(rules, terms.threshold)
        self._scene = Scene(Phase.IDLE)

    @property
    def locked_until_s(self) -> float | None:
        """Until when, by the frames' clock, somebody or everybody is locked out; None: nobody is."""
        return self._lock.until_s

    def adopt(self, terms: Terms) -> None:
        """Goes by these from the next person on; who is being looked at is judged by the ones before."""
        self._terms = terms
        self._lock.limit = terms.threshold

    def wanted(self) -> Wanted:
        """What to ask of the next frame.

        Nothing while the nearest face has its verdict, apart from a look now and then whether it is
        still the same, is too far away, or while the kiosk is locked for all. A newcomer is asked at once.
        """
        if self._lock.is_for_all or not self._looks_for_somebody():
            return Wanted(embedding=False, liveness=False)
        attempt = self._attempts.get(self._nearest()) if self._tracks else None
        terms = self._terms if attempt is None else attempt.terms
        by_model = terms.liveness is not LivenessMode.OFF and terms.new_challenge is None
        return Wanted(embedding=True, liveness=by_model and (attempt is None or attempt.verdict is None))

    def observe(self, frame: SeenFrame) -> tuple[Scene, Verdict | None]:
        """Takes the next frame: what to show now, and the verdict where this frame brought it.

        A frame that is not newer than the last one changes nothing.
        """
        if self._frame is not None and frame.at_s <= self._frame.at_s:
            return self._scene, None
        self._frame = frame
        self._tracks = dict(zip(self._tracker.update(frame), frame.faces, strict=True))
        self._lock.pass_time(frame.at_s)
        self._choose()
        verdict = self._serve()
        if verdict is not None and verdict.decision.kind is DecisionKind.SPOOF:
            self._lock.fail(frame.at_s, verdict.track_id, verdict.face.embedding)
        self._scene = self._show()
        return self._scene, verdict

    def _looks_for_somebody(self) -> bool:
        if not self._tracks:
            return True
        nearest = self._nearest()
        if not self._zone.is_near(self._tracks[nearest], self._frame):
            return False
        attempt = self._attempts.get(nearest)
        if attempt is None or (attempt.verdict is None and not self._lock.holds(nearest)):
            return True
        return attempt.wants_comparison(self._frame.at_s)

    def _nearest(self) -> int:
        return max(self._tracks, key=lambda track_id: self._tracks[track_id].quality.size_px)

    def _choose(self) -> None:
        """Who is served from this frame on. Who was left without a verdict begins from the start."""
        alive, before = self._tracker.alive, self._zone.served
        self._zone.update(self._frame, self._tracks, alive, self._is_finished)
        if before is not None and before != self._zone.served and before in self._attempts:
            self._attempts[before].left = True
        self._attempts = {
            track_id: attempt
            for track_id, attempt in self._attempts.items()
            if track_id in alive and (attempt.verdict is not None or not attempt.left)
        }

    def _is_finished(self, track_id: int) -> bool:
        return track_id in self._attempts and self._attempts[track_id].verdict is not None

    def _serve(self) -> Verdict | None:
        """Shows the served face to its attempt."""
        track_id = self._zone.served
        face = self._tracks.get(track_id)
        if face is None or not self._zone.holds(track_id) or self._lock.is_for_all:
            return None
        attempt = self._attempts.get(track_id)
        if attempt is None:
            attempt = self._attempts[track_id] = self._begin()
        elif attempt.is_another(self._frame.at_s, face):
            track_id, attempt = self._renew(track_id, self._begin())
        self._lock.look_at(track_id, face.embedding)
        if self._lock.holds(track_id):
            attempt.wait(face)
            return None
        if attempt.may_begin_again(self._frame.at_s):
            again = self._begin(attempt.since_s, attempt.failures + 1)
            track_id, attempt = self._renew(track_id, again)
        return None if attempt.verdict is not None else attempt.see(track_id, self._frame, face)

    def _renew(self, track_id: int, attempt: Attempt) -> tuple[int, Attempt]:
        new = self._tracker.renew(track_id)
        self._zone.renamed(track_id, new)
        self._tracks[new] = self._tracks.pop(track_id)
        del self._attempts[track_id]
        self._attempts[new] = attempt
        return new, attempt

    def _begin(self, since_s: float | None = None, failures: int = 0) -> Attempt:
        terms = self._terms
        return Attempt(
            self._rules,
            Vote(
                self._rules,
                threshold=terms.threshold,
                margin=terms.margin,
                look_alikes=self._look_alikes,
            ),
            self._living_check(terms),
            Identity(terms.threshold - self._rules.change_margins * terms.margin),
            terms=terms,
            since_s=self._frame.at_s if since_s is None else since_s,
            failures=failures,
        )

    def _living_check(self, terms: Terms) -> LivingCheck:
        if terms.liveness is LivenessMode.OFF:
            return Unchecked()
        if terms.new_challenge is None:
            return ByModel(self._rules)
        return ByChallenge(self._rules, terms.new_challenge())

    def _show(self) -> Scene:
        served = self._zone.served
        attempt = self._attempts.get(served)
        if attempt is not None and attempt.verdict is not None:
            scene = attempt.scene(self._frame.at_s, self._tracks.get(served))
            return replace(scene, locked=self._lock.holds(served) and scene.phase is Phase.DECIDED)
        if self._zone.holds(served) and self._lock.holds(served):
            return Scene(Phase.IDLE, locked=True)
        if attempt is not None and self._zone.holds(served):
            return attempt.scene(self._frame.at_s, self._tracks.get(served))
        return self._call_closer()

    def _call_closer(self) -> Scene:
        waiting = {track_id for track_id in self._zone.noticed if not self._is_finished(track_id)}
        if not waiting:
            return Scene(Phase.IDLE)
        seen = [self._tracks[track_id] for track_id in waiting if track_id in self._tracks]
        nearest = max(seen, key=lambda face: face.quality.size_px, default=None)
        return Scene(Phase.COME_CLOSER, nearest.box if nearest is not None else None)
