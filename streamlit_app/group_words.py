"""What a group photo says: who is present, and why a face does not count. Knows no Streamlit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ray_backend.domain.answers import CheckIn, RecognisedFace, Recognition
from ray_backend.domain.model import DecisionKind, Person, QualityIssue
from streamlit_app.presenters import RelativeBox, relative_box

_ISSUES = {
    QualityIssue.TOO_SMALL: "The face is too small. Stand closer together and nearer to the camera.",
    QualityIssue.CUT_OFF: "The face is cut off at the edge of the picture.",
    QualityIssue.TURNED_AWAY: "The face is turned away.",
    QualityIssue.TOO_DARK: "The face is too dark.",
    QualityIssue.TOO_BRIGHT: "The face is too bright.",
    QualityIssue.BLURRED: "The face is blurred.",
}
_DECISIONS = {
    DecisionKind.AMBIGUOUS: "This face looks like two registered people.",
    DecisionKind.UNKNOWN: "Nobody registered looks like this.",
    DecisionKind.SPOOF: "This may be a picture of a face.",
}
_UNREADABLE = "The face is too poor to be recognised."


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
    before = [
        f"{answer.person.name} ({answer.punch.direction.value.upper()} at {answer.local_time:%H:%M})"
        for answer in answers
        if answer.repeated
    ]
    return (
        f"{people_words(len(now))} recorded as present: {', '.join(now)}." if now else "",
        f"Already checked in, so not recorded again: {', '.join(before)}." if before else "",
    )


def people_words(number: int) -> str:
    """`1 person`, `2 people`."""
    return "1 person" if number == 1 else f"{number} people"


def _similarity(face: RecognisedFace) -> float:
    return face.decision.best.similarity


def _reason(face: RecognisedFace) -> str:
    if face.person is not None:
        return f"This face looks like {face.person.name}, too, who is in the picture already."
    if face.decision.kind is DecisionKind.POOR_QUALITY:
        return _ISSUES.get(face.decision.issue, _UNREADABLE)
    return _DECISIONS[face.decision.kind]
