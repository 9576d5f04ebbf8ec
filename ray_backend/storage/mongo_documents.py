"""Records as mongo documents and back, and the filters that find them. Knows nothing of the driver."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from ray_backend.domain.entries import EntryQuery
from ray_backend.domain.queries import AuditQuery, DecisionQuery, PeopleQuery, PunchQuery
from ray_backend.storage import records
from ray_backend.storage.paging import decode_cursor

Document = dict[str, Any]

_FREE_FORM = frozenset({"detail", "body"})
AFTER_EVERY_TEXT = "\U0010ffff"


def to_document(record: records.Record, id_key: str) -> Document:
    """The record with its id as `_id` too. Free-form dicts become JSON text: their keys may hold dots.

    `at` is for people who look into the database; `at_us`, the same in microseconds, is what is sorted,
    compared and read back. A date of MongoDB ends at milliseconds, and nx-27017 compares dates by the
    second. The id stays under its own name, because nx-27017 takes no index on `_id` and another field.
    """
    document = {"_id": record[id_key], **record}
    if "at" in document:
        document["at_us"] = records.to_micros(document["at"])
    for name in _FREE_FORM & document.keys():
        document[name] = records.to_json(document[name])
    return document


def to_record(document: Document) -> records.Record:
    """The inverse of `to_document`."""
    record = {key: value for key, value in document.items() if key not in ("_id", "at_us", "stored_at")}
    if "at_us" in document:
        record["at"] = records.from_micros(document["at_us"])
    for name in _FREE_FORM & record.keys():
        record[name] = json.loads(record[name])
    return record


def people_filter(query: PeopleQuery) -> Document:
    """Without the cursor."""
    wanted: Document = {}
    if query.merged_into is not None:
        wanted["merged_into"] = query.merged_into
    if text := records.folded(query.text):
        wanted["search"] = {"$regex": re.escape(text)}
    departments = _departments(query)
    if departments is not None:
        wanted["department"] = departments[0] if len(departments) == 1 else {"$in": departments}
    if query.active is not None:
        wanted["active"] = query.active
    return wanted


def _departments(query: PeopleQuery) -> list[str] | None:
    """Those that both parts of the query allow; None means all."""
    if query.department is None:
        return None if query.departments is None else sorted(set(query.departments))
    allowed = query.departments is None or query.department in query.departments
    return [query.department] if allowed else []


def people_after(cursor: str | None) -> list[Document]:
    """Employee ids are unique, so they alone say where a page begins."""
    if cursor is None:
        return []
    employee_id, _ = decode_cursor(cursor, (str, str))
    return [{"employee_id": {"$gt": employee_id}}]


def punches_filter(query: PunchQuery) -> Document:
    """Without the cursor."""
    return _between(query, {} if query.people is None else {"person_id": among(query.people)})


def decisions_filter(query: DecisionQuery) -> Document:
    """Without the cursor."""
    return _between(query, {} if query.kiosk is None else {"kiosk": query.kiosk})


def entries_filter(query: EntryQuery) -> Document:
    """Without the cursor."""
    wanted: Document = {"kind": query.kind}
    if query.subjects is not None:
        wanted["subject"] = among(query.subjects)
    if query.states is not None:
        wanted["state"] = among(query.states)
    return _between(query, wanted)


def audit_filter(query: AuditQuery) -> Document:
    """Without the cursor."""
    asked = {"actor": query.actor, "subject": query.subject}
    wanted: Document = {name: value for name, value in asked.items() if value is not None}
    if query.action:
        wanted["action"] = {"$gte": query.action, "$lt": query.action + AFTER_EVERY_TEXT}
    return _between(query, wanted)


def among(values: Sequence[str]) -> Any:
    """What a field is compared with to hold one of these values."""
    return values[0] if len(values) == 1 else {"$in": list(values)}


def _between(query: PunchQuery | DecisionQuery | AuditQuery | EntryQuery, wanted: Document) -> Document:
    bounds = {"$gte": query.start, "$lt": query.end}
    at = {name: records.to_micros(moment) for name, moment in bounds.items() if moment is not None}
    return {**wanted, "at_us": at} if at else wanted


def timed_after(cursor: str | None, operator: str, id_key: str) -> list[Document]:
    """What follows the cursor in the order of time, then id; `operator` is `$gt`, backwards `$lt`.

    The alternatives stand alone in their part: nx-27017 mistakes an `$or` that has neighbours.
    """
    if cursor is None:
        return []
    at, last_id = decode_cursor(cursor, (int, str))
    return [
        {"at_us": {f"{operator}e": at}},
        {"$or": [{"at_us": {operator: at}}, {id_key: {operator: last_id}}]},
    ]


def all_of(*parts: Document) -> Document:
    """One filter for all the parts that say anything; flat where it can be, which some servers answer
    by an index and others only then."""
    said = [part for part in parts if part]
    keys = [key for part in said for key in part]
    if len(keys) == len(set(keys)) and not any(key.startswith("$") for key in keys):
        return {key: value for part in said for key, value in part.items()}
    return said[0] if len(said) == 1 else {"$and": said} if said else {}


def starts_with(prefix: str) -> Document:
    """Documents whose id starts with the prefix."""
    return {"_id": {"$gte": prefix, "$lt": prefix + AFTER_EVERY_TEXT}} if prefix else {}
