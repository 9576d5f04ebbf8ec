"""The embedded store: one sqlite file that needs no server."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from ray_backend.domain.answers import Erasure
from ray_backend.domain.errors import (
    DuplicateEmployeeId,
    DuplicatePunch,
    PersonNotFound,
    TemplateNotFound,
)
from ray_backend.domain.model import Person, Punch, Template
from ray_backend.domain.queries import Page, PeopleQuery, PunchQuery
from ray_backend.storage import messages, records
from ray_backend.storage.paging import decode_cursor
from ray_backend.storage.sqlite_entries import SqliteEntries
from ray_backend.storage.sqlite_file import SqliteFile
from ray_backend.storage.sqlite_notes import SqliteNotes
from ray_backend.storage.sqlite_rows import (
    Conditions,
    insert,
    people_wanted,
    punches_wanted,
    read_page,
    record_of,
    row_of,
)
from ray_backend.storage.sqlite_unknown import SqliteUnknown

TEMPLATE_BATCH = 500


class SqliteStore(SqliteNotes, SqliteEntries, SqliteUnknown):
    """`ray_backend.ports.Store` in one file, and another one for unknown faces where there are any.

    Several threads and processes may use it at once.
    """

    def __init__(self, path: Path, *, timeout_s: float) -> None:
        """Opens or creates the file. Raises StoreUnavailable."""
        self._file = SqliteFile(path, timeout_s=timeout_s)
        self._file.wipe_left_over()
        self._open_unknown(path, timeout_s)

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

    def people_of_many(self, person_ids: Sequence[str]) -> list[Person]:
        wanted = Conditions()
        wanted.add_among("person_id", person_ids)
        with self._file.reading() as db:
            rows = db.execute(f"SELECT * FROM people{wanted.sql}", wanted.values).fetchall()
        return [records.person_of(record_of(row)) for row in rows]

    def find_person(self, employee_id: str) -> Person | None:
        with self._file.reading() as db:
            row = db.execute("SELECT * FROM people WHERE employee_id = ?", (employee_id,)).fetchone()
        return None if row is None else records.person_of(record_of(row))

    def list_people(self, query: PeopleQuery) -> Page[Person]:
        wanted = people_wanted(query)
        after = Conditions(wanted)
        if query.cursor is not None:
            after.add("(employee_id, person_id) > (?, ?)", *decode_cursor(query.cursor, (str, str)))
        order, build, key = "employee_id, person_id", records.person_of, messages.person_key
        with self._file.reading() as db:
            return read_page(
                db, "people", wanted, after, order, query.limit, build, key, index="people_listed"
            )

    def merged_people(self, into: Sequence[str] | None = None) -> list[Person]:
        wanted = Conditions()
        wanted.add("merged_into > ''")
        if into is not None:
            wanted.add_among("merged_into", into)
        statement = f"SELECT * FROM people{wanted.sql} ORDER BY employee_id, person_id"
        with self._file.reading() as db:
            rows = db.execute(statement, wanted.values).fetchall()
        return [records.person_of(record_of(row)) for row in rows]

    def departments(self) -> list[str]:
        with self._file.reading() as db:
            rows = db.execute(
                "SELECT DISTINCT department FROM people WHERE merged_into = '' AND department <> '' "
                "ORDER BY department"
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
                db.execute("DELETE FROM entries WHERE subject = ?", (person_id,))
            db.execute("INSERT INTO wipes DEFAULT VALUES")
        self._file.wipe_if_due()
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
        return self.templates_of_many([person_id])

    def templates_of_many(self, person_ids: Sequence[str]) -> list[Template]:
        wanted = Conditions()
        wanted.add_among("person_id", person_ids)
        statement = f"SELECT * FROM templates{wanted.sql} ORDER BY created_at, template_id"
        with self._file.reading() as db:
            rows = db.execute(statement, wanted.values).fetchall()
        return [_template(row) for row in rows]

    def templates(self, pack_id: str | None = None) -> Iterator[Template]:
        # Batches by key rather than one long read, which would keep the log from being truncated.
        statement = (
            "SELECT templates.* FROM templates JOIN people USING (person_id) WHERE sequence > ?"
            + (" AND +pack_id = ?" if pack_id is not None else "")
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

    def last_seen(self, person_ids: Sequence[str]) -> dict[str, datetime]:
        with self._file.reading() as db:
            rows = db.execute(
                "SELECT value, (SELECT max(at) FROM punches WHERE person_id = value) FROM json_each(?)",
                (json.dumps(list(person_ids)),),
            ).fetchall()
        return {person_id: records.from_micros(at) for person_id, at in rows if at is not None}

    def list_punches(self, query: PunchQuery) -> Page[Punch]:
        wanted = punches_wanted(query)
        after = Conditions(wanted)
        if query.cursor is not None:
            after.add("(at, punch_id) > (?, ?)", *decode_cursor(query.cursor, (int, str)))
        order, build, key = "at, punch_id", records.punch_of, messages.punch_key
        with self._file.reading() as db:
            return read_page(db, "punches", wanted, after, order, query.limit, build, key)

    def wipes_due(self) -> bool:
        return self._file.wipes_due()

    def wipe(self) -> None:
        self._file.wipe_if_due(however_large=True)

    def ping(self) -> None:
        with self._file.reading() as db:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def close(self) -> None:
        self._file.close()
        self._close_unknown()


def _insert_punch(db: sqlite3.Connection, row: records.Record) -> None:
    try:
        insert(db, "punches", row)
    except sqlite3.IntegrityError as error:
        raise DuplicatePunch(messages.DUPLICATE_PUNCH) from error


def _template(row: sqlite3.Row) -> Template:
    record = record_of(row)
    del record["sequence"]
    return records.template_of(record)
