"""What the use cases answer, as plain JSON values. Numbers that are none (NaN) become null."""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii as quoted
from math import isfinite
from typing import Any

from ray_backend.domain.answers import CheckIn, Enrolment, PhotoReview, RecognisedFace, Recognition
from ray_backend.domain.model import Box, DecisionKind, Person, PhotoProblem, Punch

# Made once: json.dumps with options would make one for each answer.
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
# Written as text, which takes a third of the time of a dictionary and an encoder. The hot path ends here.
_FACE = (
    '{"box":[%s,%s,%s,%s],"detection_score":%s,"decision":"%s","issue":%s,"person":%s,"similarity":%s,'
    '"runner_up_similarity":%s,"quality":{"size_px":%s,"sharpness":%s,"brightness":%s,"yaw_deg":%s,'
    '"pitch_deg":%s,"roll_deg":%s,"visible":%s},"liveness":null}'
)


def to_bytes(answer: Any) -> bytes:
    """JSON, compact and in ASCII. Raises ValueError for NaN, which is our mistake then."""
    return _encode(answer).encode()


def recognition_text(recognition: Recognition) -> str:
    """As `schemas.Recognition`, in JSON."""
    faces = ",".join([_face(face) for face in recognition.faces])
    timings = ",".join([f"{quoted(stage)}:{_text(ms)}" for stage, ms in recognition.timings_ms.items()])
    return (
        f'{{"faces":[{faces}],"pack":{quoted(recognition.pack_id)},'
        f'"gallery_version":{recognition.gallery_version},"timings_ms":{{{timings}}}}}'
    )


def _face(face: RecognisedFace) -> str:
    decision, quality, person = face.decision, face.quality, face.person
    x1, y1, x2, y2 = face.box
    best, second = decision.best, decision.second
    return _FACE % (
        _text(x1),
        _text(y1),
        _text(x2),
        _text(y2),
        _text(quality.detection_score),
        decision.kind,
        f'"{decision.issue}"' if decision.issue else "null",
        f'{{"employee_id":{quoted(person.employee_id)},"name":{quoted(person.name)}}}' if person else "null",
        _text(best.similarity) if best else "null",
        _text(second.similarity) if second else "null",
        _text(quality.size_px),
        _text(quality.sharpness),
        _text(quality.brightness),
        _text(quality.yaw_deg),
        _text(quality.pitch_deg),
        _text(quality.roll_deg),
        _text(quality.visible),
    )


def _text(value: float) -> str:
    return "%.6g" % value if isfinite(value) else "null"  # noqa: UP031  (the quickest of all ways)


def seed_json(recognition: Recognition) -> dict[str, Any]:
    """`payloads` and `boxes` of equal length, as `schemas.SeedAnswer`."""
    return {
        "payloads": [face.person.employee_id if face.person else "unknown" for face in recognition.faces],
        "boxes": [_box(face.box) for face in recognition.faces],
    }


def check_in_json(answer: CheckIn) -> dict[str, Any]:
    """As `schemas.CheckIn`."""
    decision = answer.decision
    return {
        "decision": decision.kind.value,
        "issue": decision.issue.value if decision.issue else None,
        "person": _name(answer.person),
        "similarity": _number(decision.best.similarity) if decision.best else None,
        "punch": punch_json(answer.punch, answer.person) if answer.punch else None,
        "local_time": answer.local_time.isoformat() if answer.local_time else None,
        "repeated": answer.repeated,
        "box": _box(answer.face_box) if answer.face_box else None,
        "picture_size": list(answer.picture_size) if answer.picture_size else None,
    }


def punch_json(punch: Punch, person: Person | None) -> dict[str, Any]:
    """As `schemas.Punch`. Without a person, or with a nameless one, it belongs to somebody erased."""
    receipt = punch.receipt
    return {
        "punch_id": punch.punch_id,
        "person": _name(person) if person and person.employee_id else None,
        "at": punch.at.isoformat(),
        "direction": punch.direction.value,
        "kiosk": punch.kiosk,
        "source": punch.source,
        "receipt": {
            "pack": receipt.pack_id,
            "threshold": _number(receipt.threshold),
            "similarity": _number(receipt.similarity),
            "runner_up_similarity": _number(receipt.runner_up_similarity),
            "frames": receipt.frames,
            "liveness": _number(receipt.liveness),
            "latency_ms": _number(receipt.latency_ms, 2),
        }
        if receipt
        else None,
    }


def person_json(person: Person) -> dict[str, Any]:
    """As `schemas.Person`."""
    return {
        "employee_id": person.employee_id,
        "name": person.name,
        "department": person.department,
        "email": person.email,
        "active": person.active,
        "created_at": person.created_at.isoformat(),
        "consent_at": person.consent_at.isoformat() if person.consent_at else None,
    }


def enrolment_json(enrolment: Enrolment) -> dict[str, Any]:
    """As `schemas.Enrolment`."""
    return {
        "person": person_json(enrolment.person),
        "reviews": [review_json(review) for review in enrolment.reviews],
    }


def review_json(review: PhotoReview) -> dict[str, Any]:
    """As `schemas.Review`. Whose face it is stands in the problem, by employee id."""
    # The detail of another person's face is our own opaque id.
    detail = "" if review.reason is PhotoProblem.ANOTHER_PERSON else review.detail
    return {
        "label": review.label,
        "accepted": review.accepted,
        "reason": review.reason.value if review.reason else None,
        "detail": detail,
        "box": _box(review.box) if review.box else None,
        "picture_size": list(review.picture_size) if review.picture_size else None,
    }


def decisions_of(recognition: Recognition) -> list[str]:
    """The kinds of its decisions, for the metrics; one `no_face` where nobody was found."""
    return [face.decision.kind.value for face in recognition.faces] or [DecisionKind.NO_FACE.value]


def _name(person: Person | None) -> dict[str, str] | None:
    return {"employee_id": person.employee_id, "name": person.name} if person else None


def _box(box: Box) -> list[float]:
    return [round(float(value), 1) for value in box]


def _number(value: float | None, digits: int = 4) -> float | None:
    # Numpy's numbers round to numpy's numbers, which JSON does not know.
    return round(float(value), digits) if value is not None and isfinite(value) else None
