"""What users of other systems complain about, each as a day that has to come out right."""

from __future__ import annotations

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from ray_backend.domain.model import Direction
from ray_backend.domain.worktime.days import Status
from ray_backend.domain.worktime.schedule import Assignment, Leave, LeavePart, Level, Rulebook, Site
from ray_backend.domain.worktime.shifts import DirectionMode, OvertimeStep, Pause, Shift, ShiftKind
from tests.unit.domain.worktime.site import days, every_day, mark, marks, one_day, weekly

OFFICE = Shift("office", "Office", start=time(8), end=time(17), pauses=(Pause(60, 360),), grace_in=5)
NIGHT = Shift("night", "Night", start=time(22), end=time(6))
EARLY = Shift("early", "Early", start=time(6), end=time(14))
LATE = Shift("late", "Late", start=time(14), end=time(22))


def test_an_overnight_shift_is_one_present_day_and_not_two_absent_ones():
    found = days(every_day(NIGHT), marks("2026-03-02 21:55", "2026-03-03 06:02"), "2026-03-02", "2026-03-02")
    assert [(day.day, day.status, day.worked) for day in found] == [(date(2026, 3, 2), Status.PRESENT, 482)]


@pytest.mark.parametrize(
    ("evening", "morning", "minutes"),
    [("2026-03-28 22:00", "2026-03-29 06:00", 7 * 60), ("2026-10-24 22:00", "2026-10-25 06:00", 9 * 60)],
    ids=["clocks set forward", "clocks set back"],
)
def test_an_overnight_shift_over_a_change_of_the_clocks_counts_the_real_hours(evening, morning, minutes):
    day = one_day(every_day(NIGHT), marks(evening, morning), evening[:10])
    assert (day.status, day.worked, day.target, day.balance) == (Status.PRESENT, minutes, minutes, 0)


@pytest.mark.parametrize(
    ("on", "minutes"), [("2026-03-29", 23 * 60), ("2026-10-25", 25 * 60), ("2026-03-02", 24 * 60)]
)
def test_a_whole_day_has_23_24_or_25_hours(on, minutes):
    round_the_clock = Shift("all", "Round the clock", start=time(), end=time())
    day = one_day(every_day(round_the_clock), [], on)
    assert day.target == minutes


def test_a_punch_in_the_hour_that_comes_twice_is_told_apart():
    bar = Shift("bar", "Bar", start=time(18), end=time(3))
    came, went = mark("2026-10-24 18:00"), mark("2026-10-25 02:30", Direction.OUT, fold=1)
    assert one_day(every_day(bar), [came, went], "2026-10-24").worked == 9 * 60 + 30


def test_a_punch_after_midnight_belongs_to_the_evening_before():
    bar = Shift("bar", "Bar", start=time(16), end=time(0, 30))
    found = days(every_day(bar), marks("2026-03-02 16:00", "2026-03-03 00:40"), "2026-03-02", "2026-03-03")
    assert [day.status for day in found] == [Status.PRESENT, Status.ABSENT]
    assert found[0].worked == 520


def test_two_shifts_back_to_back_share_the_minute_between_them():
    both = every_day(EARLY, LATE)
    punches = marks("2026-03-02 05:58", "2026-03-02 14:01", "2026-03-02 14:03", "2026-03-02 22:00")
    early, late = days(both, punches, "2026-03-02")
    assert (early.shift_id, early.status, early.worked) == ("early", Status.PRESENT, 481)
    assert (late.shift_id, late.status, late.worked, late.late) == ("late", Status.LATE, 477, 3)


def test_overlapping_shifts_each_keep_their_own_punches():
    cover = Shift("cover", "Cover", start=time(13), end=time(21))
    punches = marks("2026-03-02 06:00", "2026-03-02 13:10", "2026-03-02 13:40", "2026-03-02 21:00")
    early, second = days(every_day(EARLY, cover), punches, "2026-03-02")
    assert [(early.shift_id, early.early), (second.shift_id, second.late)] == [("early", 50), ("cover", 40)]


