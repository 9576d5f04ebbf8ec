"""Who is on the day sheet, through the gate and the real services, and raw punches with their people."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.model import Person
from ray_backend.domain.queries import PunchQuery
from ray_backend.domain.requests import SheetQuery
from ray_backend.services.table_files import to_bytes
from ray_backend.services.tables import about, day_sheet

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)
ADA = Person("E1", "Ada", datetime(2026, 1, 1, tzinfo=UTC), "Engines", person_id="ada")
ALAN = Person("E2", "Alan", datetime(2026, 1, 1, tzinfo=UTC), "Codes", person_id="alan")
NOBODYS = Person("E3", "Grace", datetime(2026, 1, 1, tzinfo=UTC), "", person_id="grace")


@pytest.fixture
def people(site):
    """The site with three people in it, no two of one department."""
    for person in (ADA, ALAN, NOBODYS):
        site.store.add_person(person)
    return site


def berlin(*parts: int) -> datetime:
    """A moment by Berlin's clocks, in UTC."""
    return datetime(*parts, tzinfo=BERLIN).astimezone(UTC)


def days(site, start: date = MONDAY, end: date | None = None, **options) -> pd.DataFrame:
    return site.backend.timesheets.sheet(SheetQuery(start, end or start, **options)).days


def test_a_day_has_first_in_last_out_minutes_and_punches(people):
    for at in (berlin(2026, 3, 2, 8), berlin(2026, 3, 2, 12), berlin(2026, 3, 2, 16, 30)):
        people.punch("ada", at)
    [row] = days(people).to_dict("records")
    assert (row["employee_id"], row["name"], row["department"]) == ("E1", "Ada", "Engines")
    assert (row["first_in"], row["last_out"]) == (datetime(2026, 3, 2, 8), datetime(2026, 3, 2, 16, 30))
    assert (row["worked"], row["punches"], row["utc_offset"]) == (510, 3, "+01:00")


def test_days_are_ordered_by_date_then_name(people):
    for person_id in ("alan", "ada"):
        for day in (3, 2):
            people.punch(person_id, berlin(2026, 3, day, 8))
    found = days(people, MONDAY, MONDAY + timedelta(days=1))
    ordered = [(day.day, name) for day, name in zip(found["date"], found["name"], strict=True)]
    assert ordered == [(2, "Ada"), (2, "Alan"), (3, "Ada"), (3, "Alan")]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["Ada", "Alan", "Grace"]),
        ({"department": "Codes"}, ["Alan"]),
        ({"department": "None such"}, []),
        ({"department": ""}, ["Grace"]),
        ({"text": "al"}, ["Alan"]),
        ({"text": " E1 "}, ["Ada"]),
        ({"text": "a", "department": "Engines"}, ["Ada"]),
        ({"text": "zz"}, []),
        ({"people": ("ada", "grace")}, ["Ada", "Grace"]),
    ],
)
def test_the_filter_leaves_the_people_asked_for(people, options, names):
    for person_id in ("ada", "alan", "grace"):
        people.punch(person_id, berlin(2026, 3, 2, 8))
    assert list(days(people, **options)["name"]) == names


def test_deactivated_people_stay_on_the_sheet(people):
    people.punch("ada", berlin(2026, 3, 2, 8))
    people.store.update_person(replace(ADA, active=False))
    assert list(days(people)["name"]) == ["Ada"]


@pytest.mark.parametrize("options", [{"department": "Engines"}, {"text": "Ada"}, {"department": ""}])
def test_erased_people_appear_namelessly_and_only_without_a_filter(people, options):
    people.punch("ada", berlin(2026, 3, 2, 8))
    people.punch("alan", berlin(2026, 3, 2, 9))
    for person_id in ("ada", "alan"):
        people.store.erase_person(person_id, keep_punches=True)
    found = days(people)
    assert sorted(found["employee_id"]) == ["erased-ada", "erased-alan"]
    assert set(found["name"]) == {"Erased person"}
    assert set(found["department"]) == {""}
    assert days(people, **options).empty


@pytest.mark.parametrize("file_format", ["csv", "json"])
def test_a_file_of_erased_people_names_nobody(people, file_format):
    people.punch("ada", berlin(2026, 3, 2, 8))
    people.store.erase_person("ada", keep_punches=True)
    sheet = people.backend.timesheets.sheet(SheetQuery(MONDAY, MONDAY))
    text = to_bytes(day_sheet(sheet), file_format).decode()
    assert "Erased person" in text
    assert "Ada" not in text


@pytest.mark.parametrize(
    ("day", "minutes"), [(date(2026, 3, 29), 660), (date(2026, 10, 25), 780), (date(2026, 10, 26), 720)]
)
def test_minutes_are_those_that_passed_also_when_the_clocks_change(people, day, minutes):
    people.clock.at = berlin(2026, 12, 1)
    people.punch("ada", berlin(day.year, day.month, day.day, 1))
    people.punch("ada", berlin(day.year, day.month, day.day, 13))
    assert list(days(people, day)["worked"]) == [minutes]


@pytest.mark.parametrize(
    ("start", "end"),
    [(date(2026, 3, 3), date(2026, 3, 2)), (date(2024, 1, 1), date(2026, 1, 1)), (date.max, date.max)],
)
def test_ranges_that_cannot_be_are_refused(people, start, end):
    with pytest.raises(InvalidInput):
        people.backend.timesheets.sheet(SheetQuery(start, end))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "2026-03-02 to 2026-03-02"),
        (
            {"department": "Engines", "text": " ada "},
            "2026-03-02 to 2026-03-02; department Engines; matching “ada”",
        ),
        ({"department": ""}, "2026-03-02 to 2026-03-02; no department"),
        ({"statuses": ("left_early", "late")}, "2026-03-02 to 2026-03-02; status left early, late"),
        ({"site": "north"}, "2026-03-02 to 2026-03-02; site North"),
        ({"people": ("ada",)}, "2026-03-02 to 2026-03-02; one chosen person"),
    ],
)
def test_a_file_says_what_it_is_of(people, options, words):
    sheet = people.backend.timesheets.sheet(SheetQuery(MONDAY, MONDAY, **options))
    said = dict(about(sheet, {"north": "North"}))
    assert said == {
        "Filter": words,
        "Time zone": "Europe/Berlin",
        "Generated at": "2026-03-02T09:00:00+01:00",
        "Rules version": "0",
    }


def test_a_file_of_a_manager_says_whose_departments_it_is_of(people):
    sheet = people.backend.timesheets.sheet(SheetQuery(MONDAY, MONDAY, departments=("Codes", "Engines")))
    assert dict(about(sheet))["Filter"].endswith("departments Codes, Engines")


def test_today_is_the_sites_day(site):
    site.clock.at = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    assert site.backend.reports.today() == date(2026, 3, 3)


def test_recent_punches_come_with_their_people_oldest_first(people):
    first = people.punch("ada", berlin(2026, 3, 2, 8))
    second = people.punch("gone", berlin(2026, 3, 2, 9))
    (one, ada), (other, erased) = people.backend.reports.recent_punches(PunchQuery())
    assert (one, ada) == (first, ADA)
    assert (other, erased.name, erased.employee_id) == (second, "Erased person", "")
