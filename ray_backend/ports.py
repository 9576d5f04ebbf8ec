"""What the services need from the outside world, as protocols. Adapters live in vision, gallery, storage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

import numpy as np

from ray_backend.domain.answers import CheckIn, Erasure, Recognition
from ray_backend.domain.entries import Entry, EntryQuery, PunchColumns
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.model import (
    AuditEntry,
    Box,
    Candidate,
    DecisionRecord,
    DetectedFace,
    Pack,
    Person,
    Punch,
    Quality,
    Template,
    UnknownFace,
    UnknownGroup,
)
from ray_backend.domain.queries import AuditQuery, DecisionCount, DecisionQuery, Page, PeopleQuery, PunchQuery

T = TypeVar("T")


class Clock(Protocol):
    """Tells the time, so that tests can set it."""

    def now(self) -> datetime:
        """The present as an aware datetime in UTC."""


class ImageCodec(Protocol):
    """Pictures from bytes and back."""

    def decode(self, data: bytes) -> np.ndarray:
        """(H, W, 3) uint8 BGR, upright. Raises ImageRejected."""

    def thumbnail(self, image_bgr: np.ndarray, box: Box) -> bytes:
        """A small square JPEG of the face in the box, with some margin."""


class FaceEngine(Protocol):
    """Finds faces and turns them into embeddings. Safe to call from several threads."""

    pack: Pack

    def detect(self, image_bgr: np.ndarray, quick: bool = False) -> list[DetectedFace]:
        """Faces in a (H, W, 3) uint8 BGR picture, largest first.

        `quick` is for recognition: where somebody is near, faces that are too small to be recognised may be
        left out, and the landmarks suffice for `align` but less for the angles of a head.
        """

    def align(self, image_bgr: np.ndarray, face: DetectedFace) -> np.ndarray:
        """The upright face crop that `embed` expects: (S, S, 3) uint8 BGR, S fixed by the pack."""

    def embed(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """(N, D) float32, L2-normalised rows, for N crops of `align`. N = 0 gives (0, D)."""

    def quality(self, image_bgr: np.ndarray, face: DetectedFace, crop: np.ndarray) -> Quality:
        """Measures one face; `crop` is what `align` returned for it. Judging is the policy's part."""


class LivenessModel(Protocol):
    """Tells living faces from pictures of faces in a single frame. Safe to call from several threads."""

    model_id: str

    def score(self, image_bgr: np.ndarray, face: DetectedFace) -> float:
        """The probability, 0 to 1, that the face of a (H, W, 3) uint8 BGR picture is a living one."""


class Journal(Protocol[T]):
    """What waits on this machine's disk for the database. Safe to call from several threads.

    What `append` acknowledged survives kill -9 and a power cut.
    """

    def append(self, kept: T) -> None:
        """Writes one punch or note. Raises StoreUnavailable when the disk does not take it."""

    def pending(self) -> list[T]:
        """What is not delivered yet, in order."""

    def delivered(self, kept_id: str) -> None:
        """Forgets what has this id; it is the oldest pending one."""

    def __len__(self) -> int:
        """How many are pending."""

    def check(self) -> None:
        """Raises StoreUnavailable when the disk would not take anything now."""


class GalleryIndex(Protocol):
    """Cosine search over the templates of one pack."""

    @property
    def version(self) -> int:
        """Grows with every change."""

    def __len__(self) -> int:
        """Number of templates."""

    def replace(self, templates: Iterator[Template]) -> None:
        """Forgets everything and holds these templates instead."""

    def add(self, templates: Sequence[Template]) -> None:
        """Adds templates; one whose id is there already is replaced."""

    def remove_template(self, template_id: str) -> None:
        """Forgets one template; unknown ids are no error."""

    def remove_person(self, person_id: str) -> None:
        """Forgets all templates of a person; unknown ids are no error."""

    def search(
        self, embeddings: np.ndarray, limit: int = 2, only: frozenset[str] | None = None
    ) -> list[list[Candidate]]:
        """For each row of (N, D) float32 L2-normalised, the `limit` nearest people, best first.

        A person's similarity is the largest over the person's templates. `only` names the people to look
        among, None all. Raises ValueError when D is not the gallery's dimension.
        """


