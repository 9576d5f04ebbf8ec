"""Who a face is: the search, the decision, and the person behind it."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np

from ray_backend.domain.answers import RecognisedFace, Recognition
from ray_backend.domain.decision import decide
from ray_backend.domain.errors import ImageRejected, PersonNotFound
from ray_backend.domain.model import AnalysedFace, Candidate, Decision, DecisionKind, FrameAnalysis, Person
from ray_backend.domain.quality import find_issue
from ray_backend.observing import meters
from ray_backend.ports import GalleryIndex
from ray_backend.services.policy import Policy
from ray_backend.services.roster import Roster


class Decider:
    """Names faces by the gallery and the site's policy. Records nothing."""

    def __init__(self, gallery: GalleryIndex, roster: Roster, policy: Policy) -> None:
        self._gallery = gallery
        self._roster = roster
        self._policy = policy

    def decide(self, face: AnalysedFace) -> Decision:
        """What the policy makes of one face."""
        issue = find_issue(face.quality, self._policy.check_in_limits)
        if issue is not None:
            return Decision(DecisionKind.POOR_QUALITY, issue=issue)
        with meters.stage("search"):
            candidates = self._gallery.search(face.embedding[None, :])[0]
        with meters.stage("decide"):
            return decide(candidates, threshold=self._policy.threshold, margin=self._policy.margin)

    def enrolled(self, person_id: str) -> Person | None:
        """The person, unless another process erased or deactivated the person a moment ago."""
        try:
            person = self._roster.get(person_id)
        except PersonNotFound:
            person = None
        if person is None or not person.active:
            self._gallery.remove_person(person_id)
            return None
        return person

    def recognise(
        self, answers: Sequence[FrameAnalysis | ImageRejected], departments: Sequence[str | None] = ()
    ) -> list[Recognition | ImageRejected]:
        """See `CheckInService.recognise`."""
        started = perf_counter()
        analyses = [answer for answer in answers if isinstance(answer, FrameAnalysis)]
        version = self._gallery.version
        candidates: dict[int, list[Candidate]] = {}
        for department in set(departments) or {None}:
            asked = departments or [None] * len(answers)
            among = [answer for answer, wanted in zip(answers, asked, strict=True) if wanted == department]
            candidates |= self._candidates(among, department)
        search_ms = 1000 * (perf_counter() - started) / max(1, len(analyses))
        return [
            self._recognition(answer, candidates, version, search_ms)
            if isinstance(answer, FrameAnalysis)
            else answer
            for answer in answers
        ]

    def _recognition(
        self, analysis: FrameAnalysis, candidates: dict[int, list[Candidate]], version: int, search_ms: float
    ) -> Recognition:
        meters.took("search", search_ms / 1000)
        with meters.stage("decide"):
            faces = tuple(self._recognised(face, candidates.get(id(face))) for face in analysis.faces)
        return Recognition(faces, analysis.pack_id, version, analysis.timings_ms | {"search": search_ms})

    def _candidates(
        self, answers: Sequence[FrameAnalysis | ImageRejected], department: str | None
    ) -> dict[int, list[Candidate]]:
        """The nearest people to every face that is good enough, by the face's `id`."""
        good = [
            face
            for answer in answers
            if isinstance(answer, FrameAnalysis)
            for face in answer.faces
            if face.embedding is not None and find_issue(face.quality, self._policy.check_in_limits) is None
        ]
        if not good:
            return {}
        only = None if department is None else self._roster.of_department(department)
        found = self._gallery.search(np.stack([face.embedding for face in good]), only=only)
        return {id(face): row for face, row in zip(good, found, strict=True)}

    def _recognised(self, face: AnalysedFace, candidates: list[Candidate] | None) -> RecognisedFace:
        if candidates is None:
            issue = find_issue(face.quality, self._policy.check_in_limits)
            return RecognisedFace(face.box, face.quality, Decision(DecisionKind.POOR_QUALITY, issue=issue))
        decision = decide(candidates, threshold=self._policy.threshold, margin=self._policy.margin)
        person = None
        if decision.kind is DecisionKind.MATCH:
            person = self.enrolled(decision.best.person_id)
            if person is None:
                decision = Decision(DecisionKind.UNKNOWN)
        return RecognisedFace(face.box, face.quality, decision, person)
