"""The attendance report, held against a computation without pandas."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.model import Person
from ray_backend.domain.queries import PunchQuery
from ray_backend.domain.requests import ReportQuery
from ray_backend.services import report as report_module
from ray_backend.services.report import DAY_COLUMNS, ReportService
from ray_backend.storage.memory import MemoryStore

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


def berlin(*parts: int, fold: int = 0) -> datetime:
    """A moment by Berlin's clocks, in UTC."""
    return datetime(*parts, tzinfo=BERLIN, fold=fold).astimezone(UTC)


def rows(site, start: date = MONDAY, end: date | None = None, **options) -> list[tuple]:
    """The report's rows, with missing values as None."""
    days = site.backend.reports.report(ReportQuery(start, end or start, **options)).days
    assert list(days.columns) == DAY_COLUMNS
    return [tuple(None if pd.isna(value) else value for value in row) for row in days.itertuples(index=False)]


def test_a_day_has_first_in_last_out_hours_and_punches(people):
    for at in (berlin(2026, 3, 2, 8), berlin(2026, 3, 2, 12), berlin(2026, 3, 2, 16, 30)):
        people.punch("ada", at)
    [row] = rows(people)
    assert row == ("E1", "Ada", "Engines", MONDAY, berlin(2026, 3, 2, 8), berlin(2026, 3, 2, 16, 30), 8.5, 3)
    assert row[4].isoformat() == "2026-03-02T08:00:00+01:00"


def test_a_day_with_one_punch_has_no_end_and_no_hours(people):
    people.punch("ada", berlin(2026, 3, 2, 8))
    [row] = rows(people)
    assert row[4:] == (berlin(2026, 3, 2, 8), None, None, 1)


def test_the_totals_are_those_of_the_rows(people):
    for at in (berlin(2026, 3, 2, 8), berlin(2026, 3, 2, 16), berlin(2026, 3, 3, 8)):
        people.punch("ada", at)
    people.punch("alan", berlin(2026, 3, 2, 9))
    people.punch("alan", berlin(2026, 3, 2, 9, 30))
    report = people.backend.reports.report(ReportQuery(MONDAY, MONDAY + timedelta(days=1)))
    assert (report.people, report.hours, report.incomplete_days) == (2, 8.5, 1)


def test_without_punches_the_report_is_empty(people):
    assert rows(people) == []
    report = people.backend.reports.report(ReportQuery(MONDAY, MONDAY))
    assert (report.people, report.hours, report.incomplete_days) == (0, 0.0, 0)


def test_days_are_ordered_by_date_then_name(people):
    for person_id in ("alan", "ada"):
        for day in (3, 2):
            people.punch(person_id, berlin(2026, 3, day, 8))
    ordered = [(row[3].day, row[1]) for row in rows(people, MONDAY, MONDAY + timedelta(days=1))]
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
    ],
)
def test_the_filter_leaves_the_people_asked_for(people, options, names):
    for person_id in ("ada", "alan", "grace"):
        people.punch(person_id, berlin(2026, 3, 2, 8))
    assert [row[1] for row in rows(people, **options)] == names


def test_deactivated_people_stay_in_the_report(people):
    people.punch("ada", berlin(2026, 3, 2, 8))
    people.store.update_person(replace(ADA, active=False))
    assert [row[1] for row in rows(people)] == ["Ada"]


@pytest.mark.parametrize("options", [{"department": "Engines"}, {"text": "Ada"}, {"department": ""}])
def test_erased_people_appear_namelessly_and_only_without_a_filter(people, options):
    people.punch("ada", berlin(2026, 3, 2, 8))
    people.punch("alan", berlin(2026, 3, 2, 9))
    for person_id in ("ada", "alan"):
        people.store.erase_person(person_id, keep_punches=True)
    assert sorted(row[:3] for row in rows(people)) == [
        ("erased-ada", "Erased person", ""),
        ("erased-alan", "Erased person", ""),
    ]
    assert rows(people, **options) == []


def test_a_day_begins_and_ends_at_the_sites_midnight(people):
    moments = {
        "before": berlin(2026, 3, 1, 23, 59, 59),
        "first": berlin(2026, 3, 2, 0, 0, 0),
        "last": berlin(2026, 3, 2, 23, 59, 59),
        "after": berlin(2026, 3, 3, 0, 0, 0),
    }
    for at in moments.values():
        people.punch("ada", at)
    [row] = rows(people)
    assert (row[4], row[5], row[7]) == (moments["first"], moments["last"], 2)
    assert [row[3].day for row in rows(people, date(2026, 3, 1), date(2026, 3, 3))] == [1, 2, 3]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 22.0), (date(2026, 10, 25), 24.0), (date(2026, 10, 26), 23.0)]
)
def test_hours_are_those_that_passed_also_when_the_clocks_change(people, day, hours):
    people.punch("ada", berlin(day.year, day.month, day.day, 0, 30))
    people.punch("ada", berlin(day.year, day.month, day.day, 23, 30))
    [row] = rows(people, day)
    assert row[3] == day
    assert row[6] == hours


