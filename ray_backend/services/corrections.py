"""Corrections of punches: asked for, decided, and kept beside the punches, which stay as they are."""

from __future__ import annotations

import base64
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from ray_backend.domain.entries import CORRECTION, FILE, Entry, EntryQuery
from ray_backend.domain.errors import Conflict, InvalidInput, NotFound
from ray_backend.domain.model import Direction, Punch, new_id
from ray_backend.domain.queries import Page, PunchQuery
from ray_backend.domain.worktime.corrections import Correction, CorrectionKind, CorrectionState
from ray_backend.ports import Clock, Store
from ray_backend.services import identity
from ray_backend.services.audit import Auditor

LARGEST_FILE_BYTES = 5_000_000
FILE_TYPES = ("application/pdf", "image/jpeg", "image/png", "text/plain")
_CORRECTION = TypeAdapter(Correction)
_PAGE = 1000
_UNKNOWN = "This request does not exist, or was removed."


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that explains a request: a PDF, a picture or a text of at most 5 MB."""

    name: str
    content_type: str
    data: bytes


class CorrectionService:
    """Requests and decisions. Every step is in the audit log; nothing is ever overwritten but a request's
    own state, and that once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._audit = Auditor(store, clock)
        # Not every database replaces under a condition in one step (FerretDB does not).
        self._one_decision = threading.Lock()

    def request(self, wanted: Correction, *, attachment: Attachment | None = None, actor: str) -> Correction:
        """Keeps a request. `wanted` may leave out who asked, and when.

        Raises InvalidInput, PersonNotFound, and Conflict where the same request is kept already.
        """
        now = self._clock.now()
        asked = replace(
            wanted, requested_by=actor, requested_at=now, state=CorrectionState.REQUESTED
        ).checked()
        self._require_punch(asked)
        if asked.to_person_id:
            self._store.get_person(asked.to_person_id)
        if attachment is not None:
            asked = replace(asked, attachment=self._keep(attachment, asked))
        if not self._store.add_entry(_entry(asked)):
            raise Conflict("This was asked for already. Look at the open requests.")
        self._note(actor, "correction.requested", asked)
        return asked

    def open_dispute(self, punch: Punch, *, actor: str) -> Correction:
        """The request that "This is not me" at a kiosk makes; saying it twice makes one."""
        asked = Correction(
            CorrectionKind.PERSON,
            punch.person_id,
            "Somebody said at the kiosk that this is not them.",
            actor,
            self._clock.now(),
            punch.at,
            punch_id=punch.punch_id,
            source="kiosk",
            correction_id=f"dispute-{punch.punch_id}",
        )
        if self._store.add_entry(_entry(asked)):
            self._note(actor, "correction.requested", asked)
        return asked

    def decide(
        self,
        correction_id: str,
        *,
        approve: bool,
        note: str = "",
        to_person_id: str | None = None,
        actor: str,
    ) -> Correction:
        """Approves or refuses a request; `to_person_id` says whose a punch of somebody else is.

        Raises NotFound, InvalidInput, and Conflict when somebody else decided meanwhile.
        """
        asked = self.get(correction_id)
        if to_person_id is not None:
            self._store.get_person(to_person_id)
            asked = replace(asked, to_person_id=to_person_id).checked()
        state = CorrectionState.APPROVED if approve else CorrectionState.REFUSED
        decided = asked.decided(state, actor, self._clock.now(), note.strip())
        return self._replace(decided, "correction.approved" if approve else "correction.refused", actor)

    def withdraw(self, correction_id: str, *, actor: str) -> Correction:
        """Takes a request back. Raises as `decide`."""
        withdrawn = self.get(correction_id).decided(CorrectionState.WITHDRAWN, actor, self._clock.now())
        return self._replace(withdrawn, "correction.withdrawn", actor)

    def add_manually(
        self, person_ids: Sequence[str], at: datetime, direction: Direction, reason: str, *, actor: str
    ) -> tuple[Correction, ...]:
        """Punches for many people at once, as after an outage: asked for and approved in one step.

        May be repeated: the same person, minute and direction make one. Raises InvalidInput and
        PersonNotFound before anything is kept.
        """
        now = self._clock.now()
        if at > now:
            raise InvalidInput("A punch cannot lie in the future.")
        made = [self._manual(person_id, at, direction, reason, actor, now) for person_id in person_ids]
        for person_id in person_ids:
            self._store.get_person(person_id)
        batch = new_id()
        added = [one for one in made if self._store.add_entry(_entry(one))]
        for one in added:
            self._note(actor, "correction.added", one, batch=batch)
        return tuple(added)

    def get(self, correction_id: str) -> Correction:
        """Raises NotFound."""
        entry = self._store.get_entry(CORRECTION, correction_id)
        if entry is None:
            raise NotFound(_UNKNOWN)
        return _CORRECTION.validate_python(entry.body)

    def find(
        self,
        *,
        states: tuple[str, ...] | None = None,
        people: tuple[str, ...] | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Correction]:
        """Requests by the time of the punch; `people` are those whose days they change."""
        page = self._store.list_entries(
            EntryQuery(CORRECTION, states=states, subjects=people, cursor=cursor, limit=limit)
        )
        return Page(tuple(map(_of, page.items)), page.next_cursor, page.total)

    def between(self, start: datetime, end: datetime) -> list[Correction]:
        """All of which the punch lies in `start <= at < end`."""
        found: list[Correction] = []
        query: EntryQuery | None = EntryQuery(CORRECTION, start, end, limit=_PAGE)
        while query is not None:
            page = self._store.list_entries(query)
            found += map(_of, page.items)
            query = None if page.next_cursor is None else replace(query, cursor=page.next_cursor)
        return found

    def attachment(self, correction_id: str) -> Attachment:
        """The file of a request. Raises NotFound."""
        name = self.get(correction_id).attachment
        entry = self._store.get_entry(FILE, name) if name else None
        if entry is None:
            raise NotFound("This request has no file.")
        body = entry.body
        return Attachment(body["name"], body["content_type"], base64.b64decode(body["data"]))

    def forget(self, person_id: str) -> None:
        """Takes the words, names and files out of an erased person's corrections. What they do to kept
        punches stays, so that past totals do."""
        query = EntryQuery(CORRECTION, subjects=(person_id,), limit=_PAGE)
        for entry in tuple(self._store.list_entries(query).items):
            known = _of(entry)
            if known.attachment:
                self._store.remove_entries(FILE, [known.attachment])
            bare = replace(known, reason="-", attachment="", decision_note="")
            self._store.replace_entry(_entry(bare), state=entry.state)

    def _manual(
        self, person_id: str, at: datetime, direction: Direction, reason: str, actor: str, now: datetime
    ) -> Correction:
        return Correction(
            CorrectionKind.ADD,
            person_id,
            reason,
            actor,
            now,
            at,
            direction=direction,
            state=CorrectionState.APPROVED,
            decided_by=actor,
            decided_at=now,
            correction_id=f"manual-{person_id}-{at:%Y%m%dT%H%M%z}-{direction}",
        ).checked()

    def _require_punch(self, asked: Correction) -> None:
        self._store.get_person(asked.person_id)
        if asked.kind is CorrectionKind.ADD:
            if asked.at > self._clock.now():
                raise InvalidInput("A punch cannot lie in the future.")
            return
        moment = timedelta(milliseconds=1)
        own = identity.ids_of(self._store, asked.person_id)
        near = self._store.list_punches(PunchQuery(asked.at - moment, asked.at + moment, own))
        if all(punch.punch_id != asked.punch_id for punch in near.items):
            raise InvalidInput("This punch is not one of this person's. Choose it from the person's day.")

    def _keep(self, attachment: Attachment, asked: Correction) -> str:
        if len(attachment.data) > LARGEST_FILE_BYTES:
            raise InvalidInput("The file is too large: at most 5 MB.")
        if attachment.content_type not in FILE_TYPES:
            raise InvalidInput("Attach a PDF, a JPEG or PNG picture, or a text file.")
        body = {
            "name": attachment.name[-120:],
            "content_type": attachment.content_type,
            "data": base64.b64encode(attachment.data).decode(),
        }
        entry = Entry(FILE, asked.requested_at, body, subject=asked.person_id)
        self._store.add_entry(entry)
        return entry.entry_id

    def _replace(self, decided: Correction, action: str, actor: str) -> Correction:
        with self._one_decision:
            replaced = self._store.replace_entry(_entry(decided), state=CorrectionState.REQUESTED)
        if not replaced:
            raise Conflict("Somebody else decided this meanwhile. Look at it again.")
        self._note(actor, action, decided)
        return decided

    def _note(self, actor: str, action: str, correction: Correction, **more: str) -> None:
        detail = {"kind": correction.kind.value, "correction": correction.correction_id, **more}
        self._audit.record(actor, action, correction.person_id, **detail)


def _entry(correction: Correction) -> Entry:
    return Entry(
        CORRECTION,
        correction.at,
        _CORRECTION.dump_python(correction, mode="json"),
        correction.person_id,
        correction.state,
        correction.correction_id,
    )


def _of(entry: Entry) -> Correction:
    return _CORRECTION.validate_python(entry.body)
