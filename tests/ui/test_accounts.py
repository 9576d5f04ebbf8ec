"""The pages of accounts, of one's own account, and of the audit log."""

from __future__ import annotations

import csv
import io

import pytest
from streamlit.testing.v1 import AppTest

from ray_backend.domain.accounts import AccountDraft
from ray_backend.domain.errors import WrongCredentials
from ray_backend.domain.model import AuditEntry
from ray_backend.domain.permissions import Role
from ray_backend.domain.queries import AuditQuery
from streamlit_app import page_roles, session
from streamlit_app.views import accounts, audit, my_account
from tests.ui.conftest import PASSWORD, account, enrol, page, sign_in, words
from tests.ui.test_app import app  # noqa: F401 (a fixture)


def press(test: AppTest, label: str) -> AppTest:
    return next(button for button in test.button if button.label == label).click().run()


def stored(backend, username: str):
    return next(one for one in backend.accounts.everybody() if one.username == username)


@pytest.mark.parametrize(
    ("role", "pages"),
    [
        (Role.VIEWER, {"home", "reports", "my_account"}),
        (Role.MANAGER, {"home", "reports", "my_account", "people"}),
        (Role.ADMIN, set(page_roles.PAGES)),
    ],
)
def test_the_menu_lists_the_pages_of_the_role_and_each_page_is_in_the_table(app, backend, role, pages):  # noqa: F811
    username = "admin" if role is Role.ADMIN else account(backend, role)
    sign_in(app, backend, username)
    app.run()

    known = app.session_state["pages"]
    assert set(known) == set(page_roles.PAGES) | {"check_in"}
    visible = {name for name, one in known.items() if one.visibility == "visible"}
    assert visible >= pages
    assert visible == {name for name, roles in page_roles.PAGES.items() if role in roles}


def test_a_new_account_gets_a_password_that_is_shown_once(backend):
    enrol(backend, 1, department="Sales")
    test = page(lambda backend: accounts.new_account(backend), backend).run()
    test.text_input(key="account_username").set_value("Ada")
    test.text_input(key="account_name_new").set_value("Ada Example")
    test.selectbox(key="account_role_new").set_value(Role.MANAGER).run()
    test.toggle(key="account_all_new").set_value(False).run()
    test.multiselect(key="account_departments_new").set_value(["Sales"])
    press(test, "Make the account")

    assert not test.exception
    made = stored(backend, "ada")
    assert (made.role, made.departments) == (Role.MANAGER, ("Sales",))
    assert backend.sign_ins.sign_in("ada", test.code[0].value).account.must_change_password


def test_a_username_that_cannot_be_is_refused_in_words(backend):
    test = page(lambda backend: accounts.new_account(backend), backend).run()
    test.text_input(key="account_username").set_value("a b")
    test.text_input(key="account_name_new").set_value("Ada")
    press(test, "Make the account")
    assert "Choose a username" in test.error[0].value


def test_an_account_is_changed_shut_and_given_a_new_password(backend):
    made = backend.accounts.create("ada", AccountDraft("Ada", Role.VIEWER), actor="test").account

    def dialog(backend):
        accounts.change_account(backend, made)

    test = page(dialog, backend).run()
    test.text_input(key="account_name_ada").set_value("Ada Example")
    press(test, "Save")
    assert stored(backend, "ada").name == "Ada Example"

    press(page(dialog, backend).run(), "Shut the account")
    assert not stored(backend, "ada").active

    test = press(page(dialog, backend).run(), "New password")
    backend.accounts.set_active("ada", True, actor="test")
    assert backend.sign_ins.sign_in("ada", test.code[0].value)


def test_the_last_administrator_cannot_be_shut_on_the_page_either(backend):
    admin = stored(backend, "admin")
    test = press(
        page(lambda backend: accounts.change_account(backend, admin), backend).run(), "Shut the account"
    )
    assert "last administrator" in test.error[0].value
    assert stored(backend, "admin").active


def test_the_list_shows_names_as_they_are_and_runs_none_of_them(backend):
    backend.accounts.create("eve", AccountDraft("**E** <b>", Role.VIEWER), actor="test")
    test = page(accounts.render, backend).run()
    assert not test.exception
    assert "**E** <b>" not in words(test)