def test_the_night_after_the_night_is_told_from_it():
    punches = marks("2026-03-02 22:00", "2026-03-03 06:00", "2026-03-03 21:50", "2026-03-04 06:10")
    found = days(every_day(NIGHT), punches, "2026-03-02", "2026-03-03")
    assert [(day.worked, day.refs) for day in found] == [
        (480, ("2026-03-02 22:00", "2026-03-03 06:00")),
        (490, ("2026-03-03 21:50", "2026-03-04 06:10")),
    ]


@pytest.mark.parametrize(
    ("came", "status", "late"),
    [
        ("2026-03-02 08:05:00", Status.PRESENT, 0),
        ("2026-03-02 08:05:01", Status.LATE, 6),
        ("2026-03-02 07:30:00", Status.PRESENT, 0),
        ("2026-03-02 09:00:00", Status.LATE, 60),
    ],
)
def test_late_by_one_second_past_the_grace_is_late_from_the_start(came, status, late):
    day = one_day(every_day(OFFICE), marks(came, "2026-03-02 17:00"), "2026-03-02")
    assert (day.status, day.late) == (status, late)


def test_who_goes_before_the_end_has_left_early():
    day = one_day(every_day(OFFICE), marks("2026-03-02 08:00", "2026-03-02 16:29:30"), "2026-03-02")
    assert (day.status, day.early) == (Status.LEFT_EARLY, 31)


def test_a_missing_punch_loses_no_day_and_says_what_to_ask_for():
    day = one_day(every_day(OFFICE), marks("2026-03-02 08:00"), "2026-03-02")
    assert (day.status, day.missing, day.first_in is not None, day.last_out) == (
        Status.INCOMPLETE,
        "out",
        True,
        None,
    )
    day = one_day(every_day(OFFICE), marks("2026-03-02 17:02"), "2026-03-02")
    assert (day.status, day.missing, day.first_in, day.last_out is not None) == (
        Status.INCOMPLETE,
        "in",
        None,
        True,
    )


def test_a_missing_last_punch_among_several_keeps_the_hours_before_it():
    shift = Shift("turns", "Turns", directions=DirectionMode.ALTERNATING)
    punches = marks("2026-03-02 08:00", "2026-03-02 12:00", "2026-03-02 13:00")
    day = one_day(every_day(shift), punches, "2026-03-02")
    assert (day.status, day.missing, day.worked) == (Status.INCOMPLETE, "out", 240)


def test_somebody_inside_is_at_work_and_not_incomplete_until_the_turn_is_over():
    noon = mark("2026-03-02 12:00").at
    day = one_day(every_day(OFFICE), marks("2026-03-02 08:00"), "2026-03-02", now=noon)
    assert day.status is Status.AT_WORK


def test_nobody_is_absent_from_a_day_that_is_not_over():
    morning = mark("2026-03-02 07:00").at
    found = days(every_day(OFFICE), [], "2026-03-02", "2026-03-03", now=morning)
    assert [day.status for day in found] == [Status.EXPECTED, Status.EXPECTED]
    assert one_day(every_day(OFFICE), [], "2026-03-02").status is Status.ABSENT


def test_a_second_punch_within_the_cooldown_is_ignored_but_visible():
    punches = marks("2026-03-02 08:00:00", "2026-03-02 08:00:20", "2026-03-02 17:00:00")
    day = one_day(every_day(OFFICE), punches, "2026-03-02")
    assert day.worked == 480
    assert day.refs == ("2026-03-02 08:00:00", "2026-03-02 17:00:00")
    assert day.repeated == ("2026-03-02 08:00:20",)


def test_a_wrong_direction_at_the_kiosk_loses_no_day_where_the_first_and_the_last_count():
    punches = [mark("2026-03-02 08:00", Direction.OUT), mark("2026-03-02 17:00", Direction.OUT)]
    assert one_day(every_day(OFFICE), punches, "2026-03-02").worked == 480


