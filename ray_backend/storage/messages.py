"""What every adapter says and sorts alike: sentences of errors, and the sort keys behind cursors."""

from __future__ import annotations

from ray_backend.domain.entries import Entry
from ray_backend.domain.model import AuditEntry, DecisionRecord, Person, Punch, Template, UnknownFace
from ray_backend.storage.paging import Key
from ray_backend.storage.records import to_micros

DUPLICATE_EMPLOYEE_ID = "Somebody else has this employee id. Choose another one."
DUPLICATE_PUNCH = "This punch is recorded already."
PERSON_NOT_FOUND = "This person is not enrolled, or was removed."
TEMPLATE_NOT_FOUND = "This face is not stored, or was removed."


def person_key(person: Person) -> Key:
    """People are ordered by employee id, code point by code point."""
    return person.employee_id, person.person_id


def punch_key(punch: Punch) -> Key:
    """Punches are ordered by time."""
    return to_micros(punch.at), punch.punch_id


def decision_key(record: DecisionRecord) -> Key:
    """Decisions are ordered by time."""
    return to_micros(record.at), record.record_id


def audit_key(entry: AuditEntry) -> Key:
    """Audit entries are ordered by time; lists show the newest first."""
    return to_micros(entry.at), entry.entry_id


def template_key(template: Template) -> Key:
    """Templates of people are ordered by age."""
    return to_micros(template.created_at), template.template_id


def unknown_face_key(face: UnknownFace) -> Key:
    """Unknown faces are ordered by time; lists show the newest first."""
    return to_micros(face.at), face.face_id


def entry_key(entry: Entry) -> Key:
    """Entries are ordered by time."""
    return to_micros(entry.at), entry.entry_id
