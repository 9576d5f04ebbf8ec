"""Moves a site from one database to another, and proves that everything arrived."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from ray_backend.domain.entries import KINDS, Entry, EntryQuery
from ray_backend.domain.errors import Conflict, PersonNotFound
from ray_backend.domain.model import AuditEntry, DecisionRecord, Person, Punch
from ray_backend.domain.queries import AuditQuery, DecisionQuery, Page, PeopleQuery, PunchQuery
from ray_backend.ports import Store
from ray_backend.storage import records

T = TypeVar("T")
Progress = Callable[[str, int, int], None]

PAGE = 500
DIGEST_RANGE = 1 << 256
FOREIGN = (
    "The target holds {what} that the source does not have, or has otherwise. Copy into an empty database, "
    "or into one that holds a part of the same copy."
)
DIFFERENT = (
    "The copy is not the same as its source: {what}. Stop everything that writes to either database, "
    "then copy again."
)


@dataclass(frozen=True, slots=True)
class CopyReport:
    """How many records both databases hold now, each compared with its original.

    `unknown_left` counts the unknown faces of the source, which are not copied.
    """

    people: int
    templates: int
    punches: int
    decisions: int
    settings: int
    audit: int
    entries: int
    unknown_left: int = 0


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Number of records, and the sum of their digests, which does not depend on their order."""

    count: int = 0
    total: int = 0

    def plus(self, record: Mapping[str, Any]) -> Fingerprint:
        """With one more record."""
        return Fingerprint(self.count + 1, (self.total + digest(record)) % DIGEST_RANGE)


def copy_store(source: Store, target: Store, progress: Progress | None = None) -> CopyReport:
    """Copies everything but unknown faces, then reads it back from both sides and compares.

    Unknown faces are strangers' data, kept for hours: a copy would keep them longer than was promised.

    May be repeated: it goes on where it was interrupted. `progress` is told what is copied, how many
    of it are done and how many there are. Times count as equal within a millisecond, which is what
    MongoDB keeps. Raises Conflict when the target holds other data, or when the copy differs in the end.
    """
    tell = progress or (lambda what, done, total: None)
    _refuse_foreign_data(source, target)
    _copy_people(source, target, tell)
    _copy_punches(source, target, tell)
    _copy_decisions(source, target, tell)
    _copy_settings(source, target, tell)
    _copy_audit(source, target, tell)
    _copy_entries(source, target, tell)
    return _verified(source, target)


def digest(record: Mapping[str, Any]) -> int:
    """A 256-bit digest of a record's content, with times cut to the millisecond."""
    text = repr([(key, _comparable(value)) for key, value in sorted(record.items())])
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest(), "big")


