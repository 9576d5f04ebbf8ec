"""Scheduled exports: made when they are due, once, with the rights of whoever set them up."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import monotonic, sleep

import openpyxl
import pandas as pd
import pytest
from pypdf import PdfReader

from ray_backend.client import Backend
from ray_backend.domain.accounts import Account, AccountDraft
from ray_backend.domain.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    StoreUnavailable,
    Unavailable,
)
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.reporting.exports import ExportDraft, Report, Run, RunState, ScheduledExport
from ray_backend.domain.reporting.filters import ReportFilter
from ray_backend.domain.reporting.periods import Period
from ray_backend.domain.reporting.timing import Rhythm, Timing
from ray_backend.domain.requests import SheetQuery
from ray_backend.services import report_files
from ray_backend.services.account_book import Entry
from ray_backend.services.export_book import ExportBook
from ray_backend.services.export_delivery import ExportDelivery
from ray_backend.services.export_folder import ExportFolder
from ray_backend.services.export_mail import MailSender
from ray_backend.services.timesheet import TimesheetService
from tests.unit.services.mail_stage import Letterbox, mail_server

# The site's clock stands at 2 March 2026, a Monday, 09:00 in Berlin.
DAILY = Timing(Rhythm.DAILY, time(18))
DRAFT = ExportDraft("Today", Report.DAYS, ReportFilter(Period.TODAY), "csv", DAILY, folder="")
ADA, MARIA = Caller("ada", Role.ADMIN), Caller("maria", Role.MANAGER, ("Sales",))


class Desk:
    """A site with accounts, people who are at work, a folder and a mail server."""

    def __init__(self, site, root: Path, box: Letterbox) -> None:
        self.site, self.root, self.box = site, root, box
        for caller in (ADA, MARIA):
            made = Account(caller.name, caller.name, caller.role, site.clock.now(), caller.departments)
            site.backend._records.accounts.book.put(Entry(made))
        for who, department in ((1, "Sales"), (2, "Engines")):
            site.enrol(who, department=department)
            site.check_in(who)

    def acting(self, caller: Caller = ADA) -> Backend:
        return self.site.backend.acting_as(caller)

    def add(self, draft: ExportDraft = DRAFT, caller: Caller = ADA) -> ScheduledExport:
        return self.acting(caller).exports.add(draft, actor="x")

    def round(self, **later: float) -> None:
        """After so much time, what the thread does."""
        self.site.clock.move(**later)
        self.site.backend.exports.round(self.site.backend._records.call)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.root.rglob("*") if path.is_file())

    def runs(self, export: ScheduledExport) -> list[Run]:
        return self.site.backend.exports.runs(export.export_id)

    def now_of(self, export: ScheduledExport) -> ScheduledExport:
        return self.site.backend.exports.get(export.export_id)


@pytest.fixture(scope="module")
def listening(tmp_path_factory) -> Iterator[Letterbox]:
    with mail_server(tmp_path_factory.mktemp("mail")) as server:
        yield server


@pytest.fixture
def box(listening) -> Letterbox:
    """The one server, empty."""
    listening.received.clear()
    listening.refused, listening.answer = set(), "250 taken"
    return listening


@pytest.fixture
def desk(open_site, tmp_path, box) -> Desk:
    root = tmp_path / "exports"
    root.mkdir()
    settings = {
        "export_dir": root, "smtp_host": "localhost", "smtp_port": box.port, "smtp_security": "off",
        "smtp_sender": "rollcall@example.org",
    }  # fmt: skip
    return Desk(open_site(**settings), root, box)


def rows(data: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(data), encoding="utf-8-sig", dtype=str, keep_default_na=False)


# When it is made


def test_it_is_made_when_it_is_due_and_once(desk):
    export = desk.add()
    desk.round()
    assert desk.files() == []
    desk.round(hours=9)
    desk.round()
    assert desk.files() == ["Today_2026-03-02_2026-03-02.csv"]
    (run,) = desk.runs(export)
    assert (run.state, run.rows, run.file) == (RunState.DONE, 2, desk.files()[0])
    desk.round(days=1)
    assert [run.file for run in desk.runs(export)] == [
        "Today_2026-03-03_2026-03-03.csv",
        "Today_2026-03-02_2026-03-02.csv",
    ]


def test_missed_times_are_made_up_for_once_with_the_days_of_the_last_one(desk):
    export = desk.add(replace(DRAFT, filter=ReportFilter(Period.YESTERDAY)))
    desk.round(days=5)
    (run,) = desk.runs(export)
    assert run.missed == 4
    assert run.due_at.astimezone(UTC) == datetime(2026, 3, 6, 17, tzinfo=UTC)
    assert desk.files() == ["Today_2026-03-05_2026-03-05.csv"]
    assert desk.now_of(export).due_at == datetime(2026, 3, 7, 17, tzinfo=UTC)


def test_the_days_are_those_of_the_due_time_however_late_it_is_made(desk, monkeypatch):
    export = desk.add(replace(DRAFT, timing=Timing(Rhythm.DAILY, time(23, 55))))
    refuse(monkeypatch, Unavailable("The disk is away."))
    desk.round(hours=15)
    monkeypatch.undo()
    desk.round(hours=2)
    assert desk.files() == ["Today_2026-03-02_2026-03-02.csv"], "not of the day after"
    assert desk.runs(export)[0].attempts == 2


def test_over_the_night_of_the_clock_change_there_is_one_file_a_day(desk):
    export = desk.add(replace(DRAFT, timing=Timing(Rhythm.DAILY, time(2, 30))))
    desk.site.clock.at = datetime(2026, 10, 23, 22, tzinfo=UTC)
    desk.round()
    for _ in range(4 * 24):
        desk.round(minutes=30)
    made = [run.file for run in desk.runs(export)]
    assert made[:-1] == ["Today_2026-10-25_2026-10-25.csv", "Today_2026-10-24_2026-10-24.csv"]


def test_after_a_change_of_the_time_zone_it_keeps_to_the_new_one(desk):
    export = desk.add()
    desk.acting().site.change({"time_zone": "Asia/Tokyo"}, actor="x")
    desk.round(hours=9)
    assert desk.now_of(export).due_at == datetime(2026, 3, 3, 9, tzinfo=UTC)


# What comes out


def expected(desk, query: SheetQuery, caller: Caller = ADA) -> pd.DataFrame:
    return desk.acting(caller).timesheets.sheet(query).days


def test_each_kind_of_file_holds_the_rows_of_the_report(desk):
    for file_format in ("csv", "xlsx", "pdf", "json"):
        desk.add(replace(DRAFT, name=file_format, file_format=file_format))
    desk.round(hours=9)
    today = datetime(2026, 3, 2).date()
    days = expected(desk, SheetQuery(today, today))
    names, came = list(days["name"]), [f"{at:%Y-%m-%dT%H:%M:%S}" for at in days["first_in"]]
    stem = f"_{today}_{today}"
    table = rows((desk.root / f"csv{stem}.csv").read_bytes())
    assert (list(table["Name"]), list(table["First in"])) == (names, came)
    assert set(table["Time zone"]) == {"Europe/Berlin"}
    sheet = openpyxl.load_workbook(desk.root / f"xlsx{stem}.xlsx").active
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    head = next(row for row in cells if "Name" in row)
    below = cells[cells.index(head) + 1 :]
    assert [row[head.index("Name")] for row in below[: len(names)]] == names
    told = json.loads((desk.root / f"json{stem}.json").read_bytes())
    assert [row["first_in"] for row in told["rows"]] == came
    printed = "".join(page.extract_text() for page in PdfReader(desk.root / f"pdf{stem}.pdf").pages)
    assert all(name in printed for name in names)


@pytest.mark.parametrize("report", Report)
def test_every_report_can_be_exported(desk, report):
    desk.add(replace(DRAFT, name=report.value, report=report))
    desk.round(hours=9)
    (run,) = desk.runs(desk.site.backend.exports.all()[0])
    assert (run.state, run.said) == (RunState.DONE, "")
    assert len(rows((desk.root / run.file).read_bytes())) == run.rows


def test_statuses_and_departments_of_the_filter_count(desk):
    wanted = ReportFilter(Period.TODAY, department="Engines", statuses=("at_work", "incomplete"))
    desk.add(replace(DRAFT, filter=wanted))
    desk.round(hours=9)
    assert list(rows((desk.root / desk.files()[0]).read_bytes())["Department"]) == ["Engines"]


def test_the_message_has_the_file_and_plain_words(desk):
    desk.add(replace(DRAFT, folder=None, recipients=("hr@example.org", "ceo@example.org")))
    desk.round(hours=9)
    (message,) = desk.box.received
    assert message["Subject"] == "Rollcall: Attendance, 2026-03-02 to 2026-03-02"
    text = message.get_body().get_content()
    assert '"Attendance" of Rollcall, 2026-03-02 to 2026-03-02 (2 rows)' in text
    assert "2026-03-02 18:00 (Europe/Berlin)" in text
    assert "Person 1" not in text
    (file,) = message.iter_attachments()
    assert list(rows(file.get_payload(decode=True))["Name"]) == ["Person 1", "Person 2"]
    assert desk.files() == []


def test_a_german_site_writes_german(desk):
    desk.acting().site.change({"language": "de", "site_name": "Werk Süd"}, actor="x")
    desk.add(replace(DRAFT, report=Report.ABSENCES, recipients=("hr@example.org",)))
    desk.round(hours=9)
    (message,) = desk.box.received
    assert message["Subject"] == "Werk Süd: Abwesenheiten, 2026-03-02 bis 2026-03-02"
    assert "Anbei der Bericht „Abwesenheiten“" in message.get_body().get_content()


# Whose rights


def test_a_managers_export_holds_their_departments_only(desk):
    desk.add(caller=MARIA)
    desk.round(hours=9)
    assert list(rows((desk.root / desk.files()[0]).read_bytes())["Department"]) == ["Sales"]


def test_it_is_narrowed_by_the_departments_of_the_day(desk):
    desk.add(caller=MARIA)
    desk.acting().accounts.change("maria", AccountDraft("Maria", Role.MANAGER, ("Engines",)), actor="x")
    desk.round(hours=9)
    assert list(rows((desk.root / desk.files()[0]).read_bytes())["Department"]) == ["Engines"]


def lowered(desk) -> None:
    desk.acting().accounts.change("maria", AccountDraft("Maria", Role.VIEWER, ("Sales",)), actor="x")


def shut(desk) -> None:
    desk.acting().accounts.set_active("maria", False, actor="x")


def moved(desk) -> None:
    desk.acting().accounts.change("maria", AccountDraft("Maria", Role.MANAGER, ("Engines",)), actor="x")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lowered, "may not have scheduled exports any more"),
        (shut, "was shut"),
        (moved, "may not see the department Sales any more"),
    ],
)
def test_it_ends_with_the_rights_of_its_owner_and_says_so(desk, change, words):
    export = desk.add(replace(DRAFT, filter=ReportFilter(Period.TODAY, department="Sales")), MARIA)
    change(desk)
    desk.round(hours=9)
    desk.round(days=1)
    assert desk.files() == []
    assert words in desk.now_of(export).off
    (run,) = desk.runs(export)
    assert (run.state, run.said) == (RunState.FAILED, desk.now_of(export).off)
    assert [entry.action for entry in desk.site.audit() if entry.subject == export.export_id] == [
        "export.added",
        "export.switched_off",
    ]


def test_an_account_that_is_not_there_exports_nothing(desk):
    site = desk.site
    export = desk.add()
    site.store.put_setting("account/ada", None)
    again = site.restarted()
    site.clock.move(hours=9)
    again.backend.exports.round(again.backend._records.call)
    assert "does not exist" in again.backend.exports.get(export.export_id).off
    assert desk.files() == []


def test_an_administrator_takes_over_what_ended(desk):
    export = desk.add(replace(DRAFT, filter=ReportFilter(Period.LAST_7_DAYS)), MARIA)
    shut(desk)
    desk.round(hours=9)
    desk.acting().exports.switch_on(export.export_id, actor="x")
    desk.round(days=1)
    assert desk.now_of(export).owner == "ada"
    departments = set(rows((desk.root / desk.files()[0]).read_bytes())["Department"])
    assert departments == {"Sales", "Engines"}, "of all departments now"


def test_managers_see_and_change_their_own_only(desk):
    own, others = desk.add(replace(DRAFT, name="Own"), MARIA), desk.add()
    exports = desk.acting(MARIA).exports
    assert [one.wanted.name for one in exports.all()] == ["Own"]
    assert [one.wanted.name for one in exports.all(owner="ada")] == ["Own"]
    assert [one.wanted.name for one in desk.acting().exports.all()] == ["Own", "Today"]
    changes = (
        lambda: exports.get(others.export_id),
        lambda: exports.runs(others.export_id),
        lambda: exports.remove(others.export_id, actor="x"),
        lambda: exports.send_now(others.export_id, actor="x"),
        lambda: exports.switch_off(others.export_id, actor="x"),
        lambda: exports.switch_on(others.export_id, actor="x"),
        lambda: exports.change(others.export_id, DRAFT, actor="x"),
    )
    for change in changes:
        with pytest.raises(NotFound):
            change()
    exports.remove(own.export_id, actor="x")


def test_a_manager_may_not_name_another_department(desk):
    engines = replace(DRAFT, filter=ReportFilter(Period.TODAY, department="Engines"))
    with pytest.raises(Forbidden):
        desk.add(engines, MARIA)
    own = desk.add(caller=MARIA)
    with pytest.raises(Forbidden):
        desk.acting(MARIA).exports.change(own.export_id, engines, actor="x")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.KIOSK, Role.RECOGNIZER, Role.MONITOR])
def test_nobody_else_has_any(desk, role):
    exports = desk.acting(Caller("vera", role)).exports
    for call in (exports.all, exports.ways, lambda: exports.add(DRAFT, actor="x")):
        with pytest.raises(Forbidden):
            call()


# When something goes wrong


def refuse(monkeypatch, error: Exception) -> None:
    def fail(*_args, **_named):
        raise error

    monkeypatch.setattr(report_files.ReportFileService, "make", fail)


def test_what_failed_is_tried_again_later_and_later(desk, monkeypatch):
    export = desk.add()
    refuse(monkeypatch, Unavailable("Reports are away."))
    desk.round(hours=9)
    waits = []
    for _ in range(8):
        (run,) = desk.runs(export)
        assert (run.state, run.said) == (RunState.WAITING, "Reports are away.")
        waits.append((run.again_at - desk.site.clock.now()) / timedelta(minutes=1))
        desk.round(minutes=waits[-1] - 0.1)
        assert desk.runs(export)[0].attempts == run.attempts, "not before its time"
        desk.round(minutes=0.1)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    monkeypatch.undo()
    desk.round(hours=1)
    assert desk.runs(export)[0].state is RunState.DONE


def test_after_a_day_it_is_given_up_and_the_next_time_comes_all_the_same(desk, monkeypatch):
    export = desk.add(replace(DRAFT, timing=Timing(Rhythm.WEEKLY, time(18), weekday=0)))
    refuse(monkeypatch, Unavailable("Reports are away."))
    desk.round(hours=9)
    for _ in range(26):
        desk.round(hours=1)
    (run,) = desk.runs(export)
    assert (run.state, run.said) == (RunState.FAILED, "Reports are away.")
    monkeypatch.undo()
    desk.round(days=7)
    assert [run.state for run in desk.runs(export)] == [RunState.DONE, RunState.FAILED]


def test_what_would_fail_again_is_not_tried_again(desk, monkeypatch):
    export = desk.add()
    refuse(monkeypatch, InvalidInput("A PDF holds at most 20,000 rows."))
    desk.round(hours=9)
    assert desk.runs(export)[0].state is RunState.FAILED
    assert desk.now_of(export).off == "", "the next day may have fewer rows"


def test_a_fault_of_ours_ends_one_run_and_no_other(desk, monkeypatch, caplog):
    first, second = desk.add(), desk.add(replace(DRAFT, name="Other", report=Report.KIOSKS))

    def broken(*_args, **_named):
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(TimesheetService, "sheet", broken)
    desk.round(hours=9)
    assert desk.runs(first)[0].state is RunState.FAILED
    assert "fault in Rollcall" in desk.runs(first)[0].said
    assert desk.runs(second)[0].state is RunState.DONE
    assert "ZeroDivisionError" in caplog.text


def test_a_file_is_not_written_again_where_only_the_message_failed(desk):
    export = desk.add(replace(DRAFT, recipients=("hr@example.org",)))
    desk.box.answer = "451 later"
    desk.round(hours=9)
    assert desk.runs(export)[0].said == "The mail server did not take the message: 451 later."
    desk.box.answer = "250 taken"
    desk.round(minutes=2)
    assert [name for name in desk.files() if not name.startswith(".")] == ["Today_2026-03-02_2026-03-02.csv"]
    assert len(desk.box.received) == 1
    assert desk.runs(export)[0].state is RunState.DONE


def test_addresses_that_were_refused_are_named_and_the_rest_has_it(desk):
    desk.box.refused = {"gone@example.org"}
    export = desk.add(replace(DRAFT, recipients=("hr@example.org", "gone@example.org")))
    desk.round(hours=9)
    (run,) = desk.runs(export)
    assert (run.state, run.said) == (RunState.DONE, "The mail server did not take: gone@example.org.")


class Dies(BaseException):
    """As kill -9 at this very place: nothing after it is done."""


def died(desk, monkeypatch, place: object, name: str, *, after: bool) -> None:
    """The process dies at its next call of this method, before or after that has worked."""
    real = getattr(place, name)

    def call(*args, **named):
        monkeypatch.setattr(place, name, real)
        if after:
            real(*args, **named)
        raise Dies

    monkeypatch.setattr(place, name, call)
    runner = desk.site.backend._records.exports._runner

    settle = runner._settle

    def no_more(run, error):
        if isinstance(error, Dies):
            raise Dies
        settle(run, error)

    with monkeypatch.context() as dead:
        dead.setattr(runner, "_settle", no_more)
        with pytest.raises(Dies):
            desk.round()


def test_a_process_that_dies_leaves_no_time_out_and_makes_none_twice(desk, monkeypatch):
    moments = [
        (ExportBook, "add_run"), (ExportBook, "change"), (ExportBook, "change_run"),
        (report_files.ReportFileService, "make"), (ExportFolder, "publish"), (ExportDelivery, "settle"),
    ]  # fmt: skip
    export = desk.add()
    desk.site.clock.move(hours=9)
    for day, (place, name) in enumerate(moments):
        for after in (False, True):
            died(desk, monkeypatch, place, name, after=after)
            desk.round()
            made = desk.runs(export)
            assert len(made) == 2 * day + after + 1, name
            assert {run.state for run in made} == {RunState.DONE}, (name, after)
            visible = [file for file in desk.files() if not file.startswith(".")]
            assert len(visible) == len(made), (name, after)
            desk.site.clock.move(days=1)


def test_a_message_that_may_have_gone_out_comes_again_under_the_same_id(desk, monkeypatch):
    desk.add(replace(DRAFT, folder=None, recipients=("hr@example.org",)))
    desk.site.clock.move(hours=9)
    died(desk, monkeypatch, MailSender, "send", after=True)
    desk.round()
    desk.round()
    first, second = desk.box.received
    assert first["Message-ID"] == second["Message-ID"]
    desk.round(days=1)
    assert desk.box.received[2]["Message-ID"] != first["Message-ID"]


def test_while_the_database_is_away_nothing_is_lost(desk, monkeypatch):
    export = desk.add()

    def away(*_args, **_named):
        raise StoreUnavailable("The database does not answer.")

    with monkeypatch.context() as broken:
        broken.setattr(type(desk.site.store), "replace_entry", away)
        with pytest.raises(StoreUnavailable):
            desk.round(hours=9)
    desk.round(minutes=1)
    assert [run.state for run in desk.runs(export)] == [RunState.DONE]


# What a person may do with it


def test_now_is_besides_the_due_times(desk):
    export = desk.add(replace(DRAFT, recipients=("hr@example.org",)))
    run = desk.acting().exports.send_now(export.export_id, actor="x")
    with pytest.raises(Conflict, match="made already"):
        desk.acting().exports.send_now(export.export_id, actor="x")
    desk.round()
    (made,) = desk.runs(export)
    assert (made.run_id, made.by_hand, made.state) == (run.run_id, True, RunState.DONE)
    desk.round(hours=9)
    assert len(desk.runs(export)) == len(desk.box.received) == 2
    assert desk.files() == ["Today_2026-03-02_2026-03-02-2.csv", "Today_2026-03-02_2026-03-02.csv"]


def test_what_is_switched_off_is_not_made_until_it_is_switched_on(desk):
    export = desk.add()
    desk.acting().exports.switch_off(export.export_id, actor="x")
    desk.round(days=3)
    assert desk.runs(export) == []
    assert desk.now_of(export).off == "Switched off by ada."
    desk.acting().exports.switch_on(export.export_id, actor="x")
    desk.round()
    assert desk.runs(export) == [], "what was due meanwhile is not made up for"
    desk.round(days=1)
    assert len(desk.runs(export)) == 1


def test_a_change_counts_from_its_next_time_on(desk):
    export = desk.add()
    changed = replace(DRAFT, name="Months", timing=Timing(Rhythm.MONTHLY, time(6), day=31))
    desk.acting().exports.change(export.export_id, changed, actor="x")
    assert desk.now_of(export).due_at == datetime(2026, 3, 31, 4, tzinfo=UTC)
    (entry,) = [entry for entry in desk.site.audit() if entry.action == "export.changed"]
    assert entry.detail["after"] == {"rhythm": "monthly", "at": "06:00"}


def test_what_is_removed_is_gone_with_its_runs_but_its_files_stay(desk):
    export = desk.add()
    desk.round(hours=9)
    desk.acting().exports.remove(export.export_id, actor="x")
    assert desk.acting().exports.all() == []
    with pytest.raises(NotFound):
        desk.runs(export)
    assert len(desk.files()) == 1
    desk.round(days=2)


def test_the_list_of_runs_does_not_grow_for_ever(desk):
    export = desk.add(replace(DRAFT, report=Report.KIOSKS))
    for _ in range(61):
        desk.round(days=1)
    assert len(desk.site.backend.exports.runs(export.export_id, limit=100)) == 30


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"file_format": "exe"},
        {"folder": None},
        {"folder": "../etc"},
        {"filter": ReportFilter(start=datetime(2026, 1, 1).date(), end=datetime(2026, 1, 2).date())},
        {"recipients": ("hr@example.org, eve@example.org",)},
        {"recipients": ("hr@example.org\nBcc: eve@example.org",)},
        {"recipients": tuple(f"p{n}@example.org" for n in range(21))},
        {"timing": Timing(Rhythm.MONTHLY, time(6), day=32)},
    ],
)
def test_what_cannot_be_made_is_refused(desk, wrong):
    with pytest.raises(InvalidInput):
        desk.add(replace(DRAFT, **wrong))


def test_a_name_is_taken_once(desk):
    desk.add()
    with pytest.raises(Conflict):
        desk.add(replace(DRAFT, name="TODAY"))


def test_without_folder_and_mail_server_there_is_nowhere_to_go(open_site):
    site = open_site()
    ways = site.backend.exports.ways()
    assert (ways.folder, ways.mail) == (False, False)
    for draft in (DRAFT, replace(DRAFT, folder=None, recipients=("hr@example.org",))):
        with pytest.raises(InvalidInput):
            site.backend.exports.add(draft, actor="x")


def test_a_test_message_says_whether_it_went_out(desk):
    exports = desk.acting().exports
    assert exports.test_mail("hr@example.org", actor="x") == ""
    assert desk.box.received[0]["Subject"] == "Rollcall: a test of the e-mail settings"
    desk.box.refused = {"hr@example.org"}
    assert "took none of the addresses" in exports.test_mail("hr@example.org", actor="x")
    with pytest.raises(InvalidInput):
        exports.test_mail(" ", actor="x")
    with pytest.raises(Forbidden):
        desk.acting(MARIA).exports.test_mail("hr@example.org", actor="x")


def test_the_audit_log_holds_no_address_and_no_name(desk):
    wanted = ReportFilter(Period.TODAY, person="Person 1")
    export = desk.add(replace(DRAFT, filter=wanted, recipients=("hr@example.org",)))
    desk.acting().exports.remove(export.export_id, actor="x")
    told = repr([entry for entry in desk.site.audit() if entry.subject == export.export_id])
    assert "example.org" not in told
    assert "Person 1" not in told


def test_an_export_about_a_person_goes_with_the_person(desk):
    about = desk.add(replace(DRAFT, name="One", filter=ReportFilter(Period.TODAY, person="E1")))
    other = desk.add()
    person = desk.site.backend.people.by_employee_id("E1")
    desk.site.backend.people.erase(
        person.person_id, typed_employee_id="E1", keep_punches=False, actor="admin"
    )
    assert [one.export_id for one in desk.site.backend.exports.all()] == [other.export_id]
    desk.round(hours=9)
    with pytest.raises(NotFound):
        desk.runs(about)


def test_a_thread_makes_what_is_due_until_it_is_stopped(desk):
    exports = desk.site.backend.exports
    export = desk.add()
    exports.start(desk.site.backend._records.call)
    exports.send_now(export.export_id, actor="ada")
    wait_for(lambda: desk.runs(export)[0].state is RunState.DONE)
    exports.stop()


def wait_for(reached) -> None:
    end = monotonic() + 10
    while not reached():
        assert monotonic() < end
        sleep(0.05)
