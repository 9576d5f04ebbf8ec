"""The embedded store: one sqlite file that needs no server."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from ray_backend.domain.answers import Erasure
from ray_backend.domain.errors import (
    DuplicateEmployeeId,
    DuplicatePunch,
    PersonNotFound,
    StoreUnavailable,
    TemplateNotFound,
)
from ray_backend.domain.model import (
    AuditEntry,
    DecisionQuery,
    DecisionRecord,
    Page,
    PeopleQuery,
    Person,
    Punch,
    PunchQuery,
    Template,
)
from ray_backend.storage import messages, records
from ray_backend.storage.paging import checked_limit, decode_cursor, page_of
from ray_backend.storage.sqlite_file import SqliteFile
from ray_backend.storage.sqlite_rows import Conditions, insert, record_of, row_of

T = TypeVar("T")

log = logging.getLogger(__name__)

TEMPLATE_BATCH = 500


class SqliteStore:
    """`ray_backend.ports.Store` in one file. Several threads and processes may use it at once."""

    def __init__(self, path: Path, *, timeout_s: float) -> None:
        """Opens or creates the file. Raises StoreUnavailable."""
        self._file = SqliteFile(path, timeout_s=timeout_s)
        try:
            self._wipe_if_due()
        except StoreUnavailable as error:
            # No reason not to start: the mark stays, so the next start or erasure wipes.
            log.warning("Traces of erased records are not wiped yet. %s", error)

    def add_person(self, person: Person, templates: Sequence[Template] = ()) -> None:
        rows = [row_of(records.template_record(template)) for template in templates]
        with self._file.writing() as db:
            try:
                insert(db, "people", row_of(records.person_record(person)))
            except sqlite3.IntegrityError as error:
                raise DuplicateEmployeeId(messages.DUPLICATE_EMPLOYEE_ID) from error
            for row in rows:
                insert(db, "templates", row)

    def update_person(self, person: Person) -> None:
        row = row_of(records.person_record(person))
        assignments = ", ".join(f"{column} = :{column}" for column in row)
        with self._file.writing() as db:
            try:
                found = db.execute(f"UPDATE people SET {assignments} WHERE person_id = :person_id", row)
            except sqlite3.IntegrityError as error:
                raise DuplicateEmployeeId(messages.DUPLICATE_EMPLOYEE_ID) from error
            if not found.rowcount:
                raise PersonNotFound(messages.PERSON_NOT_FOUND)

    def get_person(self, person_id: str) -> Person:
        with self._file.reading() as db:
            row = db.execute("SELECT * FROM people WHERE person_id = ?", (person_id,)).fetchone()
        if row is None:
            raise PersonNotFound(messages.PERSON_NOT_FOUND)
        return records.person_of(record_of(row))

    def find_person(self, employee_id: str) -> Person | None:
        with self._file.reading() as db:
            row = db.execute("SELECT * FROM people WHERE employee_id = ?", (employee_id,)).fetchone()
        return None if row is None else records.person_of(record_of(row))

    def list_people(self, query: PeopleQuery) -> Page[Person]:
        wanted = Conditions()
        if text := records.folded(query.text):
            wanted.add("instr(search, ?) > 0", text)
        if query.department is not None:
            wanted.add("department = ?", query.department)
        if query.active is not None:
            wanted.add("active = ?", query.active)
        after = Conditions(wanted)
        if query.cursor is not None:
            after.add("(employee_id, person_id) > (?, ?)", *decode_cursor(query.cursor, (str, str)))
        return self._page(
            "people",
            wanted,
            after,
            "employee_id, person_id",
            query.limit,
            records.person_of,
            messages.person_key,
        )

    def departments(self) -> list[str]:
        with self._file.reading() as db:
            rows = db.execute(
                "SELECT DISTINCT department FROM people WHERE department <> '' ORDER BY department"
            ).fetchall()
        return [row[0] for row in rows]

    def erase_person(self, person_id: str, *, keep_punches: bool) -> Erasure:
        with self._file.writing() as db:
            templates = db.execute("DELETE FROM templates WHERE person_id = ?", (person_id,)).rowcount
            if not db.execute("DELETE FROM people WHERE person_id = ?", (person_id,)).rowcount:
                raise PersonNotFound(messages.PERSON_NOT_FOUND)
            removed = kept = 0
            if keep_punches:
                kept = db.execute(
                    "SELECT count(*) FROM punches WHERE person_id = ?", (person_id,)
                ).fetchone()[0]
            else:
                removed = db.execute("DELETE FROM punches WHERE person_id = ?", (person_id,)).rowcount
            db.execute("INSERT INTO wipes DEFAULT VALUES")
        self._wipe_if_due()
        return Erasure(templates=templates, punches_removed=removed, punches_kept=kept)

    def add_templates(self, templates: Sequence[Template]) -> None:
        rows = [row_of(records.template_record(template)) for template in templates]
        with self._file.writing() as db:
            for row in rows:
                if not db.execute("SELECT 1 FROM people WHERE person_id = ?", (row["person_id"],)).fetchone():
                    raise PersonNotFound(messages.PERSON_NOT_FOUND)
                db.execute("DELETE FROM templates WHERE template_id = ?", (row["template_id"],))
                insert(db, "templates", row)

    def remove_template(self, template_id: str) -> Template:
        with self._file.writing() as db:
            row = db.execute("SELECT * FROM templates WHERE template_id = ?", (template_id,)).fetchone()
            if row is None:
                raise TemplateNotFound(messages.TEMPLATE_NOT_FOUND)
            db.execute("DELETE FROM templates WHERE template_id = ?", (template_id,))
        return _template(row)

    def templates_of(self, person_id: str) -> list[Template]:
        with self._file.reading() as db:
            rows = db.execute(
                "SELECT * FROM templates WHERE person_id = ? ORDER BY created_at, template_id", (person_id,)
            ).fetchall()
        return [_template(row) for row in rows]

    def templates(self, pack_id: str | None = None, *, active_only: bool = False) -> Iterator[Template]:
        # Batches by key rather than one long read, which would keep the log from being truncated.
        statement = (
            "SELECT templates.* FROM templates JOIN people USING (person_id) WHERE sequence > ?"
            + (" AND +pack_id = ?" if pack_id is not None else "")
            + (" AND active" if active_only else "")
            + " ORDER BY sequence LIMIT ?"
        )
        last = -1
        while True:
            values = (last, TEMPLATE_BATCH) if pack_id is None else (last, pack_id, TEMPLATE_BATCH)
            with self._file.reading() as db:
                rows = db.execute(statement, values).fetchall()
            yield from map(_template, rows)
            if len(rows) < TEMPLATE_BATCH:
                return
            last = rows[-1]["sequence"]

    def count_templates(self) -> dict[str, int]:
        with self._file.reading() as db:
            return dict(db.execute("SELECT pack_id, count(*) FROM templates GROUP BY pack_id").fetchall())

    def add_punch(self, punch: Punch) -> None:
        row = row_of(records.punch_record(punch))
        with self._file.writing() as db:
            _insert_punch(db, row)

    def add_punches(self, punches: Sequence[Punch]) -> None:
        rows = [row_of(records.punch_record(punch)) for punch in punches]
        with self._file.writing() as db:
            for row in rows:
                there = db.execute("SELECT * FROM punches WHERE punch_id = ?", (row["punch_id"],)).fetchone()
                if there is None or dict(there) != row:
                    _insert_punch(db, row)

    def find_punch(self, idempotency_key: str) -> Punch | None:
        with self._file.reading() as db:
            row = db.execute("SELECT * FROM punches WHERE idempotency_key = ?", (idempotency_key,)).fetchone()
        return None if row is None else records.punch_of(record_of(row))

    def last_punch(self, person_id: str) -> Punch | None:
        with self._file.reading() as db:
            row = db.execute(
                "SELECT * FROM punches WHERE person_id = ? ORDER BY at DESC, punch_id DESC LIMIT 1",
                (person_id,),
            ).fetchone()
        return None if row is None else records.punch_of(record_of(row))

    def list_punches(self, query: PunchQuery) -> Page[Punch]:
        wanted = _between(query)
        if query.person_id is not None:
            wanted.add("person_id = ?", query.person_id)
        after = Conditions(wanted)
        if query.cursor is not None:
            after.add("(at, punch_id) > (?, ?)", *decode_cursor(query.cursor, (int, str)))
        return self._page(
            "punches", wanted, after, "at, punch_id", query.limit, records.punch_of, messages.punch_key
        )

    def add_decision(self, record: DecisionRecord) -> None:
        row = row_of(records.decision_record(record))
        with self._file.writing() as db:
            insert(db, "decisions", row, "INSERT OR IGNORE")

    def list_decisions(self, query: DecisionQuery) -> Page[DecisionRecord]:
        wanted = _between(query)
        if query.kiosk is not None:
            wanted.add("kiosk = ?", query.kiosk)
        after = Conditions(wanted)
        if query.cursor is not None:
            after.add("(at, record_id) > (?, ?)", *decode_cursor(query.cursor, (int, str)))
        order, build = "at, record_id", records.decision_of
        return self._page("decisions", wanted, after, order, query.limit, build, messages.decision_key)

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

    def list_audit(self, *, cursor: str | None = None, limit: int = 100) -> Page[AuditEntry]:
        after = Conditions()
        if cursor is not None:
            after.add("(at, entry_id) < (?, ?)", *decode_cursor(cursor, (int, str)))
        return self._page(
            "audit",
            Conditions(),
            after,
            "at DESC, entry_id DESC",
            limit,
            records.audit_of,
            messages.audit_key,
        )

    def ping(self) -> None:
        with self._file.reading() as db:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def close(self) -> None:
        self._file.close()

    def _page(
        self,
        table: str,
        wanted: Conditions,
        after: Conditions,
        order: str,
        limit: int,
        build: Callable[[records.Record], T],
        key: Callable[[T], tuple[str | int, ...]],
    ) -> Page[T]:
        count = checked_limit(limit) + 1
        with self._file.reading() as db:
            total = db.execute(f"SELECT count(*) FROM {table}{wanted.sql}", wanted.values).fetchone()[0]
            rows = db.execute(
                f"SELECT * FROM {table}{after.sql} ORDER BY {order} LIMIT ?", (*after.values, count)
            ).fetchall()
        return page_of([build(record_of(row)) for row in rows], limit, total, key)

    def _wipe_if_due(self) -> None:
        with self._file.reading() as db:
            due = db.execute("SELECT max(id) FROM wipes").fetchone()[0]
        if due is None:
            return
        self._file.wipe()
        with self._file.writing() as db:
            db.execute("DELETE FROM wipes WHERE id <= ?", (due,))


def _between(query: PunchQuery | DecisionQuery) -> Conditions:
    wanted = Conditions()
    if query.start is not None:
        wanted.add("at >= ?", records.to_micros(query.start))
    if query.end is not None:
        wanted.add("at < ?", records.to_micros(query.end))
    return wanted


def _insert_punch(db: sqlite3.Connection, row: records.Record) -> None:
    try:
        insert(db, "punches", row)
    except sqlite3.IntegrityError as error:
        raise DuplicatePunch(messages.DUPLICATE_PUNCH) from error


def _template(row: sqlite3.Row) -> Template:
    record = record_of(row)
    del record["sequence"]
    return records.template_of(record)
