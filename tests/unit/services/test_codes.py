"""The other way at a kiosk: codes that only their owners know, and that cannot be guessed at leisure."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ray_backend.domain.errors import (
    Conflict,
    InvalidInput,
    PersonNotFound,
    StoreUnavailable,
    TooManyAttempts,
    WrongCredentials,
)
from ray_backend.domain.model import DecisionKind, Direction
from ray_backend.domain.queries import DecisionQuery
from ray_backend.services import codes
from tests.unit.services.test_check_in import FailingStore, race

ADA, ALAN = 1, 2
CODE, OTHER = "2718", "31415926"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Argon2 with the least work it takes: what is tested here is not how slow it is."""
    monkeypatch.setattr(codes.Costs.__init__, "__defaults__", (1, 8, 1, 16))


@pytest.fixture
def check_ins(site):
    return site.backend._records.check_ins


def type_in(site, code, key="k", kiosk="door"):
    return site.backend._records.check_ins.punch_by_code(code, kiosk=kiosk, idempotency_key=key)


def give(site, person, code=CODE):
    site.backend.people.set_code(person.person_id, code, actor="admin")


def test_a_code_checks_its_owner_in(site):
    ada = site.enrol(ADA)
    give(site, ada)
    answer = type_in(site, f" {CODE} ")
    assert (answer.decision.kind, answer.person, answer.delivered) == (DecisionKind.MATCH, ada, True)
    assert site.punches() == [answer.punch]
    assert (answer.punch.source, answer.punch.receipt, answer.punch.direction) == ("pin", None, Direction.IN)
    [noted] = site.store.list_decisions(DecisionQuery()).items
    assert (noted.source, noted.kiosk, noted.punch_id) == ("pin", "door", answer.punch.punch_id)
    assert noted.similarity is None


def test_face_and_code_are_one_visit_and_a_request_sent_again_is_one_punch(site):
    ada = site.enrol(ADA)
    give(site, ada)
    by_face = site.check_in(ADA)
    by_code = type_in(site, CODE)
    assert (by_code.punch, by_code.repeated) == (by_face.punch, True)
    site.clock.move(hours=1)
    first = type_in(site, CODE, "again")
    site.clock.move(hours=1)
    assert type_in(site, CODE, "again").punch == first.punch
    assert len(site.punches()) == 2


def test_a_code_that_nobody_has_is_refused_in_plain_words(site):
    give(site, site.enrol(ADA))
    for code in ("2719", "", "abcd", "271", "1" * 13, "\u0662\u0667\u0661\u0668"):
        with pytest.raises(WrongCredentials, match="Nobody has this code"):
            type_in(site, code, kiosk=f"kiosk of {code}")
    assert site.punches() == []


@pytest.mark.parametrize("code", ["", "123", "12a4", "1234567890123", "12 34", "-1234", "²³⁴⁵"])
def test_what_is_no_code_is_refused(site, code):
    ada = site.enrol(ADA)
    with pytest.raises(InvalidInput, match="4 to 12 digits"):
        give(site, ada, code)


@pytest.mark.parametrize("code", ["0000", "7777777", "1234", "0123456789", "4321", "9876", "8901", "2109"])
def test_codes_that_everybody_tries_first_are_refused(site, code):
    ada = site.enrol(ADA)
    with pytest.raises(InvalidInput, match="too easy"):
        give(site, ada, code)