def _comparable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(microsecond=value.microsecond // 1000 * 1000).isoformat()
    if isinstance(value, dict):
        return sorted((key, _comparable(inner)) for key, inner in value.items())
    return value


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return digest(one) == digest(other)


def _refuse_foreign_data(source: Store, target: Store) -> None:
    """Before anything is written: what the target holds has to come from this very source."""
    for person in _people(target):
        if not _has_person(source, person):
            raise Conflict(FOREIGN.format(what="people"))
        originals = {t.template_id: t for t in source.templates_of(person.person_id)}
        for template in target.templates_of(person.person_id):
            original = originals.get(template.template_id)
            if original is None or not _same(
                records.template_record(original), records.template_record(template)
            ):
                raise Conflict(FOREIGN.format(what="faces"))
    for punch in _punches(target):
        original = source.find_punch(punch.idempotency_key)
        if original is None or not _same(records.punch_record(original), records.punch_record(punch)):
            raise Conflict(FOREIGN.format(what="punches"))
    _refuse_foreign(
        map(records.decision_record, _decisions(source)),
        map(records.decision_record, _decisions(target)),
        "decisions",
    )
    known = source.settings()
    if any(known.get(key) != value for key, value in target.settings().items()):
        raise Conflict(FOREIGN.format(what="settings"))
    _refuse_foreign(
        map(records.audit_record, _audit_log(source)),
        map(records.audit_record, _audit_log(target)),
        "audit entries",
    )
    _refuse_foreign(
        map(records.entry_record, _entries(source)), map(records.entry_record, _entries(target)), "entries"
    )


def _has_person(source: Store, person: Person) -> bool:
    try:
        return _same(
            records.person_record(source.get_person(person.person_id)), records.person_record(person)
        )
    except PersonNotFound:
        return False


def _refuse_foreign(
    source: Iterator[Mapping[str, Any]], target: Iterator[Mapping[str, Any]], what: str
) -> None:
    first = next(target, None)
    if first is None:
        return
    known = {digest(record) for record in source}
    if any(digest(record) not in known for record in (first, *target)):
        raise Conflict(FOREIGN.format(what=what))


def _copy_people(source: Store, target: Store, tell: Progress) -> None:
    total = source.list_people(PeopleQuery(merged_into=None, limit=1)).total
    for done, person in enumerate(_people(source), start=1):
        templates = source.templates_of(person.person_id)
        if target.find_person(person.employee_id) is None:
            target.add_person(person, templates)
        else:
            there = {template.template_id for template in target.templates_of(person.person_id)}
            target.add_templates([t for t in templates if t.template_id not in there])
        tell("people", done, total)


def _copy_punches(source: Store, target: Store, tell: Progress) -> None:
    query, done = PunchQuery(limit=PAGE), 0
    while True:
        page = source.list_punches(query)
        target.add_punches(page.items)
        done += len(page.items)
        tell("punches", done, page.total)
        if page.next_cursor is None:
            return
        query = replace(query, cursor=page.next_cursor)


def _copy_decisions(source: Store, target: Store, tell: Progress) -> None:
    total = source.list_decisions(DecisionQuery(limit=1)).total
    for done, record in enumerate(_decisions(source), start=1):
        target.add_decision(record)
        tell("decisions", done, total)


def _copy_settings(source: Store, target: Store, tell: Progress) -> None:
    settings = source.settings()
    for done, (key, value) in enumerate(settings.items(), start=1):
        target.put_setting(key, value)
        tell("settings", done, len(settings))


def _copy_audit(source: Store, target: Store, tell: Progress) -> None:
    total = source.list_audit(AuditQuery(limit=1)).total
    for done, entry in enumerate(_audit_log(source), start=1):
        target.add_audit(entry)
        tell("audit", done, total)


def _copy_entries(source: Store, target: Store, tell: Progress) -> None:
    total = sum(source.list_entries(EntryQuery(kind, limit=1)).total for kind in KINDS)
    for done, entry in enumerate(_entries(source), start=1):
        target.add_entry(entry)
        tell("entries", done, total)


def _verified(source: Store, target: Store) -> CopyReport:
    wanted, got = _fingerprints(source), _fingerprints(target)
    wrong = [
        f"{what} ({wanted[what].count} in the source, {got[what].count} in the target)"
        for what in wanted
        if wanted[what] != got[what]
    ]
    if wrong:
        raise Conflict(DIFFERENT.format(what=", ".join(wrong)))
    counts = {what: fingerprint.count for what, fingerprint in got.items()}
    return CopyReport(**counts, unknown_left=len(source.unknown_faces()))


def _fingerprints(store: Store) -> dict[str, Fingerprint]:
    settings = ({"key": key, "value": records.to_json(value)} for key, value in store.settings().items())
    return {
        "people": _fingerprint(map(records.person_record, _people(store))),
        "templates": _fingerprint(map(records.template_record, store.templates())),
        "punches": _fingerprint(map(records.punch_record, _punches(store))),
        "decisions": _fingerprint(map(records.decision_record, _decisions(store))),
        "settings": _fingerprint(settings),
        "audit": _fingerprint(map(records.audit_record, _audit_log(store))),
        "entries": _fingerprint(map(records.entry_record, _entries(store))),
    }


def _fingerprint(found: Iterator[Mapping[str, Any]]) -> Fingerprint:
    fingerprint = Fingerprint()
    for record in found:
        fingerprint = fingerprint.plus(record)
    return fingerprint


def _people(store: Store) -> Iterator[Person]:
    return _pages(store.list_people, PeopleQuery(merged_into=None, limit=PAGE))


def _punches(store: Store) -> Iterator[Punch]:
    return _pages(store.list_punches, PunchQuery(limit=PAGE))


def _decisions(store: Store) -> Iterator[DecisionRecord]:
    return _pages(store.list_decisions, DecisionQuery(limit=PAGE))


def _audit_log(store: Store) -> Iterator[AuditEntry]:
    return _pages(store.list_audit, AuditQuery(limit=PAGE))


def _entries(store: Store) -> Iterator[Entry]:
    for kind in KINDS:
        yield from _pages(store.list_entries, EntryQuery(kind, limit=PAGE))


def _pages(read: Callable[[Any], Page[T]], query: Any) -> Iterator[T]:
    while True:
        page = read(query)
        yield from page.items
        if page.next_cursor is None:
            return
        query = replace(query, cursor=page.next_cursor)
