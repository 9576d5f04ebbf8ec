"""Domain records as sqlite rows and back, and the WHERE clauses that find them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from ray_backend.domain.entries import EntryQuery
from ray_backend.domain.queries import AuditQuery, DecisionQuery, Page, PeopleQuery, PunchQuery
from ray_backend.storage import records
from ray_backend.storage.paging import checked_limit, page_of

T = TypeVar("T")

TIME_COLUMNS = frozenset({"at", "created_at", "consent_at"})
JSON_COLUMNS = frozenset({"receipt", "detail", "not_people", "body"})
BOOL_COLUMNS = frozenset({"active", "ignored"})


class Conditions:
    """A WHERE clause in the making, joined by AND."""

    def __init__(self, start: Conditions | None = None) -> None:
        self._parts: list[str] = list(start._parts) if start else []
        self.values: list[Any] = list(start.values) if start else []

    def add(self, part: str, *values: Any) -> None:
        """Adds SQL of our own with one value for each question mark."""
        self._parts.append(part)
        self.values.extend(values)

    def add_among(self, column: str, values: Sequence[str]) -> None:
        """The column holds one of these values; they may be as many as one likes."""
        self.add(f"{column} IN (SELECT value FROM json_each(?))", json.dumps(list(values)))

    @property
    def sql(self) -> str:
        """Empty, or the clause with a space before it."""
        return f" WHERE {' AND '.join(self._parts)}" if self._parts else ""


def insert(db: sqlite3.Connection, table: str, row: records.Record, verb: str = "INSERT") -> None:
    """Adds one row. Raises sqlite3.IntegrityError when a unique column is taken."""
    names = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    db.execute(f"{verb} INTO {table} ({names}) VALUES ({places})", row)


def read_page(
    db: sqlite3.Connection,
    table: str,
    wanted: Conditions,
    after: Conditions,
    order: str,
    limit: int,
    build: Callable[[records.Record], T],
    key: Callable[[T], tuple[str | int, ...]],
    index: str = "",
) -> Page[T]:
    """One page in this order; `wanted` counts for the total, `after` is that with the cursor's condition.

    `index` is the one that the page is read by, where sqlite would choose another.
    """
    count = checked_limit(limit) + 1
    by = f" INDEXED BY {index}" if index else ""
    rows = db.execute(
        f"SELECT * FROM {table}{by}{after.sql} ORDER BY {order} LIMIT ?", (*after.values, count)
    ).fetchall()
    total = len(rows)
    if len(rows) == count or after.sql != wanted.sql:
        total = db.execute(f"SELECT count(*) FROM {table}{wanted.sql}", wanted.values).fetchone()[0]
    return page_of([build(record_of(row)) for row in rows], limit, total, key)


def row_of(record: records.Record) -> records.Record:
    """A record with times as microseconds, dicts and lists as JSON."""
    return {
        key: records.to_micros(value)
        if isinstance(value, datetime)
        else records.to_json(value)
        if isinstance(value, dict | list)
        else value
        for key, value in record.items()
    }


def record_of(row: sqlite3.Row) -> records.Record:
    """The inverse of `row_of`."""
    record = dict(row)
    for key in TIME_COLUMNS & record.keys():
        record[key] = None if record[key] is None else records.from_micros(record[key])
    for key in JSON_COLUMNS & record.keys():
        record[key] = None if record[key] is None else json.loads(record[key])
    for key in BOOL_COLUMNS & record.keys():
        record[key] = bool(record[key])
    return record


def between(query: PunchQuery | DecisionQuery | AuditQuery | EntryQuery) -> Conditions:
    """`start <= at < end`, as far as the query says so."""
    wanted = Conditions()
    if query.start is not None:
        wanted.add("at >= ?", records.to_micros(query.start))
    if query.end is not None:
        wanted.add("at < ?", records.to_micros(query.end))
    return wanted


_WITHOUT_PHOTOS = """NOT EXISTS (
    SELECT 1 FROM templates WHERE templates.person_id = people.person_id
) AND NOT EXISTS (
    SELECT 1 FROM people AS merged JOIN templates USING (person_id)
    WHERE merged.merged_into <> '' AND merged.merged_into = people.person_id
)"""


def people_wanted(query: PeopleQuery) -> Conditions:
    """Without the cursor."""
    wanted = Conditions()
    text = records.folded(query.text)
    if query.merged_into is not None:
        # The plus keeps sqlite from its index: a search reads everybody, quickest in `people_listed`.
        wanted.add(f"{'+' if text else ''}merged_into = ?", query.merged_into)
    if text:
        wanted.add("instr(search, ?) > 0", text)
    if query.department is not None:
        wanted.add("department = ?", query.department)
    if query.departments is not None:
        wanted.add_among("department", query.departments)
    if query.active is not None:
        wanted.add("active = ?", query.active)
    if query.without_photos:
        wanted.add(_WITHOUT_PHOTOS)
    return wanted


def punches_wanted(query: PunchQuery) -> Conditions:
    """Without the cursor."""
    wanted = between(query)
    if query.people is not None:
        wanted.add_among("person_id", query.people)
    return wanted


def decisions_wanted(query: DecisionQuery) -> Conditions:
    """Without the cursor."""
    wanted = between(query)
    if query.kiosk is not None:
        wanted.add("kiosk = ?", query.kiosk)
    return wanted


def entries_wanted(query: EntryQuery) -> Conditions:
    """Without the cursor."""
    wanted = between(query)
    wanted.add("kind = ?", query.kind)
    if query.subjects is not None:
        wanted.add_among("subject", query.subjects)
    if query.states is not None:
        wanted.add_among("state", query.states)
    return wanted


def audit_wanted(query: AuditQuery) -> Conditions:
    """Without the cursor."""
    wanted = between(query)
    if query.actor is not None:
        wanted.add("actor = ?", query.actor)
    if query.action is not None:
        wanted.add("substr(action, 1, length(?)) = ?", query.action, query.action)
    if query.subject is not None:
        wanted.add("subject = ?", query.subject)
    return wanted
