"""Makes scheduled exports when they are due, beside everything else that this process does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ray_backend.domain.errors import Forbidden, InvalidInput, NotFound, RollcallError
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.reporting.exports import (
    GIVEN_UP_AFTER,
    Run,
    RunState,
    ScheduledExport,
    Step,
    run_id_of,
    wait_after,
)
from ray_backend.domain.reporting.texts import TITLES
from ray_backend.domain.site import SiteSettings
from ray_backend.ports import Clock
from ray_backend.services.account_book import AccountBook
from ray_backend.services.audit import Auditor
from ray_backend.services.export_book import ExportBook, run_back_in_line
from ray_backend.services.export_delivery import Delivered, ExportDelivery
from ray_backend.services.gate import Call
from ray_backend.services.report_files import ReportFile

log = logging.getLogger(__name__)

EVERY_S = 10.0
ACTOR = "scheduled export"
_OFFICE = (Role.ADMIN, Role.MANAGER)
# Trying again would end the same way.
_FOR_GOOD = (Forbidden, InvalidInput, NotFound)
_FAULT = "The report could not be made because of a fault in Rollcall. The server's log has more."
_BACK = "Rollcall was stopped meanwhile."


class ExportRunner:
    """Each round notes a run for every due time, once, and then makes the runs whose turn it is.

    A run has the same id whenever it is noted, and is noted before the export moves on to its next time, so
    no due time is left out or made twice. A file is never written twice for a run; a message goes out twice
    only where the process dies after the mail server took it, with the same Message-ID.
    """

    def __init__(
        self,
        book: ExportBook,
        accounts: AccountBook,
        clock: Clock,
        site: Callable[[], SiteSettings],
        delivery: ExportDelivery,
        audit: Auditor,
    ) -> None:
        self._book = book
        self._accounts = accounts
        self._clock = clock
        self._site = site
        self._delivery = delivery
        self._audit = audit

    def _recover(self) -> None:
        """Lets runs go on that were under way when a process died or the database went away. One process at a
        time makes exports, one after the other, so between two rounds no run is under way."""
        now = self._clock.now()
        for run in self._book.interrupted():
            self._book.change_run(run_back_in_line(replace(run, said=_BACK), now), RunState.RUNNING)

    def round(self, call: Call, pool: ThreadPoolExecutor) -> None:
        """One round. `call` makes reports, `pool` runs them. May raise StoreUnavailable; the next round finds
        what this one left."""
        self._recover()
        now = self._clock.now()
        for export in self._book.due(now):
            self._note(export)
        for run in self._book.waiting(now):
            export = self._book.find(run.export_id)
            under_way = replace(run, state=RunState.RUNNING, attempts=run.attempts + 1)
            if export is None or not self._book.change_run(under_way, RunState.WAITING):
                continue
            self._execute(call, pool, export, under_way)

    def _note(self, export: ScheduledExport) -> None:
        """Of several due times that were missed, the last one is made up for."""
        now, timing, zone = self._clock.now(), export.wanted.timing, self._site().zone
        due, missed = timing.latest(export.due_at, now, zone)
        run_id = run_id_of(export.export_id, due)
        self._book.add_run(Run(export.export_id, due, now, now, run_id, missed=missed))
        self._book.change(replace(export, due_at=timing.next_after(now, zone)), export)

    def _execute(self, call: Call, pool: ThreadPoolExecutor, export: ScheduledExport, run: Run) -> None:
        """In a thread of the pool, whose future has whatever went wrong, a fault of ours, too."""
        progress = _Progress(self._book, run)
        error = pool.submit(self._make, call, export, progress).exception()
        if isinstance(error, RollcallError) and not isinstance(error, _FOR_GOOD) and self._in_time(run):
            self._try_again(progress.run, error.message)
            return
        self._settle(progress.run, error)
        if isinstance(error, Forbidden):
            self._switch_off(export, error.message)
        self._delivery.settle(export, progress.run)
        self._book.tidy(export.export_id)

    def _make(self, call: Call, export: ScheduledExport, progress: _Progress) -> None:
        site, wanted = self._site(), export.wanted
        caller = self._caller(export)
        today = progress.run.due_at.astimezone(site.zone).date()
        query = wanted.filter.query(today)
        title = TITLES[site.language][wanted.report]
        progress.tell(step=Step.MAKING, said="")
        arguments = (wanted.report, query, wanted.file_format, title)
        made: ReportFile = call(caller, "report_files", "make", arguments, {})
        progress.tell(rows=made.rows)
        self._delivery.deliver(Delivered(export, made, query.start, query.end, title, site), progress)

    def _caller(self, export: ScheduledExport) -> Caller:
        """The account as it is now. Raises Forbidden where it may not have this export any more."""
        owner, department = export.owner, export.wanted.filter.department
        found = self._accounts.find(owner)
        if found is None:
            raise Forbidden(f"The account {owner} does not exist any more.")
        account = found.account
        if not account.active:
            raise Forbidden(f"The account {owner} was shut.")
        if account.role not in _OFFICE:
            raise Forbidden(f"The account {owner} may not have scheduled exports any more.")
        bound = account.departments
        if department is not None and bound is not None and department not in bound:
            raise Forbidden(f"The account {owner} may not see the department {department} any more.")
        return account.caller

    def _settle(self, run: Run, error: BaseException | None) -> None:
        state, said = RunState.FAILED, _FAULT
        if error is None:
            state, said = RunState.DONE, run.said
        elif isinstance(error, RollcallError):
            said = error.message
        else:
            log.error("a scheduled export failed", exc_info=error)
        ended = replace(run, state=state, said=said, again_at=self._clock.now())
        self._book.change_run(ended, RunState.RUNNING)

    def _in_time(self, run: Run) -> bool:
        return self._clock.now() - run.since < GIVEN_UP_AFTER

    def _try_again(self, run: Run, said: str) -> None:
        later = self._clock.now() + wait_after(run.attempts)
        waiting = replace(run, state=RunState.WAITING, step=Step.NONE, again_at=later, said=said)
        self._book.change_run(waiting, RunState.RUNNING)

    def _switch_off(self, export: ScheduledExport, why: str) -> None:
        known = self._book.find(export.export_id)
        if known is not None and not known.off and self._book.change(replace(known, off=why), known):
            self._audit.record(ACTOR, "export.switched_off", export.export_id, why=why)


class _Progress:
    """The run as far as it has got, written down with each step."""

    def __init__(self, book: ExportBook, run: Run) -> None:
        self._book = book
        self.run = run

    def tell(self, **changes: object) -> None:
        """Raises NotFound when the export was removed meanwhile."""
        self.run = replace(self.run, **changes)
        if not self._book.change_run(self.run, RunState.RUNNING):
            raise NotFound("The export was removed meanwhile.")


class ExportTimer:
    """Makes rounds in a thread of its own, until it is closed."""

    def __init__(self, runner: ExportRunner, *, every_s: float = EVERY_S) -> None:
        self._runner = runner
        self._every_s = every_s
        self._closed = False
        self._now = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, call: Call) -> None:
        """Begins, once; `call` makes the reports."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(call,), name="exports", daemon=True)
            self._thread.start()

    def hurry(self) -> None:
        """The next round begins at once."""
        self._now.set()

    def close(self) -> None:
        """Ends the thread; a report that is being made goes on to its end."""
        self._closed = True
        self._now.set()

    def _run(self, call: Call) -> None:
        with ThreadPoolExecutor(1, thread_name_prefix="export") as pool:
            while not self._closed:
                try:
                    self._runner.round(call, pool)
                except RollcallError as error:
                    log.warning("scheduled exports wait: %s", error.message)
                self._now.wait(self._every_s)
                self._now.clear()
