"""What the use cases answer. Boxes, similarities and times as in `domain.model`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from ray_backend.domain.enrolment.words import GuideState, Target
from ray_backend.domain.kiosk.words import Scene
from ray_backend.domain.model import (
    Box,
    Decision,
    Pack,
    Person,
    PhotoProblem,
    Punch,
    Quality,
    QualityIssue,
    Template,
)
from ray_backend.domain.nearness import Nearness


@dataclass(frozen=True, slots=True)
class CheckIn:
    """The answer to one check-in.

    `person`, `punch` and `local_time` are set for a match only. `repeated` says that the punch was
    there already: the same request again, or the same person within the cooldown. `delivered` is False
    while the punch waits in this machine's journal for the database to come back. `face_box` lies in
    the picture as it was analysed, `picture_size` (width, height) large, which may be a smaller copy.
    """

    decision: Decision
    face_box: Box | None = None
    picture_size: tuple[int, int] | None = None
    person: Person | None = None
    punch: Punch | None = None
    local_time: datetime | None = None
    repeated: bool = False
    delivered: bool = True


@dataclass(frozen=True, slots=True)
class KioskAnswer:
    """What a kiosk's screen needs after one frame or after a typed code.

    `check_in` is what the person got, for as long as they stay; None before there is a result.
    `offer_code` says that the other way, a typed code, is to be offered now.
    """

    scene: Scene
    picture_size: tuple[int, int] | None = None
    check_in: CheckIn | None = None
    offer_code: bool = False


@dataclass(frozen=True, slots=True)
class RecognisedFace:
    """One face of a picture and who it is. `person` is set for a match only."""

    box: Box
    quality: Quality
    decision: Decision
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class Recognition:
    """Everybody in one picture, nearest first, by the gallery as it was at `gallery_version`.

    Boxes lie in the picture as it was analysed, `picture_size` (width, height) large, which may be a
    smaller copy; None where nobody has to draw.
    """

    faces: tuple[RecognisedFace, ...]
    pack_id: str
    gallery_version: int
    timings_ms: dict[str, float] = field(default_factory=dict)
    picture_size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class PhotoReview:
    """What became of one enrolment photo. `reason` is None when it was accepted.

    `box` lies in the photo as it was analysed, `picture_size` (width, height) large, which may be a
    smaller copy.
    """

    label: str
    reason: PhotoProblem | QualityIssue | None
    box: Box | None = None
    detail: str = ""
    picture_size: tuple[int, int] | None = None

    @property
    def accepted(self) -> bool:
        """Whether the photo can become a template."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class SimilarPerson:
    """Somebody registered who looks like a new face; `similarity` is cosine.

    `same`: a kiosk would take one for the other, so both cannot be registered with these photos. Otherwise
    they are look-alikes. The thumbnails are small JPEGs of the two faces, empty where there is none.
    """

    person: Person
    similarity: float
    same: bool
    new_thumbnail: bytes = b""
    known_thumbnail: bytes = b""


@dataclass(frozen=True, slots=True)
class EnrolmentCheck:
    """What would become of photos at enrolment, one review each, and who looks like the person on them."""

    reviews: tuple[PhotoReview, ...]
    similar: tuple[SimilarPerson, ...]


@dataclass(frozen=True, slots=True)
class GuidedShot:
    """A photo of a guided enrolment as the camera took it; `thumbnail` is a small JPEG of the face."""

    target: Target
    image: bytes
    thumbnail: bytes


@dataclass(frozen=True, slots=True)
class GuideAnswer:
    """What a guided enrolment shows after one frame; `shots` and `skipped` are all so far."""

    state: GuideState
    picture_size: tuple[int, int]
    shots: tuple[GuidedShot, ...] = ()
    skipped: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A person as stored, with one review for each photo, in order."""

    person: Person
    reviews: tuple[PhotoReview, ...]


@dataclass(frozen=True, slots=True)
class SignedCertificate:
    """What an erasure did, signed with the site's key; names nobody.

    `content` is JSON-like, `services.erasing.Report` says what is in it. `signature` and `public_key`
    are Ed25519 in base64; see `services.certificates`.
    """

    content: dict[str, Any]
    signature: str
    public_key: str

    @property
    def certificate_id(self) -> str:
        """What names it."""
        return self.content["certificate_id"]

    @property
    def issued_at(self) -> datetime:
        """When the erasure was done."""
        return datetime.fromisoformat(self.content["finished_at"])

    @property
    def verified(self) -> bool:
        """Whether nothing was found when everything was looked for again."""
        return self.content["verified"] is True


@dataclass(frozen=True, slots=True)
class Erasure:
    """How much went when a person was erased, and the certificate of it.

    A certificate with `verified` False says that something was found afterwards: it has to be told.
    """

    templates: int
    punches_removed: int
    punches_kept: int
    certificate: SignedCertificate | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """A person and the templates, oldest first. `has_code` says whether a PIN or badge number is set.

    `merged` are the records that were merged into this person, by employee id; `templates` holds theirs
    too, each under the `person_id` that it was stored for.
    """

    person: Person
    templates: tuple[Template, ...]
    has_code: bool = False
    merged: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Likeness:
    """Another person, and the best cosine between a photo of the one and of the other. `alike` says that a
    camera may take them for each other, so that a kiosk asks both for their code."""

    person: Person
    similarity: float
    alike: bool


@dataclass(frozen=True, slots=True)
class PersonFile:
    """What a person's page shows besides the record; everything counts that was merged into the person.

    `photos` compares the templates with each other, oldest first, against `threshold`; `others` are the
    nearest people, nearest first; `last_punches` the newest ones, newest first.
    """

    person: Person
    photos: tuple[Nearness, ...]
    threshold: float
    others: tuple[Likeness, ...]
    last_punches: tuple[Punch, ...]


@dataclass(frozen=True, slots=True)
class ShiftsToday:
    """What the schedule says of a person's present day on the clock of their site.

    `turns`: each shift's name with its start and end, both None for one without times. Without any the day
    is free, or `holiday` says what it is called. `on_leave`: the whole day.
    """

    turns: tuple[tuple[str, time | None, time | None], ...]
    holiday: str = ""
    on_leave: bool = False


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person in a list: how many templates they have, when they punched last, and the best face.

    Everything that was merged into the person counts. `last_seen` is None for somebody who never punched,
    `thumbnail` a small JPEG of the template of the best quality, empty where there is none. `today` is None
    for somebody without a schedule.
    """

    person: Person
    templates: int
    last_seen: datetime | None
    thumbnail: bytes
    today: ShiftsToday | None = None


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What merging `source` into `target` would move, before anything is done.

    `templates` and `punches` count those of the source, with everything merged into it before;
    `first_punch` and `last_punch` are the times between which the punches lie. `similarity` is the best
    cosine between a face of the one and a face of the other, made with the running pack; None where one
    of them has none. `looks_different` says that it lies below the pack's threshold. `refused` says in
    words why the two cannot be merged; it is empty where they can.
    """

    source: Person
    target: Person
    templates: int
    punches: int
    first_punch: datetime | None
    last_punch: datetime | None
    similarity: float | None
    looks_different: bool
    refused: str = ""


@dataclass(frozen=True, slots=True)
class KioskToken:
    """A kiosk that may check people in. `token_id` names it in lists; the secret is not kept."""

    token_id: str
    kiosk: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """`templates` and `gallery_version` are the running gallery's, `people` counts everybody stored.

    `journal_depth` counts the punches that wait on the DatabaseActor's machine for the database.
    """

    pack: Pack
    people: int
    templates: int
    gallery_version: int
    journal_depth: int = 0
