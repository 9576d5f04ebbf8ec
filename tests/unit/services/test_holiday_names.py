"""Holidays have their names in the site's language, in the rules and in every report."""

from __future__ import annotations

from datetime import date

import pytest

from ray_backend.domain.requests import SheetQuery
from ray_backend.domain.worktime.schedule import Assignment, Level, Rulebook, Site
from ray_backend.domain.worktime.shifts import Shift
from ray_backend.services.rules import countries, holidays_of

MAY_DAY, CHRISTMAS = date(2026, 5, 1), date(2026, 12, 25)


def names(country: str, language: str) -> dict[date, str]:
    return holidays_of(Site("s", "S", "UTC", country=country), [2026], language)


@pytest.mark.parametrize(
    ("country", "language", "christmas"),
    [
        ("DE", "de", "Erster Weihnachtstag"),
        ("DE", "en", "Christmas Day"),
        ("AT", "de", "Christtag"),
        ("GB", "en", "Christmas Day"),
        ("PL", "de", "Erster Weihnachtstag"),
        # No German there: English, which more people read than Japanese or Welsh.
        ("FR", "de", "Christmas Day"),
    ],
)
def test_names_are_in_the_language_or_else_english(country, language, christmas):
    assert names(country, language)[CHRISTMAS] == christmas


def test_the_days_are_the_same_in_every_language():
    for country in ("DE", "GB", "US", "JP", "IN"):
        assert set(names(country, "de")) == set(names(country, "en"))


def test_every_country_of_the_list_has_names():
    for country in countries():
        assert all(names(country, "de").values()), country


def test_the_sites_language_is_that_of_rules_and_reports_at_once(site):
    site.clock.move(days=60)  # 1 May
    site.enrol(1)
    here = Site("here", "Here", "UTC", country="DE", own_holidays={date(2026, 5, 4): "Betriebsausflug"})
    week = Assignment(Level.EVERYBODY, "", date(2026, 4, 27), (("day",),) * 5 + ((),) * 2)
    book = Rulebook(0, {"day": Shift("day", "Day")}, (week,), (here,))
    site.backend.rules.change(book, actor="test")

    def told() -> tuple[str, list[str]]:
        days = site.backend.timesheets.sheet(SheetQuery(MAY_DAY, date(2026, 5, 4))).days
        return site.backend.rules.current().holidays["here"][MAY_DAY], [one for one in days["holiday"] if one]

    assert told() == ("Labor Day", ["Labor Day", "Betriebsausflug"])
    site.backend.site.change({"language": "de"}, actor="test")
    assert told() == ("Erster Mai", ["Erster Mai", "Betriebsausflug"])
