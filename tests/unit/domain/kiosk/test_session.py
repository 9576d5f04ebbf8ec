"""Who is served at a kiosk, what is decided about them, and once only."""

import pytest

from ray_backend.domain.kiosk.words import Phase
from ray_backend.domain.model import QualityIssue
from tests.unit.domain.kiosk.film import RULES, Actor, Kiosk, frame

RATES = [2, 5, 10, 15]
GONE_S = RULES.lost_s + 0.6
ADA, BOB = Actor("ada"), Actor("bob")
STRANGER = Actor("stranger", enrolled=False)


@pytest.fixture(params=RATES, ids=lambda fps: f"{fps}/s")
def kiosk(request):
    return Kiosk(request.param)


def phases(kiosk):
    """The phases in the order in which they came, each once."""
    seen = [scene.phase for scene in kiosk.scenes]
    return [phase for index, phase in enumerate(seen) if index == 0 or phase is not seen[index - 1]]


def test_nobody_stays_idle(kiosk):
    kiosk.show(seconds=5)
    assert phases(kiosk) == [Phase.IDLE]
    assert kiosk.verdicts == []


def test_somebody_is_recognised_once_and_shown_until_they_go(kiosk):
    kiosk.show(ADA, seconds=10)
    kiosk.show(seconds=3)
    assert (kiosk.kinds(), kiosk.names()) == (["match"], ["ada"])
    assert phases(kiosk) == [Phase.HOLD_STILL, Phase.DECIDED, Phase.IDLE]


@pytest.mark.parametrize("fps", RATES)
def test_a_decision_needs_several_frames_and_little_time(fps):
    kiosk = Kiosk(fps)
    kiosk.show(ADA, seconds=3)
    (verdict,) = kiosk.verdicts
    assert verdict.frames >= RULES.min_frames
    assert verdict.seconds == pytest.approx(max(RULES.match_s, 2 / fps), abs=1 / fps)
    assert verdict.seconds <= 1.0


def test_a_newcomer_counts_from_the_very_first_frame(kiosk):
    kiosk.show(seconds=2)
    assert kiosk.session.wanted().embedding
    kiosk.show(ADA, seconds=1.5)
    needed = max(RULES.min_frames, int(RULES.match_s / kiosk.step_s - 1e-6) + 2)
    assert [scene.phase for scene in kiosk.scenes].index(Phase.DECIDED) == int(2 / kiosk.step_s) + needed - 1


def test_a_stranger_is_sent_away_later_than_a_match_and_once(kiosk):
    kiosk.show(STRANGER, seconds=1.9)
    assert kiosk.verdicts == []
    kiosk.show(STRANGER, seconds=1.5)
    assert kiosk.kinds() == ["unknown"]


def test_twins_are_asked_for_the_code(kiosk):
    kiosk.show(Actor("ada", like=(("ada", 0.7), ("eva", 0.69))), seconds=4)
    assert kiosk.kinds() == ["ambiguous"]


def test_known_look_alikes_are_asked_for_the_code():
    kiosk = Kiosk(look_alikes=lambda who: frozenset({"eva"} if who == "ada" else ()))
    kiosk.show(Actor("ada", like=(("ada", 0.7), ("eva", 0.62))), seconds=4)
    assert kiosk.kinds() == ["ambiguous"]


def test_one_strong_wrong_frame_among_right_ones_does_not_decide(kiosk):
    kiosk.show(ADA)
    kiosk.show(Actor("ada", like=(("bob", 0.99), ("ada", 0.3))))
    kiosk.show(ADA, seconds=4)
    assert (kiosk.kinds(), kiosk.names()) == (["match"], ["ada"])


def test_one_strong_frame_of_a_stranger_does_not_decide(kiosk):
    kiosk.show(Actor("stranger", like=(("ada", 0.99),)))
    kiosk.show(Actor("stranger", like=(("ada", 0.2),)), seconds=4)
    assert kiosk.kinds() == ["unknown"]


def test_somebody_behind_is_not_served(kiosk):
    kiosk.show(ADA, Actor("bob", size_px=80, x=480), seconds=6)
    assert kiosk.names() == ["ada"]


def test_who_stands_behind_is_served_when_the_first_has_gone(kiosk):
    behind = Actor("bob", size_px=80, x=480)
    kiosk.show(ADA, behind, seconds=4)
    kiosk.show(behind, seconds=4)
    assert kiosk.names() == ["ada", "bob"]


