"""Domain records as sqlite rows and back, and the WHERE clauses that find them."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from typing import Any

from ray_backend.storage import records

TIME_COLUMNS = frozenset({"at", "created_at", "consent_at"})
JSON_COLUMNS = frozenset({"receipt", "detail"})


class Conditions:
    """A WHERE clause in the making, joined by AND."""

    def __init__(self, start: Conditions | None = None) -> None:
        self._parts: list[str] = list(start._parts) if start else []
        self.values: list[Any] = list(start.values) if start else []

    def add(self, part: str, *values: Any) -> None:
        """Adds SQL of our own with one value for each question mark."""
        self._parts.append(part)
        self.values.extend(values)

    @property
    def sql(self) -> str:
        """Empty, or the clause with a space before it."""
        return f" WHERE {' AND '.join(self._parts)}" if self._parts else ""


def insert(db: sqlite3.Connection, table: str, row: records.Record, verb: str = "INSERT") -> None:
    """Adds one row. Raises sqlite3.IntegrityError when a unique column is taken."""
    names = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    db.execute(f"{verb} INTO {table} ({names}) VALUES ({places})", row)


def row_of(record: records.Record) -> records.Record:
    """A record with times as microseconds and dicts as JSON."""
    return {
        key: records.to_micros(value)
        if isinstance(value, datetime)
        else records.to_json(value)
        if isinstance(value, dict)
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
    if "active" in record:
        record["active"] = bool(record["active"])
    return record