class Recogniser(Protocol):
    """The fast way for many clients at once: pictures are batched, waiting ones are bounded.

    Every method may raise Overloaded, BackendUnavailable and StoreUnavailable.
    """

    @property
    def nearly_full(self) -> bool:
        """Whether `recognise` will soon raise Overloaded, unless pictures are kept away for a moment."""

    def refuse_if_full(self) -> None:
        """Raises Overloaded when `recognise` would, so that a refusal costs nothing."""

    async def recognise(self, image: bytes, department: str | None = None) -> Recognition:
        """Who is in the picture, of this department if one is named; records nothing.

        Raises ImageRejected.
        """

    async def recognise_beside(
        self, pack_id: str, image: bytes, department: str | None = None
    ) -> Recognition:
        """As `recognise`, by the pack that stands beside the site's own, behind everybody who waits.

        Raises NotFound where no pack of this id does.
        """

    async def recognise_many(self, images: Sequence[bytes]) -> list[Recognition | RollcallError]:
        """One answer for each picture, in order; a bad one does not spoil the rest. Goes behind
        the pictures of people who wait."""

    async def check_in(self, image: bytes, *, kiosk: str, idempotency_key: str) -> CheckIn:
        """As `Backend.check_in`. Raises ImageRejected."""


class Store(Protocol):
    """Keeps people, templates, punches, settings and the audit log. Safe to call from several threads.

    Every method may raise StoreUnavailable. What a method acknowledged by returning is durable.
    Datetimes come back aware, in UTC, to the microsecond (mongo: those of people and
    templates to the millisecond).
    """

    def add_person(self, person: Person, templates: Sequence[Template] = ()) -> None:
        """Adds a person with templates, all or nothing. Raises DuplicateEmployeeId."""

    def update_person(self, person: Person) -> None:
        """Replaces the person with this person_id. Raises PersonNotFound, DuplicateEmployeeId."""

    def get_person(self, person_id: str) -> Person:
        """Raises PersonNotFound."""

    def people_of_many(self, person_ids: Sequence[str]) -> list[Person]:
        """Those of these people who exist, in any order."""

    def find_person(self, employee_id: str) -> Person | None:
        """The person with this employee id, or None."""

    def list_people(self, query: PeopleQuery) -> Page[Person]:
        """Ordered by employee_id, then person_id. Cursors stay valid while people come and go."""

    def merged_people(self, into: Sequence[str] | None = None) -> list[Person]:
        """The people whose `merged_into` is one of these ids, or is any, by employee_id.

        Those who were merged into one of them in turn are not looked for.
        """

    def departments(self) -> list[str]:
        """The non-empty departments of people of their own, sorted."""

    def erase_person(self, person_id: str, *, keep_punches: bool) -> Erasure:
        """Removes the person and all templates, and unless they are to be kept the punches and all entries
        with the person as their subject, too.

        Leaves no bytes of the removed records in the database files, in those where `wipes_due` says so
        after the next `wipe`. Raises PersonNotFound. May be repeated after a crash: it removes whatever
        is left.
        """

    def add_templates(self, templates: Sequence[Template]) -> None:
        """Adds templates of existing people; one whose id is there is replaced. Raises PersonNotFound."""

    def remove_template(self, template_id: str) -> Template:
        """Removes and returns it. Raises TemplateNotFound."""

    def templates_of(self, person_id: str) -> list[Template]:
        """A person's templates, oldest first."""

    def templates_of_many(self, person_ids: Sequence[str]) -> list[Template]:
        """The templates of all of these people, oldest first. Unknown ids are no error."""

    def templates(self, pack_id: str | None = None) -> Iterator[Template]:
        """All templates whose person exists, without holding them all in memory.

        `pack_id` None means every pack.
        """

    def count_templates(self) -> dict[str, int]:
        """Number of templates for each pack id."""

    def add_punch(self, punch: Punch) -> None:
        """Appends a punch. Raises DuplicatePunch when its idempotency key or a cooldown slot is taken."""

    def add_punches(self, punches: Sequence[Punch]) -> None:
        """Appends many punches quicker than one by one; those that are there already stay as they are.

        Raises DuplicatePunch when a key or a slot is taken by a punch that differs. Some of the others
        may be written then, so this is for copies and imports, which are repeated until they pass.
        """

    def add_decision(self, record: DecisionRecord) -> None:
        """Appends a decision; one that is there already stays as it is."""

    def list_decisions(self, query: DecisionQuery) -> Page[DecisionRecord]:
        """Ordered by time, then record_id."""

    def count_decisions(self, query: DecisionQuery) -> list[DecisionCount]:
        """How many decisions of the query without its cursor and limit are alike: a million at once."""

    def remove_decisions(self, before: datetime) -> int:
        """Removes decisions older than this and returns how many."""

    def find_punch(self, idempotency_key: str) -> Punch | None:
        """The punch recorded under this key, or None."""

    def last_punch(self, person_id: str) -> Punch | None:
        """The person's latest punch by time, or None."""

    def last_seen(self, person_ids: Sequence[str]) -> dict[str, datetime]:
        """When each of these people punched last; those who never did are left out."""

    def list_punches(self, query: PunchQuery) -> Page[Punch]:
        """Ordered by time, then punch_id."""

    def punch_columns(self, query: PunchQuery) -> PunchColumns:
        """All punches of the query without its cursor and limit: a month of 10,000 people at once."""

    def add_entry(self, entry: Entry) -> bool:
        """Keeps an entry. False when there is one with this id already, which stays as it is."""

    def replace_entry(self, entry: Entry, *, state: str) -> bool:
        """Replaces the entry with this kind and id if its state is still the given one; says whether."""

    def get_entry(self, kind: str, entry_id: str) -> Entry | None:
        """The entry, or None."""

    def list_entries(self, query: EntryQuery) -> Page[Entry]:
        """Ordered by time, then entry_id."""

    def remove_entries(self, kind: str, entry_ids: Sequence[str]) -> int:
        """Removes entries, leaving no bytes of them as `erase_person` does; says how many there were."""

    def get_setting(self, key: str) -> Any:
        """The JSON-like value, or None."""

    def put_setting(self, key: str, value: Any) -> None:
        """Stores a JSON-like value; None removes the key."""

    def pin_setting(self, key: str, value: Any) -> Any:
        """Stores the value if the key has none, atomically, and returns the value that is in force."""

    def settings(self, prefix: str = "") -> dict[str, Any]:
        """All settings whose key starts with the prefix."""

    def add_audit(self, entry: AuditEntry) -> None:
        """Appends to the audit log; an entry that is there already stays as it is."""

    def list_audit(self, query: AuditQuery) -> Page[AuditEntry]:
        """Newest first."""

    def add_unknown_face(self, face: UnknownFace) -> None:
        """Keeps a face; one that is there already is replaced."""

    def unknown_faces(self, group_id: str | None = None) -> list[UnknownFace]:
        """Those of one group, or all, newest first. Their number is bounded by whoever adds them."""

    def move_unknown_faces(self, face_ids: Sequence[str], group_id: str) -> None:
        """Puts faces into another group; unknown ids are no error."""

    def remove_unknown_faces(self, face_ids: Sequence[str]) -> int:
        """Removes faces, leaving no bytes of them in the database files, and returns how many there were."""

    def remove_unknown_before(self, before: datetime) -> int:
        """Removes faces seen before this, and groups that are empty then. As `remove_unknown_faces`."""

    def put_unknown_group(self, group: UnknownGroup) -> None:
        """Keeps what is known of a group; one that is there is replaced."""

    def unknown_groups(self) -> list[UnknownGroup]:
        """All groups of which something is kept."""

    def remove_unknown_group(self, group_id: str) -> int:
        """Removes a group with its faces and returns how many of those there were."""

    def wipes_due(self) -> bool:
        """Whether copies of removed records may lie in unused space of files that are too large to be
        built anew with each removal."""

    def wipe(self) -> None:
        """Overwrites them, if any. Takes about a minute for two gigabytes, in which writes are refused with
        StoreUnavailable, so that punches wait in the journal; reading goes on."""

    def ping(self) -> None:
        """Returns when the database answers."""

    def close(self) -> None:
        """Releases files and connections. Calling it twice is no error."""
