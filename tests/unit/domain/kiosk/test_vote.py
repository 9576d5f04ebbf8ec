"""Several frames decide who a track is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_backend.domain.kiosk.vote import Vote, no_look_alikes
from ray_backend.domain.model import DecisionKind
from tests.unit.domain.kiosk.film import EVERYTHING, MARGIN, RULES, THRESHOLD, Actor

MATCH, AMBIGUOUS, UNKNOWN = DecisionKind.MATCH, DecisionKind.AMBIGUOUS, DecisionKind.UNKNOWN
STEP_S = 0.5
ENOUGH = RULES.give_up_frames  # at two a second, that is as long as it takes to give up
LONG = round(RULES.doubt_s / STEP_S) + 1
QUICK_S = 0.15  # so that all of a film of 13 frames counts


def vote_on(*frames, look_alikes=no_look_alikes, step_s=STEP_S, flaws=None):
    """A vote over frames, each the people and their similarities, best first."""
    vote = Vote(RULES, threshold=THRESHOLD, margin=MARGIN, look_alikes=look_alikes)
    for index, like in enumerate(frames):
        face = Actor("x", like=tuple(like), flaws=(flaws or {}).get(index, {})).seen(EVERYTHING)
        vote.add(index * step_s, face)
    return vote


def kind_of(vote):
    decision = vote.decision()
    return None if decision is None else decision.kind


ADA, BOB = [("ada", 0.7), ("bob", 0.1)], [("bob", 0.7), ("ada", 0.1)]
TWINS = [("ada", 0.7), ("eva", 0.68)]
NOBODY = [("ada", 0.2), ("bob", 0.1)]


@pytest.mark.parametrize(
    ("frames", "kind"),
    [
        ([], None),
        ([ADA], None),
        ([ADA] * 2, None),
        ([ADA] * 3, MATCH),
        ([NOBODY] * 3, None),  # a stranger is not sent away as fast as somebody known is let in
        ([NOBODY] * ENOUGH, UNKNOWN),
        ([TWINS] * 3, None),
        ([TWINS] * ENOUGH, AMBIGUOUS),
        ([TWINS, *[ADA] * 3], MATCH),  # they did not stay that close
        ([BOB, *[ADA] * 2], None),  # ada is the nearest in two frames only
        ([BOB, *[ADA] * 4], MATCH),
        ([[("bob", 0.99), ("ada", 0.1)], *[ADA] * 4], MATCH),  # one strong frame of somebody else
        ([[("ada", 0.99)], NOBODY, NOBODY], None),  # one strong frame, and nothing else
        ([[("ada", 0.99)], *[[("ada", 0.4)]] * 4], None),  # the mean is above, but for one frame
        ([[("ada", 0.99)], *[[("ada", 0.4)]] * LONG], UNKNOWN),
        ([ADA, BOB] * 5, UNKNOWN),  # neither is like it in the mean
        ([[("ada", 0.7), ("bob", 0.5)], [("bob", 0.7), ("ada", 0.5)]] * 3, AMBIGUOUS),
        # ada by the means, but as often one as the other
        ([[("ada", 0.9), ("bob", 0.1)], [("bob", 0.6), ("ada", 0.4)]] * 3, AMBIGUOUS),
        ([[]] * ENOUGH, UNKNOWN),  # an empty gallery
        ([[], *[ADA] * 9], MATCH),  # filled meanwhile
        ([[("ada", float("nan"))]] * ENOUGH, UNKNOWN),
        ([[("ada", 0.45)]] * 3, MATCH),  # the threshold itself is enough
        ([[("ada", 0.449)]] * ENOUGH, None),  # so close that it is worth waiting
        ([[("ada", 0.449)]] * LONG, UNKNOWN),
        ([*[[("ada", 0.4)]] * 6, *[ADA] * 3], MATCH),  # turned to the camera at last
    ],
)
def test_what_frames_come_to(frames, kind):
    assert kind_of(vote_on(*frames)) is kind


def test_frames_of_the_same_moment_are_not_enough():
    assert kind_of(vote_on(*[ADA] * 5, step_s=0.01)) is None


def test_many_frames_in_a_short_time_send_nobody_away():
    assert kind_of(vote_on(*[NOBODY] * 20, step_s=1 / 15)) is None
    assert kind_of(vote_on(*[NOBODY] * 32, step_s=1 / 15)) is UNKNOWN


def test_a_person_counts_once_in_a_frame():
    twice = [("ada", 0.7), ("ada", 0.69), ("bob", 0.1)]
    decision = vote_on(*[twice] * 3).decision()
    assert decision.kind is MATCH
    assert decision.second.person_id == "bob"


def test_the_similarities_are_the_means_by_quality():
    weak = {0: {"sharpness": 40.0}}  # on the limit: half the weight
    frames = [[("ada", 0.9)], [("ada", 0.6)], [("ada", 0.6)]]
    assert vote_on(*frames).decision().best.similarity == pytest.approx(0.7)
    assert vote_on(*frames, flaws=weak).decision().best.similarity == pytest.approx(0.66)


def test_who_is_not_listed_is_like_the_last_of_the_list_at_most():
    frames = [[("ada", 0.8), ("bob", 0.5)], [("ada", 0.8), ("eva", 0.5)], [("ada", 0.8), ("eva", 0.5)]]
    assert vote_on(*frames).decision().second.similarity == pytest.approx(0.5)


def test_the_best_face_is_the_one_of_the_best_quality():
    vote = vote_on(ADA, ADA, ADA, flaws={0: {"sharpness": 50.0}, 2: {"sharpness": 60.0}})
    assert vote.best_face.quality.sharpness == 200


@pytest.mark.parametrize(
    ("eva", "known", "kind"),
    [
        (0.62, False, MATCH),
        (0.62, True, AMBIGUOUS),  # more than the margin, less than twice
        (0.59, True, MATCH),  # more than twice the margin
    ],
)
def test_known_look_alikes_need_twice_the_margin(eva, known, kind):
    alike = {"ada": frozenset({"eva"})} if known else {}
    vote = vote_on(
        *[[("ada", 0.7), ("eva", eva)]] * ENOUGH, look_alikes=lambda who: alike.get(who, frozenset())
    )
    assert kind_of(vote) is kind


def test_a_known_look_alike_below_the_threshold_is_still_a_rival():
    vote = vote_on(
        *[[("ada", 0.5), ("bob", 0.47), ("eva", 0.44)]] * ENOUGH, look_alikes=lambda who: frozenset({"eva"})
    )
    assert kind_of(vote) is AMBIGUOUS
    vote = vote_on(*[[("ada", 0.5), ("eva", 0.44)]] * ENOUGH, look_alikes=lambda who: frozenset({"eva"}))
    assert (kind_of(vote), vote.decision().second.person_id) == (AMBIGUOUS, "eva")


PEOPLE = ["ada", "bob", "eva", "joe"]
similarity = st.floats(-1, 1)
a_frame = st.lists(st.tuples(st.sampled_from(PEOPLE), similarity), max_size=4).map(
    lambda like: sorted(like, key=lambda one: -one[1])
)
films = st.lists(a_frame, min_size=1, max_size=12)


@given(films)
def test_whoever_is_matched_is_the_nearest_in_enough_frames(film):
    vote = vote_on(*film, step_s=QUICK_S)
    decision = vote.decision()
    if decision is None or decision.kind is not MATCH:
        return
    nearest = [frame for frame in film if frame and frame[0][1] == dict(reversed(frame)).get(best(decision))]
    assert len(nearest) >= max(RULES.min_frames, RULES.min_share * len(film))
    assert decision.best.similarity >= THRESHOLD


def best(decision):
    return decision.best.person_id


@given(films, st.randoms(use_true_random=False))
def test_the_order_of_the_frames_decides_nothing(film, random):
    shuffled = random.sample(film, len(film))
    one, other = (vote_on(*frames, step_s=QUICK_S).decision() for frames in (film, shuffled))
    assert (one is None) == (other is None)
    if one is not None and one.best is not None:
        assert other.best.similarity == pytest.approx(one.best.similarity)


@given(a_frame, st.integers(2, 10))
def test_the_same_frame_again_never_changes_who_it_is(like, times):
    few, many = vote_on(*[like] * LONG).decision(), vote_on(*[like] * LONG * times).decision()
    assert few.kind is many.kind


@given(films, a_frame)
def test_one_frame_never_makes_a_match_of_nothing(film, strong):
    """Whatever a single frame says: without it, the rest of the frames has to say the same."""
    frames = [*film, strong]
    decision = vote_on(*frames, step_s=QUICK_S).decision()
    if decision is not None and decision.kind is MATCH:
        for place in range(len(frames)):
            rest = Vote(RULES, threshold=THRESHOLD, margin=MARGIN)
            for index, like in enumerate(frames[:place] + frames[place + 1 :]):
                rest.add(index * QUICK_S, Actor("x", like=tuple(like)).seen(EVERYTHING))
            people, similarities, weights = rest._table()
            mean = dict(zip(people, weights @ similarities / weights.sum(), strict=True))
            assert mean.get(best(decision), -1) >= THRESHOLD - 1e-9


@given(films)
def test_the_progress_never_falls(film):
    values = [vote_on(*film[:number]).progress for number in range(1, len(film) + 1)]
    assert values == sorted(values)
    assert 0 <= values[0] <= values[-1] <= 1
