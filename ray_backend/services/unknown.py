"""The inbox of unknown faces: what kiosks hand in, and what an admin does with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from ray_backend.domain.errors import InvalidInput, NotFound, PhotosRefused, StoreUnavailable
from ray_backend.domain.grouping import FaceGroup
from ray_backend.domain.model import UnknownFace
from ray_backend.domain.quality import find_issue
from ray_backend.domain.requests import PersonDraft
from ray_backend.domain.unknown import (
    Assigned,
    Likeness,
    Sighting,
    UnknownCard,
    UnknownCards,
    is_enrollable,
    kept_quality,
)
from ray_backend.ports import Clock, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.enrol import EnrolService
from ray_backend.services.identity import canonical
from ray_backend.services.inbox import Inbox
from ray_backend.services.nearest import NearestPeople
from ray_backend.services.policy import Policy
from ray_backend.services.reach import Reach

SOURCE = "kiosk"
LONGEST_PAGE = 60
_GONE = "These faces are not there any more."


class _Fate(StrEnum):
    ADDED = "added"
    POOR = "poor"
    NEARER = "nearer"
    UNLIKE = "unlike"


class UnknownService:
    """Faces that nobody matched, in groups that look like one person. Safe to call from several threads.

    `notes_dropped` counts faces that were not kept because the database was away.
    """

    def __init__(
        self,
        store: Store,
        reach: Reach,
        clock: Clock,
        policy: Policy,
        inbox: Inbox,
        nearest: NearestPeople,
        enrolments: EnrolService,
    ) -> None:
        self._store = store
        self._reach = reach
        self._policy = policy
        self._inbox = inbox
        self._nearest = nearest
        self._enrolments = enrolments
        self._audit = Auditor(store, clock)
        self.notes_dropped = 0

    def note(self, record: Sighting) -> None:
        """Keeps a face if the site keeps strangers' faces and this one is good enough to be compared.

        While the database is away it is dropped and counted.
        """
        if not self._inbox.keeps or record.pack_id != self._policy.pack_id:
            return
        if find_issue(record.quality, self._policy.check_in_limits) is not None:
            return
        quality = kept_quality(record.quality, self._policy.enrol_limits)
        face = UnknownFace(
            record.at, record.kiosk, record.pack_id, record.embedding, quality, "", record.thumbnail,
            record.face_id,
        )  # fmt: skip
        try:
            self._reach.ask(lambda: self._inbox.add(face))
        except StoreUnavailable:
            self.notes_dropped += 1

    def cards(self, *, ignored: bool = False, start: int = 0, limit: int = 12) -> UnknownCards:
        """The groups, last seen first, from the `start`-th on: the ignored ones, or all others.

        Raises InvalidInput for more than `LONGEST_PAGE` at once.
        """
        if start < 0 or not 1 <= limit <= LONGEST_PAGE:
            raise InvalidInput(f"Ask for 1 to {LONGEST_PAGE} groups at once.")
        hidden = self._inbox.groups(ignored=True)
        groups = hidden if ignored else self._inbox.groups(ignored=False)
        cards = (self._card(group) for group in groups[start : start + limit])
        return UnknownCards(tuple(card for card in cards if card is not None), len(groups), len(hidden))

    def faces(self, group_ids: Sequence[str]) -> list[UnknownFace]:
        """The faces of these groups, the best first."""
        return self._inbox.faces(group_ids)

    def assign(
        self,
        person_id: str,
        *,
        group_ids: Sequence[str] = (),
        face_ids: Sequence[str] = (),
        confirmed: bool = False,
        actor: str,
    ) -> Assigned:
        """Gives faces to a person, as photos where they are good enough. No punch is written.

        A face becomes a photo if it passes the limits of an enrolment, is not nearer to somebody else, and
        matches the person, or `confirmed`: an admin saw both side by side. Poor ones are only removed; the
        others stay. Raises PersonNotFound, NotFound when no such face is there, and PackMismatch.
        """
        person = canonical(self._store.get_person, person_id)
        fates = {
            face: self._fate(face, person.person_id, confirmed)
            for face in self._require(self._inbox.faces(group_ids, face_ids))
        }
        added = [face for face, fate in fates.items() if fate is _Fate.ADDED]
        if added:
            self._enrolments.add_faces(person.person_id, added, source=SOURCE, actor=actor)
        handled = [face.face_id for face, fate in fates.items() if fate in (_Fate.ADDED, _Fate.POOR)]
        self._inbox.remove((), handled)
        counts = Counter(fate.value for fate in fates.values())
        counts = {fate.value: counts[fate.value] for fate in _Fate}
        self._audit.record(actor, "unknown.assigned", person.person_id, confirmed=confirmed, **counts)
        return Assigned(person, **counts)

    def enrol(self, group_ids: Sequence[str], draft: PersonDraft, *, actor: str) -> Assigned:
        """Registers these groups as one new person. Consent is required as at any enrolment.

        Raises InvalidInput, ConsentMissing, DuplicateEmployeeId, FaceBelongsToAnother, PackMismatch,
        NotFound when no such group is there, and PhotosRefused when no face is good enough.
        """
        faces = self._require(self._inbox.faces(group_ids))
        good = self._of_one_person([face for face in faces if is_enrollable(face)])
        if not good:
            raise PhotosRefused(
                "None of these pictures is good enough for a registration. Use *Register face*, with the "
                "person before a camera."
            )
        person = self._enrolments.enrol_faces(draft, good, source=SOURCE, actor=actor)
        poor = [face for face in faces if not is_enrollable(face)]
        self._inbox.remove((), [face.face_id for face in (*good, *poor)])
        unlike = len(faces) - len(good) - len(poor)
        self._audit.record(actor, "unknown.enrolled", person.person_id, added=len(good), poor=len(poor),
                           unlike=unlike)  # fmt: skip
        return Assigned(person, len(good), len(poor), unlike=unlike)

    def not_them(self, group_id: str, person_id: str, *, actor: str) -> None:
        """This person is never suggested for this group again. Raises PersonNotFound and NotFound."""
        person = canonical(self._store.get_person, person_id)
        if not self._inbox.say_not(group_id, person.person_id):
            raise NotFound(_GONE)
        self._audit.record(actor, "unknown.not_them", person.person_id, group=group_id)

    def ignore(self, group_ids: Sequence[str], *, ignored: bool = True, actor: str) -> int:
        """Hides these groups, or shows them again; returns how many.

        Whoever belongs to a hidden group is still counted, but no picture of them is kept.
        """
        number = self._inbox.ignore(group_ids, ignored)
        self._audit.record(actor, "unknown.ignored" if ignored else "unknown.shown", "", groups=number)
        return number

    def merge(self, group_ids: Sequence[str], *, actor: str) -> str:
        """Makes one group of these and returns its id. Raises NotFound for fewer than two."""
        merged = self._inbox.merge(group_ids)
        if merged is None:
            raise NotFound("Choose two groups or more that are still there.")
        self._audit.record(actor, "unknown.merged", merged, groups=len(set(group_ids)))
        return merged

    def delete(self, group_ids: Sequence[str], face_ids: Sequence[str] = (), *, actor: str) -> int:
        """Removes groups with their faces, and single faces; returns how many faces went."""
        number = self._inbox.remove(group_ids, face_ids)
        self._audit.record(actor, "unknown.deleted", "", groups=len(set(group_ids)), faces=number)
        return number

    def _card(self, group: FaceGroup) -> UnknownCard | None:
        """None where another process removed the faces meanwhile."""
        faces = self._inbox.faces([group.group_id])
        if not faces:
            return None
        near = self._nearest.find(group.best.embedding, besides=self._inbox.not_people(group.group_id))
        known = near[0].person if near and near[0].likeness is Likeness.SAME else None
        return UnknownCard(
            group_id=group.group_id,
            thumbnail=next((face.thumbnail for face in faces if face.thumbnail), b""),
            faces=len(faces),
            seen=max(group.seen, len(faces)),
            enrollable=sum(map(is_enrollable, faces)),
            first_at=group.first_at,
            last_at=group.last_at,
            kiosks=tuple(sorted({face.kiosk for face in faces})),
            near=near,
            known_as=known,
            alike=tuple(self._inbox.alike(group.group_id)),
            ignored=group.ignored,
        )

    def _fate(self, face: UnknownFace, person_id: str, confirmed: bool) -> _Fate:
        if not is_enrollable(face):
            return _Fate.POOR
        own, other = self._nearest.own_and_other(face.embedding, person_id)
        matches_other = other is not None and other >= self._policy.threshold
        if matches_other or (own is not None and other is not None and other > own):
            return _Fate.NEARER
        if not confirmed and (own is None or own < self._policy.threshold):
            return _Fate.UNLIKE
        return _Fate.ADDED

    def _of_one_person(self, faces: Sequence[UnknownFace]) -> list[UnknownFace]:
        """Those that match the best one, or one that does."""
        chosen: list[UnknownFace] = []
        for face in faces:
            likeness = [float(face.embedding @ other.embedding) for other in chosen]
            if not chosen or max(likeness) >= self._policy.threshold:
                chosen.append(face)
        return chosen

    def _require(self, faces: list[UnknownFace]) -> list[UnknownFace]:
        if not faces:
            raise NotFound(_GONE)
        return faces
