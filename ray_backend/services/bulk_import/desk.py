"""Where imports are asked for, carried out and looked at: by the command line and by a page alike."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from ray_backend.domain.errors import InvalidInput, RollcallError
from ray_backend.domain.model import new_id
from ray_backend.services.bulk_import.entries import Entry, ImportLimits, PersonOutcome
from ray_backend.services.bulk_import.looking import Stopped
from ray_backend.services.bulk_import.names import TABLE_ENDINGS, ending, is_junk, safe_parts
from ray_backend.services.bulk_import.runner import Importer, Recording, Rules
from ray_backend.services.bulk_import.runs import Plan, Run, Runs, State
from ray_backend.services.bulk_import.sources import Source
from ray_backend.services.bulk_import.words import Reason

Told = Callable[[Run, PersonOutcome | None], None]


@dataclass(frozen=True, slots=True)
class Desk:
    """Imports with one backend. `folder` is where a page may take sources from; None: nowhere.

    `width`: how many photos can be looked at at once. `context`: see `Plan`.
    """

    backend: Recording
    runs: Runs
    limits: ImportLimits
    width: int
    context: str
    now: Callable[[], datetime]
    folder: Path | None = None

    def carry_out(
        self, plan: Plan, told: Told = lambda run, outcome: None, stop: threading.Event | None = None
    ) -> Run:
        """Imports until it is done or somebody stops it; goes on with an unfinished run of the same work.

        `told` hears of the run once it is open, and of each person. Raises Conflict while another import
        runs, Unavailable when a service stays away, and InvalidInput for a source that cannot be read.
        """
        stop = stop or threading.Event()
        with self.runs.only_one():
            self.runs.clean(self.now())
            run = self.runs.unfinished(plan) or self.runs.new(plan, self.now())
            run.continued()
            run.stands(state=State.RUNNING, ended_at=None, problem="")
            problem, state = "", State.STOPPED
            try:
                self._import(run, told, stop)
                state = State.DONE
            except Stopped:
                pass
            except RollcallError as error:
                problem, state = error.message, State.BROKEN_OFF
                raise
            finally:
                run.stands(state=state, problem=problem, ended_at=self.now())
            if state is State.DONE and not plan.dry_run:
                run.drop_upload()
        return run

    def start(self, plan: Plan) -> None:
        """As `carry_out`, in the background of this process. Returns when it has begun.

        Raises what `carry_out` raises before it has begun.
        """
        begun: list[RollcallError] = []
        ready = threading.Event()

        def work() -> None:
            try:
                self.carry_out(plan, lambda run, outcome: ready.set())
            except RollcallError as error:
                # Later ones stand with the run, where the page finds them.
                begun.append(error)
            finally:
                ready.set()

        threading.Thread(target=work, name="import", daemon=True).start()
        ready.wait()
        if begun:
            raise begun[0]

    def newest(self) -> Run | None:
        """The import that was started last."""
        return next(iter(self.runs.all()), None)

    def keep_upload(self, file: BinaryIO, name: str) -> Path:
        """A copy of an upload, for as long as its import lasts. Raises InvalidInput for another kind of
        file."""
        if ending(name) not in {".zip", *TABLE_ENDINGS}:
            raise InvalidInput("Choose a .zip, .csv or .xlsx file.")
        self.runs.uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.runs.uploads / f"{new_id()}{ending(name)}"
        with path.open("xb") as copy:
            shutil.copyfileobj(file, copy)
        return path

    def on_the_server(self) -> list[str]:
        """What lies in the folder that a page may take sources from."""
        if self.folder is None or not self.folder.is_dir():
            return []
        return sorted(
            path.name
            for path in self.folder.iterdir()
            if not is_junk((path.name,))
            and not path.is_symlink()
            and (path.is_dir() or ending(path.name) in {".zip", *TABLE_ENDINGS})
        )

    def path_on_the_server(self, name: str) -> Path:
        """The source of this name in that folder. Raises InvalidInput for anything outside it."""
        parts = safe_parts(name)
        if self.folder is None or isinstance(parts, Reason) or parts[0] not in self.on_the_server():
            raise InvalidInput("There is no such folder or file among those that may be imported.")
        return self.folder / parts[0]

    def _import(self, run: Run, told: Told, stop: threading.Event) -> None:
        plan = run.plan
        rules = Rules(plan.actor, self.width, plan.dry_run, plan.without_consent)
        importer = Importer(
            self.backend,
            rules,
            refused_before=self.runs.refused_before(plan.context),
            remember=run.remember,
            stop=stop,
        )
        done_before = run.done_before()
        agreed = {"table": False}

        def done(entry: Entry, outcome: PersonOutcome) -> None:
            run.add(entry, outcome)
            agreed["table"] |= bool(entry.draft and entry.draft.consent)
            told(run, outcome)
            if run.stop_asked:
                stop.set()

        with Source(Path(plan.source), self.limits, consent=plan.consent) as source:
            run.stands(total=source.count())
            told(run, None)
            importer.run(_without(source.people(), done_before), done)
            run.stands(skipped=source.skipped)
        if not plan.dry_run:
            word = "flag" if plan.consent else "table" if agreed["table"] else "none"
            self.backend.imports.finished(run.tally().counts._asdict(), word, actor=plan.actor)


def _without(entries: Iterator[Entry], done: set[tuple[str, str]]) -> Iterator[Entry]:
    return (entry for entry in entries if (entry.place, entry.mark) not in done)
