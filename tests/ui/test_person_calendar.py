"""The calendar on a person's page: a file, and an address that is shown once."""

from __future__ import annotations

from datetime import date, time
from urllib.parse import parse_qs, urlsplit

import pytest

from ray_backend.domain.errors import WrongCredentials
from ray_backend.domain.permissions import Role
from ray_backend.domain.worktime.schedule import Assignment, Level, Rulebook
from ray_backend.domain.worktime.shifts import Shift
from streamlit_app import deps
from streamlit_app.views import people
from tests.ui.conftest import account, enrol, page, words


@pytest.fixture
def ada(backend):
    early = Shift("early", "Early", start=time(6), end=time(14))
    days = Assignment(Level.EVERYBODY, "", date(2026, 3, 2), (("early",),))
    backend.rules.change(Rulebook(0, {"early": early}, (days,)), actor="test")
    return enrol(backend, 1)


def page_of(backend, someone, **more):
    test = page(people.render, backend, **more)
    test.query_params["person"] = someone.person_id
    return test.run()


def address(test) -> str:
    return next(code.value for code in test.code if "shifts.ics" in code.value)


def read(backend, url: str) -> bytes:
    parts = urlsplit(url)
    return backend._records.shift_feeds.by_secret(parts.path.split("/")[2], parse_qs(parts.query)["token"][0])


def test_the_shifts_can_be_downloaded(backend, ada):
    test = page_of(backend, ada)
    assert not test.exception
    [file] = [one for one in test.download_button if one.label == "Download the file"]
    assert b"SUMMARY:Early" in backend.shift_feeds.calendar(ada.person_id)
    assert file.key == "calendar-file"


def test_an_address_is_shown_once_and_opens_the_calendar(backend, ada):
    test = page_of(backend, ada)
    assert "shifts.ics" not in " ".join(code.value for code in test.code)
    test.button(key="calendar-issue").click().run()
    url = address(test)
    assert url.startswith("http://localhost:8000/people/E1/shifts.ics?token=")
    assert b"SUMMARY:Early" in read(backend, url)
    assert "Copy it now" in words(test)
    next(one for one in test.button if one.label == "All people").click().run()
    test.button(key=f"open-{ada.person_id}").click().run()
    assert "Copy it now" not in words(test)


def test_a_new_address_and_shutting_end_the_one_before(backend, ada):
    test = page_of(backend, ada)
    test.button(key="calendar-issue").click().run()
    first = address(test)
    test.button(key="calendar-issue").click().run()
    second = address(test)
    with pytest.raises(WrongCredentials):
        read(backend, first)
    assert read(backend, second)
    test.button(key="calendar-shut").click().run()
    assert "No address opens" in words(test)
    with pytest.raises(WrongCredentials):
        read(backend, second)


def test_the_address_from_outside_is_that_of_the_settings(backend, ada, settings, monkeypatch):
    outside = settings.model_copy(update={"api_url": "https://rollcall.example.org:8443/"})
    monkeypatch.setattr(deps, "settings", lambda: outside)
    test = page_of(backend, ada)
    test.button(key="calendar-issue").click().run()
    assert address(test).startswith("https://rollcall.example.org:8443/people/E1/")


def test_without_the_api_there_is_the_file_only(backend, ada, settings, monkeypatch):
    monkeypatch.setattr(deps, "settings", lambda: settings.model_copy(update={"api_port": 0}))
    test = page_of(backend, ada)
    assert "switched off" in words(test)
    assert not [one for one in test.button if one.key == "calendar-issue"]


def test_a_manager_has_it_for_people_of_their_own_departments(backend, ada):
    test = page_of(backend, ada, username=account(backend, Role.MANAGER, "Workshop"))
    test.button(key="calendar-issue").click().run()
    assert read(backend, address(test))
    other = enrol(backend, 2, department="Office")
    assert "not registered" in words(page_of(backend, other, username="manager"))