def test_where_the_kiosk_says_the_direction_each_way_in_goes_with_the_next_way_out():
    gate = Shift("gate", "Gate", directions=DirectionMode.BY_KIOSK)
    ways = [
        ("2026-03-02 08:00", Direction.IN),
        ("2026-03-02 08:05", Direction.IN),
        ("2026-03-02 12:00", Direction.OUT),
        ("2026-03-02 13:00", Direction.IN),
        ("2026-03-02 16:50", Direction.OUT),
        ("2026-03-02 17:00", Direction.OUT),
    ]
    day = one_day(every_day(gate), [mark(*way) for way in ways], "2026-03-02")
    assert (day.worked, day.missing) == (480, "")


def test_a_way_out_without_a_way_in_misses_one():
    gate = Shift("gate", "Gate", directions=DirectionMode.BY_KIOSK)
    day = one_day(every_day(gate), [mark("2026-03-02 17:00", Direction.OUT)], "2026-03-02")
    assert (day.status, day.missing) == (Status.INCOMPLETE, "in")


@pytest.mark.parametrize(
    ("gone", "worked"), [("14:00", 360), ("14:10", 360), ("14:45", 375), ("17:30", 540), ("18:00", 555)]
)
def test_a_break_by_law_never_takes_more_than_lies_beyond_its_limit(gone, worked):
    law = Shift("law", "Law", pauses=(Pause(30, 360), Pause(45, 540)))
    day = one_day(every_day(law), marks("2026-03-02 08:00", f"2026-03-02 {gone}"), "2026-03-02")
    assert day.worked == worked
    assert day.worked + day.pause == (mark(f"2026-03-02 {gone}").at - mark("2026-03-02 08:00").at) // 60


def test_a_break_that_was_punched_is_not_taken_off_twice():
    law = Shift("law", "Law", pauses=(Pause(30, 360),), directions=DirectionMode.ALTERNATING)
    punches = marks("2026-03-02 08:00", "2026-03-02 12:00", "2026-03-02 12:20", "2026-03-02 17:00")
    day = one_day(every_day(law), punches, "2026-03-02")
    assert (day.worked, day.pause) == (240 + 280 - 10, 10)


def test_a_break_by_the_clock_takes_only_what_was_worked_in_it():
    lunch = Shift("lunch", "Lunch", pauses=(Pause(start=time(12), end=time(13)),))
    assert (
        one_day(every_day(lunch), marks("2026-03-02 08:00", "2026-03-02 17:00"), "2026-03-02").worked == 480
    )
    assert (
        one_day(every_day(lunch), marks("2026-03-02 08:00", "2026-03-02 12:30"), "2026-03-02").worked == 240
    )


def test_overtime_falls_into_steps():
    shift = Shift(
        "steps", "Steps", pauses=(Pause(60, 360),), overtime=(OvertimeStep(0, 125), OvertimeStep(120, 150))
    )
    day = one_day(every_day(shift), marks("2026-03-02 08:00", "2026-03-02 20:00"), "2026-03-02")
    assert (day.worked, day.balance, day.overtime) == (660, 180, (120, 60))


def test_flexible_hours_ask_for_an_amount_and_not_for_a_start():
    flexible = Shift(
        "flex", "Flexible", kind=ShiftKind.FLEXIBLE, start=time(6), end=time(20), target=480,
        core_start=time(10), core_end=time(15),
    )  # fmt: skip
    day = one_day(every_day(flexible), marks("2026-03-02 05:30", "2026-03-02 14:00"), "2026-03-02")
    assert (day.worked, day.balance, day.status, day.early) == (480, 0, Status.LEFT_EARLY, 60)
    assert one_day(every_day(flexible), marks("2026-03-02 09:59", "2026-03-02 18:00"), "2026-03-02").late == 0


def test_too_little_work_is_half_a_day_or_none():
    strict = Shift("strict", "Strict", half_below=420, absent_below=120, grace_out=1440)
    half = one_day(every_day(strict), marks("2026-03-02 08:00", "2026-03-02 12:00"), "2026-03-02")
    none = one_day(every_day(strict), marks("2026-03-02 08:00", "2026-03-02 09:00"), "2026-03-02")
    assert (half.status, none.status) == (Status.HALF_DAY, Status.ABSENT)


