"""Exports that are made by themselves: what, when and where to, and what became of each time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.model import new_id
from ray_backend.domain.reporting.filters import LONGEST_NAME, ReportFilter
from ray_backend.domain.reporting.timing import Timing
from ray_backend.domain.requests import checked_line

FORMATS = ("csv", "xlsx", "pdf", "json")
MOST_ADDRESSES = 20
GIVEN_UP_AFTER = timedelta(days=1)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
# What mail servers take without quotes; everybody's address is like that.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


class Report(StrEnum):
    """What can be exported by itself. The names are those of the page Reports; BALANCES is its timesheet
    of everybody."""

    DAYS = "days"
    GRID = "grid"
    BALANCES = "balances"
    LATE = "late"
    ABSENCES = "absences"
    OVERTIME = "overtime"
    KIOSKS = "kiosks"


class RunState(StrEnum):
    """What became of one time. WAITING for its turn, or to be tried again."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Step(StrEnum):
    """Where a run has got to."""

    NONE = ""
    MAKING = "making"
    WRITING = "writing"
    SENDING = "sending"


@dataclass(frozen=True, slots=True)
class ExportDraft:
    """What somebody wants. `filter` has a period. `folder` lies below the server's folder for exports, an
    empty one is that folder itself, None: no file is kept. `recipients` are e-mail addresses."""

    name: str
    report: Report
    filter: ReportFilter
    file_format: str
    timing: Timing
    folder: str | None = None
    recipients: tuple[str, ...] = ()

    def checked(self) -> ExportDraft:
        """The same, cleaned. Raises InvalidInput."""
        if self.file_format not in FORMATS:
            raise InvalidInput("There is no such kind of file. Choose it from the list.")
        if self.filter.period is None:
            raise InvalidInput("Choose days that move along, such as last month: fixed days never change.")
        if self.folder is None and not self.recipients:
            raise InvalidInput("Choose where to: a folder on the server, e-mail addresses, or both.")
        return replace(
            self,
            name=checked_line(self.name, "name of the export", LONGEST_NAME),
            report=Report(self.report),
            filter=self.filter.checked(),
            timing=self.timing.checked(),
            recipients=checked_addresses(self.recipients),
        )


@dataclass(frozen=True, slots=True)
class ScheduledExport:
    """An export that comes back. It is made with the rights of the account `owner` at that time.

    `due_at` is when it is made next. `off` says in a sentence why it is not made any more; empty: it is.
    """

    wanted: ExportDraft
    owner: str
    created_at: datetime
    due_at: datetime
    off: str = ""
    export_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Run:
    """One time that an export was due, or was asked for (`by_hand`).

    `due_at` is the moment that the days of the report are seen from, `again_at` when it is its turn. `missed`
    due times before this one were left out because Rollcall was not running. `file` is its name below the
    folder for exports, once it lies there; `mailed`, whether the mail server took the message. `said` is why
    it failed, or what was not as it should be.
    """

    export_id: str
    due_at: datetime
    since: datetime
    again_at: datetime
    run_id: str
    by_hand: bool = False
    state: RunState = RunState.WAITING
    step: Step = Step.NONE
    attempts: int = 0
    missed: int = 0
    rows: int | None = None
    file: str = ""
    mailed: bool = False
    said: str = ""

    @property
    def settled(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in (RunState.DONE, RunState.FAILED)


@dataclass(frozen=True, slots=True)
class Ways:
    """Where exports can go on this server: a folder, and e-mail with its `sender`'s address."""

    folder: bool
    mail: bool
    sender: str = ""


def run_id_of(export_id: str, due_at: datetime) -> str:
    """The same for the same due time, whoever asks and however often: 32 hexadecimal characters."""
    return hashlib.sha256(f"{export_id}/{due_at.isoformat()}".encode()).hexdigest()[:32]


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts that failed, from 1 on: a minute, doubling up to an hour."""
    return min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(attempts - 1, 10))


def checked_addresses(texts: Sequence[str]) -> tuple[str, ...]:
    """E-mail addresses, each once, in their order. Raises InvalidInput."""
    addresses = tuple(dict.fromkeys(filter(None, (text.strip() for text in texts))))
    if len(addresses) > MOST_ADDRESSES:
        raise InvalidInput(f"An export goes to at most {MOST_ADDRESSES} addresses.")
    for address in addresses:
        if len(address) > 254 or not _ADDRESS.fullmatch(address):
            raise InvalidInput(f"{address} is no e-mail address such as ada@example.org.")
    return addresses
