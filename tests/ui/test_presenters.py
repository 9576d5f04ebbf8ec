"""The words for people."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pandas as pd
import pytest

from ray_backend.domain.answers import CheckIn, PhotoReview
from ray_backend.domain.model import (
    Candidate,
    Decision,
    DecisionKind,
    Direction,
    Pack,
    Person,
    PhotoProblem,
    Punch,
    QualityIssue,
)
from streamlit_app import presenters

AT = datetime(2026, 3, 2, 8, 59, tzinfo=UTC)
ADA = Person("E1", "Ada Example", AT)


def match(direction: Direction = Direction.IN, *, repeated: bool = False, key: str = "mine") -> CheckIn:
    punch = Punch(ADA.person_id, AT, direction, "entrance", "face", key, ("a", "b"))
    decision = Decision(DecisionKind.MATCH, Candidate(ADA.person_id, 0.9))
    return CheckIn(decision, (10, 20, 60, 80), (100, 200), ADA, punch, AT, repeated)


@pytest.mark.parametrize(
    ("direction", "state", "headline", "word"),
    [
        (Direction.IN, "in", "Welcome, Ada Example", "IN"),
        (Direction.OUT, "out", "Goodbye, Ada Example", "OUT"),
    ],
)
def test_coming_and_going_differ_in_state_and_word(direction, state, headline, word):
    answer = presenters.answer_to(match(direction), "mine")

    assert (answer.state, answer.headline, answer.direction, answer.time) == (state, headline, word, "08:59")


def test_a_punch_of_an_earlier_frame_is_no_news_but_ones_own_is():
    assert presenters.answer_to(match(repeated=True, key="earlier"), "mine").state == "already"
    assert presenters.answer_to(match(repeated=True, key="mine"), "mine").state == "in"


def test_already_out_says_out():
    answer = presenters.answer_to(match(Direction.OUT, repeated=True, key="earlier"), "mine")

    assert answer.headline == "Already checked out at 08:59"


def test_a_new_greeting_outranks_everything_and_nothing_outranks_it():
    ranks = [
        presenters.answer_to(check_in, "mine").rank
        for check_in in (
            CheckIn(Decision(DecisionKind.NO_FACE)),
            CheckIn(Decision(DecisionKind.UNKNOWN)),
            match(repeated=True, key="earlier"),
            match(),
        )
    ]

    assert ranks == sorted(set(ranks))


@pytest.mark.parametrize("issue", list(QualityIssue))
def test_every_flaw_has_one_plain_hint_at_the_kiosk_and_a_reason_at_enrolment(issue):
    hint = presenters.answer_to(CheckIn(Decision(DecisionKind.POOR_QUALITY, issue=issue)), "mine").headline
    reason = presenters.photo_reason(PhotoReview("a", issue))

    assert 0 < len(hint) <= 25
    assert reason.endswith(".")


@pytest.mark.parametrize("kind", [DecisionKind.UNKNOWN, DecisionKind.AMBIGUOUS, DecisionKind.SPOOF])
def test_who_is_not_recognised_is_sent_to_the_desk_without_a_name(kind):
    doubtful = Decision(kind, Candidate("a", 0.6), Candidate("b", 0.59))
    answer = presenters.answer_to(CheckIn(doubtful), "mine")

    assert (answer.state, answer.hint, answer.name) == ("unknown", "Please ask at the desk.", "")
    assert answer.confirm > 1


def test_unknown_and_ambiguous_have_their_own_words():
    headlines = {
        presenters.answer_to(CheckIn(Decision(kind)), "mine").headline
        for kind in (DecisionKind.UNKNOWN, DecisionKind.AMBIGUOUS, DecisionKind.SPOOF)
    }

    assert len(headlines) == 3


@pytest.mark.parametrize(
    "problem", [problem for problem in PhotoProblem if problem is not PhotoProblem.UNREADABLE]
)
def test_every_photo_problem_has_words_of_its_own(problem):
    assert presenters.photo_reason(PhotoReview("a", problem, detail="opaque id")) not in ("", "opaque id")


def test_an_unreadable_photo_says_what_the_decoder_said():
    review = PhotoReview("a", PhotoProblem.UNREADABLE, detail="The picture is damaged.")

    assert presenters.photo_reason(review) == "The picture is damaged."


@pytest.mark.parametrize(
    ("box", "expected"),
    [((10, 20, 60, 80), (0.1, 0.1, 0.6, 0.4)), ((-5, -5, 105, 205), (0, 0, 1, 1))],
)
def test_boxes_are_shares_of_the_picture_and_stay_inside(box, expected):
    assert presenters.relative_box(box, (100, 200)) == expected


def test_without_a_box_or_a_size_there_is_no_relative_box():
    assert presenters.relative_box(None, (1, 1)) is None
    assert presenters.relative_box((0, 0, 1, 1), None) is None


def test_the_fall_back_warns_and_a_chosen_built_in_pack_does_not():
    pack = Pack("dlib-resnet", 128, 0.5, 0.05, "CC0", "it runs instead of buffalo_l, because ...")
    chosen = Pack("dlib-resnet", 128, 0.5, 0.05, "CC0", "set in ROLLCALL_PACK; built in")

    assert "built-in" in presenters.pack_warning(pack)
    assert presenters.pack_warning(chosen) == ""


def test_days_without_anybody_stand_in_the_chart_as_zero():
    days = pd.DataFrame({"date": [date(2026, 3, 2), date(2026, 3, 2)], "employee_id": ["E1", "E2"]})

    chart = presenters.present_per_day(days, date(2026, 3, 1), date(2026, 3, 3))

    assert chart.values.tolist() == [["Sun 01 Mar 2026", 0], ["Mon 02 Mar 2026", 2], ["Tue 03 Mar 2026", 0]]


@pytest.mark.parametrize(
    ("first", "shown", "total", "expected"),
    [(1, 1, 1, "1 person"), (1, 3, 3, "3 people"), (21, 20, 57, "21 to 40 of 57 people")],
)
def test_paging_in_words(first, shown, total, expected):
    assert presenters.paging_words(first, shown, total) == expected
