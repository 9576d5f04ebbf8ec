"""When what is kept is due: calendar months at the site, and how many people may go at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ray_backend.domain.retention import limits, months_before, most_at_once
from ray_backend.domain.site import SiteSettings

BERLIN, AUCKLAND = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Auckland")


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2026-03-15", 1, "2026-02-15"),
        ("2026-03-31", 1, "2026-02-28"),
        ("2028-03-31", 1, "2028-02-29"),
        ("2026-05-31", 3, "2026-02-28"),
        ("2026-01-31", 2, "2025-11-30"),
        ("2026-01-15", 1, "2025-12-15"),
        ("2026-12-31", 12, "2025-12-31"),
        ("2028-02-29", 12, "2027-02-28"),
        ("2028-02-29", 48, "2024-02-29"),
        ("2026-06-30", 120, "2016-06-30"),
    ],
)
def test_months_are_the_calendars(day, months, expected):
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=BERLIN)
    assert months_before(noon, months, BERLIN).isoformat()[:16] == f"{expected}T00:00"


def test_the_day_is_the_sites_own():
    moment = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    assert months_before(moment, 1, AUCKLAND) == datetime(2026, 2, 2, tzinfo=AUCKLAND)
    assert months_before(moment, 1, BERLIN) == datetime(2026, 2, 1, tzinfo=BERLIN)


def test_midnight_is_the_sites_in_summer_and_in_winter():
    summer = datetime(2026, 7, 10, 9, tzinfo=UTC)
    assert months_before(summer, 6, BERLIN).astimezone(UTC) == datetime(2026, 1, 9, 23, tzinfo=UTC)
    assert months_before(summer, 1, BERLIN).astimezone(UTC) == datetime(2026, 6, 9, 22, tzinfo=UTC)


def test_nobody_goes_by_themselves_unless_the_site_says_so():
    now = datetime(2026, 7, 10, 9, tzinfo=UTC)
    site = SiteSettings("Works", "Europe/Berlin", keep_unknown_hours=0, keep_decisions_days=90)
    found = limits(site, now)
    assert found.people is None
    assert found.unknown_faces == now
    assert found.decisions == now - timedelta(days=90)


@pytest.mark.parametrize(("people", "most"), [(0, 1), (1, 1), (9, 1), (10, 1), (19, 1), (20, 2), (1000, 100)])
def test_a_tenth_of_the_people_goes_at_once_at_most(people, most):
    assert most_at_once(people) == most
