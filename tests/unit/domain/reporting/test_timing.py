"""Due times: exactly one for each day, week or month, whatever the clocks and the calendar do."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.reporting.timing import Rhythm, Timing

BERLIN = ZoneInfo("Europe/Berlin")


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)


def dues(timing: Timing, start: datetime, count: int, zone: ZoneInfo = BERLIN) -> list[str]:
    """The next due times on the clocks of the zone."""
    found, moment = [], start
    for _ in range(count):
        moment = timing.next_after(moment, zone)
        found.append(f"{moment.astimezone(zone):%Y-%m-%d %H:%M}")
    return found


def test_a_time_that_the_clocks_leave_out_in_spring_comes_an_hour_later_that_day_only():
    assert dues(Timing(Rhythm.DAILY, time(2, 30)), local(2026, 3, 28), 3) == [
        "2026-03-28 02:30",
        "2026-03-29 03:30",
        "2026-03-30 02:30",
    ]


def test_a_time_that_the_clocks_show_twice_in_autumn_counts_once_the_first_time():
    timing = Timing(Rhythm.DAILY, time(2, 30))
    first = timing.next_after(local(2026, 10, 24, 12), BERLIN)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "02:30 with the summer's offset"
    assert timing.next_after(first, BERLIN) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_six_o_clock_stays_six_o_clock_through_both_nights():
    timing = Timing(Rhythm.DAILY, time(6))
    assert dues(timing, local(2026, 3, 28, 6), 2) == ["2026-03-29 06:00", "2026-03-30 06:00"]
    assert dues(timing, local(2026, 10, 24, 6), 2) == ["2026-10-25 06:00", "2026-10-26 06:00"]


def test_the_31st_is_the_last_day_of_a_shorter_month():
    timing = Timing(Rhythm.MONTHLY, time(6), day=31)
    assert dues(timing, local(2027, 12, 31, 6), 5) == [
        "2028-01-31 06:00",
        "2028-02-29 06:00",
        "2028-03-31 06:00",
        "2028-04-30 06:00",
        "2028-05-31 06:00",
    ]


def test_the_30th_comes_on_the_28th_of_february_and_not_again_on_a_31st():
    timing = Timing(Rhythm.MONTHLY, time(6), day=30)
    assert dues(timing, local(2026, 1, 30, 5), 3) == [
        "2026-01-30 06:00",
        "2026-02-28 06:00",
        "2026-03-30 06:00",
    ]


def test_a_week_has_one_such_day():
    assert dues(Timing(Rhythm.WEEKLY, time(18, 15), weekday=4), local(2026, 3, 6, 18, 15), 2) == [
        "2026-03-13 18:15",
        "2026-03-20 18:15",
    ]


def test_the_next_time_is_never_the_present_one():
    timing = Timing(Rhythm.DAILY, time(6))
    assert dues(timing, local(2026, 3, 2, 6), 1) == ["2026-03-03 06:00"]
    assert dues(timing, local(2026, 3, 2, 5, 59), 1) == ["2026-03-02 06:00"]


def test_of_missed_times_the_last_one_is_told_and_how_many_came_before():
    timing = Timing(Rhythm.DAILY, time(6))
    due = timing.next_after(local(2026, 3, 6, 12), BERLIN)
    assert timing.latest(due, due, BERLIN) == (due, 0)
    assert timing.latest(due, local(2026, 3, 9, 10), BERLIN) == (local(2026, 3, 9, 6), 2)


@pytest.mark.parametrize("wrong", [{"weekday": 7}, {"weekday": -1}, {"day": 0}, {"day": 32}])
def test_a_day_that_there_is_not_is_refused(wrong):
    with pytest.raises(InvalidInput):
        Timing(Rhythm.WEEKLY, time(6), **wrong).checked()


ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
MOMENTS = st.datetimes(datetime(2010, 1, 1), datetime(2040, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@given(MOMENTS, ZONES, st.times(), st.integers(1, 31), st.sampled_from(Rhythm), st.integers(0, 6))
def test_due_times_follow_each_other_and_leave_nothing_out(moment, zone, at, day, rhythm, weekday):
    timing = Timing(rhythm, at.replace(microsecond=0), weekday, day)
    due = timing.next_after(moment, ZoneInfo(zone))
    following = timing.next_after(due, ZoneInfo(zone))
    assert moment < due < following
    longest = {Rhythm.DAILY: 1, Rhythm.WEEKLY: 7, Rhythm.MONTHLY: 31}[rhythm]
    # A night's change of the clocks, or the day that Samoa left out.
    assert following - due <= timedelta(days=longest + 1, hours=1)
    between = due + (following - due) / 2
    assert timing.next_after(between, ZoneInfo(zone)) == following, "the same from wherever it is asked"
