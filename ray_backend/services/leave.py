"""Days on which somebody need not come: entered or imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from pydantic import TypeAdapter

from ray_backend.domain import entries
from ray_backend.domain.entries import Entry, EntryQuery
from ray_backend.domain.errors import InvalidInput, NotFound
from ray_backend.domain.requests import checked_line
from ray_backend.domain.worktime.schedule import Leave
from ray_backend.ports import Clock, Store
from ray_backend.services.audit import Auditor

LONGEST_DAYS = 366
_LEAVE = TypeAdapter(Leave)
_PAGE = 1000


class LeaveService:
    """Keeps leave. What kind it is stands beside the days and nowhere else, since it may be about health."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._audit = Auditor(store, clock)

    def add(self, wanted: Sequence[Leave], *, actor: str) -> int:
        """Keeps leave; what is there already stays. Returns how many are new.

        Raises InvalidInput and PersonNotFound before anything is kept.
        """
        checked = [_checked(one) for one in wanted]
        for person_id in {one.person_id for one in checked}:
            self._store.get_person(person_id)
        added = [one for one in checked if self._store.add_entry(_entry(one))]
        for one in added:
            self._audit.record(actor, "leave.added", one.person_id, leave=one.leave_id)
        return len(added)

    def remove(self, leave_id: str, *, actor: str) -> None:
        """Raises NotFound."""
        person_id = self.get(leave_id).person_id
        self._store.remove_entries(entries.LEAVE, [leave_id])
        self._audit.record(actor, "leave.removed", person_id, leave=leave_id)

    def forget(self, person_id: str) -> None:
        """Takes away an erased person's leave, whatever becomes of their punches. May be repeated."""
        query = EntryQuery(entries.LEAVE, subjects=(person_id,), limit=_PAGE)
        while found := self._store.list_entries(query).items:
            self._store.remove_entries(entries.LEAVE, [entry.entry_id for entry in found])

    def get(self, leave_id: str) -> Leave:
        """Raises NotFound."""
        entry = self._store.get_entry(entries.LEAVE, leave_id)
        if entry is None:
            raise NotFound("This leave does not exist, or was removed.")
        return _LEAVE.validate_python(entry.body)

    def between(self, first: date, last: date, people: tuple[str, ...] | None = None) -> list[Leave]:
        """All leave that touches the days from `first` to `last`, of these people or of everybody."""
        found: list[Leave] = []
        start, end = _moment(first - timedelta(days=LONGEST_DAYS)), _moment(last + timedelta(days=1))
        query: EntryQuery | None = EntryQuery(entries.LEAVE, start, end, people, limit=_PAGE)
        while query is not None:
            page = self._store.list_entries(query)
            read = [_LEAVE.validate_python(entry.body) for entry in page.items]
            found += [leave for leave in read if leave.last >= first]
            query = None if page.next_cursor is None else replace(query, cursor=page.next_cursor)
        return found


def _checked(leave: Leave) -> Leave:
    if not leave.first <= leave.last <= leave.first + timedelta(days=LONGEST_DAYS - 1):
        raise InvalidInput("Leave lasts from one day to a year. Check the first and the last day.")
    return replace(
        leave, kind=checked_line(leave.kind, "kind of leave", 60), note=" ".join(leave.note.split())
    )


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _entry(leave: Leave) -> Entry:
    body = _LEAVE.dump_python(leave, mode="json")
    return Entry(entries.LEAVE, _moment(leave.first), body, leave.person_id, "", leave.leave_id)
