"""What the camera of the registration says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ray_backend.domain.answers import GuideAnswer, RecognisedFace, Recognition
from ray_backend.domain.enrolment.words import Fix, GuideState, Target
from ray_backend.domain.model import Decision, DecisionKind, Person
from streamlit_app.enrol_words import TARGETS, guide_words, try_words
from tests.unit.domain.enrolment.frames import GOOD

ADA = Person("E1", "Ada Example", datetime(2026, 3, 2, tzinfo=UTC))
GRACE = Person("E2", "Grace Example", datetime(2026, 3, 2, tzinfo=UTC))


def said(target, fix=None, **state):
    return guide_words(GuideAnswer(GuideState(target, fix, **state), (640, 480)))


@pytest.mark.parametrize("target", Target)
def test_every_fix_has_one_headline_for_every_target(target):
    heads = [said(target, fix)[0] for fix in Fix]
    assert all(heads)
    assert len(set(heads)) == len(heads)


def test_no_text_stands_twice_on_the_screen():
    for target in Target:
        for fix in (None, *Fix):
            headline, hint = said(target, fix)
            assert headline != hint


def test_turning_on_is_said_otherwise_than_turning_back_to_the_middle():
    assert said(Target.LEFT, Fix.TURN_LEFT)[0] == "Turn a little more to the left"
    assert said(Target.FRONT, Fix.TURN_LEFT)[0] == "Turn a little to the left"
    assert said(Target.LEFT, Fix.TURN_BACK)[0] == "Turn back a little"


def test_a_photo_that_was_just_taken_leads_to_the_next_pose():
    assert said(Target.LEFT, captured=Target.FRONT)[0] == TARGETS[Target.LEFT][1]


def test_the_end_is_said():
    assert said(None)[0] == "Thank you, that is all"


def seen(kind, person=None):
    face = RecognisedFace((0, 0, 1, 1), GOOD, Decision(kind), person)
    return try_words(Recognition((face,), "edge", 1), ADA)


def test_the_try_tells_everything_that_can_come_out():
    assert try_words(Recognition((), "edge", 1), ADA)[0] == "nobody"
    assert seen(DecisionKind.MATCH, ADA)[:2] == ("known", "Recognised: Ada Example")
    assert seen(DecisionKind.MATCH, GRACE)[:2] == ("other", "Recognised as somebody else: Grace Example")
    assert seen(DecisionKind.AMBIGUOUS)[0] == "unsure"
    assert seen(DecisionKind.POOR_QUALITY)[0] == "unsure"
    assert seen(DecisionKind.UNKNOWN)[0] == "unknown"
