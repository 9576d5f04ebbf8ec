"""What a kiosk says: from the domain to a state of its screen and plain words."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Literal

from ray_backend.domain.answers import CheckIn, KioskAnswer
from ray_backend.domain.errors import TooManyAttempts
from ray_backend.domain.kiosk.words import Move, Phase, Scene
from ray_backend.domain.model import DecisionKind, Direction, QualityIssue
from streamlit_app.i18n import N_, _, n_
from streamlit_app.presenters import RelativeBox, relative_box

Naming = Literal["full", "first", "initials", "none"]

_FIXES = {
    QualityIssue.TOO_SMALL: N_("Come closer"),
    QualityIssue.CUT_OFF: N_("Move to the middle"),
    QualityIssue.TURNED_AWAY: N_("Turn towards the camera"),
    QualityIssue.TOO_DARK: N_("More light, please"),
    QualityIssue.TOO_BRIGHT: N_("Less light, please"),
    QualityIssue.BLURRED: N_("Hold still"),
}
_MOVES = {
    Move.TURN_LEFT: N_("Turn your head slowly to the left"),
    Move.TURN_RIGHT: N_("Turn your head slowly to the right"),
    Move.COME_CLOSER: N_("Come a little closer"),
    Move.FACE_CAMERA: N_("Look straight at the camera"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a kiosk shows after one picture or one typed code.

    `state` chooses layout, colour and shape: idle; closer, adjust, hold, challenge (prompts); in, out,
    already (somebody was checked in); unknown, ambiguous, spoof (nobody was); locked; wrong, limited (a
    typed code that was refused); thanks; hint, away (trouble). `box` is the face as shares of width and
    height, `progress` runs from 0 to 1, `move` is a `Move`. `result` names a result, so that the same one
    is shown once. `punch_id` is what "This is not me" is about. `wait_s` is the time to wait in seconds.
    """

    state: str
    headline: str = ""
    hint: str = ""
    name: str = ""
    time: str = ""
    direction: str = ""
    note: str = ""
    box: RelativeBox | None = None
    move: str = ""
    progress: float = 0.0
    result: str = ""
    offer_code: bool = False
    punch_id: str = ""
    wait_s: float = 0.0

    def message(self) -> dict:
        """As JSON for the browser."""
        return asdict(self)


AWAY = Answer(
    "away", N_("One moment, please"), N_("The recognition service does not answer. It comes back by itself.")
)
UNREADABLE = Answer("hint", N_("The camera picture is damaged"), N_("Please tell the office if this stays."))
WRONG_CODE = Answer("wrong", N_("This code is not right"), N_("Please try again."))
CODE_AWAY = Answer("wrong", N_("The code cannot be checked just now"), N_("Please try again in a moment."))
THANKS = Answer("thanks", N_("Thank you"), N_("The record is marked as not yours. Please type your code."))
TELL_THE_OFFICE = Answer(
    "thanks", N_("This could not be noted just now"), N_("Please tell the office, and type your code.")
)


def in_words(answer: Answer) -> Answer:
    """One of the answers above in the reader's language."""
    return replace(answer, headline=_(answer.headline), hint=_(answer.hint))


def answer_to(check_in: CheckIn, idempotency_key: str, naming: Naming = "full") -> Answer:
    """The answer to a single photo. A punch that was made with this very key is news, however often sent."""
    box = relative_box(check_in.face_box, check_in.picture_size)
    repeated = check_in.repeated and check_in.punch.idempotency_key != idempotency_key
    return replace(_outcome(replace(check_in, repeated=repeated), naming), box=box)


def kiosk_answer(answer: KioskAnswer, naming: Naming) -> Answer:
    """What the live kiosk shows; `naming` is `Settings.kiosk_name`."""
    if answer.check_in is not None:
        shown = _outcome(answer.check_in, naming)
    else:
        shown = _prompt(answer.scene)
        if answer.offer_code and not shown.hint:
            shown = replace(shown, hint=_("Or type your code."))
    box = relative_box(answer.scene.box, answer.picture_size)
    return replace(shown, box=box, offer_code=answer.offer_code)