def test_a_code_is_one_persons_and_the_refusal_does_not_say_whose(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    give(site, ada)
    with pytest.raises(Conflict) as refusal:
        give(site, alan)
    assert ada.name not in str(refusal.value)
    assert ada.employee_id not in str(refusal.value)
    assert not site.backend.people.details(alan.person_id).has_code
    give(site, ada)
    assert type_in(site, CODE).person == ada


def test_of_many_who_want_a_code_at_once_one_gets_it(site):
    people = [site.enrol(number) for number in range(1, 7)]

    def want(number):
        try:
            give(site, people[number])
        except Conflict:
            return None
        return people[number]

    [winner] = [one for one in race(6, want) if one]
    assert type_in(site, CODE).person == winner


def test_a_changed_code_replaces_the_old_one_which_is_free_again(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    give(site, ada, CODE)
    give(site, ada, OTHER)
    with pytest.raises(WrongCredentials):
        type_in(site, CODE)
    assert type_in(site, OTHER).person == ada
    give(site, alan, CODE)
    assert type_in(site, CODE, "k2").person == alan


def test_a_removed_code_opens_nothing(site):
    ada = site.enrol(ADA)
    give(site, ada)
    assert site.backend.people.details(ada.person_id).has_code
    give(site, ada, None)
    give(site, ada, None)
    assert not site.backend.people.details(ada.person_id).has_code
    with pytest.raises(WrongCredentials):
        type_in(site, CODE)


def test_a_code_needs_a_person(site):
    with pytest.raises(PersonNotFound):
        site.backend.people.set_code("nobody", CODE, actor="admin")


def test_the_code_of_a_deactivated_person_is_nobodys(site):
    ada = site.enrol(ADA)
    give(site, ada)
    site.backend.people.set_active(ada.person_id, False, actor="admin")
    with pytest.raises(WrongCredentials):
        type_in(site, CODE)
    site.backend.people.set_active(ada.person_id, True, actor="admin")
    assert type_in(site, CODE).person == ada


def test_erasing_a_person_takes_the_code_along(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    give(site, ada)
    site.backend.people.erase(ada.person_id, typed_employee_id="E1", keep_punches=True, actor="admin")
    assert ada.person_id not in json.dumps(site.store.settings())
    assert site.store.settings("code/") == {}
    give(site, alan, CODE)
    assert type_in(site, CODE).person == alan


def test_a_change_that_broke_off_leaves_the_old_code_and_blocks_nobody(open_site):
    store = FailingStore()
    site = open_site(store=store)
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    give(site, ada, CODE)
    put_setting = store.put_setting
    store.put_setting = lambda key, value: (_ for _ in ()).throw(StoreUnavailable("gone"))
    with pytest.raises(StoreUnavailable):
        give(site, ada, OTHER)
    store.put_setting = put_setting
    assert type_in(site, CODE).person == ada
    with pytest.raises(WrongCredentials):
        type_in(site, OTHER)
    give(site, alan, OTHER)
    assert type_in(site, OTHER, "k2").person == alan


def test_neither_store_nor_audit_log_hold_a_code(site):
    ada = site.enrol(ADA)
    for code in (OTHER, "161803", None):
        site.clock.move(seconds=1)
        give(site, ada, code)
    kept = json.dumps(site.store.settings()) + str(site.audit())
    assert OTHER not in kept
    assert "161803" not in kept
    actions = [entry.action for entry in site.audit() if entry.subject == ada.person_id][-3:]
    assert actions == ["person.code_set", "person.code_changed", "person.code_removed"]


def test_the_salt_is_the_sites_own_and_lasts(site, open_site):
    ada = site.enrol(ADA)
    give(site, ada)
    [hashed] = site.store.settings("code/")
    assert type_in(site.restarted(), CODE).person == ada
    other = open_site()
    bob = other.enrol(ADA)
    give(other, bob)
    assert list(other.store.settings("code/")) != [hashed]


def fail(site, times, kiosk="door"):
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            type_in(site, "8642", kiosk=kiosk)


def test_five_wrong_codes_lock_this_kiosk_even_for_right_ones_and_through_a_restart(site):
    ada = site.enrol(ADA)
    give(site, ada)
    fail(site, 5)
    for place in (site, site.restarted()):
        with pytest.raises(TooManyAttempts, match="wrong codes") as locked:
            type_in(place, CODE)
        assert locked.value.retry_after_s == 30
    assert type_in(site, CODE, kiosk="another").person == ada
    site.clock.move(seconds=31)
    site.clock.move(seconds=60)
    assert type_in(site, CODE, "later").person == ada
    assert [entry.action for entry in site.audit()].count("kiosk.locked") == 1


def test_a_right_code_in_between_takes_no_wrong_one_back(site):
    give(site, site.enrol(ADA))
    fail(site, 4)
    type_in(site, CODE)
    fail(site, 1)
    with pytest.raises(TooManyAttempts):
        type_in(site, CODE, "k2")


def test_each_further_wrong_code_locks_for_longer(site):
    give(site, site.enrol(ADA))
    fail(site, 5)
    site.clock.move(seconds=31)
    fail(site, 1)
    with pytest.raises(TooManyAttempts) as locked:
        type_in(site, CODE)
    assert locked.value.retry_after_s == 60


def test_mistypings_of_long_ago_do_not_count(site):
    give(site, site.enrol(ADA))
    for _ in range(3):
        fail(site, 4)
        site.clock.move(minutes=6)
    assert type_in(site, CODE).person.employee_id == "E1"


def test_codes_and_their_limit_work_while_the_database_is_away(open_site):
    store = FailingStore()
    site = open_site(store=store)
    ada = site.enrol(ADA)
    give(site, ada)
    site = site.restarted()
    for method in ("get_setting", "put_setting", "find_punch"):
        store.away = method
        fail(site, 1, kiosk=method)
    answer = type_in(site, CODE)
    assert (answer.person, answer.delivered) == (ada, False)
    fail(site, 5)
    with pytest.raises(TooManyAttempts):
        type_in(site, CODE)
    store.away = ""
    log = site.backend._records.check_ins._punches
    assert log.deliver()
    assert site.punches() == [answer.punch]
    with pytest.raises(TooManyAttempts):
        type_in(site, CODE)
    assert store.get_setting("code_failures/door")["count"] == 5


def test_a_code_changed_by_another_process_counts_at_once(site):
    ada = site.enrol(ADA)
    other = site.restarted()
    give(other, ada)
    assert type_in(site, CODE).person == ada
    other.store.update_person(replace(ada, active=False))
    with pytest.raises(WrongCredentials):
        type_in(site, CODE, "k2")


def test_a_suggested_code_has_six_digits_and_is_never_too_easy(site):
    person = site.enrol(1)
    suggestions = {codes.suggestion() for _ in range(300)}
    assert len(suggestions) > 290
    assert all(len(code) == 6 and code.isdigit() for code in suggestions)
    site.backend.people.set_code(person.person_id, suggestions.pop(), actor="admin")


def test_a_suggestion_that_would_be_too_easy_is_thrown_again(monkeypatch):
    thrown = iter([111111, 123456, 987654, 40917])
    monkeypatch.setattr(codes.secrets, "randbelow", lambda _: next(thrown))
    assert codes.suggestion() == "040917"
