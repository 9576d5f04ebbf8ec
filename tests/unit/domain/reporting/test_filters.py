"""Filters that are kept: periods that move along, what is refused, and whom a filter names."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.reporting.filters import ReportFilter, SavedFilter
from ray_backend.domain.reporting.periods import Period, days_of

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "today", "first", "last"),
    [
        (Period.TODAY, date(2026, 3, 4), date(2026, 3, 4), date(2026, 3, 4)),
        (Period.YESTERDAY, date(2026, 3, 1), date(2026, 2, 28), date(2026, 2, 28)),
        (Period.LAST_7_DAYS, date(2026, 3, 4), date(2026, 2, 26), date(2026, 3, 4)),
        (Period.THIS_WEEK, date(2026, 3, 4), date(2026, 3, 2), date(2026, 3, 4)),
        (Period.THIS_WEEK, date(2026, 3, 2), date(2026, 3, 2), date(2026, 3, 2)),
        (Period.LAST_WEEK, date(2026, 3, 4), date(2026, 2, 23), date(2026, 3, 1)),
        (Period.THIS_MONTH, date(2026, 3, 31), date(2026, 3, 1), date(2026, 3, 31)),
        (Period.LAST_MONTH, date(2028, 3, 31), date(2028, 2, 1), date(2028, 2, 29)),
        (Period.LAST_MONTH, date(2026, 1, 1), date(2025, 12, 1), date(2025, 12, 31)),
    ],
)
def test_a_period_moves_along(period, today, first, last):
    assert days_of(period, today) == (first, last)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.sampled_from(Period))
def test_no_period_ends_before_it_begins_or_after_today(today, period):
    first, last = days_of(period, today)
    assert first <= last <= today
    assert last - first <= timedelta(days=30)


def test_a_filter_asks_for_other_days_next_month():
    kept = ReportFilter(Period.LAST_MONTH, department="Works", statuses=("late",))
    query = kept.query(date(2026, 4, 2))
    assert (query.start, query.end) == (date(2026, 3, 1), date(2026, 3, 31))
    assert (query.department, query.statuses, query.site) == ("Works", ("late",), None)
    assert ReportFilter(Period.TODAY).query(date(2026, 4, 2)).statuses is None, "none means any"


def test_fixed_days_stay():
    kept = ReportFilter(start=date(2026, 1, 1), end=date(2026, 1, 31)).checked()
    assert kept.days(date(2030, 1, 1)) == (date(2026, 1, 1), date(2026, 1, 31))


@pytest.mark.parametrize(
    "wrong",
    [
        ReportFilter(),
        ReportFilter(start=date(2026, 1, 2)),
        ReportFilter(start=date(2026, 1, 2), end=date(2026, 1, 1)),
        ReportFilter(Period.TODAY, statuses=("gone",)),
        ReportFilter(Period.TODAY, person="a\x00b"),
    ],
)
def test_what_cannot_be_a_filter_is_refused(wrong):
    with pytest.raises(InvalidInput):
        wrong.checked()


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\nb\x00"])
def test_a_filter_needs_a_name(name):
    with pytest.raises(InvalidInput):
        SavedFilter(name, ReportFilter(Period.TODAY), "ada", NOW).checked()


def test_one_name_is_one_filter_whatever_the_case_but_everybodys_is_another():
    mine = SavedFilter("Late ones", ReportFilter(Period.TODAY), "ada", NOW)
    same = SavedFilter("LATE ONES", ReportFilter(Period.YESTERDAY), "ada", NOW)
    assert mine.filter_id == same.filter_id
    others = (
        SavedFilter("Late ones", mine.filter, "bob", NOW),
        SavedFilter("Late ones", mine.filter, "ada", NOW, True),
    )
    assert len({mine.filter_id, *(one.filter_id for one in others)}) == 3


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("E-7", True),
        ("e-7", True),
        ("ada lovelace", True),
        ("Lovelace", True),
        ("", False),
        ("E-70", False),
        ("Lo", False),
    ],
)
def test_a_filter_names_whoever_it_looks_for(text, names):
    assert ReportFilter(Period.TODAY, person=text).names("E-7", "Ada Lovelace") is names
