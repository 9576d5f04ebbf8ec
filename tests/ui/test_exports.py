"""The page of scheduled exports: setting one up, what is said of it, and who sees which."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest
from streamlit.testing.v1 import AppTest

from ray_backend.client import local_backend
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.reporting.exports import ExportDraft, Report
from ray_backend.domain.reporting.filters import ReportFilter
from ray_backend.domain.reporting.periods import Period
from ray_backend.domain.reporting.timing import Rhythm, Timing
from streamlit_app import deps, i18n
from streamlit_app.exports import card, form
from streamlit_app.views import exports
from tests.fakes import FakeEngine
from tests.ui import pseudo
from tests.ui.conftest import PASSWORD, account, enrol, page, words

ADMIN = Caller("admin", Role.ADMIN)
DRAFT = ExportDraft(
    "Every evening", Report.DAYS, ReportFilter(Period.TODAY), "csv", Timing(Rhythm.DAILY, time(18)), folder=""
)


@pytest.fixture
def site(settings, clock, monkeypatch, tmp_path):
    """A backend with a folder for exports, and a mail server that does not answer."""
    (tmp_path / "exports").mkdir()
    more = {
        "export_dir": tmp_path / "exports",
        "smtp_host": "127.0.0.1",
        "smtp_port": 9,
        "smtp_security": "off",
    }
    changed = settings.model_copy(update=more | {"smtp_sender": "rollcall@example.org"})
    made = local_backend(changed, engine=FakeEngine(), clock=clock)
    monkeypatch.setattr(deps, "site", made.site.current)
    made.accounts.ensure_admin(PASSWORD)
    enrol(made, 1, name="Ada Example")
    enrol(made, 2, name="Grace Example", department="Office")
    return made


def opened(backend, username: str = "admin") -> AppTest:
    test = page(exports.render, backend, username=username).run()
    assert not test.exception
    return test


def press(test: AppTest, label: str) -> AppTest:
    next(button for button in test.button if button.label == label).click()
    test.run()
    assert not test.exception
    return test


def dialog(backend, shown) -> AppTest:
    """A dialog by itself: AppTest closes a dialog at the next click."""
    test = page(shown, backend.acting_as(ADMIN), signed_in=False).run()
    assert not test.exception
    return test


def new(backend) -> AppTest:
    return dialog(backend, lambda backend: form.new_export(backend, backend.exports.ways(), {}))


def due(backend, clock, **later: float) -> None:
    clock.move(**later)
    backend.exports.round(backend._records.call)


def test_a_server_without_any_way_out_says_what_to_do(backend):
    test = opened(backend)
    assert "ROLLCALL_EXPORT_DIR" in words(test)
    assert next(button for button in test.button if button.label == "New export").disabled


def test_an_export_is_set_up_with_a_saved_filter(site):
    late = ReportFilter(Period.LAST_WEEK, department="Office", statuses=("late",))
    kept = site.acting_as(ADMIN).saved_filters.save("Late ones", late, actor="x")
    test = new(site)
    test.text_input(key="export_name-new").set_value("For payroll")
    test.selectbox(key="export_filter-new").set_value(kept.filter_id)
    test.selectbox(key="export_rhythm-new").set_value(Rhythm.WEEKLY)
    test.run()
    assert test.selectbox(key=f"export_days-new-{kept.filter_id}").value == Period.LAST_WEEK
    test.selectbox(key="export_weekday-new").set_value(4)
    test.time_input(key="export_at-new").set_value(time(6, 30))
    test.text_input(key="export_folder-new").set_value("payroll")
    test.text_area(key="export_recipients-new").set_value("hr@example.org, ceo@example.org\n")
    test.button(key="export_add").click().run()
    assert not test.exception
    (made,) = site.exports.all()
    wanted = made.wanted
    assert (wanted.name, wanted.filter, wanted.folder) == ("For payroll", late, "payroll")
    assert wanted.timing == Timing(Rhythm.WEEKLY, time(6, 30), weekday=4)
    assert wanted.recipients == ("hr@example.org", "ceo@example.org")
    said = words(opened(site))
    for part in (
        "Day sheet · Last week · Office · Late · Excel",
        "Every week on Friday at 06:30 · Folder payroll · E-mail to hr@example.org, ceo@example.org",
        "with the rights of admin",
    ):
        assert part in said.replace("\\", ""), part


def test_what_is_wrong_is_said_in_the_form(site):
    test = new(site)
    test.text_input(key="export_name-new").set_value("Away")
    test.text_input(key="export_folder-new").set_value("../../etc")
    test.button(key="export_add").click().run()
    assert "Name a folder below the server's folder for exports" in words(test)
    assert site.exports.all() == []


def test_an_export_is_changed_and_keeps_its_filter(site):
    wanted = ReportFilter(Period.YESTERDAY, department="Office")
    draft = ExportDraft("A", Report.LATE, wanted, "pdf", DRAFT.timing, folder="")
    one = site.acting_as(ADMIN).exports.add(draft, actor="x")
    test = dialog(site, lambda backend: form.change_export(backend, one, backend.exports.ways(), {}))
    test.text_input(key=f"export_name-{one.export_id}").set_value("B")
    test.button(key="export_change").click().run()
    changed = site.exports.get(one.export_id).wanted
    assert (changed.name, changed.filter, changed.report) == ("B", wanted, Report.LATE)


def test_send_now_shows_its_progress_and_then_what_became_of_it(site, clock):
    site.acting_as(ADMIN).exports.add(DRAFT, actor="x")
    test = press(opened(site), "Send now")
    assert "It is about to begin." in words(test)
    due(site, clock)
    test.run()
    said = words(test).replace("\\", "")
    assert "2026-03-02 09:00, by hand: Done, 0 rows. File Every-evening_2026-03-02_2026-03-02.csv." in said
    assert "It is about to begin." not in said


def test_what_failed_says_why_and_that_it_is_tried_again(site, clock):
    mailed = ExportDraft(
        "Mailed", Report.DAYS, DRAFT.filter, "csv", DRAFT.timing, recipients=("hr@example.org",)
    )
    site.acting_as(ADMIN).exports.add(mailed, actor="x")
    due(site, clock, hours=12)
    said = words(opened(site))
    assert "It failed and is tried again. The mail server could not be reached" in said
    due(site, clock, hours=25)
    due(site, clock)
    assert any("Failed. The mail server could not be reached" in one.value for one in opened(site).error)


def test_an_export_that_lost_its_rights_says_so_and_is_taken_over(site, clock):
    username = account(site, Role.MANAGER, "Office")
    site.acting_as(Caller(username, Role.MANAGER, ("Office",))).exports.add(DRAFT, actor="x")
    site.accounts.set_active(username, False, actor="admin")
    due(site, clock, hours=12)
    test = opened(site)
    assert any("The account manager was shut." in one.value for one in test.warning)
    press(test, "Switch on")
    assert "with the rights of admin" in words(test)


def test_it_is_switched_off_and_removed(site):
    site.acting_as(ADMIN).exports.add(DRAFT, actor="x")
    test = press(opened(site), "Switch off")
    assert any("Switched off by admin." in one.value for one in test.warning)
    (one,) = site.exports.all()
    test = dialog(site, lambda backend: card.remove_export(backend, one))
    test.button(key="export_remove").click().run()
    assert site.exports.all() == []
    assert "Nothing is exported by itself yet." in words(opened(site))


def test_managers_see_their_own_and_viewers_nothing(site):
    site.acting_as(ADMIN).exports.add(DRAFT, actor="x")
    managers = opened(site, account(site, Role.MANAGER, "Office"))
    assert "Every evening" not in words(managers)
    assert "Send a test e-mail" not in {button.label for button in managers.button}
    viewers = opened(site, account(site, Role.VIEWER))
    assert "may not see this page" in words(viewers)


def test_a_test_message_says_what_came_of_it(site):
    press(opened(site), "Send a test e-mail")
    test = dialog(site, lambda backend: exports.test_mail(backend, backend.exports.ways()))
    test.text_input(key="test_mail_to").set_value("hr@example.org")
    test.button(key="test_mail_send").click().run()
    assert "The mail server could not be reached" in words(test)


def test_every_text_of_the_page_goes_through_a_catalogue(site, clock, monkeypatch):
    exports_of = site.acting_as(ADMIN).exports
    mailed = replace(DRAFT, name="Mailed", folder=None, recipients=("hr@example.org",))
    month = replace(DRAFT, name="Month", timing=Timing(Rhythm.MONTHLY, time(6), day=31), file_format="json")
    for draft in (DRAFT, mailed, month):
        exports_of.add(draft, actor="x")
    due(site, clock, hours=12)
    exports_of.switch_off(exports_of.all()[0].export_id, actor="x")
    data = ("Every evening", "Every-evening_2026-03-02_2026-03-02.csv", "Mailed", "Month", "hr@example.org")
    names = ("admin", "CSV", "JSON", "Monday", "Friday")
    pseudo.speak(monkeypatch)
    assert pseudo.english(opened(site), *data, *names) == set()
    (one,) = [one for one in exports_of.all() if one.wanted.name == "Month"]
    change = dialog(site, lambda backend: form.change_export(backend, one, backend.exports.ways(), {}))
    assert (
        pseudo.english(change, *data, *names, "Excel", "PDF", "payroll/monthly", "ada@example.org") == set()
    )


def test_the_page_speaks_german(site, clock):
    site.acting_as(ADMIN).exports.add(DRAFT, actor="x")
    site.acting_as(ADMIN).exports.switch_off(site.exports.all()[0].export_id, actor="x")
    test = page(exports.render, site)
    test.session_state[i18n._SHOWN] = "de"
    said = words(test.run())
    for part in (
        "Geplante Exporte",
        "Tagesblatt · Heute · CSV",
        "Jeden Tag um 18:00",
        "Abgeschaltet von admin.",
    ):
        assert part in said.replace("\\", ""), part
