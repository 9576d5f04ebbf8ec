"""Enrolment: from photos to a person with templates. A poor photo never becomes one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from ray_backend.domain.answers import Enrolment, EnrolmentCheck, PhotoReview
from ray_backend.domain.errors import (
    ConsentMissing,
    DuplicateEmployeeId,
    ImageRejected,
    PackMismatch,
    PhotosRefused,
)
from ray_backend.domain.model import (
    AnalysedFace,
    AnalysedPhoto,
    Person,
    PhotoProblem,
    Template,
    UnknownFace,
)
from ray_backend.domain.quality import find_issue, score
from ray_backend.domain.requests import PersonDraft
from ray_backend.ports import Clock, GalleryIndex, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.identity import as_of, canonical, ids_of
from ray_backend.services.look_alikes import LookAlikes
from ray_backend.services.owner import belongs_to, find_other_owner, require_comparable
from ray_backend.services.policy import Policy
from ray_backend.services.resemblance import Resemblance
from ray_backend.services.roster import Roster

PACK_SETTING = "pack"
# A second face of less than this share of the first one's width stands in the background.
_BACKGROUND_SHARE = 0.6


class EnrolService:
    """Registers people and adds photos to them."""

    def __init__(
        self,
        store: Store,
        gallery: GalleryIndex,
        clock: Clock,
        policy: Policy,
        pack_spec: str,
        *,
        roster: Roster,
        look_alikes: LookAlikes,
        consent_version: Callable[[], str] = lambda: "",
    ) -> None:
        """`consent_version` keeps the consent text in force and names it."""
        self._store = store
        self._gallery = gallery
        self._clock = clock
        self._policy = policy
        self._pack_spec = pack_spec
        self._roster = roster
        self._look_alikes = look_alikes
        self._consent_version = consent_version
        self._resemblance = Resemblance(store, gallery, policy)
        self._audit = Auditor(store, clock)
        # Two desks that register the same face at once: the second has to find the first.
        self._one_at_a_time = threading.Lock()

    def review(self, photos: Sequence[AnalysedPhoto], person_id: str | None = None) -> list[PhotoReview]:
        """What would become of each photo if it were added to this person, or to a new one."""
        person_id, known = self._known(person_id)
        return [review for review, _ in self._judge(photos, person_id, known)]

    def check(self, photos: Sequence[AnalysedPhoto], person_id: str | None = None) -> EnrolmentCheck:
        """`review`, and who looks like the person on the photos that are good enough. Stores nothing."""
        person_id, known = self._known(person_id)
        judged = self._judge(photos, person_id, known)
        faces = [face for review, face in judged if review.reason in (None, PhotoProblem.ANOTHER_PERSON)]
        return EnrolmentCheck(
            tuple(review for review, _ in judged), self._resemblance.find(faces, besides=person_id)
        )

    def enrol(
        self,
        draft: PersonDraft,
        photos: Sequence[AnalysedPhoto],
        *,
        source: str,
        actor: str,
        consent_required: bool = True,
    ) -> Enrolment:
        """Adds a new person with the accepted photos, all or nothing.

        Raises InvalidInput, ConsentMissing, DuplicateEmployeeId, FaceBelongsToAnother, PhotosRefused
        (no photo passed; nothing is stored) and PackMismatch.
        """
        with self._one_at_a_time:
            return self._enrol(draft.checked(), photos, source, actor, consent_required)

    def _enrol(
        self,
        draft: PersonDraft,
        photos: Sequence[AnalysedPhoto],
        source: str,
        actor: str,
        consent_required: bool,
    ) -> Enrolment:
        person = self._new_person(draft, consent_required)
        reviews, templates = self._templates(photos, person.person_id, [], source, person.created_at)
        self._require_some(reviews)
        self._keep_new(person, templates, actor)
        return Enrolment(person, tuple(reviews))

    def enrol_faces(
        self,
        draft: PersonDraft,
        faces: Sequence[UnknownFace],
        *,
        source: str,
        actor: str,
        consent_required: bool = True,
    ) -> Person:
        """Adds a new person with faces that were found good enough before, all of them.

        Raises InvalidInput, ConsentMissing, DuplicateEmployeeId, FaceBelongsToAnother and PackMismatch.
        """
        with self._one_at_a_time:
            person = self._new_person(draft.checked(), consent_required)
            self._keep_new(person, self._ready(person, faces, source), actor)
            return person

    def _new_person(self, draft: PersonDraft, consent_required: bool) -> Person:
        if consent_required and not draft.consent:
            raise ConsentMissing("Tick the consent box: a face may be stored only if its owner agreed.")
        if self._store.find_person(draft.employee_id) is not None:
            raise DuplicateEmployeeId(
                f"Employee id {draft.employee_id} is taken. Open that person under People to add photos."
            )
        now = self._clock.now()
        return Person(
            employee_id=draft.employee_id,
            name=draft.name,
            department=draft.department,
            email=draft.email,
            created_at=now,
            consent_at=now if draft.consent else None,
            consent_version=(draft.consent_version or self._consent_version()) if draft.consent else "",
        )

    def _keep_new(self, person: Person, templates: list[Template], actor: str) -> None:
        self._pin_pack()
        self._store.add_person(person, templates)
        self._roster.put(person)
        self._look_alikes.note(templates)
        self._gallery.add(templates)
        self._audit.record(actor, "person.enrolled", person.person_id, templates=len(templates))

    def add_photos(
        self, person_id: str, photos: Sequence[AnalysedPhoto], *, source: str, actor: str
    ) -> Enrolment:
        """Adds the accepted photos to the person for whom the record stands. Photos stored before are left
        out, so it may be repeated.

        Raises PersonNotFound, FaceBelongsToAnother, PhotosRefused and PackMismatch.
        """
        with self._one_at_a_time:
            return self._add_photos(person_id, photos, source, actor)

    def _add_photos(
        self, person_id: str, photos: Sequence[AnalysedPhoto], source: str, actor: str
    ) -> Enrolment:
        person = canonical(self._store.get_person, person_id)
        person_id, known = self._known(person.person_id)
        reviews, templates = self._templates(photos, person_id, known, source, self._clock.now())
        if not any(review.reason is PhotoProblem.ALREADY_STORED for review in reviews):
            self._require_some(reviews)
        if templates:
            self._keep_more(person, templates, actor)
        return Enrolment(person, tuple(reviews))

    def add_faces(self, person_id: str, faces: Sequence[UnknownFace], *, source: str, actor: str) -> Person:
        """Adds faces that were found good enough before to a person, all of them.

        Raises PersonNotFound, FaceBelongsToAnother and PackMismatch.
        """
        with self._one_at_a_time:
            person = self._store.get_person(person_id)
            self._keep_more(person, self._ready(person, faces, source), actor)
            return person

    def _keep_more(self, person: Person, templates: list[Template], actor: str) -> None:
        self._pin_pack()
        self._store.add_templates(templates)
        self._look_alikes.note(templates)
        if person.active:
            self._gallery.add(templates)
        self._audit.record(actor, "person.photos_added", person.person_id, templates=len(templates))

    def add_template(self, template: Template) -> None:
        """Adds a ready template to a person, for programs that keep their own photos.

        Raises PersonNotFound, PackMismatch, FaceBelongsToAnother, and InvalidInput when the embedding is
        not (D,) float32, L2-normalised.
        """
        with self._one_at_a_time:
            self._add_template(template)

    def _add_template(self, template: Template) -> None:
        person = canonical(self._store.get_person, template.person_id)
        template = as_of(template, person)
        if template.pack_id != self._policy.pack_id:
            raise PackMismatch(
                f"This template is of the pack {template.pack_id}, not {self._policy.pack_id}."
            )
        # A row of another length would keep the gallery from being filled at the next start.
        require_comparable(template.embedding, self._policy.dimension)
        other = self._other_person(template.embedding, person.person_id)
        if other is not None:
            raise belongs_to("This template", other)
        self._keep_more(person, [template], "program")

    def _ready(self, person: Person, faces: Sequence[UnknownFace], source: str) -> list[Template]:
        for face in faces:
            other = self._other_person(face.embedding, person.person_id)
            if other is not None:
                raise belongs_to("This face", other)
        now = self._clock.now()
        return [
            Template(person.person_id, face.pack_id, face.embedding, face.quality, source, now,
                     thumbnail=face.thumbnail)
            for face in faces
        ]  # fmt: skip

    def _known(self, person_id: str | None) -> tuple[str | None, list[Template]]:
        """The person for whom the record stands, with all templates. Raises PersonNotFound."""
        if person_id is None:
            return None, []
        person_id = canonical(self._store.get_person, person_id).person_id
        return person_id, self._store.templates_of_many(ids_of(self._store, person_id))

    def _templates(
        self,
        photos: Sequence[AnalysedPhoto],
        person_id: str,
        known: Sequence[Template],
        source: str,
        now: datetime,
    ) -> tuple[list[PhotoReview], list[Template]]:
        judged = self._judge(photos, person_id, known)
        self._refuse_another_person(judged)
        templates = [
            Template(
                person_id=person_id,
                pack_id=photo.analysis.pack_id,
                embedding=face.embedding,
                quality=score(face.quality, self._policy.enrol_limits),
                source=source,
                created_at=now,
                photo_sha256=photo.sha256,
                thumbnail=face.thumbnail,
            )
            for photo, (review, face) in zip(photos, judged, strict=True)
            if review.accepted
        ]
        return [review for review, _ in judged], templates

    def _judge(
        self, photos: Sequence[AnalysedPhoto], person_id: str | None, known: Sequence[Template]
    ) -> list[tuple[PhotoReview, AnalysedFace | None]]:
        """One review a photo; each also has to show the person of the ones accepted before it."""
        digests = {template.photo_sha256 for template in known}
        own = [t.embedding for t in known if t.pack_id == self._policy.pack_id]
        judged = []
        for photo in photos:
            review, face = self._judge_one(photo, person_id, digests, own)
            if review.accepted:
                digests.add(photo.sha256)
                own.append(face.embedding)
            judged.append((replace(review, picture_size=_size(photo)), face))
        return judged

    def _judge_one(
        self, photo: AnalysedPhoto, person_id: str | None, digests: set[str], own: list[np.ndarray]
    ) -> tuple[PhotoReview, AnalysedFace | None]:
        if isinstance(photo.analysis, ImageRejected):
            return PhotoReview(photo.label, PhotoProblem.UNREADABLE, detail=photo.analysis.message), None
        if photo.sha256 in digests:
            return PhotoReview(photo.label, PhotoProblem.ALREADY_STORED), None
        faces = photo.analysis.faces
        if not faces:
            return PhotoReview(photo.label, PhotoProblem.NO_FACE), None
        face = faces[0]
        if len(faces) > 1 and _width(faces[1]) >= _BACKGROUND_SHARE * _width(face):
            return PhotoReview(photo.label, PhotoProblem.SEVERAL_FACES, face.box), face
        issue = find_issue(face.quality, self._policy.enrol_limits)
        if issue is not None:
            return PhotoReview(photo.label, issue, face.box), face
        other = self._other_person(face.embedding, person_id)
        if other is not None:
            return PhotoReview(photo.label, PhotoProblem.ANOTHER_PERSON, face.box, other.person_id), face
        if own and max(float(face.embedding @ mine) for mine in own) < self._policy.threshold:
            return PhotoReview(photo.label, PhotoProblem.NOT_THE_SAME_PERSON, face.box), face
        return PhotoReview(photo.label, None, face.box), face

    def _other_person(self, embedding: np.ndarray, person_id: str | None) -> Person | None:
        """Somebody else whose face this is."""
        return find_other_owner(
            self._store, self._gallery, embedding, threshold=self._policy.threshold, besides=person_id
        )

    def _refuse_another_person(self, judged: list[tuple[PhotoReview, AnalysedFace | None]]) -> None:
        for review, _ in judged:
            if review.reason is PhotoProblem.ANOTHER_PERSON:
                raise belongs_to(review.label, self._store.get_person(review.detail))

    def _require_some(self, reviews: list[PhotoReview]) -> None:
        if any(review.accepted for review in reviews):
            return
        message = "No photo could be used." if reviews else "Add at least one photo."
        raise PhotosRefused(message, tuple(reviews))

    def _pin_pack(self) -> None:
        mine = {"id": self._policy.pack_id, "spec": self._pack_spec}
        pinned = self._store.pin_setting(PACK_SETTING, mine)
        if pinned["id"] != self._policy.pack_id:
            raise PackMismatch(
                f"This site's templates are made with the pack {pinned['id']}, but {self._policy.pack_id} "
                "is running. Restart Rollcall, or change the pack with `rollcall pack use`."
            )


def _size(photo: AnalysedPhoto) -> tuple[int, int] | None:
    if isinstance(photo.analysis, ImageRejected):
        return None
    return photo.analysis.width, photo.analysis.height


def _width(face: AnalysedFace) -> float:
    return face.box[2] - face.box[0]