def test_free_days_of_the_week_are_off_and_work_on_them_counts_as_unplanned():
    week = weekly({"office": OFFICE}, (("office",),) * 5 + ((), ()))
    found = days(week, marks("2026-03-07 09:00", "2026-03-07 12:00"), "2026-03-06", "2026-03-08")
    assert [(day.status, day.worked, day.target) for day in found] == [
        (Status.ABSENT, 0, 480), (Status.PRESENT, 180, 0), (Status.OFF, 0, 0)]  # fmt: skip


def test_a_holiday_is_no_absence_and_names_itself_where_somebody_works():
    site = Site("main", "Main", "Europe/Berlin")
    may = {date(2026, 5, 1): "Labour Day"}
    rules = every_day(OFFICE, sites=(site,), holidays={"main": may})
    assert one_day(rules, [], "2026-05-01").status is Status.HOLIDAY
    day = one_day(rules, marks("2026-05-01 08:00", "2026-05-01 12:00"), "2026-05-01")
    assert (day.status, day.holiday, day.worked, day.target) == (Status.PRESENT, "Labour Day", 240, 0)


def test_leave_is_no_absence_and_half_a_day_of_it_moves_the_start():
    whole = Leave("1", "anna", date(2026, 3, 2), date(2026, 3, 3), "vacation")
    half = Leave("2", "anna", date(2026, 3, 2), date(2026, 3, 2), "vacation", LeavePart.FIRST_HALF)
    free = days(every_day(OFFICE), [], "2026-03-02", "2026-03-04", leave=(whole,))
    assert [day.status for day in free] == [Status.ON_LEAVE, Status.ON_LEAVE, Status.ABSENT]
    day = one_day(
        every_day(OFFICE), marks("2026-03-02 12:30", "2026-03-02 17:00"), "2026-03-02", leave=(half,)
    )
    assert (day.status, day.target, day.balance) == (Status.PRESENT, 240, 30)


def test_two_kiosks_in_two_time_zones_make_one_day_where_the_person_belongs():
    lisbon = ZoneInfo("Europe/Lisbon")
    punches = [mark("2026-03-02 08:00"), mark("2026-03-02 16:00", Direction.OUT, zone=lisbon)]
    day = one_day(every_day(OFFICE), punches, "2026-03-02")
    assert (day.worked, day.early) == (480, 0)


def test_without_a_schedule_a_night_is_still_one_span_of_work():
    found = days(Rulebook(), marks("2026-03-02 22:00", "2026-03-03 06:00"), "2026-03-01", "2026-03-04")
    assert [(day.day, day.worked, day.status) for day in found] == [(date(2026, 3, 2), 480, Status.PRESENT)]


def test_without_a_schedule_a_forgotten_punch_does_not_swallow_the_next_day():
    punches = marks("2026-03-02 08:00", "2026-03-03 08:00", "2026-03-03 17:00")
    found = days(Rulebook(), punches, "2026-03-02", "2026-03-03")
    assert [(day.status, day.worked) for day in found] == [(Status.INCOMPLETE, 0), (Status.PRESENT, 540)]


def test_a_rotating_schedule_repeats_from_its_start():
    shifts = {"early": EARLY, "late": LATE, "night": NIGHT}
    turns = weekly(shifts, (("early",), ("late",), ("night",), ()), start=date(2026, 3, 2))
    found = days(turns, [], "2026-03-02", "2026-03-07")
    assert [day.shift_id for day in found] == ["early", "late", "night", "", "early", "late"]


def test_the_nearer_and_the_later_assignment_counts():
    rules = Rulebook(
        shifts={"early": EARLY, "late": LATE, "night": NIGHT},
        assignments=(
            Assignment(Level.EVERYBODY, "", date(2026, 1, 1), (("early",),)),
            Assignment(Level.PERSON, "anna", date(2026, 3, 3), (("late",),), end=date(2026, 3, 4)),
            Assignment(Level.PERSON, "anna", date(2026, 3, 4), (("night",),), end=date(2026, 3, 4)),
            Assignment(Level.PERSON, "bert", date(2026, 1, 1), (("night",),)),
        ),
    ).checked()
    found = days(rules, [], "2026-03-02", "2026-03-05")
    assert [day.shift_id for day in found] == ["early", "late", "night", "early"]
