"""Where a scheduled export goes once it is made: a folder of the server, e-mail, or both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from zoneinfo import ZoneInfo

from ray_backend.domain.reporting.exports import Run, ScheduledExport, Step
from ray_backend.domain.reporting.texts import MESSAGES, SUBJECTS, TEST_MESSAGES, TEST_SUBJECTS
from ray_backend.domain.site import SiteSettings
from ray_backend.ports import Clock
from ray_backend.services.export_folder import ExportFolder
from ray_backend.services.export_mail import Attachment, Mail, MailSender
from ray_backend.services.report_files import ReportFile

_MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "json": "application/json",
}
_NO_FILE_NAME = re.compile(r"[^\w-]+")


class Progress(Protocol):
    """A run, and the way to write down how far it has got."""

    run: Run

    def tell(self, **changes: object) -> None:
        """Raises NotFound when the export was removed meanwhile."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A report that is made, and what is said about it."""

    export: ScheduledExport
    made: ReportFile
    start: date
    end: date
    title: str
    site: SiteSettings

    @property
    def stem(self) -> str:
        """What its file is called: name of the export and days, no person's name."""
        name = _NO_FILE_NAME.sub("-", self.export.wanted.name).strip("-") or self.export.wanted.report
        return f"{name}_{self.start}_{self.end}"


class ExportDelivery:
    """Delivers a report, each way once for each run."""

    def __init__(self, folder: ExportFolder, mail: MailSender, clock: Clock) -> None:
        self._folder = folder
        self._mail = mail
        self._clock = clock

    def deliver(self, ready: Delivered, progress: Progress) -> None:
        """To everywhere that it has not got to yet. Raises InvalidInput, NotFound and Unavailable."""
        wanted, run = ready.export.wanted, progress.run
        if wanted.folder is not None and not run.file:
            progress.tell(step=Step.WRITING)
            ending, data = wanted.file_format, ready.made.data
            file = self._folder.publish(wanted.folder, ready.stem, ending, run.run_id, data)
            progress.tell(file=file)
        if wanted.recipients and not run.mailed:
            progress.tell(step=Step.SENDING)
            refused = self._mail.send(self._message(ready, run.run_id))
            said = f"The mail server did not take: {', '.join(refused)}." if refused else ""
            progress.tell(mailed=True, said=said)

    def settle(self, export: ScheduledExport, run: Run) -> None:
        """Clears away what finds a file again while its run is not noted as done. Raises Unavailable."""
        if export.wanted.folder is not None:
            self._folder.settle(export.wanted.folder, run.run_id)

    def test_message(self, address: str, unique: str, site: SiteSettings) -> Mail:
        """A message that only says that e-mail works."""
        return Mail(
            TEST_SUBJECTS[site.language].format(site=site.site_name),
            TEST_MESSAGES[site.language],
            (address,),
            self._mail.message_id(unique),
            self._clock.now(),
        )

    def _message(self, ready: Delivered, run_id: str) -> Mail:
        wanted, site, made = ready.export.wanted, ready.site, ready.made
        at = made.generated_at.astimezone(ZoneInfo(made.zone))
        words = {
            "site": site.site_name,
            "title": ready.title,
            "start": ready.start,
            "end": ready.end,
            "rows": made.rows,
            "made": f"{at:%Y-%m-%d %H:%M}",
            "zone": made.zone,
            "name": wanted.name,
        }
        return Mail(
            SUBJECTS[site.language].format(**words),
            MESSAGES[site.language].format(**words),
            wanted.recipients,
            self._mail.message_id(run_id),
            self._clock.now(),
            Attachment(f"{ready.stem}.{wanted.file_format}", _MEDIA_TYPES[wanted.file_format], made.data),
        )
