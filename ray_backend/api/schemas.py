"""The shapes of requests and answers, for the OpenAPI document. `answers.py` makes the answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ray_backend.domain.model import DecisionKind, Direction, PhotoProblem, QualityIssue

Box = Annotated[
    list[float],
    Field(min_length=4, max_length=4, description="x1, y1, x2, y2 in pixels", examples=[[210, 96, 330, 250]]),
]
Size = Annotated[list[int], Field(min_length=2, max_length=2, description="width, height of the picture")]
Similarity = Annotated[float | None, Field(description="cosine, -1 to 1, larger is closer", examples=[0.71])]


class PersonName(BaseModel):
    """Who somebody is."""

    employee_id: str = Field(examples=["E017"])
    name: str = Field(examples=["Ada Example"])


class Quality(BaseModel):
    """What was measured on a face; null where it could not be."""

    size_px: float | None
    sharpness: float | None
    brightness: float | None
    yaw_deg: float | None
    pitch_deg: float | None
    roll_deg: float | None
    visible: float | None


class Face(BaseModel):
    """One face of a picture. `person` is set for a match only."""

    box: Box
    detection_score: float | None = Field(examples=[0.98])
    decision: DecisionKind
    issue: QualityIssue | None
    person: PersonName | None
    similarity: Similarity
    runner_up_similarity: Similarity
    quality: Quality
    liveness: float | None


class Recognition(BaseModel):
    """Everybody in one picture, nearest first."""

    faces: list[Face]
    pack: str = Field(description="the face models", examples=["buffalo_l"])
    gallery_version: int = Field(description="grows with every enrolment", examples=[128])
    timings_ms: dict[str, float | None] = Field(examples=[{"decode": 1.1, "detect": 6.2, "embed": 5.4}])


class SeedAnswer(BaseModel):
    """One payload and one box for each face, in the same order."""

    payloads: list[str] = Field(
        description="employee id of each face, or `unknown`", examples=[["E017", "unknown"]]
    )
    boxes: list[Box]


class Problem(BaseModel):
    """An error by RFC 9457. More members stand beside these where they help."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:rollcall:problem:overloaded"])
    title: str = Field(examples=["Overloaded"])
    status: int = Field(ge=400, le=599, examples=[503])
    detail: str = Field(description="plain words, and what to do next")
    instance: str = Field(description="the path of the request", examples=["/recognize"])


class BatchResult(BaseModel):
    """The answer to one picture: either of the two."""

    label: str = Field(description="the file's name", examples=["door-1.jpg"])
    recognition: Recognition | None
    problem: Problem | None


class BatchAnswer(BaseModel):
    """One result for each picture, in order."""

    results: list[BatchResult]


class Review(BaseModel):
    """What became of one photo. `reason` is null when it was accepted."""

    label: str
    accepted: bool
    reason: PhotoProblem | QualityIssue | None
    detail: str
    box: Box | None
    picture_size: Size | None


class Person(BaseModel):
    """Somebody enrolled."""

    employee_id: str = Field(examples=["E017"])
    name: str = Field(examples=["Ada Example"])
    department: str
    email: str
    active: bool
    created_at: datetime
    consent_at: datetime | None


class PersonDetails(Person):
    """Somebody enrolled, with the number of stored templates."""

    templates: int


class Enrolment(BaseModel):
    """The person as stored, with one review for each photo, in order."""

    person: Person
    reviews: list[Review]


class PeoplePage(BaseModel):
    """One page of people by employee id."""

    people: list[Person]
    next_cursor: str | None = Field(description="null on the last page")
    total: int = Field(description="how many there are on all pages")


class Erasure(BaseModel):
    """How much went. `verified`: it was searched for again afterwards, and nothing was found; `certificate`
    names the signed certificate, which the page of people hands out."""

    templates: int
    punches_removed: int
    punches_kept: int
    certificate: str
    verified: bool


