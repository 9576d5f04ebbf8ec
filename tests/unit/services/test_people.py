"""Looking after people: the gallery and the store change together, and the audit log names nobody."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from ray_backend.domain.answers import Erasure
from ray_backend.domain.errors import (
    DuplicateEmployeeId,
    FaceBelongsToAnother,
    InvalidInput,
    PersonNotFound,
    StoreUnavailable,
    TemplateNotFound,
)
from ray_backend.domain.model import DecisionKind
from ray_backend.domain.queries import PeopleQuery
from ray_backend.domain.requests import PersonDraft
from ray_backend.storage.memory import MemoryStore
from tests.fakes import photo

ADA, ALAN = 1, 2
CHANGED = PersonDraft("E7", "Ada King", "Poetry", "ada.king@example.org")


def erase(site, person, **changes):
    options = {"typed_employee_id": person.employee_id, "keep_punches": True, "actor": "admin"}
    return site.backend.people.erase(person.person_id, **(options | changes))


def test_people_are_found_by_text_and_department(site):
    ada = site.enrol(ADA, name="Ada Lovelace", department="Engines")
    alan = site.enrol(ALAN, name="Alan Turing", department="Codes")
    people = site.backend.people
    assert people.find(PeopleQuery()).items == (ada, alan)
    assert people.find(PeopleQuery(text="love")).items == (ada,)
    assert people.find(PeopleQuery(department="Codes")).items == (alan,)
    assert people.departments() == ["Codes", "Engines"]
    assert people.by_employee_id("E1") == ada
    assert people.by_employee_id("E9") is None


def test_details_show_the_templates(site):
    ada = site.enrol(ADA, photo(ADA), photo(ADA, variant=1))
    details = site.backend.people.details(ada.person_id)
    assert details.person == ada
    assert details.templates == tuple(site.store.templates_of(ada.person_id))
    assert len(details.templates) == 2


def test_a_change_is_stored_and_shown_at_the_next_check_in(site):
    ada = site.enrol(ADA)
    after = site.backend.people.update(ada.person_id, CHANGED, actor="admin")
    assert (after.employee_id, after.name, after.department) == ("E7", "Ada King", "Poetry")
    assert after.email == "ada.king@example.org"
    assert (after.person_id, after.created_at) == (ada.person_id, ada.created_at)
    assert after.consent_at == ada.consent_at
    assert site.store.get_person(ada.person_id) == after
    assert site.check_in(ADA).person == after


def test_a_change_of_nothing_is_not_noted(site):
    ada = site.enrol(ADA)
    same = PersonDraft(ada.employee_id, f" {ada.name} ", ada.department, ada.email)
    before = site.audit()
    assert site.backend.people.update(ada.person_id, same, actor="admin") == ada
    assert site.audit() == before


def test_a_change_is_checked_like_a_registration(site):
    ada = site.enrol(ADA)
    with pytest.raises(InvalidInput, match="name"):
        site.backend.people.update(ada.person_id, PersonDraft("E1", ""), actor="admin")
    assert site.store.get_person(ada.person_id) == ada


def test_a_change_to_a_taken_employee_id_is_refused(site):
    ada = site.enrol(ADA)
    site.enrol(ALAN)
    with pytest.raises(DuplicateEmployeeId):
        site.backend.people.update(ada.person_id, PersonDraft("E2", "Ada"), actor="admin")
    assert site.store.get_person(ada.person_id) == ada


def test_a_deactivated_person_keeps_everything_but_leaves_the_gallery(site):
    ada = site.enrol(ADA, photo(ADA), photo(ADA, variant=1))
    after = site.backend.people.set_active(ada.person_id, False, actor="admin")
    assert not after.active
    assert site.counts() == (1, 2, 0)
    assert site.restarted().counts() == (1, 2, 0)
    assert site.backend.people.set_active(ada.person_id, True, actor="admin") == ada
    assert site.counts() == (1, 2, 2)


def test_activating_twice_adds_no_template_twice(site):
    ada = site.enrol(ADA)
    for _ in range(2):
        site.backend.people.set_active(ada.person_id, True, actor="admin")
    assert site.counts() == (1, 1, 1)


def test_somebody_registered_anew_while_deactivated_is_not_activated_beside_oneself(site):
    ada = site.enrol(ADA)
    site.backend.people.set_active(ada.person_id, False, actor="admin")
    again = site.enrol(ADA, photo(ADA, variant=1), employee_id="E7")
    with pytest.raises(FaceBelongsToAnother) as refusal:
        site.backend.people.set_active(ada.person_id, True, actor="admin")
    assert refusal.value.employee_id == "E7"
    assert not site.store.get_person(ada.person_id).active
    assert site.check_in(ADA).person == again


def test_a_removed_template_is_gone_from_store_and_gallery(site):
    ada = site.enrol(ADA, photo(ADA), photo(ADA, variant=1))
    first, second = site.store.templates_of(ada.person_id)
    removed = site.backend.people.remove_template(first.template_id, actor="admin")
    assert removed == first
    assert site.store.templates_of(ada.person_id) == [second]
    assert site.counts() == (1, 1, 1)
    with pytest.raises(TemplateNotFound):
        site.backend.people.remove_template(first.template_id, actor="admin")


def test_without_templates_a_person_is_unknown(site):
    ada = site.enrol(ADA)
    [template] = site.store.templates_of(ada.person_id)
    site.backend.people.remove_template(template.template_id, actor="admin")
    assert site.check_in(ADA).decision.kind is DecisionKind.UNKNOWN
    assert site.backend.people.by_employee_id("E1") == ada


@pytest.mark.parametrize("keep_punches", [True, False])
def test_an_erased_person_is_gone_everywhere(site, keep_punches):
    ada, alan = site.enrol(ADA, photo(ADA), photo(ADA, variant=1)), site.enrol(ALAN)
    site.check_in(ADA)
    kept = site.check_in(ALAN).punch
    erasure = erase(site, ada, keep_punches=keep_punches)
    assert erasure == Erasure(2, punches_removed=int(not keep_punches), punches_kept=int(keep_punches))
    assert site.counts() == (1, 1, 1)
    assert site.store.templates_of(ada.person_id) == []
    assert len(site.punches(ada)) == int(keep_punches)
    assert site.punches(alan) == [kept]
    with pytest.raises(PersonNotFound):
        site.backend.people.details(ada.person_id)
    assert site.check_in(ADA).decision.kind is DecisionKind.UNKNOWN
    assert site.enrol(ADA).employee_id == "E1"


def test_the_employee_id_may_be_typed_with_spaces_around(site):
    ada = site.enrol(ADA)
    erase(site, ada, typed_employee_id=" E1 ")
    assert site.counts() == (0, 0, 0)


@pytest.mark.parametrize("typed", ["", "E2", "e1", "E1x"])
def test_a_wrongly_typed_employee_id_erases_nobody(site, typed):
    ada = site.enrol(ADA)
    with pytest.raises(InvalidInput, match="exactly"):
        erase(site, ada, typed_employee_id=typed)
    assert site.counts() == (1, 1, 1)
    assert site.check_in(ADA).person == ada


class FailingStore(MemoryStore):
    """Dies in the middle of an erasure, once."""

    fails = True

    def erase_person(self, person_id, *, keep_punches):
        if self.fails:
            self.fails = False
            raise StoreUnavailable("The database does not answer.")
        return super().erase_person(person_id, keep_punches=keep_punches)


def test_an_erasure_that_failed_recognises_nobody_and_can_be_repeated(open_site):
    site = open_site(store=FailingStore())
    ada = site.enrol(ADA)
    with pytest.raises(StoreUnavailable):
        erase(site, ada)
    assert site.check_in(ADA).decision.kind is DecisionKind.UNKNOWN
    assert "person.erased" not in [entry.action for entry in site.audit()]
    erase(site, ada)
    assert site.counts() == (0, 0, 0)


@pytest.mark.parametrize("use_case", ["details", "update", "set_active", "erase"])
def test_people_who_are_not_there_are_an_error(site, use_case):
    people = site.backend.people
    calls = {
        "details": lambda: people.details("nobody"),
        "update": lambda: people.update("nobody", CHANGED, actor="admin"),
        "set_active": lambda: people.set_active("nobody", True, actor="admin"),
        "erase": lambda: people.erase("nobody", typed_employee_id="E1", keep_punches=True, actor="admin"),
    }
    with pytest.raises(PersonNotFound):
        calls[use_case]()
    assert site.audit() == []


def everything_an_admin_does(site):
    ada = site.enrol(ADA, name="Ada Lovelace", email="ada@example.org", employee_id="EMP-0815")
    people = site.backend.people
    [template] = site.store.templates_of(ada.person_id)
    for step in (
        lambda: people.update(ada.person_id, CHANGED, actor="admin"),
        lambda: people.set_active(ada.person_id, False, actor="admin"),
        lambda: people.set_active(ada.person_id, True, actor="admin"),
        lambda: people.remove_template(template.template_id, actor="admin"),
        lambda: people.erase(ada.person_id, typed_employee_id="E7", keep_punches=False, actor="admin"),
    ):
        site.clock.move(minutes=1)
        step()
    return ada


def test_the_audit_log_says_what_was_done_to_whom_and_by_whom(site):
    ada = everything_an_admin_does(site)
    entries = site.audit()
    assert [entry.action for entry in entries] == [
        "person.enrolled",
        "person.changed",
        "person.deactivated",
        "person.activated",
        "person.template_removed",
        "person.erased",
    ]
    assert {(entry.actor, entry.subject) for entry in entries} == {("admin", ada.person_id)}
    assert entries[-1].at == site.clock.now()
    assert set(entries[1].detail["fields"]) == {"employee_id", "name", "department", "email"}
    [certificate] = site.backend.certificates.all()
    assert entries[-1].detail == {
        "templates": 0,
        "punches_removed": 0,
        "punches_kept": 0,
        "certificate": certificate.certificate_id,
        "verified": True,
    }


@pytest.mark.parametrize(
    "personal",
    ["Ada", "Lovelace", "King", "ada@example.org", "EMP-0815", "E7", "Engines", "Poetry"],
)
def test_the_audit_log_holds_no_personal_data(site, personal):
    everything_an_admin_does(site)
    log = json.dumps([asdict(entry) for entry in site.audit()], default=str)
    assert personal not in log
