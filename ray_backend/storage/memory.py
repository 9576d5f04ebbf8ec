"""A store in this process's memory, for tests and trials. It forgets everything when it is dropped."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from ray_backend.domain.answers import Erasure
from ray_backend.domain.errors import DuplicateEmployeeId, DuplicatePunch, PersonNotFound, TemplateNotFound
from ray_backend.domain.model import AuditEntry, DecisionRecord, Person, Punch, Template
from ray_backend.domain.queries import AuditQuery, DecisionCount, DecisionQuery, Page, PeopleQuery, PunchQuery
from ray_backend.storage import messages, records
from ray_backend.storage.memory_entries import MemoryEntries
from ray_backend.storage.memory_pages import page, page_between
from ray_backend.storage.memory_unknown import MemoryUnknown, guarded
from ray_backend.storage.paging import decode_cursor

R = TypeVar("R")


class MemoryStore(MemoryEntries, MemoryUnknown):
    """`ray_backend.ports.Store` in dictionaries. Values pass through records as in a real database."""

    def __init__(self) -> None:
        super().__init__()
        self._people: dict[str, Person] = {}
        self._templates: dict[str, Template] = {}
        self._punches: list[Punch] = []
        self._punches_of: dict[str, list[Punch]] = defaultdict(list)
        self._by_key: dict[str, Punch] = {}
        self._slots: tuple[set[str], set[str]] = (set(), set())
        self._decisions: dict[str, DecisionRecord] = {}
        self._settings: dict[str, str] = {}
        self._audit: dict[str, AuditEntry] = {}

    @guarded
    def add_person(self, person: Person, templates: Sequence[Template] = ()) -> None:
        stored = [_stored_template(template) for template in templates]
        if person.person_id in self._people:
            raise DuplicateEmployeeId(messages.DUPLICATE_EMPLOYEE_ID)
        self._put_person(person)
        self._templates.update({template.template_id: template for template in stored})

    @guarded
    def update_person(self, person: Person) -> None:
        self._known(person.person_id)
        self._put_person(person)

    @guarded
    def get_person(self, person_id: str) -> Person:
        return self._known(person_id)

    @guarded
    def people_of_many(self, person_ids: Sequence[str]) -> list[Person]:
        return [self._people[one] for one in set(person_ids) if one in self._people]

    @guarded
    def find_person(self, employee_id: str) -> Person | None:
        return next((p for p in self._people.values() if p.employee_id == employee_id), None)

    @guarded
    def list_people(self, query: PeopleQuery) -> Page[Person]:
        text = records.folded(query.text)
        photographed = self._photographed() if query.without_photos else set()
        found = [
            person
            for person in self._people.values()
            if text in records.person_record(person)["search"]
            and query.department in (None, person.department)
            and (query.departments is None or person.department in query.departments)
            and query.merged_into in (None, person.merged_into)
            and query.active in (None, person.active)
            and person.person_id not in photographed
        ]
        found.sort(key=messages.person_key)
        start = 0
        if query.cursor is not None:
            start = bisect_right(found, decode_cursor(query.cursor, (str, str)), key=messages.person_key)
        return page(found, start, query.limit, len(found), messages.person_key)

    def _photographed(self) -> set[str]:
        """Everybody who has a template, or had somebody merged into them who has one."""
        owners = {template.person_id for template in self._templates.values()}
        return owners | {p.merged_into for p in self._people.values() if p.person_id in owners}

    @guarded
    def merged_people(self, into: Sequence[str] | None = None) -> list[Person]:
        found = [
            p for p in self._people.values() if p.merged_into and (into is None or p.merged_into in into)
        ]
        return sorted(found, key=messages.person_key)

    @guarded
    def departments(self) -> list[str]:
        return sorted({p.department for p in self._people.values() if not p.merged_into} - {""})

    @guarded
    def erase_person(self, person_id: str, *, keep_punches: bool) -> Erasure:
        self._known(person_id)
        templates = self.templates_of(person_id)
        for template in templates:
            del self._templates[template.template_id]
        del self._people[person_id]
        punches = self._punches_of[person_id]
        if keep_punches:
            return Erasure(len(templates), punches_removed=0, punches_kept=len(punches))
        for punch in self._punches_of.pop(person_id):
            self._forget_punch(punch)
        self._forget_entries_of(person_id)
        return Erasure(len(templates), punches_removed=len(punches), punches_kept=0)

    @guarded
    def add_templates(self, templates: Sequence[Template]) -> None:
        for template in templates:
            self._known(template.person_id)
        self._templates.update({t.template_id: _stored_template(t) for t in templates})

    @guarded
    def remove_template(self, template_id: str) -> Template:
        if template_id not in self._templates:
            raise TemplateNotFound(messages.TEMPLATE_NOT_FOUND)
        return self._templates.pop(template_id)

    def templates_of(self, person_id: str) -> list[Template]:
        return self.templates_of_many([person_id])

    @guarded
    def templates_of_many(self, person_ids: Sequence[str]) -> list[Template]:
        wanted = set(person_ids)
        found = [t for t in self._templates.values() if t.person_id in wanted]
        return sorted(found, key=messages.template_key)

    def templates(self, pack_id: str | None = None) -> Iterator[Template]:
        yield from self._select_templates(pack_id)

    @guarded
    def count_templates(self) -> dict[str, int]:
        return dict(Counter(template.pack_id for template in self._templates.values()))

    @guarded
    def add_punch(self, punch: Punch) -> None:
        punch = _stored_punch(punch)
        slots = zip(punch.cooldown_slots, self._slots, strict=True)
        if punch.idempotency_key in self._by_key or any(slot in taken for slot, taken in slots):
            raise DuplicatePunch(messages.DUPLICATE_PUNCH)
        self._by_key[punch.idempotency_key] = punch
        for slot, taken in zip(punch.cooldown_slots, self._slots, strict=True):
            taken.add(slot)
        insort(self._punches, punch, key=messages.punch_key)
        insort(self._punches_of[punch.person_id], punch, key=messages.punch_key)

    @guarded
    def add_punches(self, punches: Sequence[Punch]) -> None:
        for punch in punches:
            if self._by_key.get(punch.idempotency_key) != _stored_punch(punch):
                self.add_punch(punch)

    @guarded
    def find_punch(self, idempotency_key: str) -> Punch | None:
        return self._by_key.get(idempotency_key)

    @guarded
    def last_punch(self, person_id: str) -> Punch | None:
        punches = self._punches_of.get(person_id)
        return punches[-1] if punches else None

    @guarded
    def last_seen(self, person_ids: Sequence[str]) -> dict[str, datetime]:
        return {one: self._punches_of[one][-1].at for one in person_ids if self._punches_of.get(one)}

    @guarded
    def list_punches(self, query: PunchQuery) -> Page[Punch]:
        return page_between(self._punches_among(query.people), query, messages.punch_key)

    @guarded
    def add_decision(self, record: DecisionRecord) -> None:
        self._decisions.setdefault(record.record_id, records.decision_of(records.decision_record(record)))

    @guarded
    def list_decisions(self, query: DecisionQuery) -> Page[DecisionRecord]:
        found = [one for one in self._decisions.values() if query.kiosk in (None, one.kiosk)]
        found.sort(key=messages.decision_key)
        return page_between(found, query, messages.decision_key)

    @guarded
    def count_decisions(self, query: DecisionQuery) -> list[DecisionCount]:
        counts: Counter[tuple[str, str, bool, int]] = Counter()
        for one in self.list_decisions(replace(query, cursor=None, limit=10**9)).items:
            by_face = one.source == "face" and one.frames > 0
            counts[one.kiosk, one.kind.value, by_face, int(one.seconds * 100) * by_face] += 1
        return [DecisionCount(*alike, number) for alike, number in counts.items()]

    @guarded
    def remove_decisions(self, before: datetime) -> int:
        before = records.utc(before)
        old = [record_id for record_id, one in self._decisions.items() if one.at < before]
        for record_id in old:
            del self._decisions[record_id]
        return len(old)

    @guarded
    def get_setting(self, key: str) -> Any:
        return json.loads(self._settings.get(key, "null"))

    @guarded
    def put_setting(self, key: str, value: Any) -> None:
        text = records.to_json(value)
        if value is None:
            self._settings.pop(key, None)
        else:
            self._settings[key] = text

    @guarded
    def pin_setting(self, key: str, value: Any) -> Any:
        if key not in self._settings:
            self.put_setting(key, value)
        return self.get_setting(key)

    @guarded
    def settings(self, prefix: str = "") -> dict[str, Any]:
        return {
            key: json.loads(self._settings[key]) for key in sorted(self._settings) if key.startswith(prefix)
        }

    @guarded
    def add_audit(self, entry: AuditEntry) -> None:
        self._audit.setdefault(entry.entry_id, records.audit_of(records.audit_record(entry)))

    @guarded
    def list_audit(self, query: AuditQuery) -> Page[AuditEntry]:
        entries = [entry for entry in self._audit.values() if _is_wanted(entry, query)]
        entries.sort(key=messages.audit_key, reverse=True)
        start = 0
        if query.cursor is not None:
            before = decode_cursor(query.cursor, (int, str))
            start = sum(messages.audit_key(entry) >= before for entry in entries)
        return page(entries, start, query.limit, len(entries), messages.audit_key)

    def wipes_due(self) -> bool:
        return False

    def wipe(self) -> None:
        """There are no files."""

    @guarded
    def ping(self) -> None:
        """Always answers while the store is open."""

    def close(self) -> None:
        with self._lock:
            self._closed = True

    @guarded
    def _select_templates(self, pack_id: str | None) -> list[Template]:
        return [t for t in self._templates.values() if pack_id in (None, t.pack_id)]

    def _punches_among(self, people: Sequence[str] | None) -> list[Punch]:
        if people is None:
            return self._punches
        if len(people) == 1:
            return self._punches_of.get(people[0], [])
        found = [punch for one in set(people) for punch in self._punches_of.get(one, [])]
        return sorted(found, key=messages.punch_key)

    def _known(self, person_id: str) -> Person:
        if person_id not in self._people:
            raise PersonNotFound(messages.PERSON_NOT_FOUND)
        return self._people[person_id]

    def _put_person(self, person: Person) -> None:
        other = self.find_person(person.employee_id)
        if other is not None and other.person_id != person.person_id:
            raise DuplicateEmployeeId(messages.DUPLICATE_EMPLOYEE_ID)
        self._people[person.person_id] = records.person_of(records.person_record(person))

    def _forget_punch(self, punch: Punch) -> None:
        del self._punches[bisect_left(self._punches, messages.punch_key(punch), key=messages.punch_key)]
        del self._by_key[punch.idempotency_key]
        for slot, taken in zip(punch.cooldown_slots, self._slots, strict=True):
            taken.discard(slot)


def _is_wanted(entry: AuditEntry, query: AuditQuery) -> bool:
    return (
        (query.start is None or entry.at >= records.utc(query.start))
        and (query.end is None or entry.at < records.utc(query.end))
        and query.actor in (None, entry.actor)
        and query.subject in (None, entry.subject)
        and entry.action.startswith(query.action or "")
    )


def _stored_template(template: Template) -> Template:
    return records.template_of(records.template_record(template))


def _stored_punch(punch: Punch) -> Punch:
    """A punch as a database would give it back."""
    return records.punch_of(records.punch_record(punch))
