"""The days of many people at once are, row by row, those that the rules give for each of them alone."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ray_backend.domain.model import Direction
from ray_backend.domain.worktime.days import Day, derive
from ray_backend.domain.worktime.fitting import Mark
from ray_backend.domain.worktime.many import Crowd, Rows, derive_many
from ray_backend.domain.worktime.schedule import Assignment, Leave, LeavePart, Level, Planner, Rulebook, Site
from ray_backend.domain.worktime.shifts import DirectionMode, OvertimeStep, Pause, Shift, ShiftKind

# Clocks are set forward in Berlin on 29 March and in Lord Howe, by half an hour, back on 5 April.
FIRST, DAYS = date(2026, 3, 26), 12
ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "UTC")
BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Shift(
    "office", "Office", pauses=(Pause(30, 360), Pause(start=time(9), end=time(9, 15))), grace_in=5,
    grace_out=5, overtime=(OvertimeStep(0, 125), OvertimeStep(60, 150)), half_below=240, absent_below=60,
)  # fmt: skip
NIGHT = Shift("night", "Night", start=time(22), end=time(6), grace_in=3, works_on_holidays=True)
FLEXIBLE = Shift(
    "flexible", "Flexible", kind=ShiftKind.FLEXIBLE, start=time(6), end=time(20), target=480,
    core_start=time(10), core_end=time(15), closes=240, directions=DirectionMode.ALTERNATING,
)  # fmt: skip
GATE = Shift("gate", "Gate", start=time(7, 30), end=time(16), directions=DirectionMode.BY_KIOSK)
OPEN = Shift("open", "Open", kind=ShiftKind.OPEN, target=300, directions=DirectionMode.ALTERNATING)
LATE = Shift("late", "Late", start=time(14), end=time(22), opens=300, closes=300, early_counts=True)
SHIFTS = {shift.shift_id: shift for shift in (OFFICE, NIGHT, FLEXIBLE, GATE, OPEN, LATE)}
# Hours and minutes of what somebody does on a day; 30 is six o'clock of the next one.
_PAIR, _NIGHT = [(8, 0), (17, 0)], [(22, 0), (30, 0)]
CALM = [_PAIR, _PAIR, [(10, 0), (15, 0)], []]
DAYTIME = [*CALM, [(7, 30), (12, 0), (12, 30), (16, 0)], [(12, 30)], [(17, 0)]]
NIGHTS = [_NIGHT, _NIGHT, _NIGHT, [(22, 0)], []]
STRANGE = [[(23, 59), (25, 0)], [(8, 0)], [(14, 0), (22, 0)], [(3, 0), (3, 1), (21, 0)]]
WEEK = (("office",),) * 5 + ((), ())
NEAR = st.sampled_from([0, 1, 29, 30, 59, 60, 61, 119, 300, 301, 3599, 3600])


@st.composite
def rulebooks(draw) -> Rulebook:
    """Each person with a schedule of their own, mostly of one shift a day; one of them has none."""
    sites = tuple(Site(zone, zone, zone, (zone,)) for zone in ZONES)
    day = st.sampled_from([(), ("office",), ("night",), ("flexible",), ("gate",), ("open",), ("late",)])
    rotating = st.lists(day | st.just(("office", "late")), min_size=1, max_size=7).map(tuple)
    patterns = st.sampled_from([WEEK, *(((name,), (name,), ()) for name in SHIFTS)]) | rotating
    assigned = tuple(
        Assignment(Level.PERSON, person, date(2026, 3, 2), draw(patterns)) for person in ("a", "b", "c")
    )
    return Rulebook(
        shifts=SHIFTS,
        assignments=assigned,
        sites=sites,
        holidays={zone: {date(2026, 3, 30): "Holiday"} for zone in ZONES},
        cooldown_s=draw(st.sampled_from([0, 1, 60])),
        unplanned=Shift(
            "unplanned", "Unplanned", kind=ShiftKind.OPEN, directions=draw(st.sampled_from(DirectionMode)),
            longest=draw(st.sampled_from([60, 840])), pauses=(Pause(30, 300),),
        ),
    )  # fmt: skip


@st.composite
def own_marks(draw, zone: ZoneInfo) -> list[Mark]:
    """Of somebody who comes by day or by night, now and then forgets a punch, or does whatever one can do."""
    clocks = draw(st.sampled_from([CALM, CALM, DAYTIME, NIGHTS, DAYTIME + NIGHTS + STRANGE]))
    found: dict[int, Direction] = {}
    for number in range(-1, DAYS + 1):
        for hour, minute in draw(st.sampled_from(clocks)):
            day = FIRST + timedelta(days=number + hour // 24)
            at = int(datetime.combine(day, time(hour % 24, minute), zone).timestamp())
            found[at + draw(st.sampled_from([1, -1])) * draw(NEAR)] = draw(st.sampled_from(Direction))
    begin = int(datetime.combine(FIRST, time(), zone).timestamp())
    anywhere = st.integers(begin - 86_400, begin + (DAYS + 1) * 86_400)
    for at in draw(st.lists(anywhere, max_size=3)) if STRANGE[0] in clocks else ():
        found[at] = draw(st.sampled_from(Direction))
    return [Mark(at, way, f"{at}") for at, way in found.items()]


def crowd_of(
    book: Rulebook,
    zones: dict[str, ZoneInfo],
    marks: dict[str, list[Mark]],
    leave: dict[str, list[Leave]],
    named: set[str],
) -> Crowd:
    """As `TimesheetService` makes it."""
    planner, people = Planner(book), list(zones)
    last = FIRST + timedelta(days=DAYS - 1)
    plans = [(zones[who], planner.days(who, zones[who].key, zones[who], FIRST, last)) for who in people]
    table = [
        (number, mark.at, mark.direction is Direction.OUT)
        for number, who in enumerate(people)
        for mark in marks[who]
        if who not in named
    ]
    who, at, out = np.array(table, np.int64).reshape(-1, 3).T
    numbers = {who: number for number, who in enumerate(people)}
    return Crowd(
        plans,
        np.arange(len(people)),
        who,
        at,
        out.astype(bool),
        {numbers[who]: own for who, own in leave.items()},
        {numbers[who]: marks[who] for who in named},
    )


def told(rows: Rows, person: int) -> list[tuple]:
    """A person's rows as what a report shows of them."""
    own = rows.where(rows.person == person)
    columns = (column.tolist() for column in own[1:-1])
    return [
        _shown(rows.cases[case], FIRST + timedelta(days=day), first, last, punches)
        for day, case, first, last, punches in zip(*columns, strict=True)
    ]


