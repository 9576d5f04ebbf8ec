"""Files of long tables, made where reports are made, while whoever wants them sees how far they are."""

from __future__ import annotations

import tempfile
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO

from ray_backend.domain.errors import NotFound
from ray_backend.domain.model import new_id
from ray_backend.services.table_files import FileFormat, pieces
from ray_backend.services.tables import Table

# Nobody waits longer for the button to be pressed; and so many files are kept at once.
KEEP_S = 900.0
MOST_FILES = 8
_AT_ONCE = 2
_GONE = "This file is not kept any more. Make it again."


@dataclass(frozen=True, slots=True)
class FileState:
    """`done` of `total` rows are written; once `finished` the file can be taken."""

    done: int
    total: int
    finished: bool


@dataclass(slots=True, eq=False)
class _Job:
    owner: str
    total: int
    file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    begun: float = field(default_factory=time.monotonic)
    done: int = 0
    made: Future[None] = field(default_factory=Future)


class FileJobs:
    """Makes files in threads of its own. Safe to call from several threads.

    A file is for whoever asked for it. It goes with the process: then it has to be made again.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, _Job] = {}
        self._lock = threading.Lock()
        self._workers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="files")

    def begin(self, table: Table, file_format: FileFormat, *, actor: str) -> str:
        """Starts making the table's file and returns its id. Raises InvalidInput as `table_files.pieces`."""
        job, name = _Job(actor, len(table)), new_id()

        def wrote(done: int, total: int) -> None:
            job.done = done

        blocks = pieces(table, file_format, wrote)
        with self._lock:
            self._forget_old()
            self._jobs[name] = job
        job.made = self._workers.submit(lambda: job.file.writelines(blocks))
        return name

    def state(self, name: str, *, actor: str) -> FileState:
        """How far the file is. Raises NotFound, and what making it raised."""
        job = self._job(name, actor)
        finished = job.made.done()
        if finished:
            job.made.result()
        return FileState(job.done, job.total, finished)

    def take(self, name: str, *, actor: str) -> bytes:
        """The finished file. May be repeated. Raises as `state`, and NotFound before it is finished."""
        if not self.state(name, actor=actor).finished:
            raise NotFound(_GONE)
        job = self._job(name, actor)
        with self._lock:
            job.file.seek(0)
            return job.file.read()

    def _job(self, name: str, actor: str) -> _Job:
        with self._lock:
            job = self._jobs.get(name)
        if job is None or job.owner != actor:
            raise NotFound(_GONE)
        return job

    def _forget_old(self) -> None:
        limit = time.monotonic() - KEEP_S
        # In the order in which they were begun.
        finished = [name for name, job in self._jobs.items() if job.made.done()]
        spare = max(0, len(self._jobs) - MOST_FILES + 1)
        for place, name in enumerate(finished):
            if place < spare or self._jobs[name].begun < limit:
                self._jobs.pop(name).file.close()
