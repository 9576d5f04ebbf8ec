"""Whether an answer of the API is right. Each check returns the fault in fixed words, or None."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Document = dict[str, Any]
Check = Callable[[Document], str | None]

WRONG_PERSON = "wrong person"
MISSING = "person not recognised"
STRANGER = "stranger taken for somebody"
SEVERAL = "not one face"
MALFORMED = "answer not as documented"
ANOTHER_PUNCH = "same key, another punch"
# What `--max-wrong` counts: somebody would be paid for somebody else's hours, or not at all.
WRONG = frozenset({WRONG_PERSON, MISSING, STRANGER, SEVERAL, ANOTHER_PUNCH})


def recognition(document: Document, expected: str | None) -> str | None:
    """An answer of /recognize to a picture of one person; None stands for a stranger."""
    faces = document.get("faces")
    if not isinstance(faces, list):
        return MALFORMED
    if len(faces) != 1:
        return SEVERAL
    return person(faces[0], expected)


def person(document: Document, expected: str | None) -> str | None:
    """A decision with its person: a face of /recognize, or an answer of /check_in."""
    try:
        decision, found = document["decision"], document["person"]
        employee_id = found["employee_id"] if found is not None else None
    except (KeyError, TypeError):
        return MALFORMED
    if (decision == "match") != (employee_id is not None):
        return MALFORMED
    if employee_id == expected:
        return None
    if expected is None:
        return STRANGER
    return MISSING if employee_id is None else WRONG_PERSON


def check_in(document: Document, expected: str | None) -> str | None:
    """An answer of /check_in: a match has a punch of that very person, anything else has none."""
    fault = person(document, expected)
    if fault is not None:
        return fault
    punch = document.get("punch")
    if expected is None:
        return None if punch is None else MALFORMED
    try:
        return None if punch["person"]["employee_id"] == expected else WRONG_PERSON
    except (KeyError, TypeError):
        return MALFORMED


def same_punch(first: Document) -> Check:
    """For a repeated check-in with the same key: the punch has to be the first answer's.

    Where that answer only repeated an earlier visit, a new visit may have begun in between.
    """

    def check(second: Document) -> str | None:
        if first.get("repeated") is not False:
            return None
        same = first["punch"]["punch_id"] == (second.get("punch") or {}).get("punch_id")
        return None if same else ANOTHER_PUNCH

    return check


def batch(document: Document, expected: Sequence[str | None]) -> str | None:
    """An answer of /batch_recognize: one result for each picture, in order.

    A result without a recognition was turned away; see `turned_away`.
    """
    results = document.get("results")
    if not isinstance(results, list) or len(results) != len(expected):
        return MALFORMED
    for result, employee_id in zip(results, expected, strict=True):
        if turned_away(result):
            continue
        fault = recognition(result.get("recognition") or {}, employee_id)
        if fault is not None:
            return fault
    return None


def turned_away(result: Document) -> bool:
    """Whether one picture of a batch met a full queue."""
    return (result.get("problem") or {}).get("status") == 503


def owner_named(document: Document, expected: str) -> str | None:
    """A refused registration (409): it has to name the person whose face it is."""
    named = (document.get("person") or {}).get("employee_id")
    return None if named == expected else WRONG_PERSON
