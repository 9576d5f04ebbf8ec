"""Trying other rules on days that are past."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.worktime.schedule import Assignment, Level, Rulebook
from ray_backend.domain.worktime.shifts import Shift

DAY = Shift("day", "Day", start=time(8), end=time(17))


def week(shift: str, start) -> Assignment:
    return Assignment(Level.EVERYBODY, "", start, ((shift,),))


@pytest.fixture
def past(site):
    """Two people, of whom one came yesterday at 09:00 at the site; nobody has a schedule."""
    came = site.enrol(1)
    site.enrol(2)
    site.punch(came.person_id, site.clock.now() - timedelta(days=1))
    return site


def trial(site, book: Rulebook):
    today = site.clock.now().date()
    return site.backend._records.rule_trials.changes(
        book, today - timedelta(days=3), today - timedelta(days=1)
    )


def test_the_same_rules_change_nothing(past):
    found = trial(past, past.backend.rules.current())
    assert (found.days, found.people, len(found.rows)) == (0, 0, 0)


def test_a_schedule_for_everybody_changes_the_days_that_it_covers(past):
    yesterday = past.clock.now().date() - timedelta(days=1)
    book = Rulebook(shifts={"day": DAY}, assignments=(week("day", yesterday),))
    found = trial(past, book)
    assert (found.days, found.people) == (2, 2)
    assert sorted(found.rows["status_after"]) == ["absent", "incomplete"]
    assert set(found.rows["date"]) == {yesterday}
    assert past.backend.rules.current().version == 0


def test_only_what_differs_is_told(past):
    first = past.clock.now().date() - timedelta(days=3)
    book = Rulebook(shifts={"day": DAY}, assignments=(week("day", first),))
    kept = past.backend.rules.change(book, actor="admin")
    later = replace(kept, shifts={"day": replace(DAY, grace_in=5)})
    assert trial(past, later).days == 0
    short = replace(kept, shifts={"day": replace(DAY, end=time(16))})
    assert trial(past, short).days == 6


def test_rules_that_cannot_be_are_refused(past):
    with pytest.raises(InvalidInput):
        trial(past, Rulebook(assignments=(week("no such shift", past.clock.now().date()),)))
