"""Entries and columns of punches in a sqlite file."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ray_backend.domain.entries import Entry, EntryQuery, PunchColumns
from ray_backend.domain.queries import Page, PunchQuery
from ray_backend.storage import messages, records
from ray_backend.storage.columns import columns_of
from ray_backend.storage.paging import decode_cursor
from ray_backend.storage.sqlite_file import SqliteFile
from ray_backend.storage.sqlite_rows import (
    Conditions,
    entries_wanted,
    insert,
    punches_wanted,
    read_page,
    record_of,
    row_of,
)

_BATCH = 20_000


class SqliteEntries:
    """That part of `ray_backend.ports.Store`."""

    _file: SqliteFile

    def punch_columns(self, query: PunchQuery) -> PunchColumns:
        wanted = punches_wanted(query)
        statement = (
            f"SELECT at, person_id, direction, punch_id FROM punches{wanted.sql} ORDER BY at, punch_id"
        )
        with self._file.reading() as db:
            cursor = db.cursor()
            cursor.row_factory = None  # plain tuples: half a million of them take half the time
            cursor.execute(statement, wanted.values)
            return columns_of(iter(lambda: cursor.fetchmany(_BATCH), []))

    def add_entry(self, entry: Entry) -> bool:
        row = row_of(records.entry_record(entry))
        with self._file.writing() as db:
            if db.execute(
                "SELECT 1 FROM entries WHERE kind = ? AND entry_id = ?", (entry.kind, entry.entry_id)
            ).fetchone():
                return False
            insert(db, "entries", row)
        return True

    def replace_entry(self, entry: Entry, *, state: str) -> bool:
        row = row_of(records.entry_record(entry))
        with self._file.writing() as db:
            changed = db.execute(
                "UPDATE entries SET at = :at, subject = :subject, state = :state, body = :body "
                "WHERE kind = :kind AND entry_id = :entry_id AND state = :expected",
                {**row, "expected": state},
            )
            return bool(changed.rowcount)

    def get_entry(self, kind: str, entry_id: str) -> Entry | None:
        with self._file.reading() as db:
            row = db.execute(
                "SELECT * FROM entries WHERE kind = ? AND entry_id = ?", (kind, entry_id)
            ).fetchone()
        return None if row is None else records.entry_of(record_of(row))

    def list_entries(self, query: EntryQuery) -> Page[Entry]:
        wanted = entries_wanted(query)
        after = Conditions(wanted)
        if query.cursor is not None:
            after.add("(at, entry_id) > (?, ?)", *decode_cursor(query.cursor, (int, str)))
        order, build, key = "at, entry_id", records.entry_of, messages.entry_key
        with self._file.reading() as db:
            return read_page(db, "entries", wanted, after, order, query.limit, build, key)

    def remove_entries(self, kind: str, entry_ids: Sequence[str]) -> int:
        with self._file.writing() as db:
            removed = db.execute(
                "DELETE FROM entries WHERE kind = ? AND entry_id IN (SELECT value FROM json_each(?))",
                (kind, json.dumps(list(entry_ids))),
            ).rowcount
            if removed:
                db.execute("INSERT INTO wipes DEFAULT VALUES")
        self._file.wipe_if_due()
        return removed
