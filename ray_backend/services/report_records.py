"""The services that read much and change nothing, over a store of their own: reports that need seconds."""

from __future__ import annotations

import gc
from dataclasses import dataclass

from ray_backend.domain.model import Pack
from ray_backend.domain.site import SiteSettings
from ray_backend.ports import Clock, Store
from ray_backend.services import rules, site
from ray_backend.services.corrections import CorrectionService
from ray_backend.services.kiosk_figures import KioskFiguresService
from ray_backend.services.leave import LeaveService
from ray_backend.services.policy import Policy
from ray_backend.services.reach import Reach, RememberedSettings
from ray_backend.services.report_files import ReportFileService
from ray_backend.services.timesheet import TimesheetService


@dataclass(frozen=True)
class ReportRecords:
    """Stands for `bootstrap.Records` behind a gate where nothing but these is asked for.

    The gate can narrow a query to departments here, but it cannot look up whether a session still holds:
    that is done where the sessions are written.
    """

    timesheets: TimesheetService
    kiosk_figures: KioskFiguresService
    report_files: ReportFileService


# The services of `ReportRecords` by their names at the gate.
REPORTS = ("timesheets", "kiosk_figures", "report_files")
_ROWS_BETWEEN_COLLECTIONS = 50_000


def collect_rarely() -> None:
    """Tunes a process that makes reports only: hundreds of thousands of rows come about, none of them in a
    circle, and looking for circles after every seven hundred takes a third of the time."""
    gc.set_threshold(_ROWS_BETWEEN_COLLECTIONS, 20, 20)


def report_records(store: Store, clock: Clock, pack: Pack, defaults: SiteSettings) -> ReportRecords:
    """The reports over this store. `defaults` is what the environment says of the site.

    Raises StoreUnavailable.
    """
    remembered = RememberedSettings(store, Reach(store), site.KEY, rules.KEY)
    settings = site.SiteService(store, clock, defaults, remembered, liveness_models=False)
    policy = Policy(pack, settings.current)
    corrections, leave = CorrectionService(store, clock), LeaveService(store, clock)
    book = rules.RuleService(store, clock, remembered, lambda: settings.current().language)
    timesheets = TimesheetService(store, clock, policy, book, corrections, leave)
    figures = KioskFiguresService(store, clock, policy)
    return ReportRecords(timesheets, figures, ReportFileService(timesheets, figures, book.current))
