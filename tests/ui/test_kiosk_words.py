"""What a kiosk says."""

from __future__ import annotations

import pytest

from ray_backend.domain.answers import CheckIn, KioskAnswer
from ray_backend.domain.errors import TooManyAttempts
from ray_backend.domain.kiosk.words import Move, Phase, Scene
from ray_backend.domain.model import Candidate, Decision, DecisionKind, Direction, QualityIssue
from streamlit_app import kiosk_words
from tests.kiosk_stage import PICTURE, check_in, greeting, prompt, refusal


def said(answer: KioskAnswer, naming: str = "full") -> kiosk_words.Answer:
    return kiosk_words.kiosk_answer(answer, naming)


@pytest.mark.parametrize(
    ("direction", "state", "headline", "word"),
    [
        (Direction.IN, "in", "Welcome, Ada Example", "IN"),
        (Direction.OUT, "out", "Goodbye, Ada Example", "OUT"),
    ],
)
def test_coming_and_going_differ_in_state_and_word(direction, state, headline, word):
    answer = said(greeting(check_in(direction=direction)))

    assert (answer.state, answer.headline, answer.direction, answer.time) == (state, headline, word, "07:59")


@pytest.mark.parametrize(
    ("naming", "headline", "name"),
    [
        ("full", "Welcome, Ada Augusta Example", "Ada Augusta Example"),
        ("first", "Welcome, Ada", "Ada"),
        ("initials", "Welcome, A. A. E.", "A. A. E."),
        ("none", "Welcome", ""),
    ],
)
def test_the_site_says_how_people_are_named_and_no_other_form_is_sent(naming, headline, name):
    person = check_in("Ada Augusta Example")

    fresh, again = (
        said(greeting(person), naming),
        said(greeting(check_in("Ada Augusta Example", repeated=True)), naming),
    )

    assert (fresh.headline, fresh.name, again.name) == (headline, name, name)
    if naming != "full":
        assert "Augusta" not in str(fresh.message()) + str(again.message())


def test_a_punch_in_the_journal_is_as_green_as_any_and_says_where_it_is():
    kept, usual = said(greeting(check_in(delivered=False))), said(greeting())

    assert kept.state == usual.state == "in"
    assert "Saved here" in kept.note
    assert usual.note == ""


def test_who_was_here_a_moment_ago_is_told_when():
    answer = said(greeting(check_in(direction=Direction.OUT, repeated=True)))

    assert (answer.state, answer.headline, answer.punch_id) == ("already", "Already checked out at 07:59", "")


@pytest.mark.parametrize("kind", [DecisionKind.UNKNOWN, DecisionKind.AMBIGUOUS, DecisionKind.SPOOF])
def test_who_is_not_recognised_is_offered_the_code_and_nobodys_name(kind):
    doubtful = Decision(kind, Candidate("a", 0.6), Candidate("b", 0.59))
    answer = said(KioskAnswer(Scene(Phase.DECIDED), PICTURE, CheckIn(doubtful), offer_code=True))

    assert answer.state == kind.value
    assert "type your code" in f"{answer.headline} {answer.hint}".lower()
    assert (answer.offer_code, answer.name, answer.punch_id) == (True, "", "")


def test_each_refusal_has_words_of_its_own():
    kinds = (DecisionKind.UNKNOWN, DecisionKind.AMBIGUOUS, DecisionKind.SPOOF)

    assert len({(said(refusal(kind)).headline, said(refusal(kind)).hint) for kind in kinds}) == 3


@pytest.mark.parametrize("issue", list(QualityIssue))
def test_every_flaw_has_one_plain_hint(issue):
    live = said(prompt(Phase.ADJUST, issue=issue))
    photo = kiosk_words.answer_to(CheckIn(Decision(DecisionKind.POOR_QUALITY, issue=issue)), "mine")

    assert live.headline == photo.headline
    assert 0 < len(live.headline) <= 25


@pytest.mark.parametrize("move", list(Move))
def test_every_move_is_asked_for_with_its_arrow_and_progress(move):
    answer = said(prompt(Phase.CHALLENGE, move=move, progress=0.25))

    assert (answer.state, answer.move, answer.progress) == ("challenge", move.value, 0.25)
    assert answer.headline


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_has_a_state(phase):
    answer = said(prompt(phase, issue=QualityIssue.BLURRED, move=Move.TURN_LEFT))

    assert answer.state in {"idle", "closer", "adjust", "hold", "challenge"}
    assert (answer.headline == "") == (phase is Phase.IDLE)


def test_who_waits_long_is_told_about_the_code():
    waiting = KioskAnswer(Scene(Phase.HOLD_STILL), PICTURE, offer_code=True)

    assert said(waiting).hint == "Or type your code."


def test_after_many_pictures_were_held_up_only_the_code_is_left():
    answer = said(KioskAnswer(Scene(Phase.IDLE, locked=True), PICTURE, offer_code=True))

    assert (answer.state, answer.headline, answer.offer_code) == ("locked", "Please type your code", True)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 second"), (29.1, "30 seconds"), (90, "90 seconds"), (91, "2 minutes"), (600, "10 minutes")],
)
def test_the_time_to_wait_is_said_in_plain_words(seconds, words):
    answer = kiosk_words.too_many_codes(TooManyAttempts("", seconds))

    assert f"wait {words}," in answer.hint
    assert answer.wait_s >= seconds


def test_a_photos_punch_of_an_earlier_one_is_no_news_but_ones_own_is():
    mine = check_in(repeated=True)

    assert kiosk_words.answer_to(mine, "another").state == "already"
    assert kiosk_words.answer_to(mine, mine.punch.idempotency_key).state == "in"


@pytest.mark.parametrize("kind", list(DecisionKind))
def test_no_answer_holds_a_score(kind):
    result = (
        check_in()
        if kind is DecisionKind.MATCH
        else CheckIn(Decision(kind, Candidate("a", 0.87654), issue=QualityIssue.BLURRED))
    )
    message = said(KioskAnswer(Scene(Phase.DECIDED), PICTURE, result)).message()

    assert "0.87" not in str(message)
    assert not {"similarity", "score", "threshold", "decision", "receipt"} & set(message)
