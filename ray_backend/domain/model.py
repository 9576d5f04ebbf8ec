"""The words of Rollcall as immutable values: person, template, punch, face, decision.

Boxes are `(x1, y1, x2, y2)` in pixels of the upright picture, similarity is cosine (-1 to 1, larger
is closer), times are aware datetimes in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

import numpy as np

from ray_backend.domain.errors import ImageRejected

Box = tuple[float, float, float, float]


def new_id() -> str:
    """A random identifier: 32 hexadecimal characters."""
    return uuid4().hex


class Direction(StrEnum):
    """Which way a person went."""

    IN = "in"
    OUT = "out"


class DecisionKind(StrEnum):
    """What a frame led to."""

    MATCH = "match"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"
    POOR_QUALITY = "poor_quality"
    SPOOF = "spoof"
    NO_FACE = "no_face"


class QualityIssue(StrEnum):
    """The one thing to mend first about a face in a picture."""

    TOO_SMALL = "too_small"
    CUT_OFF = "cut_off"
    TURNED_AWAY = "turned_away"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BLURRED = "blurred"


class Liveness(StrEnum):
    """Whether a living person stood before the camera, as far as it was asked."""

    NOT_CHECKED = "not_checked"
    LIVE = "live"
    SPOOF = "spoof"
    UNSURE = "unsure"


class PhotoProblem(StrEnum):
    """Why an enrolment photo was refused, beyond `QualityIssue`."""

    UNREADABLE = "unreadable"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    ANOTHER_PERSON = "another_person"
    NOT_THE_SAME_PERSON = "not_the_same_person"
    ALREADY_STORED = "already_stored"


@dataclass(frozen=True, slots=True)
class Pack:
    """A detector and an embedder that belong together.

    `threshold` is the cosine similarity from which two embeddings count as one person; `margin` is
    how far the best person has to lead the second. `origin` says where the models were found and why
    this pack runs.
    """

    pack_id: str
    dimension: int
    threshold: float
    margin: float
    licence: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody enrolled. `person_id` is ours and opaque, `employee_id` the organisation's own.

    Punches carry only `person_id`, so erasing this record makes them pseudonymous. `consent_version`
    names the text that was agreed to at `consent_at`. `merged_into` is the `person_id` of the record that
    this one turned out to be a second registration of: templates and punches stay as they are, and
    count for that person. Empty for a person of their own.
    """

    employee_id: str
    name: str
    created_at: datetime
    department: str = ""
    email: str = ""
    active: bool = True
    consent_at: datetime | None = None
    person_id: str = field(default_factory=new_id)
    consent_version: str = ""
    merged_into: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """One stored embedding of a person.

    `embedding`: (D,) float32, L2-normalised. `quality` 0 to 1. `source` says where it came from
    (`camera`, `upload`, `import`). `photo_sha256` is the digest of the file it was made from;
    `thumbnail` a small JPEG of the face.
    """

    person_id: str
    pack_id: str
    embedding: np.ndarray
    quality: float
    source: str
    created_at: datetime
    photo_sha256: str = ""
    thumbnail: bytes = b""
    template_id: str = field(default_factory=new_id)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Template):
            return NotImplemented
        mine, theirs = (
            (t.template_id, t.person_id, t.pack_id, t.embedding.tobytes(), t.quality, t.source,
             t.created_at, t.photo_sha256, t.thumbnail)
            for t in (self, other)
        )  # fmt: skip
        return mine == theirs

    def __hash__(self) -> int:
        return hash(self.template_id)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a decision rested on, kept with the punch. Similarities are cosine, latency in ms."""

    pack_id: str
    threshold: float
    similarity: float
    runner_up_similarity: float | None = None
    frames: int = 1
    liveness: float | None = None
    latency_ms: float | None = None
    liveness_outcome: Liveness = Liveness.NOT_CHECKED


@dataclass(frozen=True, slots=True)
class Punch:
    """One raw, immutable attendance record.

    `idempotency_key` and both `cooldown_slots` are unique over all punches: the database itself
    keeps a punch from being written twice, whoever races. See `domain.attendance.cooldown_slots`.
    """

    person_id: str
    at: datetime
    direction: Direction
    kiosk: str
    source: str
    idempotency_key: str
    cooldown_slots: tuple[str, str]
    receipt: Receipt | None = None
    punch_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what, and when. `subject` is an opaque id; `detail` holds no personal data."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any] = field(default_factory=dict)
    entry_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision of a kiosk, kept for statistics and for questions; holds nobody's name or face.

    `punch_id` is empty where nothing was recorded. `seconds` passed between the first usable frame and
    the decision, over `frames` voted ones. `similarity` is the best person's.
    """

    at: datetime
    kiosk: str
    kind: DecisionKind
    source: str
    liveness: Liveness = Liveness.NOT_CHECKED
    liveness_score: float | None = None
    similarity: float | None = None
    frames: int = 1
    seconds: float = 0.0
    punch_id: str = ""
    record_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, eq=False)
