"""People, templates, punches and audit entries with everything filled in, for tests of the stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

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
    new_id,
)

MORNING = datetime(2026, 3, 2, 8, 0, 0, 123000, tzinfo=UTC)


def person(employee_id: str = "E-1", **fields: Any) -> Person:
    """Somebody whose times are whole milliseconds, which every database keeps."""
    known = {"name": "Zoë Žižková", "created_at": MORNING, "department": "Küche", "email": "zoe@example.org"}
    return Person(
        employee_id=employee_id, **{**known, "consent_at": MORNING, "consent_version": "v2", **fields}
    )


def template(owner: Person, **fields: Any) -> Template:
    """A template with a random embedding of 128 numbers."""
    known = {"pack_id": "pack-a", "quality": 0.75, "source": "camera", "created_at": MORNING}
    more = {"photo_sha256": "ab" * 32, "thumbnail": b"\xff\xd8\x00thumbnail\xff\xd9"}
    return Template(
        **{
            "person_id": owner.person_id,
            "embedding": _embedding(),
            **known,
            **more,
            **fields,
        }
    )


def unknown_face(minute: int = 0, group_id: str = "g1", **fields: Any) -> UnknownFace:
    """A face that was seen some minutes after the morning."""
    known = {"kiosk": "door", "pack_id": "pack-a", "quality": 0.5, "thumbnail": b"\xff\xd8\x00face\xff\xd9"}
    at = MORNING + timedelta(minutes=minute)
    return UnknownFace(**{"at": at, "embedding": _embedding(), "group_id": group_id, **known, **fields})


def unknown_group(group_id: str = "g1", **fields: Any) -> UnknownGroup:
    """A group of which everything is known."""
    return UnknownGroup(**{"group_id": group_id, "ignored": True, "not_people": ("p2", "p1"), **fields})


def facts(face: UnknownFace) -> tuple:
    """Everything about an unknown face, for comparing."""
    embedding = (face.embedding.dtype, face.embedding.tobytes())
    return (
        face.face_id,
        face.at,
        face.kiosk,
        face.pack_id,
        face.quality,
        face.group_id,
        face.thumbnail,
        embedding,
    )


def _embedding() -> np.ndarray:
    """A random unit vector of 128 numbers."""
    embedding = np.random.default_rng().standard_normal(128).astype(np.float32)
    return embedding / np.linalg.norm(embedding)


def punch(minute: int = 0, person_id: str = "p1", **fields: Any) -> Punch:
    """A punch some minutes after the morning, with keys of its own."""
    own = new_id()
    known = {
        "at": MORNING + timedelta(minutes=minute),
        "direction": Direction.IN,
        "kiosk": "door",
        "source": "face",
        "idempotency_key": own,
        "cooldown_slots": (f"{own}/a", f"{own}/b"),
        "receipt": Receipt("pack-a", 0.5, 0.8125, 0.1, 3, 0.75, 41.5, Liveness.LIVE),
    }
    return Punch(person_id=person_id, **{**known, **fields})


def decision(minute: int = 0, **fields: Any) -> DecisionRecord:
    """A decision some minutes after the morning."""
    known = {"kiosk": "door", "kind": DecisionKind.SPOOF, "source": "face", "liveness": Liveness.SPOOF}
    more = {"liveness_score": 0.125, "similarity": 0.5, "frames": 3, "seconds": 0.75, "punch_id": new_id()}
    return DecisionRecord(**{"at": MORNING + timedelta(minutes=minute), **known, **more, **fields})


def audit_entry(minute: int = 0, **fields: Any) -> AuditEntry:
    """An entry some minutes after the morning."""
    known = {
        "actor": "admin",
        "action": "person.erased",
        "subject": new_id(),
        "detail": {"a.b": [1, {"$c": None}]},
    }
    return AuditEntry(**{"at": MORNING + timedelta(minutes=minute), **known, **fields})
