"""The open-set decision on the nearest people."""

import pytest

from ray_backend.domain.decision import decide
from ray_backend.domain.model import Candidate, DecisionKind

THRESHOLD, MARGIN = 0.5, 0.1


def decision_on(*similarities):
    candidates = [Candidate(f"p{rank}", similarity) for rank, similarity in enumerate(similarities)]
    return decide(candidates, threshold=THRESHOLD, margin=MARGIN)


@pytest.mark.parametrize(
    ("similarities", "kind"),
    [
        ((), DecisionKind.UNKNOWN),
        ((0.9,), DecisionKind.MATCH),
        ((0.5,), DecisionKind.MATCH),  # the threshold itself is enough
        ((0.4999,), DecisionKind.UNKNOWN),
        ((-1.0,), DecisionKind.UNKNOWN),
        ((0.9, 0.2), DecisionKind.MATCH),
        ((0.75, 0.625), DecisionKind.MATCH),  # a lead of more than the margin
        ((0.75, 0.7), DecisionKind.AMBIGUOUS),
        ((0.75, 0.75), DecisionKind.AMBIGUOUS),
        ((0.55, 0.5), DecisionKind.AMBIGUOUS),  # the rival stands on the threshold
        ((0.55, 0.4999), DecisionKind.MATCH),  # close, but no rival: below the threshold
        ((0.45, 0.44), DecisionKind.UNKNOWN),  # close, but neither is known
    ],
)
def test_the_kind_of_decision(similarities, kind):
    assert decision_on(*similarities).kind is kind


def test_a_lead_of_exactly_the_margin_is_a_match():
    people = [Candidate("a", 0.75), Candidate("b", 0.625)]
    assert decide(people, threshold=0.5, margin=0.125).kind is DecisionKind.MATCH


def test_the_decision_names_the_two_nearest_people():
    decision = decision_on(0.9, 0.3, 0.2)
    assert (decision.best, decision.second) == (Candidate("p0", 0.9), Candidate("p1", 0.3))
    assert decision.issue is None


def test_an_empty_gallery_names_nobody():
    decision = decision_on()
    assert decision.best is None
    assert decision.second is None


def test_a_similarity_that_is_no_number_matches_nobody():
    assert decision_on(float("nan")).kind is DecisionKind.UNKNOWN
    assert decision_on(float("nan"), 0.9).kind is not DecisionKind.MATCH
