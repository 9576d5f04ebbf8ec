"""What a guided enrolment and the try afterwards say. Knows nothing of Streamlit."""

from __future__ import annotations

from ray_backend.domain.answers import GuideAnswer, Recognition
from ray_backend.domain.enrolment.words import Fix, Target
from ray_backend.domain.model import DecisionKind, Person

TARGETS = {
    Target.FRONT: ("Front", "Look straight into the camera"),
    Target.LEFT: ("Left", "Turn your head a little to your left"),
    Target.RIGHT: ("Right", "Turn your head a little to your right"),
    Target.UP: ("Up", "Lift your chin a little"),
}
_HOLD = ("Hold still", "The photo is taken by itself.")
_FIXES = {
    Fix.STEP_IN: ("Come in front of the camera", "Your face has to be in the picture."),
    Fix.ONE_PERSON: ("Only one person, please", "Everybody else steps out of the picture."),
    Fix.ANOTHER_PERSON: (
        "This is somebody else",
        "The photos so far show another person. Start again to take photos of this one.",
    ),
    Fix.COME_CLOSER: ("Come closer", ""),
    Fix.STEP_BACK: ("Move back a little", "Your whole face has to be in the picture."),
    Fix.MORE_LIGHT: ("More light, please", "Turn on a light in front of you."),
    Fix.LIGHT_BEHIND: ("The light is behind you", "Turn round until the window or lamp is before you."),
    Fix.LESS_LIGHT: ("Less light, please", "Turn away from the lamp or the sun."),
    Fix.TURN_LEFT: ("Turn a little to the left", ""),
    Fix.TURN_RIGHT: ("Turn a little to the right", ""),
    Fix.TURN_BACK: ("Turn back a little", ""),
    Fix.CHIN_UP: ("Chin up a little", ""),
    Fix.CHIN_DOWN: ("Chin down a little", ""),
    Fix.HEAD_UPRIGHT: ("Hold your head upright", ""),
    Fix.HOLD_STILL: _HOLD,
}  # fmt: skip
_MORE = {
    (Target.LEFT, Fix.TURN_LEFT): "Turn a little more to the left",
    (Target.RIGHT, Fix.TURN_RIGHT): "Turn a little more to the right",
    (Target.UP, Fix.CHIN_UP): "Chin up a little more",
}
# The pose itself is asked for, so the fix needs no second line that says it again.
_POSE_FIXES = {Fix.TURN_LEFT, Fix.TURN_RIGHT, Fix.TURN_BACK, Fix.CHIN_UP, Fix.CHIN_DOWN, Fix.HEAD_UPRIGHT}
FINISHED = ("Thank you, that is all", "The photos are shown below.")
UNREADABLE = ("The camera's picture cannot be read", "Try another camera, or use single photos.")
AWAY = ("One moment, please", "The recognition service does not answer. It comes back by itself.")

# For the page's own script; the rest comes with the answers.
DESK = {
    "starting": "Starting the camera",
    "allow": "If the browser asks, allow the camera.",
    "connecting": "Connecting",
    "offline": "The connection is interrupted. It comes back by itself.",
    "refused": "The camera's connection cannot be opened. Use single photos or files instead.",
    "skip": "Leave this one out",
    "restart": "Start again",
    "retake": "Take again",
    "skipped": "Left out",
    "retry": "Try again",
}


def guide_words(answer: GuideAnswer) -> tuple[str, str]:
    """A headline and a second line, which may be empty, for the person before the camera."""
    target, fix = answer.state.target, answer.state.fix
    if target is None:
        return FINISHED
    instruction = TARGETS[target][1]
    if answer.state.captured is not None:
        return instruction, ""
    if fix is None:
        return _HOLD
    headline, hint = _FIXES[fix]
    if fix in _POSE_FIXES:
        return _MORE.get((target, fix), headline), ""
    return headline, hint or instruction


def try_words(recognition: Recognition, person: Person) -> tuple[str, str, str]:
    """`known`, `other`, `unsure`, `unknown` or `nobody`, a headline, and a second line."""
    if not recognition.faces:
        return "nobody", "Look into the camera", "Nothing is recorded by this."
    face = recognition.faces[0]
    kind = face.decision.kind
    if kind is DecisionKind.MATCH and face.person is not None:
        if face.person.person_id == person.person_id:
            return "known", f"Recognised: {face.person.name}", "The kiosk will know this face."
        return "other", f"Recognised as somebody else: {face.person.name}", "Ask for the code at the kiosk."
    if kind is DecisionKind.AMBIGUOUS:
        return "unsure", "Not sure", "Somebody else looks alike. The kiosk will ask for the code."
    if kind is DecisionKind.POOR_QUALITY:
        return "unsure", "Look straight into the camera", "Come closer, with light on the face."
    return "unknown", "Not recognised yet", "Look straight into the camera. More photos make it surer."
