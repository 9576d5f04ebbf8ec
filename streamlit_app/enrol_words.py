"""What a guided enrolment and the try afterwards say. Knows nothing of Streamlit."""

from __future__ import annotations

from ray_backend.domain.answers import GuideAnswer, Recognition
from ray_backend.domain.enrolment.words import Fix, Target
from ray_backend.domain.model import DecisionKind, Person
from streamlit_app.i18n import N_, _

TARGETS = {
    Target.FRONT: (N_("Front"), N_("Look straight into the camera")),
    Target.LEFT: (N_("Left"), N_("Turn your head a little to your left")),
    Target.RIGHT: (N_("Right"), N_("Turn your head a little to your right")),
    Target.UP: (N_("Up"), N_("Lift your chin a little")),
}
_HOLD = (N_("Hold still"), N_("The photo is taken by itself."))
_FIXES = {
    Fix.STEP_IN: (N_("Come in front of the camera"), N_("Your face has to be in the picture.")),
    Fix.ONE_PERSON: (N_("Only one person, please"), N_("Everybody else steps out of the picture.")),
    Fix.ANOTHER_PERSON: (
        N_("This is somebody else"),
        N_("The photos so far show another person. Start again to take photos of this one."),
    ),
    Fix.COME_CLOSER: (N_("Come closer"), ""),
    Fix.STEP_BACK: (N_("Move back a little"), N_("Your whole face has to be in the picture.")),
    Fix.MORE_LIGHT: (N_("More light, please"), N_("Turn on a light in front of you.")),
    Fix.LIGHT_BEHIND: (N_("The light is behind you"),
                       N_("Turn round until the window or lamp is before you.")),
    Fix.LESS_LIGHT: (N_("Less light, please"), N_("Turn away from the lamp or the sun.")),
    Fix.TURN_LEFT: (N_("Turn a little to the left"), ""),
    Fix.TURN_RIGHT: (N_("Turn a little to the right"), ""),
    Fix.TURN_BACK: (N_("Turn back a little"), ""),
    Fix.CHIN_UP: (N_("Chin up a little"), ""),
    Fix.CHIN_DOWN: (N_("Chin down a little"), ""),
    Fix.HEAD_UPRIGHT: (N_("Hold your head upright"), ""),
    Fix.HOLD_STILL: _HOLD,
}  # fmt: skip
_MORE = {
    (Target.LEFT, Fix.TURN_LEFT): N_("Turn a little more to the left"),
    (Target.RIGHT, Fix.TURN_RIGHT): N_("Turn a little more to the right"),
    (Target.UP, Fix.CHIN_UP): N_("Chin up a little more"),
}
# The pose itself is asked for, so the fix needs no second line that says it again.
_POSE_FIXES = {Fix.TURN_LEFT, Fix.TURN_RIGHT, Fix.TURN_BACK, Fix.CHIN_UP, Fix.CHIN_DOWN, Fix.HEAD_UPRIGHT}
FINISHED = (N_("Thank you, that is all"), N_("The photos are shown below."))
UNREADABLE = (N_("The camera's picture cannot be read"), N_("Try another camera, or use single photos."))
AWAY = (N_("One moment, please"), N_("The recognition service does not answer. It comes back by itself."))

_DESK = {
    "starting": N_("Starting the camera"),
    "allow": N_("If the browser asks, allow the camera."),
    "connecting": N_("Connecting"),
    "offline": N_("The connection is interrupted. It comes back by itself."),
    "refused": N_("The camera's connection cannot be opened. Use single photos or files instead."),
    "skip": N_("Leave this one out"),
    "restart": N_("Start again"),
    "retake": N_("Take again"),
    "skipped": N_("Left out"),
    "retry": N_("Try again"),
}


def desk_texts() -> dict[str, str]:
    """For the page's own script; the rest comes with the answers."""
    return {name: _(text) for name, text in _DESK.items()}


def translated(words: tuple[str, str]) -> tuple[str, str]:
    """A headline and a second line of this file in the reader's language."""
    return _(words[0]), _(words[1])


def guide_words(answer: GuideAnswer) -> tuple[str, str]:
    """A headline and a second line, which may be empty, for the person before the camera."""
    target, fix = answer.state.target, answer.state.fix
    if target is None:
        return translated(FINISHED)
    instruction = TARGETS[target][1]
    if answer.state.captured is not None:
        return _(instruction), ""
    if fix is None:
        return translated(_HOLD)
    headline, hint = _FIXES[fix]
    if fix in _POSE_FIXES:
        return _(_MORE.get((target, fix), headline)), ""
    return _(headline), _(hint or instruction)


def try_words(recognition: Recognition, person: Person) -> tuple[str, str, str]:
    """`known`, `other`, `unsure`, `unknown` or `nobody`, a headline, and a second line."""
    if not recognition.faces:
        return "nobody", _("Look into the camera"), _("Nothing is recorded by this.")
    face = recognition.faces[0]
    kind = face.decision.kind
    if kind is DecisionKind.MATCH and face.person is not None:
        if face.person.person_id == person.person_id:
            return (
                "known",
                _("Recognised: {name}", name=face.person.name),
                _("The kiosk will know this face."),
            )
        return (
            "other",
            _("Recognised as somebody else: {name}", name=face.person.name),
            _("Ask for the code at the kiosk."),
        )
    if kind is DecisionKind.AMBIGUOUS:
        return "unsure", _("Not sure"), _("Somebody else looks alike. The kiosk will ask for the code.")
    if kind is DecisionKind.POOR_QUALITY:
        return "unsure", _("Look straight into the camera"), _("Come closer, with light on the face.")
    return "unknown", _("Not recognised yet"), _("Look straight into the camera. More photos make it surer.")