def test_both_turns_of_the_repeated_hour_are_told_apart(people):
    first, second = (berlin(2026, 10, 25, 2, 30, fold=fold) for fold in (0, 1))
    people.punch("ada", first)
    people.punch("ada", second)
    [row] = rows(people, date(2026, 10, 25))
    assert (row[4].isoformat(), row[5].isoformat()) == (
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:30:00+01:00",
    )
    assert row[6] == 1.0


@pytest.mark.parametrize(
    ("zone", "day"),
    [("America/Santiago", date(2026, 9, 6)), ("Asia/Beirut", date(2026, 3, 29))],
)
def test_a_day_whose_midnight_the_clocks_skip_begins_at_one(open_site, zone, day):
    site = open_site(time_zone=zone)
    site.store.add_person(ADA)
    one = datetime(day.year, day.month, day.day, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    site.punch("ada", one)
    site.punch("ada", one - timedelta(seconds=1))
    assert [row[3] for row in rows(site, day)] == [day]
    assert rows(site, day)[0][4] == one


@pytest.mark.parametrize(
    ("start", "end"),
    [(date(2026, 3, 3), date(2026, 3, 2)), (date(2024, 1, 1), date(2026, 1, 1)), (date.max, date.max)],
)
def test_ranges_that_cannot_be_are_refused(people, start, end):
    with pytest.raises(InvalidInput):
        people.backend.reports.report(ReportQuery(start, end))


def test_the_report_says_what_it_is_of(people):
    query = ReportQuery(MONDAY, date(2026, 3, 8), department="Engines", text=" ada ")
    words = people.backend.reports.report(query).describe()
    assert words == (
        "2026-03-02 to 2026-03-08, department Engines, matching “ada”. Times in Europe/Berlin, UTC+01:00 "
        "when this was generated, 2026-03-02 09:00:00."
    )


def test_the_report_says_so_when_it_is_of_those_without_a_department(people):
    words = people.backend.reports.report(ReportQuery(MONDAY, MONDAY, department="")).describe()
    assert "2026-03-02 to 2026-03-02, no department." in words


def test_today_is_the_sites_day(site):
    site.clock.at = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    assert site.backend.reports.today() == date(2026, 3, 3)


def test_recent_punches_come_with_their_people_oldest_first(people):
    first = people.punch("ada", berlin(2026, 3, 2, 8))
    second = people.punch("gone", berlin(2026, 3, 2, 9))
    (one, ada), (other, erased) = people.backend.reports.recent_punches(PunchQuery())
    assert (one, ada) == (first, ADA)
    assert (other, erased.name, erased.employee_id) == (second, "Erased person", "")


ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]


def plain_report(punches, people: dict[str, Person], zone: ZoneInfo, query: ReportQuery) -> list[tuple]:
    """The same rows from nested dictionaries and sorting."""
    days = defaultdict(list)
    for person_id, at in punches:
        days[person_id, at.astimezone(zone).date()].append(at)
    found = []
    for (person_id, day), moments in days.items():
        person = people[person_id]
        if not query.start <= day <= query.end or query.department not in (None, person.department):
            continue
        first, last = min(moments), max(moments)
        alone = len(moments) == 1
        hours = None if alone else pytest.approx((last - first) / timedelta(hours=1))
        row = (day, first, None if alone else last, hours, len(moments))
        found.append((person.employee_id, person.name, person.department, *row))
    return sorted(found, key=lambda row: (row[3], row[1], row[0]))


def in_utc(value):
    """Python calls a moment of a repeated hour unequal to the same moment in another zone (PEP 495)."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("seed", range(3))
def test_random_punches_give_what_plain_python_makes_of_them(open_site, monkeypatch, zone, seed):
    monkeypatch.setattr(report_module, "_PAGE", 37)
    rng = random.Random(f"{zone}/{seed}")
    site = open_site(time_zone=zone)
    people = {
        f"p{n}": replace(
            ADA, person_id=f"p{n}", employee_id=f"E{n}", name=f"N{n % 5}", department=f"D{n % 3}"
        )
        for n in range(8)
    }
    for person in people.values():
        site.store.add_person(person)
    # Around the last Sunday of March and of October, when clocks change in most of these zones.
    begin = datetime(2026, rng.choice([3, 10]), 20, tzinfo=UTC)
    punches = {
        (f"p{rng.randrange(8)}", begin + timedelta(seconds=rng.randrange(16 * 86400))) for _ in range(300)
    }
    for person_id, at in punches:
        site.punch(person_id, at)
    for department in (None, "D1"):
        query = ReportQuery(
            begin.date() + timedelta(days=1), begin.date() + timedelta(days=14), department=department
        )
        expected = plain_report(punches, people, ZoneInfo(zone), query)
        assert len(expected) > 20
        found = rows(site, query.start, query.end, department=department)
        assert [tuple(map(in_utc, row)) for row in found] == expected


def test_more_punches_than_one_page_holds_are_all_counted(open_site):
    store = MemoryStore()
    site = open_site(store=store)
    count = report_module._PAGE + 10
    for number in range(count):
        site.punch("ada", berlin(2026, 3, 2, 8) + timedelta(seconds=number))
    report = ReportService(store, site.clock, lambda: BERLIN).report(ReportQuery(MONDAY, MONDAY))
    assert report.days["punches"].sum() == count
