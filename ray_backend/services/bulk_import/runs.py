"""Imports on the disk: what was asked for, how far it came, and what became of each file.

Each has a folder under the data folder with two files: `run.json`, and `outcomes.jsonl` with a line for each
person, written after everything about the person was stored. A line that broke off is not read. The files
name people, so they go after some days, and `forget` takes out whoever is erased.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from ray_backend.domain.errors import Conflict
from ray_backend.domain.model import new_id
from ray_backend.services.bulk_import.entries import Counts, Entry, PersonOutcome
from ray_backend.services.bulk_import.words import Reason

KEEP = timedelta(days=7)
_GLANCE_S = 0.2  # a page that looks whether an import runs holds the lock for a moment


class State(StrEnum):
    """How far an import came. `BROKEN_OFF` may be continued: its process is gone, or a service was."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    BROKEN_OFF = "broken_off"


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for. `upload`: the source is a copy of ours, which goes when the import is done.

    `context` names everything that a refusal of a photo hangs on: models and limits.
    """

    source: str
    actor: str
    title: str = ""
    dry_run: bool = False
    consent: bool = False
    without_consent: bool = False
    upload: bool = False
    context: str = ""

    def same_work(self, other: Plan) -> bool:
        """Whether the other one is this again."""
        return replace(self, actor="", title="", context="") == replace(other, actor="", title="", context="")


@dataclass(frozen=True, slots=True)
class Standing:
    """How an import stands. `total` is about how many people there are, None where nobody knows."""

    state: State
    started_at: datetime
    ended_at: datetime | None = None
    total: int | None = None
    skipped: int = 0
    problem: str = ""


class Tally(NamedTuple):
    """The counts of the first `offset` bytes of a run's outcomes, which are in the file `inode`."""

    counts: Counts = Counts()
    offset: int = 0
    inode: int = 0


