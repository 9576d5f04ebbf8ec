"""Who a track is, by several of its frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ray_backend.domain.decision import decide
from ray_backend.domain.kiosk.rules import KioskRules
from ray_backend.domain.kiosk.words import SeenFace
from ray_backend.domain.model import Candidate, Decision, DecisionKind
from ray_backend.domain.quality import score

LookAlikes = Callable[[str], frozenset[str]]


def no_look_alikes(person_id: str) -> frozenset[str]:
    """Nobody is known to look like anybody."""
    return frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class _Ballot:
    """One frame's vote. `others`: what anybody who is not listed is like at most."""

    at_s: float
    weight: float
    face: SeenFace
    similarities: dict[str, float]
    others: float

    @property
    def best(self) -> str | None:
        return max(self.similarities, key=self.similarities.get, default=None)


class Vote:
    """Collects frames of one track and decides when they suffice.

    Each of the last frames weighs as much as its face is good. What is decided on are the weighted means
    of the people's similarities, as `domain.decision.decide` does on those of a single picture.
    """

    def __init__(
        self,
        rules: KioskRules,
        *,
        threshold: float,
        margin: float,
        look_alikes: LookAlikes = no_look_alikes,
    ) -> None:
        """`look_alikes(person_id)` are the people whom a person is known to be taken for."""
        self._rules = rules
        self._threshold = threshold
        self._margin = margin
        self._look_alikes = look_alikes
        self._ballots: list[_Ballot] = []
        self._added = 0
        self._first_s = 0.0

    @property
    def frames(self) -> int:
        """How many frames count now."""
        return len(self._ballots)

    @property
    def seconds(self) -> float:
        """Between the first frame that was added and the last."""
        return self._ballots[-1].at_s - self._first_s if self._ballots else 0.0

    @property
    def best_face(self) -> SeenFace | None:
        """The face of the best quality of those that count, None before there is any."""
        return max(self._ballots, key=lambda ballot: ballot.weight).face if self._ballots else None

    @property
    def progress(self) -> float:
        """0 to 1, never falling: most of it towards a match, the rest towards giving up."""
        if not self._ballots:
            return 0.0
        rules = self._rules
        match = min(self._added / rules.min_frames, self._part(rules.match_s), 1.0)
        rest = min(self._added / rules.give_up_frames, self._part(rules.give_up_s), 1.0)
        return 0.8 * match + 0.2 * rest

    def add(self, at_s: float, face: SeenFace) -> None:
        """Counts one frame. The face passes the limits and has an embedding; a person counts once.

        A similarity that is no number (NaN) counts as the lowest there is.
        """
        similarities: dict[str, float] = {}
        for candidate in face.candidates:
            likeness = candidate.similarity if candidate.similarity >= -1.0 else -1.0
            similarities[candidate.person_id] = max(likeness, similarities.get(candidate.person_id, -1.0))
        others = min(similarities.values(), default=-1.0)
        weight = score(face.quality, self._rules.limits)
        if not self._ballots:
            self._first_s = at_s
        self._added += 1
        self._ballots.append(_Ballot(at_s, weight, face, similarities, others))
        kept = self._rules.give_up_frames
        self._ballots = [
            *(one for one in self._ballots[:-kept] if at_s - one.at_s <= self._rules.window_s),
            *self._ballots[-kept:],
        ]

    def decision(self) -> Decision | None:
        """MATCH, AMBIGUOUS or UNKNOWN; None while more frames are needed.

        A match is decided as soon as it stands, the others only after more frames and time: one odd
        frame is no reason to send somebody away. Similarities are the weighted means.
        """
        rules = self._rules
        if self.frames < rules.min_frames or self._ballots[-1].at_s - self._ballots[0].at_s < rules.match_s:
            return None
        sure = self._surely()
        return sure if sure.kind is DecisionKind.MATCH or self._gives_up(sure) else None

    def _gives_up(self, sure: Decision) -> bool:
        rules = self._rules
        doubtful_from = self._threshold - rules.doubt_margins * self._margin
        doubtful = sure.kind is DecisionKind.UNKNOWN and sure.best and sure.best.similarity >= doubtful_from
        return self._added >= rules.give_up_frames and self.seconds >= (
            rules.doubt_s if doubtful else rules.give_up_s
        )

    def _surely(self) -> Decision:
        """The decision on the means; a match only where no single frame makes it."""
        people, similarities, weights = self._table()
        sums, weight = weights @ similarities, weights.sum()
        whole = self._decide(people, sums / weight)
        if whole.kind is not DecisionKind.MATCH:
            return whole
        if not self._has_its_share(whole.best.person_id):
            return replace(whole, kind=DecisionKind.AMBIGUOUS)
        without_one = (sums - weights[:, None] * similarities) / (weight - weights)[:, None]
        for means in without_one:
            rest = self._decide(people, means)
            if rest.kind is not DecisionKind.MATCH:
                return replace(whole, kind=rest.kind)
            if rest.best.person_id != whole.best.person_id:
                return replace(whole, kind=DecisionKind.AMBIGUOUS)
        return whole

    def _table(self) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Everybody who was listed, (frames, people) similarities and (frames,) weights."""
        people = list(dict.fromkeys(name for ballot in self._ballots for name in ballot.similarities))
        rows = [[ballot.similarities.get(name, ballot.others) for name in people] for ballot in self._ballots]
        weights = [ballot.weight for ballot in self._ballots]
        return people, np.array(rows, np.float64).reshape(self.frames, len(people)), np.array(weights)

    def _decide(self, people: list[str], means: np.ndarray) -> Decision:
        ranking = sorted(map(Candidate, people, means.tolist()), key=lambda one: -one.similarity)
        decision = decide(ranking, threshold=self._threshold, margin=self._margin)
        if decision.kind is not DecisionKind.MATCH:
            return decision
        alike = self._look_alikes(decision.best.person_id)
        rival = next((one for one in ranking[1:] if one.person_id in alike), None)
        lead = self._rules.look_alike_margins * self._margin
        if rival is not None and decision.best.similarity - rival.similarity < lead:
            return Decision(DecisionKind.AMBIGUOUS, decision.best, rival)
        return decision

    def _part(self, needed_s: float) -> float:
        return self.seconds / needed_s if needed_s > 0 else 1.0

    def _has_its_share(self, person_id: str) -> bool:
        """Whether the person is the nearest one in enough of the frames."""
        nearest = Counter(ballot.best for ballot in self._ballots)[person_id]
        return nearest >= max(self._rules.min_frames, self._rules.min_share * self.frames)
