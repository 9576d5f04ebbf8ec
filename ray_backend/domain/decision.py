"""Who a face is: the open-set decision on the nearest people of the gallery."""

from __future__ import annotations

from collections.abc import Sequence

from ray_backend.domain.model import Candidate, Decision, DecisionKind


def decide(candidates: Sequence[Candidate], *, threshold: float, margin: float) -> Decision:
    """Match, ambiguous or unknown, from different people in descending order of similarity.

    Two people who both reach the threshold and lie closer together than `margin` are ambiguous:
    recording the wrong one of two look-alikes is worse than asking. A similarity that is no number
    (NaN) reaches nothing.
    """
    best = candidates[0] if candidates else None
    second = candidates[1] if len(candidates) > 1 else None
    if best is None or not best.similarity >= threshold:
        return Decision(DecisionKind.UNKNOWN, best, second)
    rival = second is not None and second.similarity >= threshold
    if rival and best.similarity - second.similarity < margin:
        return Decision(DecisionKind.AMBIGUOUS, best, second)
    return Decision(DecisionKind.MATCH, best, second)
