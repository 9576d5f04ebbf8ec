"""The notes that running parts leave in the data folder, so that other commands find, judge and end them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

import psutil

from ray_backend.domain.errors import Conflict


class Role(StrEnum):
    """What runs on a machine: the head of a cluster, a worker of it, or the web app alone."""

    HEAD = "head"
    WORKER = "worker"
    APP = "app"


@dataclass(frozen=True, slots=True)
class ProcessId:
    """One process for good: `started` (seconds since 1970) tells it from a later one with its number."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> ProcessId:
        """The process that has this number now. Raises psutil.NoSuchProcess."""
        return cls(pid, psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """The process, or None when it is gone."""
        try:
            process = psutil.Process(self.pid)
            gone = process.create_time() != self.started or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return None if gone else process


@dataclass(frozen=True, slots=True)
class Note:
    """What runs, since when, and how far it is.

    `keeper` watches over it; `ray` is Ray on this machine, which the keeper has started. `address` is that of
    the cluster, `says` the last words, `ready` whether everything is there, `health_url` what answers then.
    """

    role: Role
    keeper: ProcessId
    address: str = ""
    says: str = ""
    ready: bool = False
    ray: ProcessId | None = None
    health_url: str = ""

    def processes(self) -> list[psutil.Process]:
        """Those of its own two processes that live."""
        return [found for one in (self.keeper, self.ray) if one and (found := one.find())]


class NoteFile:
    """The note of this process; kept up to date while it runs."""

    def __init__(self, data_dir: Path, note: Note) -> None:
        """Raises Conflict while another process of this role runs from this data folder."""
        self._data_dir = data_dir
        other = read(data_dir, note.role)
        if other and other.processes():
            raise Conflict(
                f"The {note.role} of this data folder runs already. `rollcall cluster stop` ends it; "
                "for a second one choose another folder with ROLLCALL_DATA_DIR."
            )
        self.note = note
        self.change()

    def change(self, **changes) -> None:
        """Writes the note with these fields changed."""
        self.note = replace(self.note, **changes)
        file = _file(self._data_dir, self.note.role)
        fresh = file.with_suffix(".new")
        # It may hold the first password.
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(self.note)))
        fresh.replace(file)

    def remove(self) -> None:
        """Takes the note away."""
        remove(self._data_dir, self.note.role)


def read(data_dir: Path, role: Role) -> Note | None:
    """The note of this role, which may be one that a killed process left."""
    try:
        found = json.loads(_file(data_dir, role).read_text())
        ray = ProcessId(**found.pop("ray")) if found["ray"] else found.pop("ray")
        return Note(Role(found.pop("role")), ProcessId(**found.pop("keeper")), ray=ray, **found)
    except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def remove(data_dir: Path, role: Role) -> None:
    """Takes the note of this role away."""
    _file(data_dir, role).unlink(missing_ok=True)


def read_all(data_dir: Path) -> list[Note]:
    """The notes of all roles."""
    return [note for role in Role if (note := read(data_dir, role))]


def _file(data_dir: Path, role: Role) -> Path:
    return data_dir / f"running-{role}.json"
