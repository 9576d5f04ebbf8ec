"""Who a face is: the search, the decision, and the person behind it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from time import perf_counter

import numpy as np

from ray_backend.domain.answers import RecognisedFace, Recognition
from ray_backend.domain.decision import decide
from ray_backend.domain.errors import ImageRejected
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
        return self._enrolled([person_id]).get(person_id)

    def _enrolled(self, person_ids: Collection[str]) -> dict[str, Person]:
        """The same for many at once; whoever is erased or deactivated is missing."""
        if not person_ids:
            return {}
        people = self._roster.get_many(person_ids)
        active = {person_id: person for person_id, person in people.items() if person.active}
        for gone in set(person_ids) - set(active):
            self._gallery.remove_person(gone)
        return active

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
        searched = perf_counter()
        decisions = {
            id(face): self._decided(face, candidates.get(id(face)))
            for analysis in analyses
            for face in analysis.faces
        }
        matches = [one for one in decisions.values() if one.kind is DecisionKind.MATCH]
        people = self._enrolled({match.best.person_id for match in matches})
        search_s, decide_s = (
            seconds / max(1, len(analyses)) for seconds in (searched - started, perf_counter() - searched)
        )
        for _ in analyses:
            meters.took("search", search_s)
            meters.took("decide", decide_s)
        return [
            Recognition(
                tuple(_recognised(face, decisions[id(face)], people) for face in answer.faces),
                answer.pack_id,
                version,
                answer.timings_ms | {"search": 1000 * search_s},
            )
            if isinstance(answer, FrameAnalysis)
            else answer
            for answer in answers
        ]

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

    def _decided(self, face: AnalysedFace, candidates: list[Candidate] | None) -> Decision:
        """What the policy makes of a face, for which nobody was looked if it is poor."""
        if candidates is None:
            issue = find_issue(face.quality, self._policy.check_in_limits)
            return Decision(DecisionKind.POOR_QUALITY, issue=issue)
        return decide(candidates, threshold=self._policy.threshold, margin=self._policy.margin)


def _recognised(face: AnalysedFace, decision: Decision, people: Mapping[str, Person]) -> RecognisedFace:
    person = None
    if decision.kind is DecisionKind.MATCH:
        person = people.get(decision.best.person_id)
        if person is None:
            decision = Decision(DecisionKind.UNKNOWN)
    return RecognisedFace(face.box, face.quality, decision, person)