def test_somebody_who_steps_in_front_is_served(kiosk):
    kiosk.show(Actor("bob", size_px=80, x=480), seconds=4)
    kiosk.show(Actor("bob", size_px=80, x=480), Actor("ada", size_px=140, x=200), seconds=4)
    assert kiosk.names() == ["bob", "ada"]


def test_a_face_that_is_nearer_for_a_moment_only_takes_nobodys_place():
    kiosk = Kiosk(15)
    kiosk.show(STRANGER, seconds=1)
    kiosk.show(STRANGER, Actor("bob", size_px=200, x=540), seconds=0.2)
    kiosk.show(STRANGER, seconds=2)
    assert kiosk.kinds() == ["unknown"]
    assert all(scene.box[0] == STRANGER.x - 60 for scene in kiosk.scenes)


def test_who_was_left_for_somebody_nearer_begins_the_vote_again():
    kiosk = Kiosk(10)
    behind = Actor("stranger", size_px=80, x=480, enrolled=False)
    kiosk.show(behind, seconds=1.2)
    kiosk.show(behind, Actor("bob", 160, x=200), seconds=1.5)
    kiosk.show(behind, seconds=5)
    assert kiosk.kinds() == ["match", "unknown"]
    assert kiosk.verdicts[1].seconds < 3


def test_who_has_a_verdict_gives_way_to_whoever_is_nearer_by_a_little(kiosk):
    kiosk.show(Actor("ada", x=480), seconds=3)
    kiosk.show(Actor("ada", x=480), Actor("bob", 130, x=160), seconds=3)
    assert kiosk.names() == ["ada", "bob"]


def test_two_people_who_are_about_equally_near_do_not_keep_each_other_waiting(kiosk):
    kiosk.show(Actor("stranger", x=480, enrolled=False))
    kiosk.show(Actor("stranger", x=480, enrolled=False), Actor("bob", 130, x=160), seconds=3)
    assert kiosk.names() == ["bob"]


def test_who_is_served_keeps_their_place_against_whoever_is_nearer_by_a_little_now_and_then():
    kiosk = Kiosk(10)
    kiosk.show(Actor("stranger", 125, x=480, enrolled=False))
    for _ in range(20):
        kiosk.show(Actor("stranger", 120, x=480, enrolled=False), Actor("bob", 125, x=160))
        kiosk.show(Actor("stranger", 125, x=480, enrolled=False), Actor("bob", 120, x=160), seconds=0.2)
    assert kiosk.kinds()[0] == "unknown"


def test_an_old_verdict_is_not_shown_again(kiosk):
    kiosk.show(Actor("ada", 120, x=480), seconds=3)
    kiosk.show(Actor("ada", 120, x=480), Actor("bob", 160, x=160), seconds=3)
    scene = kiosk.show(Actor("ada", 120, x=480), seconds=GONE_S + 1)
    assert scene.phase is Phase.IDLE
    assert kiosk.names() == ["ada", "bob"]


def test_who_was_served_before_is_not_called_back():
    kiosk = Kiosk(10)
    kiosk.show(Actor("ada", 70, x=480), seconds=2)
    kiosk.show(Actor("ada", 60, x=480), Actor("bob", 160, x=160), seconds=2)
    kiosk.show(Actor("ada", 45, x=480), Actor("bob", 160, x=160), seconds=1)
    kiosk.show(Actor("ada", 45, x=480), seconds=GONE_S + 1)
    assert kiosk.names() == ["ada", "bob"]
    assert Phase.COME_CLOSER not in phases(kiosk)


def test_two_people_who_cross_get_one_verdict_each_at_most_and_their_own(kiosk):
    for place in range(0, 400, max(1, round(160 * kiosk.step_s))):
        kiosk.show(Actor("near", 160, 120 + place), Actor("far", 90, 520 - place))
    assert kiosk.names() == ["near"]


def test_two_people_who_swap_places_are_not_taken_for_each_other():
    kiosk = Kiosk(5)
    for place in range(0, 320, 16):
        kiosk.show(Actor("ada", 120, 160 + place), Actor("bob", 118, 480 - place))
    kiosk.show(Actor("ada", 120, 480), Actor("bob", 118, 160), seconds=2)
    assert set(kiosk.names()) == {"ada"}
    assert len({verdict.track_id for verdict in kiosk.verdicts}) == len(kiosk.verdicts)