class Receipt(BaseModel):
    """What a decision rested on."""

    pack: str
    threshold: float | None
    similarity: float | None
    runner_up_similarity: float | None
    frames: int
    liveness: float | None
    latency_ms: float | None


class Punch(BaseModel):
    """One raw attendance record. `person` is null where the person was erased."""

    punch_id: str
    person: PersonName | None
    at: datetime
    direction: Direction
    kiosk: str
    source: str
    receipt: Receipt | None


class CheckIn(BaseModel):
    """The answer to a check-in. `person`, `punch` and `local_time` are set for a match only.

    `repeated`: the punch was there already, by the same key or within the cooldown.
    """

    decision: DecisionKind
    issue: QualityIssue | None
    person: PersonName | None
    similarity: Similarity
    punch: Punch | None
    local_time: datetime | None
    repeated: bool
    box: Box | None
    picture_size: Size | None


class PunchPage(BaseModel):
    """One page of punches, oldest first."""

    punches: list[Punch]
    next_cursor: str | None = Field(description="null on the last page")


class Health(BaseModel):
    """It answers."""

    status: str = Field(examples=["ok"])


class GalleryState(BaseModel):
    """What faces are searched in. `version` grows with every change."""

    templates: int = Field(ge=0)
    version: int = Field(ge=0)


class Pool(BaseModel):
    """The FaceEmbeddingActors: between `fewest` and `most` are kept, `wanted` now, `ready` of them answer;
    there is `room` for so many on the nodes."""

    ready: int = Field(ge=0)
    wanted: int = Field(ge=0)
    fewest: int = Field(ge=0)
    most: int = Field(ge=0)
    room: int = Field(ge=0)


class ClusterHealth(BaseModel):
    """The Ray cluster. `nodes` counts those that live; `draining` of them get nothing new. `actors` are the
    parts of Rollcall by name, each `ready`, `starting`, `away` or `leaving`; `pool` and `actors` are null
    and empty while nobody who knows answers."""

    nodes: int = Field(ge=0)
    draining: int = Field(ge=0)
    cpus: float = Field(ge=0)
    gpus: float = Field(ge=0)
    pool: Pool | None
    actors: dict[str, str] = Field(examples=[{"DatabaseActor": "ready"}])


class RayHealth(BaseModel):
    """How everything does. `database`, `journal` (punches that wait for the database) and `gallery` are null
    while nobody who knows answers."""

    status: Literal["ready", "not ready"]
    problem: str | None = Field(description="What is missing, in words.")
    where: str = Field(examples=["on Ray at 127.0.0.1:6379"])
    database: Literal["ok", "away"] | None = None
    journal: int | None = None
    gallery: GalleryState | None = None
    cluster: ClusterHealth | None


class Registration(BaseModel):
    """The fields of a registration beside the photos."""

    model_config = ConfigDict(extra="forbid")

    employee_id: str = Field(max_length=64, examples=["E017"])
    name: str = Field(max_length=200, examples=["Ada Example"])
    department: str = Field("", max_length=200)
    email: str = Field("", max_length=254)
    consent: bool = Field(description="whether the person agreed that the face is stored; has to be true")


class PersonUpdate(BaseModel):
    """All fields of a person that can be changed. What is left out gets its default."""

    model_config = ConfigDict(extra="forbid")

    employee_id: str = Field(min_length=1, max_length=64, examples=["E017"])
    name: str = Field(min_length=1, max_length=200, examples=["Ada Example"])
    department: str = Field("", max_length=200)
    email: str = Field("", max_length=254)
    active: bool = True


class PersonPatch(BaseModel):
    """The fields of a person to change; those that are left out stay."""

    model_config = ConfigDict(extra="forbid")

    employee_id: str = Field("", min_length=1, max_length=64)
    name: str = Field("", min_length=1, max_length=200)
    department: str = Field("", max_length=200)
    email: str = Field("", max_length=254)
    active: bool = True
