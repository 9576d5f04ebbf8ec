"""What a working day came to: its status and its minutes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, tzinfo
from enum import StrEnum
from typing import NamedTuple

from ray_backend.domain.worktime.fitting import Mark, Work, fit, open_spans, without_repetitions, work_of
from ray_backend.domain.worktime.schedule import Leave, LeavePart, PlannedDay, Rulebook
from ray_backend.domain.worktime.shifts import MINUTE, Shift, ShiftKind, Turn, turn_of


class Status(StrEnum):
    """The one word for a day. AT_WORK and EXPECTED are for turns that are not over yet."""

    PRESENT = "present"
    LATE = "late"
    LEFT_EARLY = "left_early"
    HALF_DAY = "half_day"
    ABSENT = "absent"
    ON_LEAVE = "on_leave"
    OFF = "off"
    HOLIDAY = "holiday"
    INCOMPLETE = "incomplete"
    AT_WORK = "at_work"
    EXPECTED = "expected"


class Day(NamedTuple):
    """One turn, or one day without a turn, of one person. Moments in seconds since 1970, lengths minutes.

    `worked` is net of pauses, `pause` what was taken off for them, `overtime` the part of `worked` that
    falls into each step of the shift. `balance` is `worked` less `target`. `late` and `early` say by how
    much, rounded up; 0 within the grace. `missing` is `in`, `out` or empty. `refs` are the punches that
    count, `repeated` those within the cooldown of another.
    """

    day: date
    shift_id: str
    status: Status
    first_in: int | None = None
    last_out: int | None = None
    worked: int = 0
    pause: int = 0
    target: int = 0
    late: int = 0
    early: int = 0
    overtime: tuple[int, ...] = ()
    missing: str = ""
    holiday: str = ""
    leave: str = ""
    refs: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()

    @property
    def balance(self) -> int:
        """Minutes worked beyond the target; negative where some are owed."""
        return self.worked - self.target


def derive(
    rulebook: Rulebook,
    zone: tzinfo,
    plan: Sequence[PlannedDay],
    marks: Iterable[Mark],
    leave: Sequence[Leave] = (),
    *,
    now: int,
) -> list[Day]:
    """One person's days, by date and start. `plan` covers the days that are wanted.

    `marks` may reach beyond them and has to, by a day on each side: a punch after midnight may belong to
    the day before, and one of a neighbouring turn is told from ours by that turn, so `plan` should have a
    day more on each side as well, whose results the caller drops. `now` is in seconds since 1970:
    nobody is absent from what is not over.
    """
    kept, repeated = without_repetitions(marks, rulebook.cooldown_s)
    turns = [turn for planned in plan for turn in planned.turns if turn.shift.kind is not ShiftKind.OPEN]
    turns.sort(key=lambda turn: turn.start)
    fitted, loose = fit(turns, kept)
    of_turn = {id(turn): found for turn, found in zip(turns, fitted, strict=True)}
    spans = dict(open_spans(loose, rulebook.unplanned, zone))
    days: list[Day] = []
    for planned in plan:
        away = _leave_on(leave, planned.day)
        rows = [
            day_of_turn(turn, of_turn[id(turn)], away, now) for turn in planned.turns if id(turn) in of_turn
        ]
        rows += _open_day(rulebook.unplanned, planned, spans.get(planned.day), away, zone, now)
        rows = rows or day_without_work(planned, away)
        days += [row._replace(holiday=planned.holiday) for row in rows] if planned.holiday else rows
    return _with_repetitions(days, kept, repeated) if repeated else days


def _open_day(
    unplanned: Shift,
    planned: PlannedDay,
    span: list[Mark] | None,
    away: Leave | None,
    zone: tzinfo,
    now: int,
) -> list[Day]:
    """The day of an OPEN shift, planned or not."""
    turn = next((one for one in planned.turns if one.shift.kind is ShiftKind.OPEN), None)
    if span is None:
        return [] if turn is None else [day_of_turn(turn, [], away, now)]
    turn = turn or turn_of(unplanned, planned.day, zone)
    return [day_of_turn(turn._replace(closes=span[0].at + turn.shift.longest * MINUTE), span, away, now)]


def _leave_on(leave: Sequence[Leave], day: date) -> Leave | None:
    return next((one for one in leave if one.first <= day <= one.last), None)


def day_without_work(planned: PlannedDay, away: Leave | None) -> list[Day]:
    """A day without a turn and without punches. Somebody without a schedule has no day where nothing
    happened."""
    if planned.holiday and planned.scheduled:
        return [Day(planned.day, "", Status.HOLIDAY, holiday=planned.holiday)]
    if away is not None:
        return [Day(planned.day, "", Status.ON_LEAVE, leave=away.kind)]
    return [Day(planned.day, "", Status.OFF)] if planned.scheduled else []


def day_of_turn(turn: Turn, marks: list[Mark], away: Leave | None, now: int) -> Day:
    """What these marks, which belong to the turn, make of it."""
    if away is not None and away.part is not LeavePart.WHOLE:
        turn = _half(turn, away.part)
    if marks:
        whole = away is not None and away.part is LeavePart.WHOLE
        # Whoever comes although they need not owes nothing.
        turn = turn._replace(target=0, late_from=None, early_until=None) if whole else turn
        return _worked_day(turn, marks, away, now)
    kind = away.kind if away else ""
    if away is not None and away.part is LeavePart.WHOLE:
        return Day(turn.day, turn.shift.shift_id, Status.ON_LEAVE, leave=kind)
    if turn.shift.kind is ShiftKind.OPEN and not turn.target:
        return Day(turn.day, turn.shift.shift_id, Status.OFF, leave=kind)
    status = Status.ABSENT if now > turn.end else Status.EXPECTED
    return Day(turn.day, turn.shift.shift_id, status, target=turn.target, leave=kind)


def _half(turn: Turn, free: LeavePart) -> Turn:
    """The turn with one half of it free: half the target, and no lateness in the free half."""
    middle = (turn.start + turn.end) // 2
    target = turn.target - turn.target // 2
    if free is LeavePart.FIRST_HALF:
        return turn._replace(target=target, late_from=middle if turn.late_from is not None else None)
    return turn._replace(target=target, early_until=middle if turn.early_until is not None else None)


def _worked_day(turn: Turn, marks: list[Mark], away: Leave | None, now: int) -> Day:
    shift = turn.shift
    work = work_of(marks, shift.directions, turn)
    worked, pause = net_minutes(turn, work.intervals)
    first_in, last_out = _ends(work, marks)
    late = _late(turn, first_in)
    early = 0 if work.missing or (turn.early_until or 0) > now else _early(turn, last_out)
    half_below = 0 if away else shift.half_below
    return Day(
        turn.day,
        shift.shift_id,
        _status(work, worked, late, early, (shift.absent_below, half_below), now <= turn.closes),
        first_in,
        last_out,
        worked,
        pause,
        turn.target,
        late,
        early,
        overtime_minutes(shift, worked - turn.target),
        work.missing,
        leave=away.kind if away else "",
        refs=tuple(mark.ref for mark in marks),
    )


def _ends(work: Work, marks: list[Mark]) -> tuple[int | None, int | None]:
    first = None if work.missing == "in" and not work.intervals else marks[0].at
    if work.intervals:
        first = work.intervals[0][0]
    last = work.intervals[-1][1] if work.intervals else None
    if work.missing == "in" and not work.intervals:
        last = marks[-1].at
    return first, last


def _status(work: Work, worked: int, late: int, early: int, least: tuple[int, int], running: bool) -> Status:
    absent_below, half_below = least
    if work.missing == "out" and running:
        return Status.AT_WORK
    if work.missing:
        return Status.INCOMPLETE
    if worked < absent_below:
        return Status.ABSENT
    if worked < half_below:
        return Status.HALF_DAY
    if late:
        return Status.LATE
    return Status.LEFT_EARLY if early else Status.PRESENT


def _late(turn: Turn, first_in: int | None) -> int:
    """Minutes after the start, begun ones too; 0 within the grace: a second past it counts."""
    if first_in is None or turn.late_from is None:
        return 0
    behind = first_in - turn.late_from
    return -(-behind // MINUTE) if behind > turn.shift.grace_in * MINUTE else 0


def _early(turn: Turn, last_out: int | None) -> int:
    """Minutes before the end, begun ones too; 0 within the grace."""
    if last_out is None or turn.early_until is None:
        return 0
    short = turn.early_until - last_out
    return -(-short // MINUTE) if short > turn.shift.grace_out * MINUTE else 0


def net_minutes(turn: Turn, intervals: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """`(worked, pause)`: minutes of work in the intervals, and what was taken off for pauses."""
    counted = [_counted(turn, since, to) for since, to in intervals]
    counted = [(since, to) for since, to in counted if since < to]
    if not counted:
        return 0, 0
    gross = sum([to - since for since, to in counted])
    gaps = counted[-1][1] - counted[0][0] - gross
    work = gross - _on_clock(turn, counted)
    for pause in turn.shift.pauses:
        if pause.start is None and work > pause.after_minutes:
            still_due = max(0, pause.minutes - gaps - (gross - work))
            work = max(pause.after_minutes, work - still_due)
    return work, gross - work


def _on_clock(turn: Turn, counted: Sequence[tuple[int, int]]) -> int:
    """How many of the counted minutes lie in breaks that have times."""
    return sum(
        max(0, min(to, end // MINUTE) - max(since, start // MINUTE))
        for start, end in turn.pauses
        for since, to in counted
    )


def _counted(turn: Turn, since: int, to: int) -> tuple[int, int]:
    """The part of an interval that counts, from minute to minute, as minutes since 1970."""
    kind = turn.shift.kind
    if kind is ShiftKind.FLEXIBLE or (kind is ShiftKind.FIXED and not turn.shift.early_counts):
        since = max(since, turn.start)
    if kind is ShiftKind.FLEXIBLE:
        to = min(to, turn.end)
    return since // MINUTE, to // MINUTE


def overtime_minutes(shift: Shift, beyond: int) -> tuple[int, ...]:
    """How many of the minutes beyond the target fall into each step of the shift."""
    if beyond <= 0 or not shift.overtime:
        return (0,) * len(shift.overtime)
    starts = [step.after_minutes for step in shift.overtime]
    ends = [*starts[1:], beyond]
    return tuple(max(0, min(beyond, end) - start) for start, end in zip(starts, ends, strict=True))


def _with_repetitions(days: list[Day], kept: Sequence[Mark], repeated: Sequence[Mark]) -> list[Day]:
    """Puts each repetition beside the punch that it repeats, so that it stays visible."""
    of_punch: dict[str, list[str]] = {}
    place = -1
    for mark in repeated:
        while place + 1 < len(kept) and kept[place + 1].at <= mark.at:
            place += 1
        of_punch.setdefault(kept[place].ref, []).append(mark.ref)
    return [
        day._replace(repeated=tuple(ref for punch in day.refs for ref in of_punch.get(punch, ())))
        for day in days
    ]
