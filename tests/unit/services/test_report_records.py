"""Reports over a connection of their own: the same answers behind the same rules, and nothing but reports."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date

import pandas as pd
import pytest

from ray_backend.domain.accounts import AccountDraft
from ray_backend.domain.errors import Forbidden, NotFound, WrongCredentials
from ray_backend.domain.permissions import SYSTEM, Caller, Role
from ray_backend.domain.reporting.exports import Report
from ray_backend.domain.requests import SheetQuery
from ray_backend.domain.site import from_environment
from ray_backend.services.gate import RULES, Gate
from ray_backend.services.report_records import REPORTS, ReportRecords, report_records
from ray_backend.services.table_files import to_bytes
from ray_backend.services.tables import day_sheet
from tests.fakes import FAKE_PACK

TODAY = date(2026, 3, 2)
MARIA = Caller("maria", Role.MANAGER, ("Sales",))
SHEET = ("timesheets", "sheet", (SheetQuery(TODAY, TODAY),), {})
PASSWORD = "correct horse battery"


@pytest.fixture
def reports(site) -> Gate:
    """Over the site's own store, with somebody of Sales and of Engines, both here today."""
    for who, department in ((1, "Sales"), (2, "Engines")):
        site.enrol(who, department=department)
        site.check_in(who)
    return Gate(report_records(site.store, site.clock, FAKE_PACK, from_environment(site.settings)))


def test_it_holds_what_it_says():
    assert tuple(field.name for field in fields(ReportRecords)) == REPORTS


def test_the_answer_is_the_one_of_the_backend(site, reports):
    expected = site.backend.timesheets.sheet(SheetQuery(TODAY, TODAY))
    sheet = reports.call(SYSTEM, *SHEET)
    pd.testing.assert_frame_equal(sheet.days, expected.days)
    assert len(sheet.days) == 2
    assert (sheet.zone, sheet.rule_version) == (expected.zone, expected.rule_version)


def test_every_report_can_be_narrowed_to_departments_there(reports):
    assert list(reports.call(MARIA, *SHEET).days["department"]) == ["Sales"]
    inside = reports.call(MARIA, "timesheets", "inside", SHEET[2], {}).days
    assert set(inside["department"]) == {"Sales"}
    assert reports.call(MARIA, "kiosk_figures", "figures", (TODAY, TODAY), {})
    made = reports.call(MARIA, "report_files", "make", (Report.DAYS, SHEET[2][0], "json", "Days"), {})
    assert [row["department"] for row in json.loads(made.data)["rows"]] == ["Sales"]
    table = day_sheet(reports.call(MARIA, *SHEET))
    job = reports.call(MARIA, "report_files", "begin", (table, "csv"), {})
    while not reports.call(MARIA, "report_files", "state", (job,), {}).finished:
        pass
    assert reports.call(MARIA, "report_files", "take", (job,), {}) == to_bytes(table, "csv")
    with pytest.raises(NotFound):
        reports.call(replace(MARIA, name="otto"), "report_files", "take", (job,), {})
    assert {name for name in RULES if name.partition(".")[0] in REPORTS} == {
        "timesheets.sheet",
        "timesheets.inside",
        "kiosk_figures.figures",
        "report_files.make",
        "report_files.begin",
        "report_files.state",
        "report_files.take",
    }, "a new one has to be called here as Maria"


def test_a_role_is_checked_there_too(reports):
    with pytest.raises(Forbidden):
        reports.call(Caller("door", Role.KIOSK), *SHEET)


def test_a_change_of_the_time_zone_is_seen(site, reports):
    site.backend.site.change({"time_zone": "Asia/Tokyo"}, actor="admin")
    fresh = Gate(report_records(site.store, site.clock, FAKE_PACK, from_environment(site.settings)))
    assert fresh.call(SYSTEM, *SHEET).zone == "Asia/Tokyo"


def test_whose_session_holds_is_let_through_without_it_and_nobody_else(site):
    site.backend.accounts.ensure_admin(PASSWORD)
    made = site.backend.accounts.create("ada", AccountDraft("Ada", Role.ADMIN), actor="test")
    gate = Gate(site.backend._records)
    first = site.backend.sign_ins.sign_in("ada", made.password)
    asking = replace(first.account.caller, session=first.token)
    with pytest.raises(Forbidden, match="password of your own"):
        gate.present(asking, "timesheets", "sheet")
    site.backend.sign_ins.change_password(made.password, PASSWORD, actor="ada")
    again = site.backend.sign_ins.sign_in("ada", PASSWORD)
    asking = replace(again.account.caller, session=again.token)
    trusted = gate.present(asking, "timesheets", "sheet")
    assert (trusted.name, trusted.role, trusted.session) == ("ada", Role.ADMIN, "")
    site.backend.sign_ins.sign_out(again.token)
    with pytest.raises(WrongCredentials):
        gate.present(asking, "timesheets", "sheet")


def test_who_may_not_ask_is_told_so_before(site):
    gate = Gate(site.backend._records)
    with pytest.raises(Forbidden):
        gate.present(Caller("door", Role.KIOSK), "timesheets", "sheet")
    assert gate.present(MARIA, "timesheets", "sheet") == MARIA
