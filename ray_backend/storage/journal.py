"""Punches, and notes about them, on this machine's disk for as long as the database is away."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from ray_backend.domain.errors import StoreUnavailable
from ray_backend.storage import journal_file, records

try:
    import fcntl
except ImportError:  # Windows: nothing keeps a second process out there
    fcntl = None

log = logging.getLogger(__name__)
T = TypeVar("T")

FILE = "punches.journal"
LOCK = "lock"
DAMAGED = "damaged"
# A delivered punch stays in the file until it is rewritten; below this it is not worth it.
REWRITE_BYTES = 1_000_000
LOCK_RETRY_S = 0.05
PROBE, PROBE_BYTES = "probe", 4096


@dataclass(frozen=True)
class Kind(Generic[T]):
    """What a journal keeps: its file, the name of its records there, and how they are made and read."""

    file: str
    name: str
    id_of: Callable[[T], str]
    to_record: Callable[[T], records.Record]
    of_record: Callable[[records.Record], T]

    def to_bytes(self, kept: T) -> bytes:
        """One record of the file."""
        record = self.to_record(kept)
        return journal_file.to_bytes({self.name: {**record, "at": record["at"].isoformat()}})

    def of_value(self, value: Any) -> T:
        """The inverse of `to_bytes`. Raises KeyError, TypeError and ValueError."""
        record = value[self.name]
        return self.of_record({**record, "at": datetime.fromisoformat(record["at"])})


PUNCHES = Kind(FILE, "punch", lambda punch: punch.punch_id, records.punch_record, records.punch_of)
NOTES = Kind("notes.journal", "note", lambda entry: entry.entry_id, records.audit_record, records.audit_of)


class FileJournal(Generic[T]):
    """`ray_backend.ports.Journal` in one file of a folder.

    Appended records are on the disk, with fsync, before `append` returns. A mark that a punch was
    delivered may be lost in a crash: the punch is delivered once more then, and the database knows it
    already. Bytes that cannot be read are kept in files named `damaged-...` beside it, said in the log.

    The folder belongs to one process while something waits in it; afterwards the file is gone and the lock
    free. The punches hold person ids, but nobody's name.
    """

    def __init__(self, folder: Path, kind: Kind[T] = PUNCHES, *, wait_s: float = 5.0) -> None:
        """Reads what an earlier process left, waiting up to `wait_s` seconds for that one to end.

        Raises StoreUnavailable when another process has the folder, or the disk cannot be read.
        """
        self._folder = folder
        self._path = folder / kind.file
        self._kind = kind
        self._guard = threading.RLock()
        self._pending: dict[str, T] = {}
        self._lengths: dict[str, int] = {}
        self._lock: int | None = None
        self._file: int | None = None
        self._size = 0
        if self._path.exists():
            with self._guard, self._translated():
                self._open(wait_s)
                if not self._pending:
                    self._remove()

    def append(self, kept: T) -> None:
        """Raises StoreUnavailable; it is not pending then."""
        data = self._kind.to_bytes(kept)
        with self._guard, self._translated():
            if self._file is None:
                self._open(wait_s=0.0)
            try:
                journal_file.write_all(self._file, data)
                os.fsync(self._file)
            except OSError:
                # What follows half a record would be found again, but need not be put there.
                os.ftruncate(self._file, self._size)
                raise
            self._size += len(data)
            self._keep(self._kind.of_record(self._kind.to_record(kept)), len(data))

    def pending(self) -> list[T]:
        """What is not delivered yet, in order."""
        with self._guard:
            return list(self._pending.values())

    def delivered(self, kept_id: str) -> None:
        """Forgets what has this id; one that is not pending is no error. Raises StoreUnavailable."""
        with self._guard, self._translated():
            if self._pending.pop(kept_id, None) is None:
                return
            del self._lengths[kept_id]
            if not self._pending:
                self._remove()
                return
            data = journal_file.to_bytes({"delivered": kept_id})
            journal_file.write_all(self._file, data)
            self._size += len(data)
            if self._size > REWRITE_BYTES and self._size > 2 * sum(self._lengths.values()):
                self._rewrite()

    def __len__(self) -> int:
        with self._guard:
            return len(self._pending)

    def check(self) -> None:
        """Raises StoreUnavailable when the disk would not take anything now; writes and removes a little."""
        probe = self._folder / PROBE
        with self._guard, self._translated():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                journal_file.write_all(descriptor, bytes(PROBE_BYTES))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
                probe.unlink()

    def close(self) -> None:
        """Lets go of the folder, as the end of the process does. Calling it twice is no error."""
        with self._guard:
            for descriptor in (self._file, self._lock):
                if descriptor is not None:
                    os.close(descriptor)
            self._file = self._lock = None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreUnavailable(
                f"The journal in {self._folder} cannot be written or read. Check the disk: {error.strerror}."
            ) from error

    def _open(self, wait_s: float) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock(wait_s)
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            journal_file.sync_folder(self._folder)
            self._read()
        except BaseException:
            self.close()
            raise

    def _take_lock(self, wait_s: float) -> None:
        self._lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        if fcntl is None:
            return
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    self.close()
                    raise StoreUnavailable(
                        f"Another Rollcall on this machine keeps punches in {self._folder}. Stop it, or give "
                        "this one a data folder of its own."
                    ) from error
                time.sleep(LOCK_RETRY_S)

    def _read(self) -> None:
        """Fills `pending` from the file, and puts aside what cannot be read."""
        data = self._path.read_bytes()
        self._size = len(data)
        self._pending, self._lengths = {}, {}
        damages = []
        for found in journal_file.from_bytes(data):
            if isinstance(found, journal_file.Damage):
                damages.append(found)
            elif "delivered" in found.value:
                self._pending.pop(found.value["delivered"], None)
                self._lengths.pop(found.value["delivered"], None)
            else:
                try:
                    kept = self._kind.of_value(found.value)
                except (KeyError, TypeError, ValueError):
                    # Whole, but written by a Rollcall that keeps them otherwise.
                    damages.append(journal_file.Damage(found.start, found.data, torn=False))
                    continue
                self._keep(kept, len(found.data))
        for damage in damages:
            self._put_aside(damage)
        if damages:
            self._rewrite()

    def _keep(self, kept: T, length: int) -> None:
        kept_id = self._kind.id_of(kept)
        self._pending[kept_id] = kept
        self._lengths[kept_id] = length

    def _put_aside(self, damage: journal_file.Damage) -> None:
        path = self._folder / f"{DAMAGED}-{time.time_ns()}"
        journal_file.write_new(path, damage.data)
        if damage.torn:
            log.warning(
                "The journal %s ended in %d bytes of a record that was never acknowledged, or is damaged. "
                "They are cut off and kept in %s.",
                self._path,
                len(damage.data),
                path,
            )
        else:
            log.error(
                "%d bytes at %d of the journal %s are damaged: punches may be lost. They are kept in %s; "
                "everything else is delivered.",
                len(damage.data),
                damage.start,
                self._path,
                path,
            )

    def _rewrite(self) -> None:
        """The file with what is pending alone."""
        contents = {kept_id: self._kind.to_bytes(kept) for kept_id, kept in self._pending.items()}
        data = b"".join(contents.values())
        journal_file.write_new(self._path, data)
        os.close(self._file)
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND)
        self._size = len(data)
        self._lengths = {kept_id: len(content) for kept_id, content in contents.items()}

    def _remove(self) -> None:
        """Nothing waits any more."""
        self._path.unlink()
        journal_file.sync_folder(self._folder)
        self.close()
