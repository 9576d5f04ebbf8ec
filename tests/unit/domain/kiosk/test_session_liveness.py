"""A verdict says whether a living person stood there, and repeated pictures leave only the other way."""

import pytest

from ray_backend.domain.kiosk.words import ChallengeState, LivenessMode, Move, Phase
from ray_backend.domain.model import Liveness
from tests.unit.domain.kiosk.film import RULES, Actor, Kiosk

OFF, OBSERVE, REQUIRE = LivenessMode.OFF, LivenessMode.OBSERVE, LivenessMode.REQUIRE
LIVE, PICTURE = Actor("ada", liveness=0.9), Actor("ada", liveness=0.1)
NO_MODEL = Actor("ada")
GONE_S = RULES.lost_s + 0.6


@pytest.mark.parametrize("fps", [2, 5, 10, 15])
@pytest.mark.parametrize(
    ("mode", "actor", "kind", "liveness"),
    [
        (OFF, PICTURE, "match", Liveness.NOT_CHECKED),
        (OBSERVE, LIVE, "match", Liveness.LIVE),
        (OBSERVE, PICTURE, "match", Liveness.SPOOF),
        (OBSERVE, NO_MODEL, "match", Liveness.NOT_CHECKED),
        (REQUIRE, LIVE, "match", Liveness.LIVE),
        (REQUIRE, PICTURE, "spoof", Liveness.SPOOF),
        (REQUIRE, NO_MODEL, "spoof", Liveness.NOT_CHECKED),  # required, and nobody could tell
        (REQUIRE, Actor("ada", liveness=float("nan")), "spoof", Liveness.SPOOF),
    ],
)
def test_by_a_model(fps, mode, actor, kind, liveness):
    kiosk = Kiosk(fps, liveness=mode)
    kiosk.show(actor, seconds=3)
    (verdict,) = kiosk.verdicts
    assert (str(verdict.decision.kind), verdict.liveness) == (kind, liveness)
    assert verdict.decision.best.person_id == "ada"


def test_the_mean_of_the_scores_counts():
    kiosk = Kiosk(2, liveness=OBSERVE)
    for score in (0.2, 0.9, 0.7):
        kiosk.show(Actor("ada", liveness=score))
    (verdict,) = kiosk.verdicts
    assert verdict.liveness is Liveness.LIVE
    assert verdict.liveness_score == pytest.approx(0.6)


def test_scores_that_stay_too_few_leave_it_unsure():
    kiosk = Kiosk(2, liveness=REQUIRE)
    for score in (0.9, None, None, 0.9, None):
        kiosk.show(Actor("ada", liveness=score))
    (verdict,) = kiosk.verdicts
    assert (str(verdict.decision.kind), verdict.liveness) == ("spoof", Liveness.UNSURE)


def test_scores_of_poor_frames_do_not_count():
    kiosk = Kiosk(5, liveness=OBSERVE)
    kiosk.show(Actor("ada", liveness=0.0, flaws={"sharpness": 5}), seconds=2)
    kiosk.show(LIVE, seconds=2)
    assert kiosk.verdicts[0].liveness_score == pytest.approx(0.9)


def test_the_model_is_asked_about_newcomers_and_the_undecided_only():
    kiosk = Kiosk(10, liveness=OBSERVE)
    assert kiosk.session.wanted().liveness
    kiosk.show(LIVE)
    assert kiosk.session.wanted().liveness
    kiosk.show(LIVE, seconds=1)
    kiosk.wanted.clear()
    kiosk.show(LIVE, seconds=5)
    assert not any(wanted.liveness for wanted in kiosk.wanted)


class Moves:
    """Implements `Challenge`: comes to its outcome after so many seconds."""

    def __init__(self, outcome=Liveness.LIVE, after_s=2.0):
        self.outcome, self.after_s, self.began_s, self.seen = outcome, after_s, None, 0

    def observe(self, frame, face):
        self.seen += 1
        self.began_s = frame.at_s if self.began_s is None else self.began_s
        passed = frame.at_s - self.began_s
        if passed >= self.after_s:
            return ChallengeState(self.outcome, progress=1.0)
        return ChallengeState(Liveness.UNSURE, Move.TURN_LEFT, passed / self.after_s)


