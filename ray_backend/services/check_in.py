"""The check-in: from the faces of a frame to at most one punch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np

from ray_backend.domain import attendance
from ray_backend.domain.answers import CheckIn, RecognisedFace, Recognition
from ray_backend.domain.decision import decide
from ray_backend.domain.errors import DuplicatePunch, ImageRejected, PersonNotFound
from ray_backend.domain.model import (
    AnalysedFace,
    Candidate,
    Decision,
    DecisionKind,
    FrameAnalysis,
    Person,
    Punch,
    Receipt,
)
from ray_backend.domain.quality import find_issue
from ray_backend.ports import Clock, GalleryIndex, Store
from ray_backend.services.policy import Policy


class CheckInService:
    """Decides who stands before the camera and records the punch exactly once."""

    def __init__(self, store: Store, gallery: GalleryIndex, clock: Clock, policy: Policy) -> None:
        self._store = store
        self._gallery = gallery
        self._clock = clock
        self._policy = policy

    def check_in(self, analysis: FrameAnalysis, *, kiosk: str, idempotency_key: str) -> CheckIn:
        """Serves the nearest face of the frame.

        The same `idempotency_key` gives the same punch again, and so may be retried after a lost
        answer. Raises StoreUnavailable; nothing was acknowledged then.
        """
        answer = self._serve(analysis, kiosk, idempotency_key)
        return replace(answer, picture_size=(analysis.width, analysis.height))

    def _serve(self, analysis: FrameAnalysis, kiosk: str, idempotency_key: str) -> CheckIn:
        earlier = self._store.find_punch(idempotency_key)
        if earlier is not None:
            return self._repeat(earlier)
        if not analysis.faces:
            return CheckIn(Decision(DecisionKind.NO_FACE))
        face = analysis.faces[0]
        decision = self._decide(face)
        if decision.kind is not DecisionKind.MATCH:
            return CheckIn(decision, face.box)
        person = self._enrolled(decision.best)
        if person is None:
            return CheckIn(Decision(DecisionKind.UNKNOWN), face.box)
        receipt = self._receipt(decision, analysis)
        punch, repeated = self._record(person, kiosk, idempotency_key, receipt)
        return self._answer(decision, face, person, punch, repeated)

    def recognise(
        self, answers: Sequence[FrameAnalysis | ImageRejected]
    ) -> list[Recognition | ImageRejected]:
        """Who is in each picture, in order, without recording anything. All faces are searched at once.

        Faces that the pipeline did not embed, or that are too poor, come back as poor quality; what is
        no analysis but the error of a bad picture is handed through.
        """
        started = perf_counter()
        analyses = [answer for answer in answers if isinstance(answer, FrameAnalysis)]
        version = self._gallery.version
        good = [
            face
            for analysis in analyses
            for face in analysis.faces
            if face.embedding is not None and find_issue(face.quality, self._policy.check_in_limits) is None
        ]
        found = self._gallery.search(np.stack([face.embedding for face in good])) if good else []
        candidates = {id(face): row for face, row in zip(good, found, strict=True)}
        search_ms = 1000 * (perf_counter() - started) / max(1, len(analyses))
        return [
            Recognition(
                tuple(self._recognised(face, candidates.get(id(face))) for face in answer.faces),
                answer.pack_id,
                version,
                answer.timings_ms | {"search": search_ms},
            )
            if isinstance(answer, FrameAnalysis)
            else answer
            for answer in answers
        ]

    def _recognised(self, face: AnalysedFace, candidates: list[Candidate] | None) -> RecognisedFace:
        if candidates is None:
            issue = find_issue(face.quality, self._policy.check_in_limits)
            return RecognisedFace(face.box, face.quality, Decision(DecisionKind.POOR_QUALITY, issue=issue))
        decision = decide(candidates, threshold=self._policy.threshold, margin=self._policy.margin)
        person = self._enrolled(decision.best) if decision.kind is DecisionKind.MATCH else None
        if decision.kind is DecisionKind.MATCH and person is None:
            decision = Decision(DecisionKind.UNKNOWN)
        return RecognisedFace(face.box, face.quality, decision, person)

    def _enrolled(self, candidate: Candidate) -> Person | None:
        """The person, unless another process erased or deactivated the person a moment ago."""
        try:
            person = self._store.get_person(candidate.person_id)
        except PersonNotFound:
            person = None
        if person is None or not person.active:
            self._gallery.remove_person(candidate.person_id)
            return None
        return person

    def find_similar(self, embeddings: np.ndarray, limit: int = 5) -> list[list[Candidate]]:
        """The nearest people to each row of (N, D) float32, best first."""
        return self._gallery.search(embeddings, limit)

    def record(self, person_id: str, *, kiosk: str, source: str, idempotency_key: str) -> Punch:
        """Records a punch of a known person, unless it repeats an earlier one, which is returned.

        Raises PersonNotFound.
        """
        person = self._store.get_person(person_id)
        return self._record(person, kiosk, idempotency_key, receipt=None, source=source)[0]

    def _decide(self, face: AnalysedFace) -> Decision:
        issue = find_issue(face.quality, self._policy.check_in_limits)
        if issue is not None:
            return Decision(DecisionKind.POOR_QUALITY, issue=issue)
        candidates = self._gallery.search(face.embedding[None, :])[0]
        return decide(candidates, threshold=self._policy.threshold, margin=self._policy.margin)

    def _receipt(self, decision: Decision, analysis: FrameAnalysis) -> Receipt:
        return Receipt(
            pack_id=analysis.pack_id,
            threshold=self._policy.threshold,
            similarity=decision.best.similarity,
            runner_up_similarity=decision.second.similarity if decision.second else None,
            latency_ms=round(sum(analysis.timings_ms.values()), 2),
        )

    def _record(
        self, person: Person, kiosk: str, key: str, receipt: Receipt | None, source: str = "face"
    ) -> tuple[Punch, bool]:
        """The punch, and whether it was there already."""
        now = self._clock.now()
        last = self._store.last_punch(person.person_id)
        if attendance.same_visit(last, now, self._policy.cooldown_s):
            return last, True
        punch = Punch(
            person_id=person.person_id,
            at=now,
            direction=attendance.next_direction(last, now, self._policy.zone),
            kiosk=kiosk,
            source=source,
            idempotency_key=key,
            cooldown_slots=attendance.cooldown_slots(
                person.person_id, now, self._policy.cooldown_s, unless=key
            ),
            receipt=receipt,
        )
        try:
            self._store.add_punch(punch)
        except DuplicatePunch:
            # Somebody recorded the same visit between our look and our write.
            winner = self._store.find_punch(key) or self._store.last_punch(person.person_id)
            if winner is None:
                raise
            return winner, True
        return punch, False

    def _repeat(self, punch: Punch) -> CheckIn:
        try:
            person = self._store.get_person(punch.person_id)
        except PersonNotFound:
            return CheckIn(Decision(DecisionKind.UNKNOWN))
        similarity = punch.receipt.similarity if punch.receipt else 1.0
        decision = Decision(DecisionKind.MATCH, Candidate(person.person_id, similarity))
        return self._answer(decision, None, person, punch, repeated=True)

    def _answer(
        self, decision: Decision, face: AnalysedFace | None, person: Person, punch: Punch, repeated: bool
    ) -> CheckIn:
        return CheckIn(
            decision=decision,
            face_box=face.box if face else None,
            person=person,
            punch=punch,
            local_time=punch.at.astimezone(self._policy.zone),
            repeated=repeated,
        )
