"""What a group photo says: who is present, and why a face does not count. Knows no Streamlit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ray_backend.domain.answers import CheckIn, RecognisedFace, Recognition
from ray_backend.domain.model import DecisionKind, Direction, Person, QualityIssue
from streamlit_app.i18n import N_, _, n_
from streamlit_app.presenters import RelativeBox, relative_box

_ISSUES = {
    QualityIssue.TOO_SMALL: N_("The face is too small. Stand closer together and nearer to the camera."),
    QualityIssue.CUT_OFF: N_("The face is cut off at the edge of the picture."),
    QualityIssue.TURNED_AWAY: N_("The face is turned away."),
    QualityIssue.TOO_DARK: N_("The face is too dark."),
    QualityIssue.TOO_BRIGHT: N_("The face is too bright."),
    QualityIssue.BLURRED: N_("The face is blurred."),
}
_DECISIONS = {
    DecisionKind.AMBIGUOUS: N_("This face looks like two registered people."),
    DecisionKind.UNKNOWN: N_("Nobody registered looks like this."),
    DecisionKind.SPOOF: N_("This may be a picture of a face."),
}
_UNREADABLE = N_("The face is too poor to be recognised.")


@dataclass(frozen=True, slots=True)
class GroupFace:
    """One face of the picture. `person` is set for who counts as present, else `reason` says why not.

    `box` holds shares of width and height. `number` counts the faces without a person, from 1.
    """

    box: RelativeBox
    person: Person | None = None
    reason: str = ""
    number: int = 0


def group_faces(recognition: Recognition) -> list[GroupFace]:
    """All faces, from left to right. Each person counts once: the face that is most similar."""
    best: dict[str, RecognisedFace] = {}
    for face in recognition.faces:
        if face.person is not None:
            known = best.get(face.person.person_id)
            if known is None or _similarity(face) > _similarity(known):
                best[face.person.person_id] = face
    counted = {id(face) for face in best.values()}
    faces: list[GroupFace] = []
    number = 0
    for face in sorted(recognition.faces, key=lambda face: face.box[0]):
        box = relative_box(face.box, recognition.picture_size)
        if id(face) in counted:
            faces.append(GroupFace(box, face.person))
        else:
            number += 1
            faces.append(GroupFace(box, reason=_reason(face), number=number))
    return faces


def missing(expected: Iterable[Person], faces: Sequence[GroupFace]) -> list[Person]:
    """Who of the expected people is not in the picture, by name."""
    here = {face.person.person_id for face in faces if face.person is not None}
    return sorted(
        (person for person in expected if person.person_id not in here), key=lambda person: person.name
    )


def recorded_words(answers: Sequence[CheckIn]) -> tuple[str, str]:
    """Who was recorded now, and who had been recorded before; either may be empty."""
    now = [answer.person.name for answer in answers if not answer.repeated]
    before = [f"{answer.person.name} ({_punched(answer)})" for answer in answers if answer.repeated]
    return (
        n_(
            "{number} person recorded as present: {names}.",
            "{number} people recorded as present: {names}.",
            len(now),
            names=", ".join(now),
        )
        if now
        else "",
        _("Already checked in, so not recorded again: {names}.", names=", ".join(before)) if before else "",
    )


def _punched(answer: CheckIn) -> str:
    time = f"{answer.local_time:%H:%M}"
    if answer.punch.direction is Direction.IN:
        return _("IN at {time}", time=time)
    return _("OUT at {time}", time=time)


def people_words(number: int) -> str:
    """`1 person`, `2 people`."""
    return n_("{number} person", "{number} people", number)


def _similarity(face: RecognisedFace) -> float:
    return face.decision.best.similarity


def _reason(face: RecognisedFace) -> str:
    if face.person is not None:
        return _("This face looks like {name}, too, who is in the picture already.", name=face.person.name)
    if face.decision.kind is DecisionKind.POOR_QUALITY:
        return _(_ISSUES.get(face.decision.issue, _UNREADABLE))
    return _(_DECISIONS[face.decision.kind])
