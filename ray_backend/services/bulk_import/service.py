"""An import's part beside the database: what is there already, and storing one person after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ray_backend.domain.answers import PhotoReview
from ray_backend.domain.errors import Conflict, InvalidInput, NotFound, PackMismatch, PhotosRefused
from ray_backend.domain.model import AnalysedPhoto, PhotoProblem, new_id
from ray_backend.domain.requests import PersonDraft
from ray_backend.ports import Clock, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.bulk_import.entries import FileOutcome, refusal
from ray_backend.services.bulk_import.rehearsal import Rehearsal
from ray_backend.services.bulk_import.words import Fate, Why, because
from ray_backend.services.enrol import EnrolService
from ray_backend.services.roster import Roster

_MOST_REHEARSALS = 2
SOURCE = "import"


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody who is there: the digests of the stored photos, and whether a consent is noted."""

    photos: frozenset[str]
    consented: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one person's photos, in order. `created`: the person was not there before."""

    created: bool
    files: tuple[FileOutcome, ...]


class ImportService:
    """Stores people of an import. Every method may be repeated: who is there is not stored again."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        enrolments: EnrolService,
        roster: Roster,
        consent_version: Callable[[], str],
        rehearse: Callable[[], Rehearsal],
    ) -> None:
        self._store = store
        self._clock = clock
        self._real = Rehearsal(store, enrolments)
        self._roster = roster
        self._rehearse = rehearse
        self._consent_version = consent_version
        self._audit = Auditor(store, clock)
        self._rehearsals: dict[str, Rehearsal] = {}
        self._lock = threading.Lock()

    def known(self, employee_ids: Sequence[str]) -> dict[str, KnownPerson]:
        """Who of these is there already."""
        found = {}
        for employee_id in employee_ids:
            person = self._store.find_person(employee_id)
            if person is not None:
                photos = frozenset(t.photo_sha256 for t in self._store.templates_of(person.person_id))
                found[employee_id] = KnownPerson(photos, person.consent_at is not None)
        return found

    def begin_rehearsal(self) -> str:
        """Makes a dry run possible; names it. The oldest of more than two is forgotten."""
        with self._lock:
            while len(self._rehearsals) >= _MOST_REHEARSALS:
                del self._rehearsals[next(iter(self._rehearsals))]
            name = new_id()
            self._rehearsals[name] = self._rehearse()
            return name

    def end_rehearsal(self, name: str) -> None:
        """Forgets a dry run; an unknown one is no error."""
        with self._lock:
            self._rehearsals.pop(name, None)

    def take(
        self, draft: PersonDraft, photos: Sequence[AnalysedPhoto], *, actor: str, rehearsal: str = ""
    ) -> Taken:
        """Stores one person, or the photos that are new of one who is there; all or nothing.

        With `rehearsal` nothing is stored. Raises PackMismatch, and NotFound for a dry run that is
        forgotten.
        """
        where = self._where(rehearsal)
        person = where.store.find_person(draft.employee_id)
        if person is not None and draft.consent and not rehearsal:
            self._note_consent(person.person_id, draft, actor)
        if not photos:
            return Taken(False, ())
        reviews = where.enrolments.review(photos, person.person_id if person else None)
        if any(review.reason is PhotoProblem.ANOTHER_PERSON for review in reviews):
            return Taken(False, self._outcomes(where, reviews, spoilt=True))
        try:
            reviews = self._store_photos(where.enrolments, draft, person and person.person_id, photos, actor)
        except PhotosRefused as error:
            return Taken(False, self._outcomes(where, error.reviews))
        except PackMismatch:
            raise
        except (InvalidInput, Conflict) as error:
            reason = because(Why.FIELD, problem=error.message)
            return Taken(False, tuple(refusal(photo.label, reason) for photo in photos))
        return Taken(person is None, self._outcomes(where, reviews))

    def finished(self, counts: dict[str, int], consent: str, *, actor: str) -> None:
        """Notes an import in the audit log: how many there were, and on whose word they agreed (`flag`,
        `table` or `none`)."""
        version = self._consent_version() if consent != "none" else ""
        self._audit.record(actor, "people.imported", "import", consent=consent, version=version, **counts)

    def _where(self, rehearsal: str) -> Rehearsal:
        if not rehearsal:
            return self._real
        with self._lock:
            if rehearsal not in self._rehearsals:
                raise NotFound("The service was started again during this dry run. Start the dry run again.")
            return self._rehearsals[rehearsal]

    def _store_photos(
        self,
        enrolments: EnrolService,
        draft: PersonDraft,
        person_id: str | None,
        photos: Sequence[AnalysedPhoto],
        actor: str,
    ) -> Sequence[PhotoReview]:
        if person_id is not None:
            return enrolments.add_photos(person_id, photos, source=SOURCE, actor=actor).reviews
        return enrolments.enrol(draft, photos, source=SOURCE, actor=actor, consent_required=False).reviews

    def _note_consent(self, person_id: str, draft: PersonDraft, actor: str) -> None:
        """Who was registered without a consent, and agreed since then."""
        person = self._store.get_person(person_id)
        if person.consent_at is not None:
            return
        version = draft.consent_version or self._consent_version()
        agreed = replace(person, consent_at=self._clock.now(), consent_version=version)
        self._store.update_person(agreed)
        self._roster.put(agreed)
        self._audit.record(actor, "person.consent_noted", person_id, version=version)

    def _outcomes(
        self, where: Rehearsal, reviews: Sequence[PhotoReview], *, spoilt: bool = False
    ) -> tuple[FileOutcome, ...]:
        return tuple(self._outcome(where, review, spoilt) for review in reviews)

    def _outcome(self, where: Rehearsal, review: PhotoReview, spoilt: bool) -> FileOutcome:
        if review.accepted:
            if spoilt:
                return refusal(review.label, because(Why.REST_OF_PERSON))
            return FileOutcome(review.label, Fate.ACCEPTED)
        if review.reason is PhotoProblem.ALREADY_STORED:
            return FileOutcome(review.label, Fate.STORED_ALREADY, because(review.reason))
        if review.reason is PhotoProblem.ANOTHER_PERSON:
            other = where.store.get_person(review.detail).employee_id
            return FileOutcome(review.label, Fate.DUPLICATE, because(review.reason, employee_id=other), other)
        return refusal(review.label, because(review.reason, problem=review.detail))
