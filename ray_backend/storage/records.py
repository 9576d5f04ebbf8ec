"""Domain values to flat records and back: what the sqlite columns and the mongo fields are called.

A record is a dict of str, int, float, bool, bytes, None, dict and aware UTC datetimes. Its keys are
the sqlite columns; mongo renames only the id. Every adapter stores through here, so all refuse the same
things.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np

from ray_backend.domain.entries import Entry
from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.model import (
    AuditEntry,
    DecisionKind,
    DecisionRecord,
    Direction,
    Liveness,
    Person,
    Punch,
    Receipt,
    Template,
    UnknownFace,
    UnknownGroup,
)

Record = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises InvalidInput for a time without a zone."""
    if moment.utcoffset() is None:
        raise InvalidInput("A time without a time zone cannot be stored. Give it its zone, such as UTC.")
    return moment.astimezone(UTC)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 in UTC, exactly."""
    return (utc(moment) - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The inverse of `to_micros`."""
    return EPOCH + timedelta(microseconds=micros)


def folded(text: str) -> str:
    """Text as it is searched: case, the way accents are composed and runs of spaces do not count."""
    composed = unicodedata.normalize("NFC", text).casefold()
    return " ".join(unicodedata.normalize("NFC", composed).split())


def to_json(value: Any) -> str:
    """Compact JSON. Raises TypeError or ValueError for what JSON cannot hold, NaN included."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def person_record(person: Person) -> Record:
    """`search` holds id and name on lines of their own: folded text has no line breaks."""
    return {
        "person_id": person.person_id,
        "employee_id": person.employee_id,
        "name": person.name,
        "search": f"{folded(person.employee_id)}\n{folded(person.name)}",
        "department": person.department,
        "email": person.email,
        "active": bool(person.active),
        "created_at": utc(person.created_at),
        "consent_at": None if person.consent_at is None else utc(person.consent_at),
        "consent_version": person.consent_version,
        "merged_into": person.merged_into,
    }


def person_of(record: Record) -> Person:
    """The inverse of `person_record`."""
    return Person(**{key: value for key, value in record.items() if key != "search"})


def template_record(template: Template) -> Record:
    """Raises ValueError when the embedding is not (D,) float32."""
    return {
        "template_id": template.template_id,
        "person_id": template.person_id,
        "pack_id": template.pack_id,
        "embedding": _embedding_bytes(template.embedding),
        "quality": float(template.quality),
        "source": template.source,
        "created_at": utc(template.created_at),
        "photo_sha256": template.photo_sha256,
        "thumbnail": bytes(template.thumbnail),
    }


def template_of(record: Record) -> Template:
    """The inverse of `template_record`; the embedding is read-only."""
    return Template(**_with_face(record))


def unknown_face_record(face: UnknownFace) -> Record:
    """Raises ValueError when the embedding is not (D,) float32."""
    return {
        "face_id": face.face_id,
        "at": utc(face.at),
        "kiosk": face.kiosk,
        "pack_id": face.pack_id,
        "embedding": _embedding_bytes(face.embedding),
        "quality": float(face.quality),
        "group_id": face.group_id,
        "thumbnail": bytes(face.thumbnail),
    }


def unknown_face_of(record: Record) -> UnknownFace:
    """The inverse of `unknown_face_record`; the embedding is read-only."""
    return UnknownFace(**_with_face(record))


def unknown_group_record(group: UnknownGroup) -> Record:
    """`not_people` becomes a list."""
    return {
        "group_id": group.group_id,
        "ignored": bool(group.ignored),
        "not_people": list(group.not_people),
    }


def unknown_group_of(record: Record) -> UnknownGroup:
    """The inverse of `unknown_group_record`."""
    return UnknownGroup(**{**record, "not_people": tuple(record["not_people"])})


def _embedding_bytes(embedding: np.ndarray) -> bytes:
    """Little-endian float32."""
    if embedding.dtype != np.float32 or embedding.ndim != 1:
        raise ValueError(f"embedding must be (D,) float32, not {embedding.shape} {embedding.dtype}")
    return embedding.astype("<f4").tobytes()


def _with_face(record: Record) -> Record:
    embedding = np.frombuffer(record["embedding"], "<f4").astype(np.float32, copy=False)
    return {**record, "embedding": embedding, "thumbnail": bytes(record["thumbnail"])}


def punch_record(punch: Punch) -> Record:
    """Each cooldown slot in a field of its own, because each has a unique index."""
    slot_a, slot_b = punch.cooldown_slots
    return {
        "punch_id": punch.punch_id,
        "person_id": punch.person_id,
        "at": utc(punch.at),
        "direction": str(punch.direction),
        "kiosk": punch.kiosk,
        "source": punch.source,
        "idempotency_key": punch.idempotency_key,
        "cooldown_slot_a": slot_a,
        "cooldown_slot_b": slot_b,
        "receipt": None if punch.receipt is None else _plain(asdict(punch.receipt)),
    }


def punch_of(record: Record) -> Punch:
    """The inverse of `punch_record`."""
    fields = dict(record)
    slots = (fields.pop("cooldown_slot_a"), fields.pop("cooldown_slot_b"))
    receipt = None if fields["receipt"] is None else _receipt_of(fields["receipt"])
    return Punch(
        **{**fields, "direction": Direction(fields["direction"]), "receipt": receipt}, cooldown_slots=slots
    )


def _receipt_of(record: Record) -> Receipt:
    """Receipts of before liveness was looked at have no outcome."""
    outcome = Liveness(record.get("liveness_outcome", Liveness.NOT_CHECKED))
    return Receipt(**{**record, "liveness_outcome": outcome})


def decision_record(record: DecisionRecord) -> Record:
    """One field for each of the decision's."""
    return {**_plain(asdict(record)), "at": utc(record.at)}


def decision_of(record: Record) -> DecisionRecord:
    """The inverse of `decision_record`."""
    words = {"kind": DecisionKind(record["kind"]), "liveness": Liveness(record["liveness"])}
    return DecisionRecord(**{**record, **words})


def audit_record(entry: AuditEntry) -> Record:
    """`detail` stays a dict; it has to be JSON."""
    return {
        "entry_id": entry.entry_id,
        "at": utc(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "detail": json.loads(to_json(entry.detail)),
    }


def audit_of(record: Record) -> AuditEntry:
    """The inverse of `audit_record`."""
    return AuditEntry(**record)


def entry_record(entry: Entry) -> Record:
    """`body` stays a dict; it has to be JSON."""
    return {
        "entry_id": entry.entry_id,
        "kind": entry.kind,
        "at": utc(entry.at),
        "subject": entry.subject,
        "state": entry.state,
        "body": json.loads(to_json(entry.body)),
    }


def entry_of(record: Record) -> Entry:
    """The inverse of `entry_record`."""
    return Entry(**record)


def _plain(fields: Record) -> Record:
    return {key: _plain_value(value) for key, value in fields.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return value.item() if isinstance(value, np.generic) else value
