"""Unknown faces in a sqlite file of their own, beside the one of the people.

They come and go all day, and whatever goes must leave no bytes behind. That takes a VACUUM, which copies
the whole file and holds up every writer meanwhile: punches must not wait for it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ray_backend.domain.errors import StoreUnavailable
from ray_backend.domain.model import UnknownFace, UnknownGroup
from ray_backend.storage import records
from ray_backend.storage.sqlite_file import SqliteFile
from ray_backend.storage.sqlite_rows import Conditions, insert, record_of, row_of
from ray_backend.storage.sqlite_schema import UNKNOWN_MIGRATIONS

SUFFIX = "-unknown"


class SqliteUnknown:
    """That part of `ray_backend.ports.Store`. A site that keeps no unknown faces never gets the file."""

    def _open_unknown(self, path: Path, timeout_s: float) -> None:
        """Raises StoreUnavailable when the file is there and cannot be opened."""
        self._unknown_path = path.with_name(path.name + SUFFIX)
        self._unknown_timeout_s = timeout_s
        self._unknown_file: SqliteFile | None = None
        self._unknown_lock = threading.Lock()
        self._unknown_closed = False
        if self._unknown_path.exists():
            self._unknown()

    def _close_unknown(self) -> None:
        with self._unknown_lock:
            self._unknown_closed = True
            if self._unknown_file is not None:
                self._unknown_file.close()

    def _holds_unknown(self) -> bool:
        """Whether there is a file to look into. Raises StoreUnavailable when the store is closed."""
        if self._unknown_closed:
            raise StoreUnavailable("The database is closed.")
        return self._unknown_path.exists()

    def add_unknown_face(self, face: UnknownFace) -> None:
        row = row_of(records.unknown_face_record(face))
        with self._unknown().writing() as db:
            insert(db, "unknown_faces", row, "INSERT OR REPLACE")

    def unknown_faces(self, group_id: str | None = None) -> list[UnknownFace]:
        if not self._holds_unknown():
            return []
        wanted = Conditions()
        if group_id is not None:
            wanted.add("group_id = ?", group_id)
        statement = f"SELECT * FROM unknown_faces{wanted.sql} ORDER BY at DESC, face_id DESC"
        with self._unknown().reading() as db:
            rows = db.execute(statement, wanted.values).fetchall()
        return [records.unknown_face_of(record_of(row)) for row in rows]

    def move_unknown_faces(self, face_ids: Sequence[str], group_id: str) -> None:
        with self._unknown().writing() as db:
            db.executemany(
                "UPDATE unknown_faces SET group_id = ? WHERE face_id = ?",
                [(group_id, face_id) for face_id in face_ids],
            )

    def remove_unknown_faces(self, face_ids: Sequence[str]) -> int:
        wanted = Conditions()
        wanted.add_among("face_id", face_ids)
        return self._remove(wanted, "")

    def remove_unknown_before(self, before: datetime) -> int:
        wanted = Conditions()
        wanted.add("at < ?", records.to_micros(before))
        empty = "DELETE FROM unknown_groups WHERE group_id NOT IN (SELECT group_id FROM unknown_faces)"
        return self._remove(wanted, empty)

    def put_unknown_group(self, group: UnknownGroup) -> None:
        row = row_of(records.unknown_group_record(group))
        with self._unknown().writing() as db:
            insert(db, "unknown_groups", row, "INSERT OR REPLACE")

    def unknown_groups(self) -> list[UnknownGroup]:
        if not self._holds_unknown():
            return []
        with self._unknown().reading() as db:
            rows = db.execute("SELECT * FROM unknown_groups ORDER BY group_id").fetchall()
        return [records.unknown_group_of(record_of(row)) for row in rows]

    def remove_unknown_group(self, group_id: str) -> int:
        wanted = Conditions()
        wanted.add("group_id = ?", group_id)
        return self._remove(wanted, "DELETE FROM unknown_groups WHERE group_id = ?", group_id)

    def _remove(self, wanted: Conditions, then: str, *values: str) -> int:
        """Removes the wanted faces, runs one more statement, and wipes if anything went."""
        file = self._unknown()
        with file.writing() as db:
            removed = db.execute(f"DELETE FROM unknown_faces{wanted.sql}", wanted.values).rowcount
            groups = db.execute(then, values).rowcount if then else 0
            if removed or groups:
                db.execute("INSERT INTO wipes DEFAULT VALUES")
        file.wipe_if_due()
        return removed

    def _unknown(self) -> SqliteFile:
        with self._unknown_lock:
            if self._unknown_closed:
                raise StoreUnavailable("The database is closed.")
            if self._unknown_file is None:
                path, timeout_s = self._unknown_path, self._unknown_timeout_s
                # It stays small, and strangers' faces have to be gone at once.
                self._unknown_file = SqliteFile(
                    path, timeout_s=timeout_s, migrations=UNKNOWN_MIGRATIONS, wiped_at_once_bytes=sys.maxsize
                )
                self._unknown_file.wipe_left_over()
            return self._unknown_file