class UnknownFace:
    """A face that a kiosk saw and nobody in the gallery matched, kept for a while if the site wants that.

    `embedding`: (D,) float32, L2-normalised, of the pack `pack_id`. `quality` 0 to 1. `thumbnail`: a small
    JPEG. `group_id` gathers faces that look like one person.
    """

    at: datetime
    kiosk: str
    pack_id: str
    embedding: np.ndarray
    quality: float
    group_id: str
    thumbnail: bytes = b""
    face_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class UnknownGroup:
    """Unknown faces that look like one person. `ignored`: not to be shown again. `not_people`: the
    `person_id` of everybody of whom an admin said that it is not them."""

    group_id: str
    ignored: bool = False
    not_people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """One face found by a detector.

    `landmarks`: (5, 2) float32 pixels in the pack's own order; `score` 0 to 1.
    """

    box: Box
    landmarks: np.ndarray
    score: float


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured on one face.

    `size_px` is the shorter side of the box; `sharpness` the variance of the Laplacian of the
    aligned grey crop scaled to 112 px; `brightness` the mean grey 0 to 255; `yaw_deg`, `pitch_deg`
    and `roll_deg` are 0 when facing the camera (yaw positive: nose towards the right of the picture;
    pitch positive: looking down); `visible` is the part of the box inside the picture, 0 to 1.
    """

    size_px: float
    sharpness: float
    brightness: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    visible: float
    detection_score: float


@dataclass(frozen=True, slots=True, eq=False)
class AnalysedFace:
    """A face after the pipeline: where it is, how good it is and, if asked for, who it looks like.

    `embedding`: (D,) float32, L2-normalised, or None where the pipeline did not embed it.
    `thumbnail`: a small JPEG of the face, or empty where not asked for. `liveness`: the probability,
    0 to 1, that it is a living face and no picture of one, or None where not asked for.
    """

    box: Box
    landmarks: np.ndarray
    quality: Quality
    embedding: np.ndarray | None = None
    thumbnail: bytes = b""
    liveness: float | None = None


@dataclass(frozen=True, slots=True)
class FrameAnalysis:
    """Everything found in one picture, nearest (largest) face first. Stage times in milliseconds.

    `brightness`: the mean grey of the whole picture, 0 to 255, or None where it was not measured.
    """

    width: int
    height: int
    faces: tuple[AnalysedFace, ...]
    pack_id: str
    timings_ms: dict[str, float] = field(default_factory=dict)
    brightness: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person that a face may be, with the best cosine similarity over the person's templates."""

    person_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy makes of one face. `best` and `second` are different people."""

    kind: DecisionKind
    best: Candidate | None = None
    second: Candidate | None = None
    issue: QualityIssue | None = None


@dataclass(frozen=True, slots=True)
class AnalysedPhoto:
    """A photo after the face pipeline. `analysis` holds embeddings and thumbnails of all its faces."""

    label: str
    sha256: str
    analysis: FrameAnalysis | ImageRejected
