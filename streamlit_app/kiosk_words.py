"""What a kiosk says: from the domain to a state of its screen and plain words."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Literal

from ray_backend.domain.answers import CheckIn, KioskAnswer
from ray_backend.domain.errors import TooManyAttempts
from ray_backend.domain.kiosk.words import Move, Phase, Scene
from ray_backend.domain.model import DecisionKind, Direction, QualityIssue
from streamlit_app.presenters import RelativeBox, relative_box

Naming = Literal["full", "first", "initials", "none"]

_FIXES = {
    QualityIssue.TOO_SMALL: "Come closer",
    QualityIssue.CUT_OFF: "Move to the middle",
    QualityIssue.TURNED_AWAY: "Turn towards the camera",
    QualityIssue.TOO_DARK: "More light, please",
    QualityIssue.TOO_BRIGHT: "Less light, please",
    QualityIssue.BLURRED: "Hold still",
}
_MOVES = {
    Move.TURN_LEFT: "Turn your head slowly to the left",
    Move.TURN_RIGHT: "Turn your head slowly to the right",
    Move.COME_CLOSER: "Come a little closer",
    Move.FACE_CAMERA: "Look straight at the camera",
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
    "away", "One moment, please", "The recognition service does not answer. It comes back by itself."
)
UNREADABLE = Answer("hint", "The camera picture is damaged", "Please tell the office if this stays.")
WRONG_CODE = Answer("wrong", "This code is not right", "Please try again.")
CODE_AWAY = Answer("wrong", "The code cannot be checked just now", "Please try again in a moment.")
THANKS = Answer("thanks", "Thank you", "The record is marked as not yours. Please type your code.")
TELL_THE_OFFICE = Answer(
    "thanks", "This could not be noted just now", "Please tell the office, and type your code."
)


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
            shown = replace(shown, hint="Or type your code.")
    box = relative_box(answer.scene.box, answer.picture_size)
    return replace(shown, box=box, offer_code=answer.offer_code)


def too_many_codes(error: TooManyAttempts) -> Answer:
    """What to say when codes were guessed too often."""
    return Answer(
        "limited",
        "Too many wrong codes",
        f"Please wait {wait_words(error.retry_after_s)}, or go to the office.",
        wait_s=math.ceil(error.retry_after_s),
    )


def wait_words(seconds: float) -> str:
    """A time to wait in whole seconds or minutes, rounded up."""
    if seconds <= 90:
        number, unit = max(1, math.ceil(seconds)), "second"
    else:
        number, unit = math.ceil(seconds / 60), "minute"
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


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
        return Answer("locked", "Please type your code", "The camera pauses for a while after several tries.")
    progress = round(min(1.0, max(0.0, scene.progress)), 3)
    match scene.phase:
        case Phase.IDLE:
            return Answer("idle")
        case Phase.COME_CLOSER:
            return Answer("closer", "Come closer")
        case Phase.ADJUST:
            return Answer("adjust", _FIXES[scene.issue])
        case Phase.CHALLENGE:
            return Answer("challenge", _MOVES[scene.move], move=scene.move.value, progress=progress)
        case Phase.HOLD_STILL:
            return Answer("hold", "Hold still", progress=progress)
        case Phase.DECIDED:
            return Answer("hold", "One moment, please", progress=1.0)


def _outcome(check_in: CheckIn, naming: Naming) -> Answer:
    match check_in.decision.kind:
        case DecisionKind.MATCH:
            return _already(check_in, naming) if check_in.repeated else _greeting(check_in, naming)
        case DecisionKind.NO_FACE:
            return Answer("idle")
        case DecisionKind.POOR_QUALITY:
            return Answer("adjust", _FIXES[check_in.decision.issue])
        case DecisionKind.UNKNOWN:
            return Answer("unknown", "Not recognised", "Please type your code, or ask at the office.")
        case DecisionKind.AMBIGUOUS:
            return Answer("ambiguous", "Please type your code", "The camera is not sure who you are.")
        case DecisionKind.SPOOF:
            hint = "The camera could not make sure that a person stands here, and not a picture."
            return Answer("spoof", "Please type your code", hint)


def _greeting(check_in: CheckIn, naming: Naming) -> Answer:
    arrived = check_in.punch.direction is Direction.IN
    name = shown_name(check_in.person.name, naming)
    return Answer(
        state="in" if arrived else "out",
        headline=", ".join(filter(None, ("Welcome" if arrived else "Goodbye", name))),
        name=name,
        time=f"{check_in.local_time:%H:%M}",
        direction="IN" if arrived else "OUT",
        note="" if check_in.delivered else "Saved here. It will be sent by itself.",
        punch_id=check_in.punch.punch_id,
    )


def _already(check_in: CheckIn, naming: Naming) -> Answer:
    name = shown_name(check_in.person.name, naming)
    return Answer(
        state="already",
        headline=f"Already checked {check_in.punch.direction.value} at {check_in.local_time:%H:%M}",
        hint=name,
        name=name,
    )
