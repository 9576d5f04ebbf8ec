"""What is in the way of a photo, one thing at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_backend.domain.enrolment.poses import DLIB, INSIGHTFACE, GuideRules, find_fix, poses_of
from ray_backend.domain.enrolment.words import Fix, Target
from ray_backend.domain.quality import find_issue
from tests.unit.domain.enrolment.frames import POSES, face, frame, posed

RULES = GuideRules(INSIGHTFACE)


def fix(analysis, target=Target.FRONT, front_pitch_deg=0.0):
    return find_fix(analysis, target, RULES, front_pitch_deg)


@pytest.mark.parametrize("target", Target)
def test_nothing_is_in_the_way_of_the_right_pose(target):
    assert fix(posed(target), target) is None


def test_a_photo_is_good_for_one_target_only():
    for posed_for in Target:
        fits = [target for target in Target if fix(posed(posed_for), target) is None]
        assert posed_for in fits
        assert set(fits) <= {posed_for, Target.FRONT} if posed_for is Target.UP else fits == [posed_for]


@pytest.mark.parametrize(
    ("analysis", "wanted"),
    [
        (frame(), Fix.STEP_IN),
        (frame(face(), face(left=420, size_px=150)), Fix.ONE_PERSON),
        (frame(face(size_px=90)), Fix.COME_CLOSER),
        (frame(face(visible=0.7)), Fix.STEP_BACK),
        (frame(face(size_px=430)), Fix.STEP_BACK),
        (frame(face(brightness=30), brightness=40), Fix.MORE_LIGHT),
        (frame(face(brightness=30), brightness=None), Fix.MORE_LIGHT),
        (frame(face(brightness=30), brightness=150), Fix.LIGHT_BEHIND),
        (frame(face(brightness=240)), Fix.LESS_LIGHT),
        (frame(face(roll_deg=40)), Fix.HEAD_UPRIGHT),
        (frame(face(pitch_deg=45)), Fix.CHIN_UP),
        (frame(face(pitch_deg=-45)), Fix.CHIN_DOWN),
        (frame(face(sharpness=20)), Fix.HOLD_STILL),
    ],
)
def test_one_plain_fix(analysis, wanted):
    assert fix(analysis) is wanted


def test_somebody_small_in_the_background_does_not_matter():
    assert fix(frame(face(), face(left=500, size_px=60))) is None


@pytest.mark.parametrize("bright", [150, 255])
def test_a_dark_face_that_is_light_enough_is_taken_before_any_wall(bright):
    assert fix(frame(face(brightness=50), brightness=bright)) is None


@pytest.mark.parametrize(
    ("target", "yaw", "wanted"),
    [
        (Target.FRONT, 25, Fix.TURN_RIGHT),
        (Target.FRONT, -25, Fix.TURN_LEFT),
        (Target.LEFT, 0, Fix.TURN_LEFT),
        (Target.LEFT, -25, Fix.TURN_LEFT),
        (Target.LEFT, 50, Fix.TURN_BACK),
        (Target.RIGHT, 0, Fix.TURN_RIGHT),
        (Target.RIGHT, 25, Fix.TURN_RIGHT),
        (Target.RIGHT, -50, Fix.TURN_BACK),
        (Target.UP, 25, Fix.TURN_RIGHT),
    ],
)
def test_which_way_to_turn(target, yaw, wanted):
    assert fix(frame(face(yaw_deg=yaw)), target) is wanted


@pytest.mark.parametrize("own_pitch", [-20, -10, 0, 10, 20])
def test_up_is_measured_from_the_persons_own_front_photo(own_pitch):
    before = frame(face(pitch_deg=own_pitch))
    raised = frame(face(pitch_deg=own_pitch - INSIGHTFACE.up_by - 1))
    assert fix(before, Target.UP, own_pitch) is Fix.CHIN_UP
    assert fix(raised, Target.UP, own_pitch) is None


def test_whoever_carries_the_head_high_can_still_look_up():
    assert fix(frame(face(pitch_deg=-36)), Target.UP, front_pitch_deg=-33) is None


def test_a_measure_that_failed_is_not_good():
    broken = float("nan")
    for measured in ("size_px", "sharpness", "brightness", "yaw_deg", "pitch_deg", "roll_deg", "visible"):
        for target in (Target.FRONT, Target.UP):
            assert fix(frame(face(**(POSES[target] | {measured: broken}))), target) is not None


def test_each_pack_has_its_own_angles():
    assert poses_of("dlib-resnet") is DLIB
    assert poses_of("anything else") is INSIGHTFACE


numbers = st.floats(-60, 60)
faces = st.builds(
    face,
    size_px=st.floats(20, 470),
    sharpness=st.floats(0, 400),
    brightness=st.floats(0, 255),
    yaw_deg=numbers,
    pitch_deg=numbers,
    roll_deg=numbers,
    visible=st.floats(0, 1),
)


@given(faces, st.sampled_from(Target), st.none() | st.floats(-40, 40), st.sampled_from([INSIGHTFACE, DLIB]))
def test_what_passes_is_never_refused_at_enrolment(one, target, front_pitch, poses):
    rules = GuideRules(poses)
    if find_fix(frame(one), target, rules, front_pitch) is None:
        assert find_issue(one.quality, rules.limits) is None


@given(st.floats(-90, 90), st.sampled_from([INSIGHTFACE, DLIB]))
def test_a_turned_face_and_its_mirror_picture_never_pass_for_the_same_side(yaw, poses):
    rules = GuideRules(poses)
    passes = [find_fix(frame(face(yaw_deg=one)), Target.LEFT, rules, 0.0) is None for one in (yaw, -yaw)]
    assert not all(passes)
