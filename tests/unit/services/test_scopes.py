"""What callers see who are bound to departments or to one kiosk, through the gate and the real services."""

from __future__ import annotations

from datetime import date

import pytest

from ray_backend.domain.errors import Forbidden, PersonNotFound
from ray_backend.domain.model import DecisionKind, DecisionRecord
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.queries import PeopleQuery, PunchQuery
from ray_backend.domain.requests import PersonDraft, SheetQuery
from tests.fakes import photo

TODAY = date(2026, 3, 2)
SALES, ENGINES = 1, 2


@pytest.fixture
def people(site):
    """One in each of two departments, both here today."""
    found = {who: site.enrol(who, department=name) for who, name in ((1, "Sales"), (2, "Engines"))}
    for who in found:
        site.check_in(who)
    return found


def manager(site, *departments: str, role: Role = Role.MANAGER):
    return site.backend.acting_as(Caller("maria", role, departments))


def everything(backend, who) -> dict[str, object]:
    """What the ways of asking give about one person."""
    query = PunchQuery(people=(who.person_id,))
    report = backend.timesheets.sheet(SheetQuery(TODAY, TODAY, text=who.employee_id))
    return {
        "listed": who in backend.people.find(PeopleQuery(text=who.employee_id)).items,
        "found": backend.people.by_employee_id(who.employee_id) is not None,
        "reported": not report.days.empty,
        "punched": bool(backend.reports.recent_punches(query)),
        "all punches": who in [person for _, person in backend.reports.recent_punches(PunchQuery())],
    }


def test_a_manager_sees_the_people_of_the_own_departments_only(site, people):
    sales = manager(site, "Sales")
    assert set(everything(sales, people[SALES]).values()) == {True}
    assert set(everything(sales, people[ENGINES]).values()) == {False}
    assert sales.people.departments() == ["Sales"]
    assert sales.people.details(people[SALES].person_id).person == people[SALES]
    with pytest.raises(PersonNotFound):
        sales.people.details(people[ENGINES].person_id)


def test_without_a_department_nobody_is_seen_and_with_both_everybody(site, people):
    for who in people.values():
        assert set(everything(manager(site), who).values()) == {False}
        assert set(everything(manager(site, "Sales", "Engines"), who).values()) == {True}


@pytest.mark.parametrize("asked", [("Engines",), ("Engines", "Sales"), ()])
def test_asking_for_other_departments_widens_nothing(site, people, asked):
    sales = manager(site, "Sales")
    page = sales.people.find(PeopleQuery(departments=asked))
    assert people[ENGINES] not in page.items
    assert (people[SALES] in page.items) is ("Sales" in asked)
    days = sales.timesheets.sheet(SheetQuery(TODAY, TODAY, departments=asked)).days
    assert set(days["employee_id"]) == ({"E1"} if "Sales" in asked else set())
    assert sales.timesheets.sheet(SheetQuery(TODAY, TODAY, department="Engines")).days.empty


def test_somebody_who_was_erased_is_in_no_report_of_a_department(site, people):
    erased = people[ENGINES]
    site.backend.people.erase(
        erased.person_id, typed_employee_id=erased.employee_id, keep_punches=True, actor="admin"
    )
    assert len(site.backend.timesheets.sheet(SheetQuery(TODAY, TODAY)).days) == 2
    for departments in (("Sales",), ("Sales", ""), ("",)):
        days = manager(site, *departments).timesheets.sheet(SheetQuery(TODAY, TODAY)).days
        assert set(days["employee_id"]) <= {"E1"}
        seen = manager(site, *departments).reports.recent_punches(PunchQuery())
        assert {person.employee_id for _, person in seen} <= {"E1"}


def test_a_manager_changes_nobody(site, people):
    sales, person_id = manager(site, "Sales"), people[SALES].person_id
    before = site.store.get_person(person_id)
    for change in (
        lambda: sales.people.update(person_id, PersonDraft("E1", "New"), actor="maria"),
        lambda: sales.people.set_active(person_id, False, actor="maria"),
        lambda: sales.people.set_code(person_id, "739154", actor="maria"),
        lambda: sales.people.erase(person_id, typed_employee_id="E1", keep_punches=False, actor="maria"),
        lambda: sales.access.issue_token("door", actor="maria"),
    ):
        with pytest.raises(Forbidden):
            change()
    assert site.store.get_person(person_id) == before


def test_a_forbidden_enrolment_is_refused_before_a_picture_is_looked_at(site):
    looked = []
    site.engine.detect = lambda image: looked.append(image)
    viewer = manager(site, role=Role.VIEWER)
    for call in (
        lambda: viewer.check_in(photo(1), kiosk="door"),
        lambda: viewer.recognise(photo(1)),
        lambda: viewer.review([]),
        lambda: viewer.kiosk_session("door"),
    ):
        with pytest.raises(Forbidden):
            call()
    assert looked == []


def test_viewers_are_not_told_addresses(site):
    site.enrol(1, email="ada@example.org")
    site.check_in(1)
    viewer = site.backend.acting_as(Caller("vera", Role.VIEWER))
    assert viewer.people.by_employee_id("E1").email == ""
    [(_, person)] = viewer.reports.recent_punches(PunchQuery())
    assert (person.name, person.email) == ("Person 1", "")


def test_a_kiosk_speaks_for_itself_only(site, people):
    door = site.backend.acting_as(Caller("door", Role.KIOSK))
    assert door.check_in(photo(1), kiosk="door").decision.kind is DecisionKind.MATCH
    record = DecisionRecord(site.clock.now(), "gate", DecisionKind.UNKNOWN, "face")
    for call in (
        lambda: door.check_in(photo(1), kiosk="gate"),
        lambda: door._check_ins.punch_by_code("739154", kiosk="gate", idempotency_key="k"),
        lambda: door._check_ins.dispute("p", kiosk="gate"),
        lambda: door._check_ins.note(record),
    ):
        with pytest.raises(Forbidden, match="another kiosk"):
            call()
    for call in (
        lambda: door.people.find(PeopleQuery()),
        lambda: door.reports.today(),
        lambda: door.access.tokens(),
    ):
        with pytest.raises(Forbidden):
            call()


def test_a_page_knows_what_it_may_offer(site):
    assert site.backend.may("people.erase")
    assert manager(site).may("people.find", "timesheets.sheet")
    assert not manager(site).may("people.find", "people.erase")