def test_somebody_else_in_the_same_place_before_the_verdict_starts_the_vote_again(kiosk):
    kiosk.show(ADA)
    kiosk.show(ADA)
    kiosk.show(BOB, seconds=3)
    assert (kiosk.kinds(), kiosk.names()) == (["match"], ["bob"])
    assert kiosk.verdicts[0].frames >= RULES.min_frames


def test_a_change_in_the_middle_of_the_vote_counts_nothing_of_the_one_before():
    kiosk = Kiosk(15)
    kiosk.show(STRANGER, seconds=1.5)
    kiosk.show(ADA, seconds=1)
    (verdict,) = kiosk.verdicts
    assert (verdict.decision.best.person_id, verdict.decision.best.similarity) == ("ada", pytest.approx(0.7))
    assert verdict.seconds < 1


def test_somebody_else_in_the_same_place_after_the_verdict_is_served_too(kiosk):
    kiosk.show(ADA, seconds=3)
    kiosk.show(BOB, seconds=5)
    assert kiosk.names() == ["ada", "bob"]
    first, second = kiosk.verdicts
    assert first.track_id != second.track_id
    assert phases(kiosk)[-3:] == [Phase.DECIDED, Phase.HOLD_STILL, Phase.DECIDED]


def test_one_odd_frame_after_the_verdict_serves_nobody_again():
    kiosk = Kiosk(10)
    kiosk.show(ADA, seconds=2)
    for _ in range(5):
        kiosk.show(ADA, seconds=RULES.recheck_s)
        kiosk.show(BOB)
    kiosk.show(ADA, seconds=2)
    assert kiosk.names() == ["ada"]


def test_the_next_one_in_the_queue_is_served_at_once(kiosk):
    for who in ("ada", "bob", "eva"):
        kiosk.show(Actor(who, x=200), seconds=2)
        kiosk.show(seconds=GONE_S)
    assert kiosk.names() == ["ada", "bob", "eva"]


def test_somebody_who_comes_back_is_decided_on_anew(kiosk):
    for _ in range(2):
        kiosk.show(ADA, seconds=3)
        kiosk.show(seconds=GONE_S)
    assert kiosk.names() == ["ada", "ada"]


def test_a_missed_face_changes_nothing(kiosk):
    kiosk.show(ADA, seconds=3)
    kiosk.show()
    kiosk.show(ADA, seconds=3)
    assert kiosk.names() == ["ada"]
    assert phases(kiosk) == [Phase.HOLD_STILL, Phase.DECIDED]


def test_who_was_not_recognised_is_tried_again_while_standing_there(kiosk):
    kiosk.show(STRANGER, seconds=4)
    kiosk.show(Actor("stranger", like=(("joe", 0.7),)), seconds=6)
    assert kiosk.kinds() == ["unknown", "match"]
    first, second = kiosk.verdicts
    assert first.track_id != second.track_id


def test_a_face_that_is_never_recognised_is_tried_ever_less_often():
    kiosk = Kiosk(5)
    kiosk.show(STRANGER, seconds=150)
    assert 3 <= len(kiosk.verdicts) <= 6
    assert len({verdict.track_id for verdict in kiosk.verdicts}) == len(kiosk.verdicts)


def test_who_waits_is_told_how_long_across_attempts():
    kiosk = Kiosk(5)
    kiosk.show(STRANGER, seconds=7)
    scene = kiosk.scenes[-1]
    assert scene.phase is Phase.HOLD_STILL
    assert scene.waiting_s == pytest.approx(7, abs=0.3)


def test_a_match_is_not_tried_again(kiosk):
    kiosk.show(ADA, seconds=60)
    assert kiosk.names() == ["ada"]


@pytest.mark.parametrize(
    ("size_px", "phase"), [(20, Phase.IDLE), (40, Phase.COME_CLOSER), (60, Phase.HOLD_STILL)]
)
def test_how_near_a_face_is(kiosk, size_px, phase):
    kiosk.show(Actor("ada", size_px), seconds=1)
    assert kiosk.scenes[0].phase is phase


