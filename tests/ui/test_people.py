"""Finding, changing and erasing people on the page."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from types import SimpleNamespace

import pytest

from ray_backend.domain.answers import Erasure
from ray_backend.domain.permissions import Role
from ray_backend.domain.queries import PeopleQuery, PunchQuery
from ray_backend.domain.worktime.schedule import Assignment, Level, Rulebook
from ray_backend.domain.worktime.shifts import Shift
from streamlit_app.person.erasing import confirm_erasure
from streamlit_app.views import people
from tests.fakes import photo
from tests.ui.conftest import account, enrol, page, words

# Three weeks after the clock of these tests.
NOW = datetime(2026, 3, 24, 12, tzinfo=UTC)


def names(test) -> list[str]:
    return [button.label for button in test.button if str(button.key).startswith("open-")]


def button(test, label):
    return next(button for button in test.button if button.label == label)


@pytest.fixture
def ada(backend):
    return enrol(backend, 1, name="Ada Example")


@pytest.fixture
def person_page(backend, ada):
    test = page(people.render, backend)
    test.query_params["person"] = ada.person_id
    return test.run()


def test_an_empty_site_says_what_to_do_next(backend):
    test = page(people.render, backend).run()

    assert "Nobody is registered yet" in words(test)
    assert "Register the first face" in words(test)


def test_search_and_department_narrow_the_list(backend, ada):
    enrol(backend, 2, name="Grace Example", department="Office")
    test = page(people.render, backend).run()
    assert names(test) == ["Ada Example", "Grace Example"]

    test.text_input(key="people_text").set_value("grace").run()
    assert names(test) == ["Grace Example"]

    test.selectbox(key="people_department").set_value("Workshop").run()
    assert names(test) == []
    assert "Nobody matches" in words(test)


def test_a_row_says_which_shift_somebody_has_today(backend, ada):
    early = Shift("early", "Early", start=time(6), end=time(14))
    days = Assignment(Level.PERSON, ada.person_id, date(2026, 3, 2), (("early",),))
    backend.rules.change(Rulebook(0, {"early": early}, (days,)), actor="test")
    enrol(backend, 2, name="Grace Example")
    texts = [element.value for element in page(people.render, backend).run().text]
    assert texts[texts.index("E1") + 2] == "Early 06:00–14:00"
    assert texts[texts.index("E2") + 2] == "–"


def test_a_row_says_how_many_photos_there_are_and_when_somebody_was_seen_last(backend, ada, monkeypatch):
    enrol(backend, 2, name="Grace Example")
    backend.check_in(photo(1), kiosk="entrance")
    monkeypatch.setattr(people, "datetime", SimpleNamespace(now=lambda zone: NOW))

    text = words(page(people.render, backend).run())

    assert "3 weeks ago" in text
    assert "never" in text
    assert text.split("\n").count("1") == 2
    assert text.count("<img class='rc-face'") == 2


def test_people_without_photos_are_found(backend, ada, person_page):
    enrol(backend, 2, name="Grace Example")
    button(person_page, "Remove").click().run()
    test = page(people.render, backend).run()

    test.checkbox(key="people_without_photos").check().run()
    assert names(test) == ["Ada Example"]

    backend.people.set_active(ada.person_id, False, actor="test")
    test.run()
    assert names(test) == []
    assert "Nobody is without photos" in words(test)


def test_a_manager_looks_and_changes_nothing(backend, ada):
    test = page(people.render, backend, username=account(backend, Role.MANAGER)).run()
    button(test, "Ada Example").click().run()

    assert "Photos (1)" in words(test)
    assert "E1" in words(test)
    labels = {one.label for one in test.button}
    assert labels == {"All people", "New address", "Shut the address"}, "nothing of the person is changed"


def test_long_lists_are_paged_forth_and_back(backend, monkeypatch):
    monkeypatch.setattr(people, "PAGE_SIZE", 2)
    for who in range(1, 6):
        enrol(backend, who)
    test = page(people.render, backend).run()
    first = names(test)

    button(test, "Next").click().run()
    assert "3 to 4 of 5 people" in words(test)
    button(test, "Next").click().run()
    assert len(names(test)) == 1
    assert "Next" not in [b.label for b in test.button]
    button(test, "Previous").click().run()
    button(test, "Previous").click().run()

    assert names(test) == first


def test_a_new_search_starts_at_the_first_page(backend, monkeypatch):
    monkeypatch.setattr(people, "PAGE_SIZE", 2)
    for who in range(1, 6):
        enrol(backend, who)
    test = page(people.render, backend).run()
    button(test, "Next").click().run()

    test.text_input(key="people_text").set_value("Person").run()

    assert "1 to 2 of 5 people" in words(test)


def test_a_name_in_the_list_opens_that_person(backend, ada):
    test = page(people.render, backend).run()

    button(test, "Ada Example").click().run()

    assert test.title[0].value == "Ada Example"
    assert "Photos (1)" in words(test)


def test_details_are_changed(backend, ada, person_page):
    next(field for field in person_page.text_input if field.label == "Name").set_value("Ada Changed")
    button(person_page, "Save changes").click().run()

    assert backend.people.details(ada.person_id).person.name == "Ada Changed"
    assert "The changes are saved." in words(person_page)


def test_a_change_that_is_not_possible_says_why(backend, ada, person_page):
    enrol(backend, 2)
    next(field for field in person_page.text_input if field.label == "Employee id").set_value("E2")
    button(person_page, "Save changes").click().run()

    assert len(person_page.error) == 1
    assert backend.people.details(ada.person_id).person.employee_id == "E1"


def test_a_deactivated_person_is_out_of_the_list_and_can_come_back(backend, ada, person_page):
    button(person_page, "Deactivate").click().run()
    assert backend.people.details(ada.person_id).person.active is False
    assert names(page(people.render, backend).run()) == []

    button(person_page, "Reactivate").click().run()
    assert names(page(people.render, backend).run()) == ["Ada Example"]


def test_photos_are_added_and_removed(backend, ada, person_page):
    person_page.file_uploader[0].set_value([("b.png", photo(1, variant=3), "image/png")]).run()
    button(person_page, "Add these photos").click().run()
    assert "Photos (2)" in words(person_page)
    assert not person_page.file_uploader[0].value

    button(person_page, "Remove").click().run()

    assert len(backend.people.details(ada.person_id).templates) == 1


@pytest.fixture
def erasure(backend, ada):
    """The dialog by itself: AppTest closes a dialog at the next click."""
    return page(lambda backend: confirm_erasure(backend, ada), backend).run()


def test_the_button_asks_before_it_erases(backend, ada, person_page):
    button(person_page, "Erase this person").click().run()

    assert "Type the employee id E1 to confirm" in [field.label for field in person_page.text_input]
    assert backend.people.find(PeopleQuery()).total == 1


def test_nobody_is_erased_before_the_id_is_typed(backend, erasure):
    erasure.text_input(key="erase-typed").set_value("something else")
    button(erasure, "Erase for good").click().run()

    assert "Type the employee id exactly" in erasure.error[0].value
    assert backend.people.find(PeopleQuery()).total == 1


@pytest.mark.parametrize(("keep", "left"), [(True, 1), (False, 0)])
def test_erasing_takes_the_person_and_does_with_the_records_as_chosen(backend, erasure, keep, left):
    backend.check_in(photo(1), kiosk="entrance")
    erasure.radio(key="erase-keep").set_value(keep)
    erasure.text_input(key="erase-typed").set_value("E1")
    button(erasure, "Erase for good").click().run()

    assert backend.people.find(PeopleQuery()).total == 0
    assert len(backend.reports.recent_punches(PunchQuery())) == left


def test_after_an_erasure_the_list_says_what_went(backend):
    test = page(people.render, backend)
    test.session_state["people_farewell"] = Erasure(2, 3, 0)

    test.run()

    assert test.success[0].value == "Erased the person with 2 photos and 3 attendance records."
    button(test, "Close").click().run()
    assert not test.success


def test_the_address_of_an_unknown_person_says_so(backend):
    test = page(people.render, backend)
    test.query_params["person"] = "f" * 32

    test.run()

    assert "not registered any more" in words(test)


def test_a_name_cannot_bring_markup_into_the_page(backend):
    enrol(backend, 5, name="**Bold** [link](http://example.org)")

    test = page(people.render, backend).run()

    assert names(test) == [r"\*\*Bold\*\* \[link\]\(http\://example\.org\)"]


def test_a_code_for_the_kiosk_is_set_changed_and_taken_away(backend, person_page, ada):
    def type_code(code: str, label: str) -> None:
        next(field for field in person_page.text_input if field.label == "New code").set_value(code)
        button(person_page, label).click().run()

    assert "can check in without the camera" in words(person_page)
    type_code("1111", "Set the code")
    assert "too easy" in words(person_page)
    assert not backend.people.details(ada.person_id).has_code

    type_code("482913", "Set the code")
    assert "The code is set" in words(person_page)
    assert backend.people.details(ada.person_id).has_code
    assert "482913" not in words(person_page)

    type_code("59027734", "Change the code")
    session = backend.kiosk_session("door")
    answer = session.code("59027734", "request-1")
    assert answer.check_in.person.person_id == ada.person_id

    button(person_page, "Take the code away").click().run()
    assert "The code is gone" in words(person_page)
    assert not backend.people.details(ada.person_id).has_code
