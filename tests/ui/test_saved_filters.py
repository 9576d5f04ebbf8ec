"""Saved filters on the page Reports: kept under a name, picked again, deleted, shared."""

from __future__ import annotations

from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.reporting.filters import ReportFilter
from ray_backend.domain.reporting.periods import Period
from streamlit_app.reports import saved
from streamlit_app.views import reports
from tests.ui.conftest import account, enrol, page, words

MONDAY = date(2026, 3, 2)
ADMIN = Caller("admin", Role.ADMIN)


@pytest.fixture(autouse=True)
def people(backend):
    enrol(backend, 1, name="Ada Example")
    enrol(backend, 2, name="Grace Example", department="Office")


def opened(backend, username: str = "admin", **address: str) -> AppTest:
    """The page with its menu of saved filters open."""
    test = page(reports.render, backend, username=username)
    test.session_state[saved.OPEN] = True
    for name, value in address.items():
        test.query_params[name] = value
    test.run()
    assert not test.exception
    return test


def kept(backend, name: str = "Late", *, shared: bool = False, caller=ADMIN, **chosen) -> str:
    filters = backend.acting_as(caller).saved_filters
    save = filters.share if shared else filters.save
    return save(name, ReportFilter(**{"period": Period.LAST_MONTH} | chosen), actor="x").filter_id


def saving(backend, *, caller: Caller = ADMIN, **chosen) -> AppTest:
    """The dialog by itself: AppTest closes a dialog at the next click."""
    shown = ReportFilter(**chosen)
    acting = backend.acting_as(caller)
    return page(lambda backend: saved.keep(backend, shown, MONDAY, {}), acting, signed_in=False).run()


def bar(test: AppTest) -> dict[str, object]:
    return {
        name: test.session_state[f"reports_{name}"] for name in ("days", "department", "person", "status")
    }


def test_the_bar_opens_the_dialog_with_what_it_says(backend):
    test = opened(
        backend, **{"from": "2026-03-01", "to": "2026-03-02", "department": "Office", "status": "late"}
    )
    test.button(key="reports-save-filter").click().run()
    assert not test.exception
    assert test.selectbox(key="filter_days").value == Period.THIS_MONTH, "what these days are today"
    assert "Office · Late" in words(test)


def test_the_present_filter_is_saved_under_a_name_with_days_that_move_along(backend):
    test = saving(backend, start=date(2026, 3, 1), end=MONDAY, department="Office", statuses=("late",))
    test.text_input(key="filter_name").set_value("Late in the office")
    test.button(key="filter_save").click().run()
    assert not test.exception
    (kept,) = backend.acting_as(ADMIN).saved_filters.usable(actor="x")
    assert (kept.name, kept.shared) == ("Late in the office", False)
    assert kept.filter == ReportFilter(Period.THIS_MONTH, department="Office", statuses=("late",))


def test_days_may_stay_as_they_are(backend):
    test = saving(backend, start=date(2026, 1, 5), end=date(2026, 1, 9))
    assert test.selectbox(key="filter_days").value is None
    test.text_input(key="filter_name").set_value("That week")
    test.button(key="filter_save").click().run()
    (kept,) = backend.acting_as(ADMIN).saved_filters.usable(actor="x")
    assert (kept.filter.period, kept.filter.start) == (None, date(2026, 1, 5))


def test_while_the_second_day_is_being_chosen_a_period_can_be_saved(backend):
    assert saving(backend).selectbox(key="filter_days").value == Period.LAST_7_DAYS


def test_a_saved_filter_sets_the_whole_bar_for_the_days_of_now(backend):
    one = kept(backend, department="Office", person="Grace", statuses=("late", "absent"))
    test = opened(backend, department="Workshop", person="Ada")
    test.button(key=f"use-{one}").click().run()
    assert not test.exception
    assert bar(test) == {
        "days": (date(2026, 2, 1), date(2026, 2, 28)),
        "department": "Office",
        "person": "Grace",
        "status": ["late", "absent"],
    }
    assert test.query_params["department"] == "Office"
    assert not test.session_state[saved.OPEN], "the report is seen again"


def test_a_name_that_is_taken_is_refused_with_words(backend):
    kept(backend, "Late")
    test = saving(backend, start=MONDAY, end=MONDAY)
    test.text_input(key="filter_name").set_value("late")
    test.button(key="filter_save").click().run()
    assert "Choose another name" in words(test)


def test_one_is_deleted(backend):
    one = kept(backend)
    test = opened(backend)
    test.button(key=f"delete-{one}").click().run()
    assert not [button for button in test.button if button.key == f"use-{one}"]
    assert "The filter is deleted." in words(test)


def test_an_administrator_shares_one_and_a_manager_uses_it_within_their_departments(backend):
    test = saving(backend, start=MONDAY, end=MONDAY)
    test.text_input(key="filter_name").set_value("For all")
    test.checkbox(key="filter_shared").check()
    test.button(key="filter_save").click().run()
    (shared,) = backend.acting_as(ADMIN).saved_filters.usable(actor="x")
    assert shared.shared
    other = kept(backend, "Office only", shared=True, department="Office")
    managers = opened(backend, account(backend, Role.MANAGER, "Workshop"))
    keys = {button.key for button in managers.button}
    assert f"use-{shared.filter_id}" in keys
    assert f"delete-{shared.filter_id}" not in keys, "it is not theirs to delete"
    assert f"use-{other}" not in keys, "it names a department that they do not see"
    maria = Caller("manager", Role.MANAGER, ("Workshop",))
    assert saving(backend, caller=maria, start=MONDAY, end=MONDAY).checkbox == []


def test_a_filter_for_what_is_gone_falls_back_to_everything(backend):
    one = kept(backend, department="Closed", site="nowhere")
    test = opened(backend)
    test.button(key=f"use-{one}").click().run()
    assert not test.exception
    assert "department" not in test.query_params


def test_names_of_filters_are_no_markup(backend):
    kept(backend, "**late** :red[x]")
    test = opened(backend)
    (label,) = [button.label for button in test.button if (button.key or "").startswith("use-")]
    assert "\\*\\*late" in label