def _shown(case: Day, day: date, first: int | None, last: int | None, punches: int) -> tuple:
    first, last = (
        at if known is not None else None for at, known in ((first, case.first_in), (last, case.last_out))
    )
    bare = case._replace(day=day, first_in=first, last_out=last, refs=(), repeated=())
    return bare, punches, len(case.repeated)


@settings(deadline=None)
@given(st.data(), rulebooks())
def test_everybody_gets_the_days_that_they_get_alone(data, book):
    zones = {who: ZoneInfo(data.draw(st.sampled_from(ZONES))) for who in ("a", "b", "c", "d")}
    marks = {who: data.draw(own_marks(zone)) for who, zone in zones.items()}
    part = data.draw(st.sampled_from(LeavePart))
    away = Leave("1", "c", FIRST, FIRST + timedelta(days=2), "vacation", part)
    leave = data.draw(st.sampled_from([{}, {}, {"c": [away]}]))
    named = data.draw(st.sampled_from([set(), set(), {"b"}]))
    begin = int(datetime.combine(FIRST, time(), zones["a"]).timestamp())
    now = begin + data.draw(st.sampled_from([10**9] * 200 + [*range(0, DAYS * 86_400, 7 * 3600)]))
    require_the_same(book, crowd_of(book, zones, marks, leave, named), zones, marks, leave, now)


def require_the_same(
    book: Rulebook,
    crowd: Crowd,
    zones: dict[str, ZoneInfo],
    marks: dict[str, list[Mark]],
    leave: dict[str, list[Leave]],
    now: int,
) -> None:
    rows = derive_many(book, crowd, now=now)
    for number, who in enumerate(zones):
        alone = derive(book, *crowd.plans[number], marks[who], leave.get(who, ()), now=now)
        expected = [_shown(day, day.day, day.first_in, day.last_out, len(day.refs)) for day in alone]
        assert told(rows, number) == expected
        if number in crowd.named:
            refs = [rows.cases[case].refs for case in rows.case[rows.person == number]]
            assert refs == [day.refs for day in alone]


def clock(text: str) -> int:
    """A moment such as `03-27 08:00:30` in Berlin."""
    return int(datetime.fromisoformat(f"2026-{text}").replace(tzinfo=BERLIN).timestamp())