def challenged(mode=REQUIRE, outcome=Liveness.LIVE, after_s=2.0, fps=10):
    made = []

    def new_challenge():
        made.append(Moves(outcome, after_s))
        return made[-1]

    return Kiosk(fps, liveness=mode, new_challenge=new_challenge), made


@pytest.mark.parametrize("fps", [2, 5, 15])
@pytest.mark.parametrize(
    ("mode", "outcome", "kind"),
    [
        (OBSERVE, Liveness.LIVE, "match"),
        (OBSERVE, Liveness.SPOOF, "match"),
        (REQUIRE, Liveness.LIVE, "match"),
        (REQUIRE, Liveness.SPOOF, "spoof"),
    ],
)
def test_by_a_challenge(fps, mode, outcome, kind):
    kiosk, _ = challenged(mode, outcome, fps=fps)
    kiosk.show(NO_MODEL, seconds=1.9)
    assert kiosk.verdicts == []
    assert (kiosk.scenes[-1].phase, kiosk.scenes[-1].move) == (Phase.CHALLENGE, Move.TURN_LEFT)
    assert 0 < kiosk.scenes[-1].progress < 1
    kiosk.show(NO_MODEL, seconds=1.2)
    (verdict,) = kiosk.verdicts
    assert (str(verdict.decision.kind), verdict.liveness) == (kind, outcome)
    assert not any(wanted.liveness for wanted in kiosk.wanted)


@pytest.mark.parametrize(("mode", "kind"), [(OBSERVE, "match"), (REQUIRE, "spoof")])
def test_a_challenge_that_takes_too_long_is_unsure(mode, kind):
    kiosk, _ = challenged(mode, after_s=1000)
    kiosk.show(NO_MODEL, seconds=RULES.challenge_s + 0.5)
    (verdict,) = kiosk.verdicts
    assert (str(verdict.decision.kind), verdict.liveness) == (kind, Liveness.UNSURE)


def test_no_challenge_where_liveness_is_off():
    kiosk, made = challenged(OFF)
    kiosk.show(NO_MODEL, seconds=1)
    assert kiosk.kinds() == ["match"]
    assert made == []


def test_a_turned_head_is_shown_to_the_challenge_but_not_voted():
    kiosk, (*_,) = challenged()
    kiosk.show(NO_MODEL, seconds=0.5)
    kiosk.show(Actor("ada", like=(("bob", 0.9),), flaws={"yaw_deg": 60}), seconds=1)
    assert kiosk.scenes[-1].phase is Phase.CHALLENGE
    kiosk.show(NO_MODEL, seconds=1)
    assert kiosk.names() == ["ada"]


def test_the_verdict_waits_for_the_vote_too():
    kiosk, _ = challenged(after_s=0.5)
    kiosk.show(NO_MODEL)
    kiosk.show(Actor("ada", flaws={"yaw_deg": 60}), seconds=2)
    assert kiosk.verdicts == []
    assert kiosk.scenes[-1].phase is Phase.ADJUST
    kiosk.show(NO_MODEL, seconds=1)
    assert kiosk.names() == ["ada"]


def test_nobody_does_the_moves_for_somebody_else():
    kiosk, made = challenged(after_s=2)
    kiosk.show(Actor("bob"), seconds=1.8)
    kiosk.show(NO_MODEL, seconds=1.5)
    assert kiosk.verdicts == []
    assert len(made) == 2


def attempt_with_picture(kiosk, actor=PICTURE):
    kiosk.show(actor, seconds=2)
    kiosk.show(seconds=GONE_S)


def locked_kiosk():
    """A kiosk at which three pictures failed, the last one of Eva, and nobody stands any more."""
    kiosk = Kiosk(10, liveness=REQUIRE)
    for person in ("ada", "bob", "eva"):
        assert kiosk.session.locked_until_s is None
        attempt_with_picture(kiosk, Actor(person, liveness=0.1))
    assert kiosk.kinds() == ["spoof"] * 3
    assert kiosk.session.locked_until_s == pytest.approx(kiosk.at_s + RULES.lock_s, abs=10)
    return kiosk


