"""The guide: takes each photo by itself, in order, of one person."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_backend.domain.enrolment.guide import Guide
from ray_backend.domain.enrolment.poses import INSIGHTFACE, GuideRules, find_fix
from ray_backend.domain.enrolment.words import Fix, Target
from ray_backend.domain.quality import find_issue
from tests.unit.domain.enrolment.frames import POSES, face, frame, posed

RULES = GuideRules(INSIGHTFACE)
STEP_S = 0.15


class Desk:
    """A guide with a clock: shows it frames and keeps what it said."""

    def __init__(self, rules=RULES):
        self.guide = Guide(rules, threshold=0.5, margin=0.05)
        self.at_s = 100.0
        self.said = []

    def show(self, analysis, times=1, step_s=STEP_S):
        for _ in range(times):
            self.at_s += step_s
            self.said.append(self.guide.observe(self.at_s, analysis, f"{len(self.said)}".encode()))
        return self.said[-1]

    def take(self, target, person=0):
        """Shows the right pose until the photo is taken."""
        for _ in range(20):
            if self.show(posed(target, person)).captured is target:
                return
        raise AssertionError(f"{target} was not taken")

    @property
    def captured(self):
        return [state.captured for state in self.said if state.captured]


@pytest.fixture
def desk():
    return Desk()


def test_the_four_photos_are_taken_in_order_by_themselves(desk):
    for target in Target:
        assert desk.guide.target is target
        desk.take(target)

    assert desk.captured == list(Target)
    assert desk.guide.target is None
    assert list(desk.guide.shots) == list(Target)
    assert desk.show(posed(Target.FRONT)).target is None


def test_a_photo_takes_some_frames_in_a_row_and_some_time(desk):
    for number in range(1, RULES.frames):
        state = desk.show(posed(Target.FRONT))
        assert state.captured is None
        assert 0 <= state.progress < 1, number
    assert desk.show(posed(Target.FRONT), 2).captured is Target.FRONT


def test_many_frames_of_one_moment_are_as_good_as_one(desk):
    desk.show(posed(Target.FRONT), times=30, step_s=0.001)
    assert desk.captured == []


def test_one_bad_frame_begins_the_row_anew(desk):
    desk.show(posed(Target.FRONT), RULES.frames - 1)
    desk.show(frame(face(sharpness=10)))
    assert desk.show(posed(Target.FRONT), RULES.frames - 1).captured is None


def test_so_does_a_gap(desk):
    desk.show(posed(Target.FRONT), RULES.frames - 1)
    assert desk.show(posed(Target.FRONT), step_s=RULES.longest_gap_s + 0.1).progress == 0


def test_the_best_frame_of_the_row_becomes_the_photo(desk):
    for sharpness in (90, 140, 100, 95, 95):
        desk.show(frame(face(sharpness=sharpness)))
    shot = desk.guide.shots[Target.FRONT]
    assert (shot.face.quality.sharpness, shot.image) == (140, b"1")


def test_another_face_is_refused_until_the_guide_starts_over(desk):
    desk.take(Target.FRONT, person=1)
    state = desk.show(posed(Target.LEFT, person=2), 10)
    assert state.fix is Fix.ANOTHER_PERSON
    assert desk.captured == [Target.FRONT]

    desk.take(Target.LEFT, person=1)
    desk.guide.restart()
    assert desk.guide.shots == {}
    desk.take(Target.FRONT, person=2)


def test_two_people_who_take_turns_make_no_photo(desk):
    for number in range(20):
        desk.show(posed(Target.FRONT, person=number % 2))
    assert desk.captured == []


def test_the_same_person_seen_too_differently_turns_back_a_little(desk):
    desk.take(Target.FRONT)
    unlike = frame(face(likeness=0.45, yaw_deg=30))
    assert desk.show(unlike, 10).fix is Fix.TURN_BACK
    assert desk.captured == [Target.FRONT]


def test_a_head_that_turns_on_is_followed_and_not_taken_for_somebody_else(desk):
    desk.take(Target.FRONT)
    for likeness in (0.9, 0.7, 0.5, 0.3, 0.2):
        state = desk.show(frame(face(likeness=likeness, yaw_deg=36)), 3)
        assert state.fix is Fix.TURN_BACK


def test_a_target_may_be_skipped_after_a_while_but_never_the_front(desk):
    assert not desk.show(frame(), 100).may_skip
    assert not desk.guide.skip()

    desk.take(Target.FRONT)
    assert not desk.show(posed(Target.FRONT)).may_skip
    assert desk.show(posed(Target.FRONT), int(RULES.skip_after_s / STEP_S) + 1).may_skip
    assert desk.guide.skip()
    assert desk.guide.target is Target.RIGHT
    assert desk.guide.skipped == {Target.LEFT}
    assert not desk.show(posed(Target.FRONT)).may_skip


def test_a_photo_can_be_taken_again_and_a_skipped_one_after_all(desk):
    desk.take(Target.FRONT)
    desk.guide.skip()
    desk.guide.retake(Target.LEFT)
    desk.take(Target.LEFT)
    before = desk.guide.shots[Target.FRONT]
    desk.guide.retake(Target.FRONT)
    assert desk.guide.target is Target.FRONT
    desk.take(Target.FRONT)
    assert desk.guide.shots[Target.FRONT] is not before


def test_a_fix_is_shown_only_when_it_stays(desk):
    desk.show(frame(), 10)
    near = frame(face(size_px=80))
    assert desk.show(near).fix is Fix.STEP_IN
    assert desk.show(near, 3).fix is Fix.COME_CLOSER


def test_an_old_frame_changes_nothing(desk):
    state = desk.show(posed(Target.FRONT), 3)
    assert desk.show(frame(), step_s=-1.0) == state


kinds = st.one_of(
    st.sampled_from(Target).map(posed),
    st.sampled_from(Target).map(lambda target: posed(target, person=1)),
    st.builds(
        lambda target, **measured: frame(face(**(POSES[target] | measured))),
        st.sampled_from(Target),
        sharpness=st.floats(0, 300),
        brightness=st.floats(0, 255),
        size_px=st.floats(20, 470),
        likeness=st.floats(-1, 1),
    ),
    st.just(frame()),
    st.just(frame(face(), face(person=3, left=420, size_px=180))),
)
steps = st.tuples(
    kinds, st.integers(1, 8), st.floats(0.02, 1.5), st.sampled_from(["", "", "", "skip", "retake"])
)


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=25))
def test_whatever_is_shown_photos_are_good_of_one_person_and_taken_once(film):
    desk = Desk()
    for analysis, times, step_s, button in film:
        if button == "skip":
            desk.guide.skip()
        if button == "retake":
            desk.guide.retake(Target.LEFT)
        open_before = desk.guide.target
        before = dict(desk.guide.shots)
        for _ in range(times):
            asked = desk.guide.target
            state = desk.show(analysis, step_s=step_s)
            assert state.captured in (None, asked)
            assert 0 <= state.progress <= 1
            assert state.progress < 1 or state.captured
        assert open_before is None or set(before) <= set(desk.guide.shots)

    shots = desk.guide.shots
    front = shots.get(Target.FRONT)
    for target, shot in shots.items():
        assert find_issue(shot.face.quality, RULES.limits) is None
        pitch = front.face.quality.pitch_deg if front else None
        assert find_fix(frame(shot.face), target, RULES, pitch) is None
    order = list(shots.values())
    for number, shot in enumerate(order[1:], 1):
        assert max(float(shot.face.embedding @ one.face.embedding) for one in order[:number]) >= 0.5
