"""Corrections of punches: asked for, decided, and kept beside the punches, which stay as they are."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

from ray_backend.domain.entries import CORRECTION, Entry, EntryQuery
from ray_backend.domain.errors import Conflict, InvalidInput, NotFound
from ray_backend.domain.model import AuditEntry, Direction, Punch, new_id
from ray_backend.domain.queries import Page, PunchQuery
from ray_backend.domain.worktime.corrections import Correction, CorrectionKind, CorrectionState
from ray_backend.ports import Clock, Store
from ray_backend.services import identity
from ray_backend.services.attachments import Attachment, Attachments
from ray_backend.services.correction_steps import ADDED, REQUESTED, CorrectionSteps
from ray_backend.services.report import pages

_CORRECTION = TypeAdapter(Correction)
# The action of the note that "This is not me" leaves in the audit log.
DISPUTED = "punch.disputed"
_PAGE = 1000
_MOMENT = timedelta(milliseconds=1)
_UNKNOWN = "This request does not exist, or was removed."


class CorrectionService:
    """Requests and decisions. Every step is in the audit log; nothing is ever overwritten but a request's
    own state, and that once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._steps = CorrectionSteps(store)
        self._files = Attachments(store)
        # Not every database replaces under a condition in one step (FerretDB does not).
        self._one_decision = threading.Lock()

    def request(self, wanted: Correction, *, attachment: Attachment | None = None, actor: str) -> Correction:
        """Keeps a request. `wanted` may leave out who asked, and when.

        Raises InvalidInput, PersonNotFound, and Conflict where the same request is kept already.
        """
        now = self._clock.now()
        asked = replace(
            wanted,
            at=wanted.at.astimezone(UTC),
            requested_by=actor,
            requested_at=now,
            state=CorrectionState.REQUESTED,
        ).checked()
        self._require_punch(asked)
        if asked.to_person_id:
            self._store.get_person(asked.to_person_id)
        if attachment is not None:
            asked = replace(asked, attachment=self._files.keep(attachment, asked.person_id, now))
        with self._steps.step(REQUESTED, now, [asked.correction_id]) as log:
            added = self._store.add_entry(_entry(asked))
            if added:
                log(asked)
        if not added:
            raise Conflict("This was asked for already. Look at the open requests.")
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
        with self._steps.step(REQUESTED, asked.requested_at, [asked.correction_id]) as log:
            if self._store.add_entry(_entry(asked)):
                log(asked)
        return asked

    def open_disputed(self, note: AuditEntry) -> bool:
        """As `open_dispute`, for the note that a kiosk left; False while the database has no such punch.

        What other notes say asks for nothing: True. May be repeated.
        """
        if note.action != DISPUTED:
            return True
        punch = self._near(datetime.fromisoformat(note.detail["at"])).get(note.subject)
        if punch is None:
            return False
        self.open_dispute(punch, actor=note.actor)
        return True

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
        return self._replace(asked.decided(state, actor, self._clock.now(), note.strip()))

    def withdraw(self, correction_id: str, *, actor: str) -> Correction:
        """Takes a request back. Raises as `decide`."""
        asked = self.get(correction_id)
        return self._replace(asked.decided(CorrectionState.WITHDRAWN, actor, self._clock.now()))

    def add_manually(
        self, person_ids: Sequence[str], at: datetime, direction: Direction, reason: str, *, actor: str
    ) -> tuple[Correction, ...]:
        """Punches for many people at once, as after an outage: asked for and approved in one step.

        May be repeated: the same person, minute and direction make one. Raises InvalidInput and
        PersonNotFound before anything is kept.
        """
        now, at = self._clock.now(), at.astimezone(UTC)
        if at > now:
            raise InvalidInput("A punch cannot lie in the future.")
        made = [self._manual(person_id, at, direction, reason, actor, now) for person_id in person_ids]
        for person_id in person_ids:
            self._store.get_person(person_id)
        with self._steps.step(ADDED, now, [one.correction_id for one in made], batch=new_id()) as log:
            added = [one for one in made if self._store.add_entry(_entry(one))]
            for one in added:
                log(one)
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
        start: datetime | None = None,
        end: datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Correction]:
        """Requests by the punch's time, `start <= at < end`; `people` are those whose days they change."""
        page = self._store.list_entries(EntryQuery(CORRECTION, start, end, people, states, cursor, limit))
        return Page(tuple(map(_of, page.items)), page.next_cursor, page.total)

    def between(self, start: datetime, end: datetime) -> list[Correction]:
        """All of which the punch lies in `start <= at < end`."""
        return [_of(entry) for entry in self._all(EntryQuery(CORRECTION, start, end, limit=_PAGE))]

    def punch(self, correction_id: str) -> Punch | None:
        """The untouched punch that a correction is about, with its receipt; None where it was missing, or is
        not kept any more. Raises NotFound."""
        known = self.get(correction_id)
        return self._near(known.at).get(known.punch_id)

    def attachment(self, correction_id: str) -> Attachment:
        """The file of a request. Raises NotFound."""
        return self._files.read(self.get(correction_id).attachment)

    def forget(self, person_id: str) -> None:
        """Takes the words and files out of an erased person's corrections. What they do to kept punches
        stays, so that past totals do. May be repeated."""
        for entry in self._all(EntryQuery(CORRECTION, subjects=(person_id,), limit=_PAGE)):
            known = _of(entry)
            if known.attachment:
                self._files.remove(known.attachment)
            bare = replace(known, reason="-", attachment="", decision_note="")
            self._store.replace_entry(_entry(bare), state=entry.state)

    def take_away(self, person_id: str) -> None:
        """An erased person's punches go as well: nobody else's punch is said to be theirs any more."""
        for entry in self._all(EntryQuery(CORRECTION, limit=_PAGE)):
            known = _of(entry)
            if known.to_person_id == person_id:
                self._store.replace_entry(_entry(replace(known, to_person_id="")), state=entry.state)

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
        punch = self._near(asked.at).get(asked.punch_id)
        if punch is None or punch.person_id not in identity.ids_of(self._store, asked.person_id):
            raise InvalidInput("This punch is not one of this person's. Choose it from the person's day.")

    def _near(self, at: datetime) -> dict[str, Punch]:
        """The punches of this moment by their ids."""
        found = self._store.list_punches(PunchQuery(at - _MOMENT, at + _MOMENT)).items
        return {punch.punch_id: punch for punch in found}

    def _punches(self, query: PunchQuery) -> list[Punch]:
        return list(pages(self._store.list_punches, query))

    def _all(self, query: EntryQuery) -> list[Entry]:
        # As a list: whoever reads it may change what the next page would begin with.
        return list(pages(self._store.list_entries, query))

    def _replace(self, decided: Correction) -> Correction:
        action = f"correction.{decided.state}"
        with self._steps.step(action, decided.decided_at, [decided.correction_id]) as log:
            with self._one_decision:
                replaced = self._store.replace_entry(_entry(decided), state=CorrectionState.REQUESTED)
            if replaced:
                log(decided)
        if not replaced:
            raise Conflict("Somebody else decided this meanwhile. Look at it again.")
        return decided


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