LATER = "04-20 00:00"
ODD = Shift("odd", "Odd", start=time(8), end=time(17, 1))
ALIKE = {
    "a second past the grace": (OFFICE, "03-26 08:05,03-26 17:00", "03-27 08:05:01,03-27 17:00", LATER),
    "which end is nearer to a lone punch": (ODD, "03-27 12:30:29", "03-27 12:30:31", LATER),
    "unplanned work that still goes on": (OFFICE, "04-04 10:00", "04-05 10:00", "04-05 12:00"),
    "unplanned work past midnight": (OFFICE, "03-28 23:00,03-29 02:00", "03-28 09:00,03-29 02:00", LATER),
    "a turn that is not closed": (OFFICE, "03-27 08:00", "03-26 08:00", "03-27 20:00"),
    "long before the shift": (OFFICE, "03-27 03:00,03-27 17:00", "03-27 08:00", LATER),
    "a repeated punch": (OFFICE, "03-27 08:00,03-27 08:00:59", "03-27 08:00,03-27 08:01", LATER),
    "a punched break": (FLEXIBLE, "03-27 08:00,03-27 12:00,03-27 13:00,03-27 17:00", "03-27 17:00", LATER),
    "one way only": (GATE, "03-27 08:00,03-27 17:00", "03-26 17:00,03-26 17:30", LATER),
    "the short night": (NIGHT, "03-28 22:00,03-29 06:00", "03-27 22:00,03-28 06:00", LATER),
    "a holiday": (NIGHT, "03-30 22:00,03-31 06:00", "03-27 22:00,03-28 06:00", LATER),
}


@pytest.mark.parametrize("alike", ALIKE)
def test_what_lies_close_together_is_told_apart(alike: str):
    """Two people whose days look alike and come to something else, or need the rules from the beginning."""
    shift, *both, now = ALIKE[alike]
    week = ((shift.shift_id,),) * 5 + (((shift.shift_id,),) * 2 if shift is NIGHT else ((), ()))
    assigned = Assignment(Level.EVERYBODY, "", date(2026, 3, 2), week)
    holidays = {"": {date(2026, 3, 30): "Holiday"}}
    book = Rulebook(shifts={shift.shift_id: shift}, assignments=(assigned,), holidays=holidays)
    zones = {"a": BERLIN, "b": BERLIN}
    ways = (Direction.IN, Direction.OUT)
    marks = {
        who: [Mark(clock(text), ways[place % 2], text) for place, text in enumerate(texts.split(","))]
        for who, texts in zip(zones, both, strict=True)
    }
    require_the_same(book, crowd_of(book, zones, marks, {}, set()), zones, marks, {}, clock(now))


def test_most_days_of_an_office_need_the_rules_once_for_each_kind():
    """Otherwise it would be right, and as slow as before."""
    book = Rulebook(
        shifts=SHIFTS,
        assignments=(Assignment(Level.EVERYBODY, "", date(2026, 3, 2), WEEK),),
    )
    zones = {f"{number}": BERLIN for number in range(300)}
    chance = np.random.default_rng(3)
    marks = {who: [Mark(at, way, f"{at}") for at, way in _month(chance)] for who in zones}
    rows = derive_many(book, crowd_of(book, zones, marks, {}, set()), now=4 * 10**9)
    assert len(rows.case) == 300 * DAYS
    assert len(rows.cases) < 300 * DAYS / 3


def _month(chance: np.random.Generator):
    for number in range(DAYS):
        for hour, way in ((8, Direction.IN), (17, Direction.OUT)):
            clock = datetime.combine(FIRST + timedelta(days=number), time(hour), BERLIN)
            yield int(clock.timestamp()) + int(chance.integers(-300, 300)), way


def test_without_a_single_punch_everybody_was_absent():
    book = Rulebook(shifts=SHIFTS, assignments=(Assignment(Level.EVERYBODY, "", date(2026, 3, 2), WEEK),))
    rows = derive_many(book, crowd_of(book, {"a": BERLIN}, {"a": []}, {}, set()), now=4 * 10**9)
    statuses = [rows.cases[case].status.value for case in rows.case]
    assert statuses == [*["absent"] * 2, "off", "off", *["absent"] * 5, "off", "off", "absent"]


def test_nobody_has_no_days():
    rows = derive_many(Rulebook(), Crowd([], *(np.zeros(0, np.int64) for _ in range(4))), now=0)
    assert (len(rows.person), rows.cases) == (0, [])
