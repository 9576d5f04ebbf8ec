"""One sqlite database file: how it is opened, migrated, shared between threads and wiped."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ray_backend.domain.errors import StoreUnavailable
from ray_backend.storage.sqlite_schema import APPLICATION_ID, MIGRATIONS

log = logging.getLogger(__name__)

IDLE_CONNECTIONS = 8
RETRY_S = 0.01
# Building a file anew holds up everybody who writes: half a second for one of this size, a minute for one
# of two gigabytes. A larger one is wiped when its owner says so.
WIPED_AT_ONCE_BYTES = 64_000_000
# Whoever writes meanwhile is told soon, so that a punch goes to the journal and nobody waits at a kiosk.
_PATIENCE_WHILE_WIPING_S = 0.3
# Primary result codes of https://sqlite.org/rescode.html that speak of the file, not of our SQL.
TROUBLES = {
    sqlite3.SQLITE_BUSY: "is locked by another program. Try again",
    sqlite3.SQLITE_LOCKED: "is locked by another program. Try again",
    sqlite3.SQLITE_PROTOCOL: "is locked by another program. Try again",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full. Free some space",
    sqlite3.SQLITE_IOERR: "cannot be read or written. Check the disk",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened. Check that its folder exists and may be written",
    sqlite3.SQLITE_READONLY: "may not be written. Check its owner and mode",
    sqlite3.SQLITE_PERM: "may not be opened. Check its owner and mode",
    sqlite3.SQLITE_AUTH: "may not be opened. Check its owner and mode",
    sqlite3.SQLITE_CORRUPT: "is damaged. Restore it from a backup",
    sqlite3.SQLITE_NOTADB: "is not a database. Choose another file",
}
_BUSY = "The database is busy. Try again."
_BEING_WIPED = (
    "The database is overwriting what is left of erased records, which takes a minute or two. Try again then."
)


class SqliteFile:
    """A pool of connections to one file. Several threads and processes may use the file at once.

    Readers never wait for writers (write-ahead log). Writers of one process queue on a lock, which is
    fairer and quicker than sqlite's own polling; those of other processes wait by the busy timeout.
    """

    def __init__(
        self,
        path: Path,
        *,
        timeout_s: float,
        migrations: Sequence[Sequence[str]] | None = None,
        wiped_at_once_bytes: int = WIPED_AT_ONCE_BYTES,
    ) -> None:
        """Opens or creates the file with the store's schema, or with another one. `wiped_at_once_bytes`: how
        large it may be to be wiped with each deletion. Raises StoreUnavailable."""
        self.path = path
        self._wiped_at_once_bytes = wiped_at_once_bytes
        self._migrations = MIGRATIONS if migrations is None else migrations
        self._timeout_s = timeout_s
        self._idle: list[sqlite3.Connection] = []
        self._idle_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._wiping = threading.Event()
        self._closed = False
        with self.translated():
            _create_private(path)
            self._give_back(self._first_connection())

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turns trouble with the file into StoreUnavailable; mistakes in our SQL stay what they are."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", None)
            trouble = None if code is None else TROUBLES.get(code & 0xFF)
            if trouble is None:
                raise
            raise StoreUnavailable(f"The database file {self.path} {trouble}.") from error
        except OSError as error:
            raise StoreUnavailable(
                f"The database file {self.path} cannot be opened. Check that its folder may be written."
            ) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for SELECT."""
        with self.translated(), self._borrowed() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a transaction, which is on disk when the block ends without an error."""
        with (
            self.translated(),
            self._turn_to_write(),
            self._borrowed() as connection,
            transaction(connection),
        ):
            yield connection

    def wipe_if_due(self, *, however_large: bool = False) -> None:
        """Wipes if a deletion asked for it by a row in `wipes`. Raises StoreUnavailable.

        A large file keeps its mark until this is called with `however_large`.
        """
        due = self._last_mark()
        if due is None:
            return
        if not however_large and self.path.stat().st_size > self._wiped_at_once_bytes:
            return
        self.wipe()
        with self.writing() as db:
            db.execute("DELETE FROM wipes WHERE id <= ?", (due,))

    def wipes_due(self) -> bool:
        """Whether a deletion asked for a wipe that was not done yet."""
        return self._last_mark() is not None

    def _last_mark(self) -> int | None:
        with self.reading() as db:
            return db.execute("SELECT max(id) FROM wipes").fetchone()[0]

    def wipe_left_over(self) -> None:
        """As `wipe_if_due`, at a start: what cannot be wiped now keeps its mark for the next time."""
        try:
            self.wipe_if_due()
        except StoreUnavailable as error:
            log.warning("Traces of erased records are not wiped yet. %s", error)

    def wipe(self) -> None:
        """Leaves no bytes of deleted records in the file or its log. Raises StoreUnavailable.

        `secure_delete` overwrites what is deleted, but not the copies that stay behind in free space
        when pages are split or merged; VACUUM builds all pages anew. The log still holds the old
        pages until it is truncated, which needs a moment in which nobody reads.
        """
        with self.translated(), self._turn_to_write(), self._borrowed() as connection:
            self._wiping.set()
            try:
                connection.execute("VACUUM")
                busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                self._wiping.clear()
            if busy:
                raise StoreUnavailable(
                    f"The erased records are deleted, but traces stay in {self.path} while another program "
                    "reads it. They go when Rollcall starts next."
                )

    def close(self) -> None:
        """Closes the idle connections now and the borrowed ones when they come back."""
        with self._idle_lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _turn_to_write(self) -> Iterator[None]:
        patience_s = min(_PATIENCE_WHILE_WIPING_S, self._timeout_s) if self._wiping.is_set() else None
        if not self._write_lock.acquire(timeout=self._timeout_s if patience_s is None else patience_s):
            raise StoreUnavailable(_BUSY if patience_s is None else _BEING_WIPED)
        try:
            yield
        finally:
            self._write_lock.release()

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        with self._idle_lock:
            if self._closed:
                raise StoreUnavailable("The database is closed.")
            connection = self._idle.pop() if self._idle else None
        connection = connection or self._connect()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._idle_lock:
            if not self._closed and len(self._idle) < IDLE_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()

    def _first_connection(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            _until(lambda: connection.execute("PRAGMA journal_mode = WAL"), self._timeout_s)
            self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._timeout_s, isolation_level=None, check_same_thread=False
        )
        # FULL: a commit returns when the log is on the disk, so a punch outlives a power cut.
        connection.executescript(
            "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;"
        )
        connection.row_factory = sqlite3.Row
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Applies the missing migrations in one transaction: all or nothing, whoever else tries."""
        latest = len(self._migrations)
        if _version(connection) == latest:
            return
        with transaction(connection):
            version = _version(connection)
            if version > latest:
                raise StoreUnavailable(
                    f"The database file {self.path} was written by a newer Rollcall (schema {version}, this "
                    f"one knows {latest}). Update Rollcall, or choose another file."
                )
            if version == 0 and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                raise StoreUnavailable(
                    f"The database file {self.path} belongs to another program. Choose another file."
                )
            for statement in (line for script in self._migrations[version:] for line in script):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {latest}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commits at the end of the block, rolls back when it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def _create_private(path: Path) -> None:
    """Makes the file, and its folder where missing, for the owner only. The log takes over the mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _until(action: Callable[[], object], timeout_s: float) -> None:
    """Repeats while the file is busy: changing the journal mode does not wait by itself."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            action()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_S)