class Run:
    """One import's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._outcomes = folder / "outcomes.jsonl"
        self._refused = folder / "refused.jsonl"
        self._stop = folder / "stop"
        value = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        self.plan = Plan(**{f.name: value["plan"][f.name] for f in fields(Plan)})
        self.standing = _standing(value["standing"])

    @property
    def run_id(self) -> str:
        """Names it."""
        return self.folder.name

    def stands(self, **changes: Any) -> None:
        """Changes how it stands, on the disk too."""
        self.standing = replace(self.standing, **changes)
        write_run(self.folder, self.plan, self.standing)

    def add(self, entry: Entry, outcome: PersonOutcome) -> None:
        """Notes that everything about a person is done."""
        _append(self._outcomes, outcome.as_json() | {"mark": entry.mark})

    def remember(self, digest: str, reason: Reason) -> None:
        """Notes why a photo with this SHA-256 is not taken, here and in later runs."""
        _append(self._refused, [digest, reason.code, dict(reason.values)])

    def outcomes(self) -> Iterator[PersonOutcome]:
        """What became of everybody so far."""
        return (PersonOutcome.from_json(line) for line in _lines(self._outcomes))

    def done_before(self) -> set[tuple[str, str]]:
        """The entries that are done, by place and mark."""
        return {(line["place"], line["mark"]) for line in _lines(self._outcomes)}

    def refused_before(self) -> dict[str, Reason]:
        """The reasons that were remembered, by SHA-256."""
        return {digest: Reason(code, values) for digest, code, values in _lines(self._refused)}

    def tally(self, so_far: Tally | None = None) -> Tally:
        """How it stands by the outcomes; what an earlier tally counted is not read again."""
        if not self._outcomes.is_file():
            return Tally()
        with self._outcomes.open("rb") as file:
            inode = os.fstat(file.fileno()).st_ino
            same = so_far is not None and so_far.inode == inode
            counts, offset = (so_far.counts, so_far.offset) if same else (Counts(), 0)
            file.seek(offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                offset += len(line)
                counts = counts.plus(PersonOutcome.from_json(json.loads(line)))
        return Tally(counts, offset, inode)

    def continued(self) -> None:
        """Before an import goes on: what could not be read as a person is looked at again."""
        self.rewrite(line for line in list(_lines(self._outcomes)) if line["id"])
        self._stop.unlink(missing_ok=True)

    def stop(self) -> None:
        """Asks whoever works on it to stop."""
        self._stop.touch()

    @property
    def stop_asked(self) -> bool:
        """Whether somebody did."""
        return self._stop.exists()

    def rewrite(self, keep: Iterable[dict[str, Any]]) -> None:
        """Replaces the outcomes."""
        new = self._outcomes.with_suffix(".new")
        new.write_text("".join(map(_line, keep)), encoding="utf-8")
        new.replace(self._outcomes)

    def drop_upload(self) -> None:
        """Removes the copy of what was handed in."""
        if self.plan.upload:
            Path(self.plan.source).unlink(missing_ok=True)


class Runs:
    """All imports of one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uploads = folder / "uploads"

    def new(self, plan: Plan, now: datetime) -> Run:
        """Begins a folder for it."""
        folder = self.folder / f"{now:%Y%m%d-%H%M%S-%f}-{new_id()[:4]}"
        folder.mkdir(parents=True, mode=0o700)
        write_run(folder, plan, Standing(State.RUNNING, now))
        return Run(folder)

    def all(self) -> list[Run]:
        """The newest first."""
        found = sorted(self.folder.glob("*/run.json"), reverse=True) if self.folder.is_dir() else []
        return [Run(path.parent) for path in found]

    def unfinished(self, plan: Plan) -> Run | None:
        """The newest run of the same work, if it did not come to its end. A dry run is never continued:
        what it knew is gone."""
        newest = next((run for run in self.all() if plan.same_work(run.plan)), None)
        finished = newest is None or newest.standing.state is State.DONE
        return None if finished or plan.dry_run else newest

    def refused_before(self, context: str) -> dict[str, Reason]:
        """The lasting reasons of all runs with the same models and limits."""
        return {
            digest: reason
            for run in reversed(self.all())
            if run.plan.context == context
            for digest, reason in run.refused_before().items()
        }

    @contextmanager
    def only_one(self) -> Iterator[None]:
        """Holds the folder while an import runs; a killed process lets go of it. Raises Conflict."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("w") as lock:
            if not (_locked(lock) or (time.sleep(_GLANCE_S) or _locked(lock))):
                raise Conflict("Another import is running. Wait until it is done, or stop it.")
            yield

    def state_of(self, run: Run) -> State:
        """How far it came: one that calls itself running although nobody works on it broke off."""
        state = run.standing.state
        return State.BROKEN_OFF if state is State.RUNNING and not self._busy() else state

    def _busy(self) -> bool:
        if not self.folder.is_dir():
            return False
        with (self.folder / "lock").open("w") as lock:
            return not _locked(lock)

    def forget(self, employee_id: str, name: str) -> int:
        """Takes a person out of all journals, as somebody erased; returns how many lines went.

        A copy of an upload with the person in it goes as a whole.
        """
        gone = 0
        for run in self.all():
            lines = list(_lines(run.folder / "outcomes.jsonl"))
            kept = [line for line in lines if not _names(line, (employee_id, name))]
            if len(kept) < len(lines):
                run.rewrite(kept)
                run.drop_upload()
                gone += len(lines) - len(kept)
        return gone

    def clean(self, now: datetime, keep: timedelta = KEEP) -> None:
        """Removes what is older than that, with uploads that nobody asks for any more."""
        for run in self.all():
            if run.standing.started_at < now - keep:
                run.drop_upload()
                shutil.rmtree(run.folder)
        if self.uploads.is_dir():
            wanted = {run.plan.source for run in self.all()}
            oldest = (now - timedelta(days=1)).timestamp()
            for path in self.uploads.iterdir():
                if str(path) not in wanted and path.stat().st_mtime < oldest:
                    path.unlink()


def write_run(folder: Path, plan: Plan, standing: Standing) -> None:
    """Writes `run.json`, whole or not at all."""
    value = {"plan": asdict(plan), "standing": asdict(standing)}
    new = folder / "run.new"
    new.write_text(json.dumps(value, default=str), encoding="utf-8")
    new.replace(folder / "run.json")


def _standing(value: dict[str, Any]) -> Standing:
    ended = value["ended_at"]
    return Standing(
        State(value["state"]),
        datetime.fromisoformat(value["started_at"]),
        datetime.fromisoformat(ended) if ended else None,
        value["total"],
        value["skipped"],
        value["problem"],
    )


def _names(line: dict[str, Any], words: Iterable[str]) -> bool:
    """Whether the id or the name stands anywhere in the line, also as a part of a file's name."""
    text = json.dumps(line, ensure_ascii=False).replace("_", " ")
    return any(re.search(rf"(?<!\w){re.escape(word.replace('_', ' '))}(?!\w)", text) for word in words)


def _locked(lock) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _line(value: Any) -> str:
    return json.dumps(value) + "\n"


def _append(path: Path, value: Any) -> None:
    # One write to the end of the file: a process that is killed leaves a part of one line at most.
    with path.open("ab", buffering=0) as file:
        file.write(_line(value).encode())


def _lines(path: Path) -> Iterator[Any]:
    """Every whole line; what a killed process left of its last one is passed over."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue
