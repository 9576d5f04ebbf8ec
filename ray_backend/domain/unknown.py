"""The words of the inbox of unknown faces: what a kiosk hands in, and what an admin sees and gets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np

from ray_backend.domain.model import Person, Quality, UnknownFace, new_id
from ray_backend.domain.quality import QualityLimits, find_issue, score

# `quality.score` of a face on the limits of an enrolment.
ENROLLABLE = 0.5
_BELOW = 0.49


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A living face that a kiosk saw and nobody matched. `embedding`: (D,) float32, L2-normalised, of the
    pack `pack_id`; `thumbnail` a small JPEG."""

    at: datetime
    kiosk: str
    pack_id: str
    embedding: np.ndarray
    quality: Quality
    thumbnail: bytes
    face_id: str = field(default_factory=new_id)


def kept_quality(quality: Quality, enrol_limits: QualityLimits) -> float:
    """0 to 1; at least `ENROLLABLE` exactly where the face passes the limits of an enrolment."""
    points = score(quality, enrol_limits)
    return points if find_issue(quality, enrol_limits) is None else min(points, _BELOW)


def is_enrollable(face: UnknownFace) -> bool:
    """Whether the face may become a template: good enough, and somebody can look at it."""
    return face.quality >= ENROLLABLE and bool(face.thumbnail)


class Likeness(StrEnum):
    """How much an unknown face looks like a person."""

    SAME = "same"
    MAYBE = "maybe"
    HARDLY = "hardly"


def likeness(similarity: float, *, threshold: float, margin: float) -> Likeness:
    """SAME from the threshold on; MAYBE up to two margins below it, where one photo in 100 of strangers
    lies (`domain.kiosk.rules`)."""
    if similarity >= threshold:
        return Likeness.SAME
    return Likeness.MAYBE if similarity >= threshold - 2 * margin else Likeness.HARDLY


@dataclass(frozen=True, slots=True)
class NearPerson:
    """Somebody whom an unknown face looks like most. `thumbnail`: their most similar photo, or empty."""

    person: Person
    similarity: float
    likeness: Likeness
    thumbnail: bytes = b""


@dataclass(frozen=True, slots=True)
class UnknownCard:
    """One group as it is shown: `thumbnail` is its best picture, empty where none is kept.

    `faces` are kept, of `seen` that came since Rollcall was started at least; `enrollable` of them are good
    enough for an enrolment. `known_as` is somebody, registered since, whose face this is. `alike` are other
    groups that may be the same person.
    """

    group_id: str
    thumbnail: bytes
    faces: int
    seen: int
    enrollable: int
    first_at: datetime
    last_at: datetime
    kiosks: tuple[str, ...]
    near: tuple[NearPerson, ...] = ()
    known_as: Person | None = None
    alike: tuple[str, ...] = ()
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class UnknownCards:
    """One page of cards, last seen first, of `total` ones; `ignored` counts the groups that are not shown."""

    cards: tuple[UnknownCard, ...]
    total: int
    ignored: int


@dataclass(frozen=True, slots=True)
class Assigned:
    """What became of faces that were given to a person.

    `added` became photos of the person. `poor` were removed, since they are not good enough. Two kinds stay
    in the inbox: `nearer` look more like somebody else, `unlike` do not look like the person, and nobody
    confirmed that they are.
    """

    person: Person
    added: int
    poor: int
    nearer: int = 0
    unlike: int = 0