def test_ones_own_password_is_changed_and_this_tab_stays_signed_in(backend):
    test = page(my_account.render, backend).run()
    before = test.session_state[session.TOKEN]
    for field, typed in zip(
        test.text_input, (PASSWORD, "quite another one", "quite another one"), strict=True
    ):
        field.set_value(typed)
    press(test, "Change the password")

    assert not test.exception
    assert test.session_state[session.TOKEN] != before
    assert backend.sign_ins.who(test.session_state[session.TOKEN]).username == "admin"
    with pytest.raises(WrongCredentials):
        backend.sign_ins.who(before)
    assert backend.sign_ins.sign_in("admin", "quite another one")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("wrong", "quite another one", "quite another one"), "is not right"),
        ((PASSWORD, "quite another one", "quite an other one"), "differ"),
        ((PASSWORD, "short", "short"), "10 characters"),
    ],
)
def test_a_password_that_cannot_be_changed_says_why(backend, typed, said):
    test = page(my_account.render, backend).run()
    for field, value in zip(test.text_input, typed, strict=True):
        field.set_value(value)
    press(test, "Change the password")
    assert said in test.error[0].value
    assert backend.sign_ins.sign_in("admin", PASSWORD)


def test_signing_out_everywhere_ends_in_the_form(backend):
    other = backend.sign_ins.sign_in("admin", PASSWORD).token
    test = press(page(my_account.render, backend).run(), "Sign out everywhere")
    assert [field.label for field in test.text_input] == ["Username", "Password"]
    with pytest.raises(WrongCredentials):
        backend.sign_ins.who(other)


@pytest.fixture
def log(backend, clock):
    """120 entries of an hour, the last ones about accounts."""
    store = backend._records.store
    for number in range(120):
        clock.move(seconds=30)
        kind = "account.changed" if number >= 100 else "person.changed"
        detail = {"before": {"role": "viewer"}, "after": {"role": "admin"}} if number >= 100 else {}
        store.add_audit(AuditEntry(clock.now(), "ada" if number % 2 else "eve", kind, f"s{number}", detail))


def test_the_audit_log_is_paged_newest_first(backend, log):
    test = page(audit.render, backend).run()
    first = test.dataframe[0].value
    assert len(first) == audit.PAGE_SIZE
    assert first["Subject"].iloc[0] == "s119"
    assert (first["Before"].iloc[0], first["After"].iloc[0]) == ("role: viewer", "role: admin")
    assert first["Time"].iloc[0] == "2026-03-02 10:00:00"
    total = backend._records.store.list_audit(AuditQuery()).total
    assert f"1 to 50 of {total} entries" in words(test)

    second = press(test, "Older").dataframe[0].value
    assert second["Subject"].iloc[0] == "s69"
    assert press(test, "Newer").dataframe[0].value["Subject"].iloc[0] == "s119"


def test_the_audit_log_is_searched_by_who_what_subject_and_day(backend, log):
    test = page(audit.render, backend).run()
    test.text_input(key="audit_actor").set_value("ada").run()
    assert set(test.dataframe[0].value["Who"]) == {"ada"}
    test.selectbox(key="audit_about").set_value("Accounts").run()
    assert len(test.dataframe[0].value) == 10
    test.text_input(key="audit_subject").set_value("s101").run()
    assert list(test.dataframe[0].value["Subject"]) == ["s101"]
    test.text_input(key="audit_subject").set_value("nothing").run()
    assert not test.dataframe
    assert "Nothing was noted" in test.info[0].value


def test_a_day_that_is_chosen_counts_in_the_sites_zone(backend, clock):
    backend.access.issue_token("late", actor="test")
    clock.move(hours=15, minutes=30)
    backend.access.issue_token("after midnight in Berlin", actor="test")
    test = page(audit.render, backend).run()
    test.selectbox(key="audit_about").set_value("Kiosks").run()
    assert len(test.dataframe[0].value) == 2
    monday = clock.now().date()
    test.date_input[0].set_value((monday, monday)).run()
    assert len(test.dataframe[0].value) == 1


def test_the_file_of_the_audit_log_is_for_administrators_only(backend, log):
    viewer = backend.acting_as(stored(backend, account(backend, Role.VIEWER)).caller)
    with pytest.raises(Exception, match="may not"):
        viewer.audit_log.export(AuditQuery())
    admin = backend.acting_as(stored(backend, "admin").caller)
    rows = list(csv.reader(io.StringIO(admin.audit_log.export(AuditQuery(actor="ada")).decode("utf-8-sig"))))
    assert len(rows) == 61
