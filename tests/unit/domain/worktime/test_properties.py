"""What has to hold for any punches."""

from __future__ import annotations

from datetime import date, time

from hypothesis import given
from hypothesis import strategies as st

from ray_backend.domain.model import Direction
from ray_backend.domain.worktime.days import Status
from ray_backend.domain.worktime.fitting import Mark
from ray_backend.domain.worktime.shifts import DirectionMode, OvertimeStep, Pause, Shift, ShiftKind
from tests.unit.domain.worktime.site import days, mark, weekly

FIRST, LAST = "2026-03-24", "2026-04-02"
SPAN = (mark(f"{FIRST} 00:00").at - 86_400, mark(f"{LAST} 00:00").at + 2 * 86_400)

minutes = st.integers(0, 24 * 60)
clock = st.times(max_value=time(23, 59)).map(lambda at: at.replace(second=0, microsecond=0))


@st.composite
def shifts(draw, shift_id: str):
    kind = draw(st.sampled_from(ShiftKind))
    return Shift(
        shift_id,
        shift_id,
        kind=kind,
        start=draw(clock),
        end=draw(clock),
        target=draw(minutes) if kind is ShiftKind.FLEXIBLE else draw(st.none() | minutes),
        grace_in=draw(st.integers(0, 30)),
        opens=draw(st.integers(0, 480)),
        closes=draw(st.integers(0, 480)),
        pauses=draw(
            st.sampled_from([(), (Pause(30, 360), Pause(45, 540)), (Pause(start=time(12), end=time(13)),)])
        ),
        overtime=draw(
            st.sampled_from([(), (OvertimeStep(0, 125),), (OvertimeStep(30, 125), OvertimeStep(120, 150))])
        ),
        directions=draw(st.sampled_from(DirectionMode)),
        early_counts=draw(st.booleans()),
    )


@st.composite
def rulebooks(draw):
    known = {name: draw(shifts(name)) for name in ("one", "two")}
    day = st.sampled_from([(), ("one",), ("two",), ("one", "two")])
    return weekly(known, tuple(draw(st.lists(day, min_size=1, max_size=9))))


@st.composite
def punches(draw):
    times = draw(st.lists(st.integers(*SPAN), max_size=40, unique=True))
    return [Mark(at, draw(st.sampled_from(Direction)), str(at)) for at in times]


@given(rulebooks(), punches())
def test_minutes_are_never_negative_and_their_parts_make_the_whole(rules, marks):
    for day in days(rules, marks, FIRST, LAST):
        assert min(day.worked, day.pause, day.target, day.late, day.early, *day.overtime, 0) == 0
        assert sum(day.overtime) <= max(0, day.balance)
        assert day.balance == day.worked - day.target
        if day.first_in is not None and day.last_out is not None:
            assert day.worked + day.pause <= day.last_out // 60 - day.first_in // 60


@given(rulebooks(), punches(), st.randoms(use_true_random=False))
def test_the_order_in_which_punches_arrive_does_not_matter(rules, marks, random):
    as_given = days(rules, marks, FIRST, LAST)
    random.shuffle(marks)
    assert days(rules, marks, FIRST, LAST) == as_given


@given(rulebooks(), punches())
def test_deriving_twice_gives_the_same(rules, marks):
    assert days(rules, marks, FIRST, LAST) == days(rules, marks, FIRST, LAST)


@given(rulebooks(), punches())
def test_no_punch_counts_twice_and_none_of_the_days_asked_for_is_lost(rules, marks):
    found = days(rules, marks, "2026-03-21", "2026-04-05")
    refs = [ref for day in found for ref in (*day.refs, *day.repeated)]
    assert len(refs) == len(set(refs))
    assert set(refs) == {one.ref for one in marks}


@given(rulebooks(), punches())
def test_the_days_of_a_month_are_those_of_its_weeks(rules, marks):
    """Nothing depends on which part of the calendar is asked for, as long as a day more is read."""
    whole = days(rules, marks, "2026-03-21", "2026-04-05")
    halves = days(rules, marks, "2026-03-21", "2026-03-28") + days(rules, marks, "2026-03-29", "2026-04-05")
    assert [day for day in whole if day.day != date(2026, 3, 29)] == [
        day for day in halves if day.day != date(2026, 3, 29)
    ]


@given(rulebooks(), punches())
def test_somebody_who_was_seen_is_not_absent_without_a_word(rules, marks):
    for day in days(rules, marks, FIRST, LAST):
        if day.refs:
            assert day.status not in {Status.OFF, Status.HOLIDAY, Status.ON_LEAVE, Status.EXPECTED}
