"""The days of many people at once: exactly those that `derive` gives for each of them, only quicker.

Most days are alike. Whoever comes and goes in the same minutes of the same shift gets the same day, so arrays
sort the punches into turns, and the rules of `days` are asked once for each kind of day. Whoever has anything
out of the ordinary gets all days from `derive` itself: leave, repeated punches, punched breaks, shifts whose
windows overlap, unplanned work across midnight or still going on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

import numpy as np

from ray_backend.domain.model import Direction
from ray_backend.domain.worktime.days import Day, derive
from ray_backend.domain.worktime.fitting import Mark
from ray_backend.domain.worktime.plan_slots import PlanSlots
from ray_backend.domain.worktime.schedule import Leave, PlannedDay, Rulebook
from ray_backend.domain.worktime.shifts import MINUTE

# More than lies between any two moments: the marks of each plan get a stretch of time of their own.
_APART = 1 << 40
# Half of what is packed into 22 bits: seconds of some weeks, or twice as many minutes.
_MIDDLE, _BITS = 1 << 21, 22


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """P people with their punches. Plans and people are named by their places, from 0.

    `plans` are what the schedules say, each with its time zone; all of them cover the same days. `plan` (P,)
    int says which is whose. `who` (N,) int, `at` (N,) int64 seconds since 1970 and `out` (N,) bool are the
    marks, in any order. `named` holds the marks of those whose refs are asked for; theirs are not among the
    others.
    """

    plans: Sequence[tuple[tzinfo, Sequence[PlannedDay]]]
    plan: np.ndarray
    who: np.ndarray
    at: np.ndarray
    out: np.ndarray
    leave: Mapping[int, Sequence[Leave]] = field(default_factory=dict)
    named: Mapping[int, Sequence[Mark]] = field(default_factory=dict)


class Rows(NamedTuple):
    """R days as columns, by person and date. `person` and `day` (R,) int: whose, and which of a plan's days.

    `case` (R,) int names one of `cases`, which says everything but the row's own date, moments and number
    of punches: `punches` (R,) int, and `first_in` and `last_out` (R,) int64 where the case has such a moment.
    """

    person: np.ndarray
    day: np.ndarray
    case: np.ndarray
    first_in: np.ndarray
    last_out: np.ndarray
    punches: np.ndarray
    cases: list[Day]

    def where(self, wanted: np.ndarray) -> Rows:
        """Some of the rows, by a mask (R,) or by their places in another order."""
        return Rows(*(column[wanted] for column in self[:-1]), self.cases)


def derive_many(rulebook: Rulebook, crowd: Crowd, *, now: int) -> Rows:
    """Everybody's days, by person and date; see `derive`, which each person's rows are equal to."""
    if not crowd.plans or not len(crowd.plan):
        nothing = np.zeros(0, np.int64)
        return Rows(nothing, nothing, nothing, nothing, nothing, nothing, [])
    order = np.lexsort((crowd.out, crowd.at, crowd.who))
    marks = _Marks(crowd.who[order], crowd.at[order], crowd.out[order])
    slots = PlanSlots(rulebook, crowd.plans, now)
    groups = _grouped(crowd, slots, marks)
    unusual = _unusual(rulebook, crowd, slots, marks, groups, now)
    usual = _usual_rows(crowd, slots, groups, unusual)
    others = _plain_rows(rulebook, crowd, marks, np.flatnonzero(unusual), now, len(usual.cases))
    columns = (np.concatenate(pair) for pair in zip(usual[:-1], others[:-1], strict=True))
    joined = Rows(*columns, usual.cases + others.cases)
    return joined.where(np.argsort(joined.person, kind="stable"))


class _Marks(NamedTuple):
    """By person, time and direction."""

    who: np.ndarray
    at: np.ndarray
    out: np.ndarray


class _Groups(NamedTuple):
    """Marks of one person that lie together: in the window of this day's turn if `fits`, on this calendar
    day and outside of all windows if not. `out_first` and `out_last` are the directions at both ends."""

    who: np.ndarray
    day: np.ndarray
    fits: np.ndarray
    first: np.ndarray
    last: np.ndarray
    count: np.ndarray
    out_first: np.ndarray
    out_last: np.ndarray


def _grouped(crowd: Crowd, slots: PlanSlots, marks: _Marks) -> _Groups:
    plan = crowd.plan[marks.who]
    fits, day = _in_windows(slots, plan, marks.at)
    loose = np.flatnonzero(~fits)
    zones = list({zone for zone, _ in crowd.plans})
    zone_of = np.array([zones.index(zone) for zone, _ in crowd.plans])[plan[loose]]
    for number, zone in enumerate(zones):
        own = loose[zone_of == number]
        day[own] = _calendar_days(marks.at[own], zone) - crowd.plans[0][1][0].day.toordinal()
    edge = np.ones(len(day), bool)
    edge[1:] = (np.diff(marks.who) != 0) | (np.diff(day) != 0) | (fits[1:] != fits[:-1])
    begin = np.flatnonzero(edge)
    end = np.append(begin, len(day))[1:] - 1
    whole = marks.who[begin], day[begin], fits[begin], marks.at[begin], marks.at[end], end - begin + 1
    return _Groups(*whole, marks.out[begin], marks.out[end])


def _in_windows(slots: PlanSlots, plan: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether a turn's window holds each mark, and the day of that turn, 0 where none does."""
    opens = slots.windows // slots.days * _APART + slots.opens[slots.windows]
    place = np.searchsorted(opens, plan * _APART + at, side="right") - 1
    if not len(opens):
        return np.zeros(len(at), bool), np.zeros(len(at), np.int64)
    slot = slots.windows[np.maximum(place, 0)]
    fits = (place >= 0) & (slot // slots.days == plan) & (at <= slots.closes[slot])
    return fits, np.where(fits, slot % slots.days, 0)


def _calendar_days(at: np.ndarray, zone: tzinfo) -> np.ndarray:
    """The dates on the zone's calendars as ordinals, (N,) int64. Clocks are changed on the minute."""
    minutes, place = np.unique(at // MINUTE, return_inverse=True)
    moments = (datetime.fromtimestamp(minute * MINUTE, UTC) for minute in minutes.tolist())
    days = [moment.astimezone(zone).date().toordinal() for moment in moments]
    return np.array(days, np.int64)[place]


def _unusual(
    rulebook: Rulebook, crowd: Crowd, slots: PlanSlots, marks: _Marks, groups: _Groups, now: int
) -> np.ndarray:
    """(P,) bool: who has anything that needs the rules from the beginning."""
    found = ~slots.ordinary[crowd.plan]
    found[[*crowd.leave, *crowd.named]] = True
    again = (np.diff(marks.at) < rulebook.cooldown_s) & (np.diff(marks.who) == 0)
    found[marks.who[1:][again]] = True
    inside = (groups.day >= 0) & (groups.day < slots.days)
    slot = crowd.plan[groups.who] * slots.days + np.where(inside, groups.day, 0)
    loose = ~groups.fits
    running = groups.first + slots.longest[slot] >= now
    strange = inside & loose & (slots.windowed[slot] | running)
    strange |= inside & (groups.count > 2) & ~slots.ends_count[slot]
    found[groups.who[strange]] = True
    spans = groups.who[loose], groups.first[loose], groups.count[loose]
    found[spans[0][1:][_joined(*spans, rulebook.unplanned.longest * MINUTE)]] = True
    return found


def _joined(who: np.ndarray, first: np.ndarray, count: np.ndarray, longest_s: int) -> np.ndarray:
    """(S - 1,) bool: whether somebody was still inside at the end of the span before this one."""
    return (np.diff(who) == 0) & (count[:-1] % 2 == 1) & (np.diff(first) <= longest_s)


def _usual_rows(crowd: Crowd, slots: PlanSlots, groups: _Groups, unusual: np.ndarray) -> Rows:
    wanted = ~unusual[groups.who] & (groups.day >= 0) & (groups.day < slots.days)
    chosen = _Groups(*(column[wanted] for column in groups))
    slot = crowd.plan[chosen.who] * slots.days + chosen.day
    worked, cases = _cases(slots, slot, chosen)
    shape = len(crowd.plan), slots.days
    case = slots.empty[crowd.plan[:, None] * slots.days + np.arange(slots.days)]
    first, last, count = (np.zeros(shape, np.int64) for _ in range(3))
    cell = chosen.who, chosen.day
    case[cell] = len(slots.cases) + worked
    first[cell], last[cell], count[cell] = chosen.first, chosen.last, chosen.count
    person, day = np.nonzero((case >= 0) & ~unusual[:, None])
    columns = (column[person, day] for column in (case, first, last, count))
    return Rows(person, day, *columns, slots.cases + cases)


def _cases(slots: PlanSlots, slot: np.ndarray, groups: _Groups) -> tuple[np.ndarray, list[Day]]:
    """Which case each group is, and the cases: by shape of the turn, minutes and directions.

    Rules count from full minute to full minute, up or down, so the minute and whether it is a full one tell
    everything; of a single punch they ask to the second which end of the turn is nearer.
    """
    since, to = groups.first - slots.start[slot], groups.last - slots.start[slot]
    alone = groups.count == 1
    came, went = (2 * (far // MINUTE) + (far % MINUTE == 0) for far in (since, to))
    begin = 2 * np.where(alone, since, came) + groups.out_first
    end = np.where(alone, -_MIDDLE, 2 * went + groups.out_last)
    key = (slots.shape[slot] << _BITS | begin + _MIDDLE) << _BITS | end + _MIDDLE
    _, sample, case = np.unique(key, return_index=True, return_inverse=True)
    columns = (groups.first, groups.last, groups.count, groups.out_first, groups.out_last)
    samples = zip(slot[sample].tolist(), *(column[sample].tolist() for column in columns), strict=True)
    cases = []
    for place, first, last, count, out_first, out_last in samples:
        marks = [_mark(first, out_first), _mark(last, out_last)]
        cases.append(slots.day_of(place, marks[: min(count, 2)]))
    return case, cases


def _mark(at: int, out: bool, ref: str = "") -> Mark:
    return Mark(at, Direction.OUT if out else Direction.IN, ref)


def _plain_rows(
    rulebook: Rulebook, crowd: Crowd, marks: _Marks, people: np.ndarray, now: int, known: int
) -> Rows:
    """The rows of these people, each its own case; `known` cases come before them."""
    found: list[tuple[int, Day]] = []
    begin, end = (np.searchsorted(marks.who, people, side=side).tolist() for side in ("left", "right"))
    for person, since, to in zip(people.tolist(), begin, end, strict=True):
        zone, plan = crowd.plans[crowd.plan[person]]
        columns = marks.at[since:to].tolist(), marks.out[since:to].tolist()
        own = [_mark(at, out, str(number)) for number, (at, out) in enumerate(zip(*columns, strict=True))]
        own += crowd.named.get(person, ())
        days = derive(rulebook, zone, plan, own, crowd.leave.get(person, ()), now=now)
        found += [(person, day) for day in days]
    epoch = crowd.plans[0][1][0].day.toordinal()
    table = [
        (person, day.day.toordinal() - epoch, day.first_in or 0, day.last_out or 0, len(day.refs))
        for person, day in found
    ]
    person, day, first, last, punches = np.array(table, np.int64).reshape(-1, 5).T
    return Rows(person, day, known + np.arange(len(found)), first, last, punches, [one for _, one in found])
