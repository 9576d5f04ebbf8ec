"""Scheduled exports: reports that are made by themselves and put into a folder or sent by e-mail."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from ray_backend.domain.errors import Conflict, InvalidInput, NotFound, RollcallError
from ray_backend.domain.model import new_id
from ray_backend.domain.reporting.exports import (
    ExportDraft,
    Run,
    ScheduledExport,
    Ways,
    checked_addresses,
)
from ray_backend.domain.site import SiteSettings
from ray_backend.ports import Clock, Store
from ray_backend.services.account_book import AccountBook
from ray_backend.services.audit import Auditor
from ray_backend.services.export_book import ExportBook
from ray_backend.services.export_delivery import ExportDelivery
from ray_backend.services.export_folder import ExportFolder
from ray_backend.services.export_mail import TEST_TIMEOUT_S, MailSender, MailServer
from ray_backend.services.export_runner import ExportRunner, ExportTimer
from ray_backend.services.gate import Call

MOST_EXPORTS = 100


class ExportService:
    """Keeps what is to be exported, and shows what became of it. `start` begins to make it."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        accounts: AccountBook,
        site: Callable[[], SiteSettings],
        folder: ExportFolder,
        mail: MailSender,
    ) -> None:
        """`accounts` say what the owner of an export may do by then; `site`: the settings in force."""
        self._clock = clock
        self._site = site
        self._folder = folder
        self._mail = mail
        self._book = ExportBook(store)
        self._audit = Auditor(store, clock)
        self._delivery = ExportDelivery(folder, mail, clock)
        self._runner = ExportRunner(self._book, accounts, clock, site, self._delivery, self._audit)
        self._timer = ExportTimer(self._runner)

    def ways(self) -> Ways:
        """Where exports can go on this server."""
        return Ways(self._folder.there, self._mail.there, self._mail.sender)

    def all(self, *, owner: str | None = None) -> list[ScheduledExport]:
        """The exports of an account, or of everybody, by name."""
        return [one for one in self._book.all() if owner is None or one.owner == owner]

    def get(self, export_id: str) -> ScheduledExport:
        """Raises NotFound."""
        return self._book.get(export_id)

    def add(self, draft: ExportDraft, *, actor: str) -> ScheduledExport:
        """A new export, made with the rights of `actor` from its next due time on.

        Raises InvalidInput, and Conflict for a name that there is.
        """
        wanted, known = self._checked(draft), self._book.all()
        if len(known) >= MOST_EXPORTS:
            raise InvalidInput(f"There can be {MOST_EXPORTS} scheduled exports. Remove one first.")
        self._refuse_taken_name(wanted, known)
        now = self._clock.now()
        export = ScheduledExport(wanted, actor, now, wanted.timing.next_after(now, self._site().zone))
        self._book.add(export)
        self._audit.record(actor, "export.added", export.export_id, **_told(wanted))
        return export

    def change(self, export_id: str, draft: ExportDraft, *, actor: str) -> ScheduledExport:
        """Replaces what is wanted, switches it on, and goes on with the rights of `actor`.

        Raises InvalidInput, NotFound, and Conflict for a name that there is.
        """
        wanted, before = self._checked(draft), self._book.get(export_id)
        self._refuse_taken_name(wanted, [one for one in self._book.all() if one.export_id != export_id])
        due_at = wanted.timing.next_after(self._clock.now(), self._site().zone)
        after = replace(before, wanted=wanted, owner=actor, due_at=due_at, off="")
        self._replace(after, before)
        self._audit.change(actor, "export.changed", export_id, _told(before.wanted), _told(wanted))
        return after

    def switch_off(self, export_id: str, *, actor: str) -> None:
        """It is not made any more until it is changed or switched on. Raises NotFound."""
        before = self._book.get(export_id)
        if not before.off:
            self._replace(replace(before, off=f"Switched off by {actor}."), before)
            self._audit.record(actor, "export.switched_off", export_id)

    def switch_on(self, export_id: str, *, actor: str) -> None:
        """It is made again from its next due time on, with the rights of `actor`. Raises NotFound."""
        before = self._book.get(export_id)
        due_at = before.wanted.timing.next_after(self._clock.now(), self._site().zone)
        self._replace(replace(before, off="", owner=actor, due_at=due_at), before)
        self._audit.record(actor, "export.switched_on", export_id)

    def remove(self, export_id: str, *, actor: str) -> None:
        """Removes an export and the list of its runs; files and messages stay where they are. Raises
        NotFound."""
        self._book.get(export_id)
        self._book.remove(export_id)
        self._audit.record(actor, "export.removed", export_id)

    def send_now(self, export_id: str, *, actor: str) -> Run:
        """Makes it once, at once, as if it were due now, besides its due times; `runs` says how it goes.

        Raises NotFound, and Conflict while one that was asked for goes on.
        """
        if any(run.by_hand and not run.settled for run in self.runs(export_id)):
            raise Conflict("It is being made already. Its progress is below.")
        now = self._clock.now()
        run = Run(export_id, now, now, now, new_id(), by_hand=True)
        self._book.add_run(run)
        self._audit.record(actor, "export.sent_now", export_id)
        self._timer.hurry()
        return run

    def runs(self, export_id: str, limit: int = 20) -> list[Run]:
        """What became of the last times, the last one first. Raises NotFound."""
        self._book.get(export_id)
        return self._book.runs(export_id)[:limit]

    def test_mail(self, address: str, *, actor: str) -> str:
        """Sends a short message now, and says why it failed, or nothing.

        Raises InvalidInput for what is no address.
        """
        addresses = checked_addresses([address])
        if not addresses:
            raise InvalidInput("The e-mail address is missing.")
        message = self._delivery.test_message(addresses[0], new_id(), self._site())
        self._audit.record(actor, "export.mail_tested", "site")
        try:
            refused = self._mail.send(message, timeout_s=TEST_TIMEOUT_S)
        except RollcallError as error:
            return error.message
        return "The mail server did not take the address." if refused else ""

    def forget(self, employee_id: str, name: str) -> int:
        """Removes all exports that look for this person, who is erased; says how many."""
        naming = [one for one in self._book.all() if one.wanted.filter.names(employee_id, name)]
        for export in naming:
            self._book.remove(export.export_id)
            self._audit.record("erasing", "export.removed", export.export_id)
        return len(naming)

    def start(self, call: Call) -> None:
        """Makes what is due, in a thread of this process. `call` makes the reports, wherever that is done."""
        self._timer.start(call)

    def stop(self) -> None:
        """Ends that thread."""
        self._timer.close()

    def round(self, call: Call) -> None:
        """What the thread does every ten seconds: makes all that is due. May raise StoreUnavailable."""
        with ThreadPoolExecutor(1) as pool:
            self._runner.round(call, pool)

    def _checked(self, draft: ExportDraft) -> ExportDraft:
        wanted = draft.checked()
        if wanted.recipients and not self._mail.there:
            raise InvalidInput("This server sends no e-mail. Choose a folder.")
        if wanted.folder is None:
            return wanted
        return replace(wanted, folder=self._folder.checked(wanted.folder))

    def _refuse_taken_name(self, wanted: ExportDraft, others: list[ScheduledExport]) -> None:
        if any(one.wanted.name.casefold() == wanted.name.casefold() for one in others):
            raise Conflict("There is an export with this name. Choose another one.")

    def _replace(self, after: ScheduledExport, before: ScheduledExport) -> None:
        if not self._book.change(after, before):
            raise NotFound("This export was changed or removed meanwhile. Look at it again.")


def export_service(
    store: Store, clock: Clock, accounts: AccountBook, site: Callable[[], SiteSettings], settings: Any
) -> ExportService:
    """The service with the folder and the mail server of this process's `Settings`."""
    password = settings.smtp_password
    server = MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_user,
        password.get_secret_value() if password else "",
        settings.smtp_sender,
    )
    folder, mail = ExportFolder(settings.export_dir), MailSender(server)
    return ExportService(store, clock, accounts, site, folder, mail)


def _told(wanted: ExportDraft) -> dict[str, object]:
    """What the audit log keeps: no address, and nobody's name."""
    timing = wanted.timing
    return {
        "report": wanted.report.value,
        "format": wanted.file_format,
        "rhythm": timing.rhythm.value,
        "at": f"{timing.at:%H:%M}",
        "folder": wanted.folder is not None,
        "recipients": len(wanted.recipients),
    }
