"""Decisions, settings and the audit log in a sqlite file."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from ray_backend.domain.model import AuditEntry, DecisionRecord
from ray_backend.domain.queries import AuditQuery, DecisionCount, DecisionQuery, Page
from ray_backend.storage import messages, records
from ray_backend.storage.paging import decode_cursor
from ray_backend.storage.sqlite_file import SqliteFile
from ray_backend.storage.sqlite_rows import (
    Conditions,
    audit_wanted,
    decisions_wanted,
    insert,
    read_page,
    row_of,
)

_BY_FACE = "(source = 'face' AND frames > 0)"


class SqliteNotes:
    """That part of `ray_backend.ports.Store`."""

    _file: SqliteFile

    def add_decision(self, record: DecisionRecord) -> None:
        row = row_of(records.decision_record(record))
        with self._file.writing() as db:
            insert(db, "decisions", row, "INSERT OR IGNORE")

    def list_decisions(self, query: DecisionQuery) -> Page[DecisionRecord]:
        wanted = decisions_wanted(query)
        after = Conditions(wanted)
        if query.cursor is not None:
            after.add("(at, record_id) > (?, ?)", *decode_cursor(query.cursor, (int, str)))
        order, build, key = "at, record_id", records.decision_of, messages.decision_key
        with self._file.reading() as db:
            return read_page(db, "decisions", wanted, after, order, query.limit, build, key)

    def count_decisions(self, query: DecisionQuery) -> list[DecisionCount]:
        wanted = decisions_wanted(query)
        with self._file.reading() as db:
            rows = db.execute(
                f"SELECT kiosk, kind, {_BY_FACE} AS by_face, "
                f"iif({_BY_FACE}, CAST(seconds * 100 AS INTEGER), 0) AS hundredths, count(*) "
                f"FROM decisions{wanted.sql} GROUP BY kiosk, kind, by_face, hundredths",
                wanted.values,
            ).fetchall()
        return [
            DecisionCount(kiosk, kind, bool(by_face), *counted) for kiosk, kind, by_face, *counted in rows
        ]

    def remove_decisions(self, before: datetime) -> int:
        with self._file.writing() as db:
            return db.execute("DELETE FROM decisions WHERE at < ?", (records.to_micros(before),)).rowcount

    def get_setting(self, key: str) -> Any:
        with self._file.reading() as db:
            row = db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row["value"])

    def put_setting(self, key: str, value: Any) -> None:
        text = records.to_json(value)
        with self._file.writing() as db:
            if value is None:
                db.execute("DELETE FROM settings WHERE key = ?", (key,))
            else:
                db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, text))

    def pin_setting(self, key: str, value: Any) -> Any:
        if value is None:
            return self.get_setting(key)
        with self._file.writing() as db:
            db.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (key, records.to_json(value)))
            row = db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        return json.loads(row["value"])

    def settings(self, prefix: str = "") -> dict[str, Any]:
        with self._file.reading() as db:
            rows = db.execute(
                "SELECT key, value FROM settings WHERE substr(key, 1, length(?)) = ? ORDER BY key",
                (prefix, prefix),
            ).fetchall()
        return {row["key"]: json.loads(row["value"]) for row in rows}

    def add_audit(self, entry: AuditEntry) -> None:
        row = row_of(records.audit_record(entry))
        with self._file.writing() as db:
            insert(db, "audit", row, "INSERT OR IGNORE")

    def list_audit(self, query: AuditQuery) -> Page[AuditEntry]:
        wanted = audit_wanted(query)
        after = Conditions(wanted)
        if query.cursor is not None:
            after.add("(at, entry_id) < (?, ?)", *decode_cursor(query.cursor, (int, str)))
        order, build, key = "at DESC, entry_id DESC", records.audit_of, messages.audit_key
        with self._file.reading() as db:
            return read_page(db, "audit", wanted, after, order, query.limit, build, key)
