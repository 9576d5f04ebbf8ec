"""The quality policy: limits, the order in which problems are named, and the score."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_backend.domain.model import Quality, QualityIssue
from ray_backend.domain.quality import CHECK_IN_LIMITS, ENROL_LIMITS, find_issue, score

L = CHECK_IN_LIMITS
GOOD = Quality(
    size_px=200, sharpness=150, brightness=120, yaw_deg=0, pitch_deg=0, roll_deg=0,
    visible=1, detection_score=0.9,
)  # fmt: skip
# In the order in which a person can mend them.
FLAWS = [
    ({"size_px": L.min_size_px - 0.1}, QualityIssue.TOO_SMALL),
    ({"visible": L.min_visible - 0.01}, QualityIssue.CUT_OFF),
    ({"yaw_deg": L.max_yaw_deg + 0.1}, QualityIssue.TURNED_AWAY),
    ({"yaw_deg": -L.max_yaw_deg - 0.1}, QualityIssue.TURNED_AWAY),
    ({"pitch_deg": L.max_pitch_deg + 0.1}, QualityIssue.TURNED_AWAY),
    ({"pitch_deg": -L.max_pitch_deg - 0.1}, QualityIssue.TURNED_AWAY),
    ({"brightness": L.min_brightness - 0.1}, QualityIssue.TOO_DARK),
    ({"brightness": L.max_brightness + 0.1}, QualityIssue.TOO_BRIGHT),
    ({"sharpness": L.min_sharpness - 0.1}, QualityIssue.BLURRED),
]


def test_a_good_face_has_no_issue():
    assert find_issue(GOOD, CHECK_IN_LIMITS) is None
    assert find_issue(GOOD, ENROL_LIMITS) is None


@pytest.mark.parametrize(("flaw", "issue"), FLAWS)
def test_a_single_flaw_is_named(flaw, issue):
    assert find_issue(replace(GOOD, **flaw), CHECK_IN_LIMITS) is issue


@pytest.mark.parametrize("limits", [CHECK_IN_LIMITS, ENROL_LIMITS])
@pytest.mark.parametrize("side", [-1, 1])
def test_values_on_the_limits_pass(limits, side):
    on_the_limit = Quality(
        size_px=limits.min_size_px,
        sharpness=limits.min_sharpness,
        brightness=limits.min_brightness if side < 0 else limits.max_brightness,
        yaw_deg=side * limits.max_yaw_deg,
        pitch_deg=side * limits.max_pitch_deg,
        roll_deg=0,
        visible=limits.min_visible,
        detection_score=0.5,
    )
    assert find_issue(on_the_limit, limits) is None


@pytest.mark.parametrize("first", range(len(FLAWS)))
def test_of_several_flaws_the_one_to_mend_first_is_named(first):
    # Later flaws are laid on first, so that of two for one field the earlier wins.
    everything_from_here = [flaw for flaw, _ in FLAWS[first:]][::-1]
    face = GOOD
    for flaw in everything_from_here:
        face = replace(face, **flaw)
    assert find_issue(face, CHECK_IN_LIMITS) is FLAWS[first][1]


@pytest.mark.parametrize("field", ["size_px", "visible", "yaw_deg", "pitch_deg", "brightness", "sharpness"])
def test_a_measure_that_failed_is_never_good_enough(field):
    assert find_issue(replace(GOOD, **{field: float("nan")}), CHECK_IN_LIMITS) is not None


def test_enrolment_is_never_laxer_than_check_in():
    for field in ("min_size_px", "min_sharpness", "min_brightness", "min_visible"):
        assert getattr(ENROL_LIMITS, field) >= getattr(CHECK_IN_LIMITS, field)
    for field in ("max_brightness", "max_yaw_deg", "max_pitch_deg"):
        assert getattr(ENROL_LIMITS, field) <= getattr(CHECK_IN_LIMITS, field)


measures = st.builds(
    Quality,
    size_px=st.floats(0, 5000),
    sharpness=st.floats(0, 1e5),
    brightness=st.floats(0, 255),
    yaw_deg=st.floats(-180, 180),
    pitch_deg=st.floats(-180, 180),
    roll_deg=st.floats(-180, 180),
    visible=st.floats(0, 1),
    detection_score=st.floats(0, 1),
)


@given(measures)
def test_the_score_lies_between_zero_and_one(quality):
    assert 0.0 <= score(quality) <= 1.0


def test_a_face_far_from_every_limit_scores_one_and_one_on_a_limit_half():
    limits = ENROL_LIMITS
    perfect = replace(GOOD, size_px=2 * limits.min_size_px, sharpness=2 * limits.min_sharpness)
    assert score(perfect) == 1.0
    assert score(replace(perfect, size_px=limits.min_size_px)) == pytest.approx(0.5)
    assert score(replace(perfect, sharpness=limits.min_sharpness)) == pytest.approx(0.5)
    assert score(replace(perfect, yaw_deg=-limits.max_yaw_deg)) == pytest.approx(0.5)
    assert score(replace(perfect, pitch_deg=limits.max_pitch_deg)) == pytest.approx(0.5)


def test_one_flaw_is_enough_to_spoil_the_score():
    assert score(replace(GOOD, sharpness=1)) < 0.05
