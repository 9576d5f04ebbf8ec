"""Saved filters: one's own, those for everybody, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from ray_backend.domain.accounts import AccountDraft
from ray_backend.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.reporting.filters import ReportFilter
from ray_backend.domain.reporting.periods import Period
from ray_backend.services import saved_filters

ADMIN = Caller("ada", Role.ADMIN)
MARIA = Caller("maria", Role.MANAGER, ("Sales",))
ROY = Caller("roy", Role.MANAGER)
LAST_MONTH = ReportFilter(Period.LAST_MONTH, statuses=("late",))


def filters(site, caller):
    return site.backend.acting_as(caller).saved_filters


def names(site, caller) -> list[str]:
    return [one.name for one in filters(site, caller).usable(actor="x")]


def test_a_filter_is_its_owners_alone(site):
    kept = filters(site, MARIA).save("Late last month", LAST_MONTH, actor="x")
    assert (kept.owner, kept.filter) == ("maria", LAST_MONTH)
    assert names(site, MARIA) == ["Late last month"]
    assert names(site, ROY) == names(site, ADMIN) == []
    for caller in (ROY, ADMIN):
        with pytest.raises(NotFound):
            filters(site, caller).remove(kept.filter_id, actor="x")
    filters(site, MARIA).remove(kept.filter_id, actor="x")
    assert names(site, MARIA) == []


def test_only_an_administrator_shares_one_with_everybody(site):
    with pytest.raises(Forbidden):
        filters(site, ROY).share("Everybody", LAST_MONTH, actor="x")
    kept = filters(site, ADMIN).share("Everybody", LAST_MONTH, actor="x")
    assert names(site, ROY) == names(site, Caller("vera", Role.VIEWER)) == ["Everybody"]
    with pytest.raises(Forbidden):
        filters(site, ROY).unshare(kept.filter_id, actor="x")
    with pytest.raises(NotFound):
        filters(site, ADMIN).remove(kept.filter_id, actor="x")
    filters(site, ADMIN).unshare(kept.filter_id, actor="x")
    assert names(site, ROY) == []
    told = {(entry.action, entry.actor) for entry in site.audit() if entry.action.startswith("filter.")}
    assert told == {("filter.shared", "ada"), ("filter.unshared", "ada")}


def test_a_shared_filter_for_other_departments_is_not_even_named(site):
    for name, department in (("All", None), ("Sales", "Sales"), ("Engines", "Engines")):
        filters(site, ADMIN).share(name, replace(LAST_MONTH, department=department), actor="x")
    assert names(site, MARIA) == ["All", "Sales"]
    assert names(site, ROY) == ["All", "Engines", "Sales"]


def test_a_shared_filter_shows_whoever_uses_it_their_own_people_only(site):
    for who, department in ((1, "Sales"), (2, "Engines")):
        site.enrol(who, department=department)
        site.check_in(who)
    filters(site, ADMIN).share("Today", ReportFilter(Period.TODAY), actor="x")
    (kept,) = filters(site, MARIA).usable(actor="x")
    sheet = site.backend.acting_as(MARIA).timesheets.sheet(kept.filter.query(date(2026, 3, 2)))
    assert list(sheet.days["department"]) == ["Sales"]


def test_a_name_is_taken_once_and_there_is_an_end(site, monkeypatch):
    own = filters(site, ROY)
    own.save("Mine", LAST_MONTH, actor="x")
    with pytest.raises(Conflict):
        own.save("mine ", LAST_MONTH, actor="x")
    monkeypatch.setattr(saved_filters, "MOST_FILTERS", 1)
    with pytest.raises(InvalidInput, match="Delete one first"):
        own.save("Another", LAST_MONTH, actor="x")
    filters(site, MARIA).save("Mine", LAST_MONTH, actor="x")


def test_a_kiosk_and_a_program_have_none(site):
    for role in (Role.KIOSK, Role.RECOGNIZER, Role.MONITOR):
        with pytest.raises(Forbidden):
            filters(site, Caller("door", role)).usable(actor="x")


def test_filters_that_look_for_a_person_go_with_the_person(site):
    ada = site.enrol(1, name="Ada Lovelace")
    for name, text in (("by id", "E1"), ("by name", "lovelace"), ("others", "Grace")):
        filters(site, ROY).save(name, replace(LAST_MONTH, person=text), actor="x")
    site.backend.people.erase(ada.person_id, typed_employee_id="E1", keep_punches=True, actor="admin")
    assert names(site, ROY) == ["others"]


def test_filters_outlive_the_process(site):
    filters(site, ROY).save("Mine", LAST_MONTH, actor="x")
    site.backend.accounts.create("roy", AccountDraft("Roy", Role.MANAGER), actor="test")
    again = site.restarted()
    assert filters(again, ROY).usable(actor="x")[0].filter == LAST_MONTH
