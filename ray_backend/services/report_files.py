"""A whole report as a file, worked out and written where reports are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from ray_backend.domain.reporting.exports import Report
from ray_backend.domain.requests import SheetQuery
from ray_backend.domain.worktime.schedule import Rulebook
from ray_backend.services.file_jobs import FileJobs
from ray_backend.services.kiosk_figures import KioskFiguresService
from ray_backend.services.timesheet import TimesheetService


@dataclass(frozen=True, slots=True)
class ReportFile:
    """`data` is the file, `rows` how many rows it has, `zone` the time zone in which it was made."""

    data: bytes = field(repr=False)
    rows: int
    generated_at: datetime
    zone: str


class ReportFileService(FileJobs):
    """Reads only. Files of tables that are there already are made while somebody watches; see `FileJobs`."""

    def __init__(
        self,
        timesheets: TimesheetService,
        kiosk_figures: KioskFiguresService,
        rules: Callable[[], Rulebook],
    ) -> None:
        """`rules`: those in force."""
        super().__init__()
        self._timesheets = timesheets
        self._kiosk_figures = kiosk_figures
        self._rules = rules

    def make(self, report: Report, query: SheetQuery, file_format: str, title: str) -> ReportFile:
        """The rows that the page Reports shows for this query, in a file of this kind.

        Of the kiosks' decisions, which hold nobody's name, only the days of the query count. Raises
        InvalidInput, also where the rows are too many for a PDF.
        """
        from ray_backend.services import report_tables, table_files

        if report is Report.KIOSKS:
            made = self._kiosk_figures.figures(query.start, query.end)
            table = report_tables.of_kiosks(made, title)
        else:
            made = self._timesheets.sheet(query)
            sites = {site.site_id: site.name for site in self._rules().sites}
            table = report_tables.of_sheet(report, made, title, sites)
        data = table_files.to_bytes(table, file_format)
        return ReportFile(data, len(table), made.generated_at, made.zone)