def test_one_picture_that_stays_there_locks_itself_out():
    kiosk = Kiosk(5, liveness=REQUIRE)
    kiosk.show(PICTURE, seconds=30)
    assert kiosk.kinds() == ["spoof"] * 3
    assert kiosk.scenes[-1].locked


def test_when_the_one_who_is_locked_out_has_gone_the_kiosk_is_idle():
    kiosk = locked_kiosk()
    assert (kiosk.scenes[-1].phase, kiosk.scenes[-1].locked) == (Phase.IDLE, False)


def test_the_next_person_is_served_while_somebody_else_is_locked_out():
    kiosk = locked_kiosk()
    kiosk.show(Actor("zoe", liveness=0.9), seconds=2)
    assert kiosk.kinds()[3:] == ["match"]
    assert not kiosk.scenes[-1].locked


@pytest.mark.parametrize("person", ["ada", "bob", "eva"])
def test_who_goes_away_and_comes_back_is_still_locked_out_until_the_time_is_over(person):
    kiosk = locked_kiosk()
    until_s = kiosk.session.locked_until_s
    for _ in range(5):
        kiosk.show(Actor(person, liveness=0.9), seconds=3)
        assert kiosk.scenes[-1].locked
        kiosk.show(seconds=GONE_S)
        assert not kiosk.scenes[-1].locked
    assert kiosk.session.locked_until_s == until_s
    assert len(kiosk.verdicts) == 3
    kiosk.show(seconds=RULES.lock_s)
    kiosk.show(Actor(person, liveness=0.9), seconds=2)
    assert kiosk.kinds()[3:] == ["match"]


def test_who_takes_the_place_of_somebody_locked_out_is_served():
    kiosk = Kiosk(10, liveness=REQUIRE)
    kiosk.show(PICTURE, seconds=30)
    kiosk.show(Actor("zoe", liveness=0.9), seconds=4)
    assert (kiosk.kinds()[-1], kiosk.names()[-1]) == ("match", "zoe")


def test_a_picture_of_somebody_else_helps_once_and_then_nobody_is_looked_at():
    kiosk = locked_kiosk()
    attempt_with_picture(kiosk, Actor("zoe", liveness=0.1))
    assert kiosk.kinds()[3:] == ["spoof"]
    assert not kiosk.scenes[-1].locked
    assert kiosk.session.locked_until_s == pytest.approx(kiosk.at_s + 2 * RULES.lock_s, abs=5)
    kiosk.show(Actor("somebody honest", liveness=0.9), seconds=5)
    assert kiosk.scenes[-1].locked
    assert not kiosk.session.wanted().embedding
    assert len(kiosk.verdicts) == 4


def test_the_attempts_of_somebody_who_never_gives_up_become_ever_fewer():
    """An hour of ever new pictures, each held up and taken away: 3, then one for each lock."""
    kiosk = Kiosk(5, liveness=REQUIRE)
    number = 0
    while kiosk.at_s < 3600:
        attempt_with_picture(kiosk, Actor(f"picture {number}", liveness=0.1))
        number += 1
    # Locks of 1, 2, 4, 8 and then always 15 minutes.
    assert 3 < len(kiosk.verdicts) <= 3 + 7


def test_after_a_quiet_time_everything_begins_from_the_start():
    kiosk = locked_kiosk()
    kiosk.show(seconds=RULES.lock_s + RULES.lock_window_s + 1)
    attempt_with_picture(kiosk, Actor("zoe", liveness=0.1))
    assert kiosk.session.locked_until_s is None


def test_failures_that_lie_far_apart_do_not_lock():
    kiosk = Kiosk(5, liveness=REQUIRE)
    for _ in range(5):
        attempt_with_picture(kiosk)
        kiosk.at_s += RULES.lock_window_s / 2 + 1
    assert kiosk.kinds() == ["spoof"] * 5
    assert not any(scene.locked for scene in kiosk.scenes)


def test_what_is_only_observed_locks_nothing():
    kiosk = Kiosk(5, liveness=OBSERVE)
    for _ in range(5):
        attempt_with_picture(kiosk)
    assert kiosk.kinds() == ["match"] * 5
    assert not any(scene.locked for scene in kiosk.scenes)
