"""The page of rules: a draft that is tried on past days before it is saved."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time

import pytest

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.worktime.schedule import Assignment, Level, Rulebook, Site
from ray_backend.domain.worktime.shifts import OvertimeStep, Pause, Shift
from streamlit_app import rule_words
from streamlit_app.rules import draft, saving, schedules, shifts, sites
from streamlit_app.views import rules
from tests.ui.conftest import account, enrol, page, words

DAY, NIGHT = Shift("day", "Day"), Shift("night", "Night", start=time(22), end=time(6))


def by_key(test, key: str):
    return next(button for button in test.button if button.key == key)


def part(render, backend):
    """One section over the draft, with the saving above it."""
    admin = backend.acting_as(Caller("admin", Role.ADMIN))

    def both(backend):
        book = draft.current(backend)
        saving.render(backend, book)
        render(backend, book)

    return page(both, admin).run()


@pytest.fixture
def book(backend) -> Rulebook:
    return backend.rules.change(Rulebook(shifts={"day": DAY, "night": NIGHT}), actor="test")


def test_only_admins_see_it(backend):
    test = page(rules.render, backend, username=account(backend, Role.MANAGER)).run()
    assert "may not see this page" in words(test)


def test_the_page_opens_without_any_rules(backend):
    test = page(rules.render, backend).run()
    assert not test.exception
    assert "Version 0 of the rules" in words(test)
    assert not any(button.key == "rules-try" for button in test.button)


def test_a_shift_is_made_tried_and_saved(backend):
    test = part(shifts.render, backend)
    assert not test.exception
    test.text_input(key="shift-name-new-0").set_value("Early")
    test.time_input(key="shift-start-new-0").set_value(time(6))
    test.time_input(key="shift-end-new-0").set_value(time(14))
    by_key(test, "shift-take-new-0").click().run()
    assert backend.rules.current().version == 0
    by_key(test, "rules-try").click().run()
    assert "No day of the last month comes out otherwise." in words(test)
    by_key(test, "rules-save").click().run()
    [shift] = backend.rules.current().shifts.values()
    assert (shift.name, shift.start, shift.end) == ("Early", time(6), time(14))
    assert not draft_is_open(test)


def draft_is_open(test) -> bool:
    return any(button.key == "rules-try" for button in test.button)


def test_a_shift_without_a_name_is_refused(backend):
    test = part(shifts.render, backend)
    by_key(test, "shift-take-new-0").click().run()
    assert "Give the shift a name." in words(test)
    assert not draft_is_open(test)


def test_a_shift_that_a_schedule_uses_stays(backend, book):
    used = Assignment(Level.EVERYBODY, "", date(2026, 3, 2), (("day",),))
    backend.rules.change(replace(book, assignments=(used,)), actor="test")
    test = part(shifts.render, backend)
    test.selectbox(key="shift-chosen").set_value("day").run()
    by_key(test, "shift-remove-day-2").click().run()
    assert "Schedules use this shift" in words(test)


def test_a_schedule_tells_whose_past_days_it_changes(backend, book):
    enrol(backend, 1, name="Ada Example")
    test = part(schedules.render, backend)
    assert not test.exception
    test.date_input(key="schedule-start").set_value(date(2020, 1, 1)).run()
    by_key(test, "schedule-take").click().run()
    by_key(test, "rules-try").click().run()
    assert "of 1 person come out otherwise" in words(test)
    assert "Ada Example" in set(test.dataframe[0].value["Name"])
    by_key(test, "rules-save").click().run()
    [made] = backend.rules.current().assignments
    # 1 January 2020 was a Wednesday.
    assert made.pattern == (("day",), ("day",), ("day",), (), (), ("day",), ("day",))


def test_who_saves_second_is_told(backend, book):
    test = part(schedules.render, backend)
    by_key(test, "schedule-take").click().run()
    by_key(test, "rules-try").click().run()
    backend.rules.change(replace(backend.rules.current(), cooldown_s=5), actor="other")
    by_key(test, "rules-save").click().run()
    assert "Somebody else changed the rules meanwhile" in words(test)
    by_key(test, "rules-drop").click().run()
    assert not draft_is_open(test)


def test_whoever_changes_more_has_to_look_again(backend, book):
    test = part(schedules.render, backend)
    by_key(test, "schedule-take").click().run()
    by_key(test, "rules-try").click().run()
    by_key(test, "schedule-take").click().run()
    assert not any(button.key == "rules-save" for button in test.button)


def test_a_site_has_its_clock_and_holidays(backend):
    test = part(sites.render, backend)
    assert not test.exception
    test.text_input(key="site-name-new-0").set_value("Munich works")
    test.selectbox(key="site-country-new-0").set_value("DE").run()
    test.selectbox(key="site-region-new-0-DE").set_value("BY").run()
    assert "Tue 6 Jan 2026" in test.table[0].value.to_string()
    by_key(test, "site-take-new-0").click().run()
    by_key(test, "rules-try").click().run()
    by_key(test, "rules-save").click().run()
    [site] = backend.rules.current().sites
    assert (site.name, site.zone, site.country, site.region) == ("Munich works", "Europe/Berlin", "DE", "BY")


def test_a_kiosk_gets_its_direction(backend):
    backend.access.issue_token("gate", actor="test")
    test = part(sites.kiosks, backend)
    test.radio(key="kiosk-way-gate").set_value("in")
    test.number_input(key="rules-cooldown").set_value(90)
    by_key(test, "rules-kiosks-take").click().run()
    by_key(test, "rules-try").click().run()
    by_key(test, "rules-save").click().run()
    now = backend.rules.current()
    assert (dict(now.kiosk_directions), now.cooldown_s) == ({"gate": "in"}, 90)


def test_weeks_begin_on_monday_wherever_the_schedule_does():
    weeks = [[["day"]] * 5 + [[], []], [["night"]] * 5 + [[], []]]
    pattern = rule_words.from_weeks(weeks, date(2026, 3, 4))
    made = Assignment(Level.EVERYBODY, "", date(2026, 3, 4), pattern)
    assert made.shifts_on(date(2026, 3, 6)) == ("day",)
    assert made.shifts_on(date(2026, 3, 7)) == ()
    assert made.shifts_on(date(2026, 3, 9)) == ("night",)
    assert made.shifts_on(date(2026, 3, 16)) == ("day",)
    [first, second] = rule_words.pattern_words(made, {"day": DAY, "night": NIGHT})
    assert list(first.values()) == ["Day"] * 5 + ["–"] * 2
    assert list(second.values()) == ["Night"] * 5 + ["–"] * 2


def test_tables_of_breaks_and_overtime_become_rules():
    rows = [
        {"start": "12:00", "end": "12:30", "minutes": None, "after_minutes": None},
        {"start": "", "end": "", "minutes": 30, "after_minutes": 360},
        {"start": None, "end": None, "minutes": None, "after_minutes": None},
    ]
    assert rule_words.pauses_of(rows) == (Pause(0, 0, time(12), time(12, 30)), Pause(30, 360))
    assert rule_words.steps_of([{"after_minutes": 120, "percent": 150}, {"percent": None}]) == (
        OvertimeStep(120, 150),
    )
    with pytest.raises(InvalidInput, match="such as 12:30"):
        rule_words.pauses_of([{"start": "noon", "end": "13:00"}])


def test_half_a_row_is_refused_and_not_dropped():
    (step,) = rule_words.steps_of([{"after_minutes": 120, "percent": None}])
    with pytest.raises(InvalidInput, match="how many percent"):
        replace(DAY, overtime=(step,)).checked()
    (pause,) = rule_words.pauses_of([{"after_minutes": 360, "minutes": None}])
    with pytest.raises(InvalidInput, match="how long the break"):
        replace(DAY, pauses=(pause,)).checked()


def test_own_days_need_a_day_and_a_name():
    import pandas as pd

    rows = [
        {"day": pd.Timestamp(2026, 12, 24), "name": " Half  day "},
        {"day": pd.NaT, "name": "Nothing"},
        {"day": datetime(2026, 5, 4), "name": None},
    ]
    assert rule_words.days_of(rows) == {date(2026, 12, 24): "Half day"}


def test_a_rotation_that_is_no_week_counts_its_days():
    made = Assignment(Level.EVERYBODY, "", date(2026, 3, 2), (("day",), (), ("gone",)))
    assert rule_words.pattern_words(made, {"day": DAY}) == [{"Day 1": "Day", "Day 2": "–", "Day 3": "gone"}]


def test_sites_are_changed_and_removed(backend):
    backend.rules.change(Rulebook(sites=(Site("s", "Old name", "Asia/Tokyo"),)), actor="test")
    test = part(sites.render, backend)
    test.selectbox(key="site-chosen").set_value("s").run()
    assert test.text_input(key="site-name-s-1").value == "Old name"
    by_key(test, "site-remove-s-1").click().run()
    assert draft_is_open(test)