def too_many_codes(error: TooManyAttempts) -> Answer:
    """What to say when codes were guessed too often."""
    return Answer(
        "limited",
        _("Too many wrong codes"),
        _("Please wait {time}, or go to the office.", time=wait_words(error.retry_after_s)),
        wait_s=math.ceil(error.retry_after_s),
    )


def wait_words(seconds: float) -> str:
    """A time to wait in whole seconds or minutes, rounded up."""
    if seconds <= 90:
        return n_("{number} second", "{number} seconds", max(1, math.ceil(seconds)))
    return n_("{number} minute", "{number} minutes", math.ceil(seconds / 60))


def shown_name(name: str, naming: Naming) -> str:
    """The person's name as the site wants it on a screen that others can see; may be empty."""
    words = name.split()
    if naming == "none" or not words:
        return ""
    if naming == "first":
        return words[0]
    if naming == "initials":
        return " ".join(f"{word[0].upper()}." for word in words)
    return name


def _prompt(scene: Scene) -> Answer:
    """What the person is asked for before there is a result."""
    if scene.locked:
        return Answer(
            "locked", _("Please type your code"), _("The camera pauses for a while after several tries.")
        )
    progress = round(min(1.0, max(0.0, scene.progress)), 3)
    match scene.phase:
        case Phase.IDLE:
            return Answer("idle")
        case Phase.COME_CLOSER:
            return Answer("closer", _("Come closer"))
        case Phase.ADJUST:
            return Answer("adjust", _(_FIXES[scene.issue]))
        case Phase.CHALLENGE:
            return Answer("challenge", _(_MOVES[scene.move]), move=scene.move.value, progress=progress)
        case Phase.HOLD_STILL:
            return Answer("hold", _("Hold still"), progress=progress)
        case Phase.DECIDED:
            return Answer("hold", _("One moment, please"), progress=1.0)


def _outcome(check_in: CheckIn, naming: Naming) -> Answer:
    match check_in.decision.kind:
        case DecisionKind.MATCH:
            return _already(check_in, naming) if check_in.repeated else _greeting(check_in, naming)
        case DecisionKind.NO_FACE:
            return Answer("idle")
        case DecisionKind.POOR_QUALITY:
            return Answer("adjust", _(_FIXES[check_in.decision.issue]))
        case DecisionKind.UNKNOWN:
            return Answer("unknown", _("Not recognised"), _("Please type your code, or ask at the office."))
        case DecisionKind.AMBIGUOUS:
            return Answer("ambiguous", _("Please type your code"), _("The camera is not sure who you are."))
        case DecisionKind.SPOOF:
            hint = _("The camera could not make sure that a person stands here, and not a picture.")
            return Answer("spoof", _("Please type your code"), hint)


def _greeting(check_in: CheckIn, naming: Naming) -> Answer:
    arrived = check_in.punch.direction is Direction.IN
    name = shown_name(check_in.person.name, naming)
    return Answer(
        state="in" if arrived else "out",
        headline=_hello(arrived, name),
        name=name,
        time=f"{check_in.local_time:%H:%M}",
        direction=_("IN") if arrived else _("OUT"),
        note="" if check_in.delivered else _("Saved here. It will be sent by itself."),
        punch_id=check_in.punch.punch_id,
    )


def _hello(arrived: bool, name: str) -> str:
    if arrived:
        return _("Welcome, {name}", name=name) if name else _("Welcome")
    return _("Goodbye, {name}", name=name) if name else _("Goodbye")


def _already(check_in: CheckIn, naming: Naming) -> Answer:
    name = shown_name(check_in.person.name, naming)
    arrived = check_in.punch.direction is Direction.IN
    already = N_("Already checked in at {time}") if arrived else N_("Already checked out at {time}")
    return Answer(
        state="already",
        headline=_(already, time=f"{check_in.local_time:%H:%M}"),
        hint=name,
        name=name,
    )