def test_nobody_is_called_back_who_walks_away_with_a_verdict(kiosk):
    kiosk.show(ADA, seconds=2)
    for size_px in (100, 80, 60, 50, 42, 36, 32, 28, 24):
        kiosk.show(Actor("ada", size_px), seconds=0.5)
    kiosk.show(seconds=2)
    assert phases(kiosk) == [Phase.HOLD_STILL, Phase.DECIDED, Phase.IDLE]


def test_a_face_on_the_border_of_the_zone_does_not_flicker(kiosk):
    for _ in range(10):
        kiosk.show(Actor("stranger", 59, enrolled=False))
        kiosk.show(Actor("stranger", 55, enrolled=False))
    assert Phase.COME_CLOSER not in phases(kiosk)[1:]


@pytest.mark.parametrize(
    ("flaws", "issue"),
    [
        ({"visible": 0.5}, QualityIssue.CUT_OFF),
        ({"yaw_deg": 60}, QualityIssue.TURNED_AWAY),
        ({"brightness": 10}, QualityIssue.TOO_DARK),
        ({"brightness": 250}, QualityIssue.TOO_BRIGHT),
        ({"sharpness": 5}, QualityIssue.BLURRED),
    ],
)
def test_a_poor_face_is_told_the_one_thing_to_mend(kiosk, flaws, issue):
    scene = kiosk.show(Actor("ada", flaws=flaws), seconds=3)
    assert (scene.phase, scene.issue) == (Phase.ADJUST, issue)
    assert kiosk.verdicts == []
    kiosk.show(ADA, seconds=2)
    assert kiosk.names() == ["ada"]


def test_a_quality_that_flickers_does_not_make_the_screen_flicker():
    kiosk = Kiosk(15)
    for _ in range(20):
        kiosk.show(STRANGER)
        kiosk.show(Actor("stranger", flaws={"sharpness": 5}))
    assert phases(kiosk)[0] is Phase.HOLD_STILL
    assert Phase.ADJUST not in phases(kiosk)


def test_issues_that_take_turns_show_one_of_them():
    kiosk = Kiosk(10)
    for _ in range(20):
        kiosk.show(Actor("ada", flaws={"sharpness": 5}))
        kiosk.show(Actor("ada", flaws={"brightness": 10}))
    shown = {scene.issue for scene in kiosk.scenes[8:]}
    assert len(shown) == 1
    assert shown != {None}


def test_the_progress_rises_while_votes_are_collected():
    kiosk = Kiosk(10)
    kiosk.show(STRANGER, seconds=1.9)
    values = [scene.progress for scene in kiosk.scenes]
    assert values == sorted(values)
    assert 0 <= values[0] < values[-1] <= 1


def test_a_frame_that_comes_twice_or_late_changes_nothing():
    kiosk = Kiosk()
    first = kiosk.session.observe(frame(1.0, ADA))
    for at_s in (1.0, 1.0, 0.5, 0.9):
        assert kiosk.session.observe(frame(at_s, ADA)) == first


def test_a_pause_ends_every_track(kiosk):
    kiosk.show(ADA, seconds=3)
    kiosk.at_s += 3600
    assert kiosk.show(BOB).phase is Phase.HOLD_STILL
    kiosk.show(BOB, seconds=2)
    assert kiosk.names() == ["ada", "bob"]


class TestWhatIsWanted:
    """Everything costs, so it is asked for when somebody needs it only."""

    def test_an_empty_room(self, kiosk):
        kiosk.show(seconds=1)
        assert kiosk.session.wanted().embedding

    def test_somebody_far_away(self, kiosk):
        kiosk.show(Actor("ada", 35))
        assert not kiosk.session.wanted().embedding

    def test_somebody_who_is_about_to_enter(self, kiosk):
        kiosk.show(Actor("ada", 52))
        assert kiosk.session.wanted().embedding

    def test_somebody_without_a_verdict(self, kiosk):
        kiosk.show(ADA)
        assert kiosk.session.wanted().embedding

    def test_somebody_with_a_verdict_is_looked_at_now_and_then(self):
        kiosk = Kiosk(15)
        kiosk.show(ADA, seconds=2)
        kiosk.wanted.clear()
        kiosk.show(ADA, seconds=10)
        assert 8 <= sum(wanted.embedding for wanted in kiosk.wanted) <= 11

    def test_nobodys_liveness_where_it_is_off(self, kiosk):
        kiosk.show(ADA, seconds=2)
        assert not any(wanted.liveness for wanted in kiosk.wanted)
