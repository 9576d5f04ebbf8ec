"""What a shift is, and one day's turn of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from ray_backend.domain.errors import InvalidInput

MINUTE = 60
DAY_MINUTES = 24 * 60


class ShiftKind(StrEnum):
    """FIXED has to be kept from start to end; FLEXIBLE asks for a number of minutes within a frame;
    OPEN has no times at all: work is counted whenever it happens."""

    FIXED = "fixed"
    FLEXIBLE = "flexible"
    OPEN = "open"


class DirectionMode(StrEnum):
    """How punches become times of work: from the first to the last; by turns in and out; or as the
    kiosk says that took them."""

    FIRST_IN_LAST_OUT = "first_in_last_out"
    ALTERNATING = "alternating"
    BY_KIOSK = "by_kiosk"


@dataclass(frozen=True, slots=True)
class Pause:
    """An unpaid break: between two times of the clock, or `minutes` for whoever works longer than
    `after_minutes`. The latter counts breaks that were punched or taken otherwise, and never takes
    so much that the work falls below `after_minutes`.
    """

    minutes: int = 0
    after_minutes: int = 0
    start: time | None = None
    end: time | None = None


@dataclass(frozen=True, slots=True)
class OvertimeStep:
    """Minutes beyond the target from `after_minutes` on are overtime at `percent` of the pay."""

    after_minutes: int
    percent: int


@dataclass(frozen=True, slots=True)
class Shift:
    """Rules for one kind of working day. Times are the site's wall clock, lengths minutes.

    `end` at or before `start` lies on the next day. `target` None means the length of the shift less its
    pauses. Who comes within `grace_in` after the start is not late, who goes within `grace_out` before
    the end has not left early; with FLEXIBLE these count against `core_start` and `core_end`, if given.
    A punch from `opens` before the start to `closes` after the end may belong to the shift. Work before
    the start of a FIXED shift counts only with `early_counts`; a FLEXIBLE one counts within its frame.
    Less work than `half_below` is half a day, less than `absent_below` none. An OPEN shift's span ends
    at the latest `longest` after it began.
    """

    shift_id: str
    name: str
    kind: ShiftKind = ShiftKind.FIXED
    start: time = time(8)
    end: time = time(17)
    target: int | None = None
    grace_in: int = 0
    grace_out: int = 0
    core_start: time | None = None
    core_end: time | None = None
    opens: int = 240
    closes: int = 480
    pauses: tuple[Pause, ...] = ()
    half_below: int = 0
    absent_below: int = 0
    overtime: tuple[OvertimeStep, ...] = ()
    directions: DirectionMode = DirectionMode.FIRST_IN_LAST_OUT
    early_counts: bool = False
    works_on_holidays: bool = False
    longest: int = 840

    def checked(self) -> Shift:
        """Itself. Raises InvalidInput that says what to mend."""
        if not self.shift_id.strip() or not self.name.strip():
            raise InvalidInput("Give the shift a name.")
        lengths = (self.grace_in, self.grace_out, self.opens, self.closes, self.half_below, self.absent_below)
        if min(lengths) < 0 or max(lengths) > DAY_MINUTES or not 0 < self.longest <= DAY_MINUTES:
            raise InvalidInput(f"Lengths of shift {self.name} have to lie between 0 and 24 hours.")
        if self.target is not None and not 0 <= self.target <= DAY_MINUTES:
            raise InvalidInput(f"The working time of shift {self.name} has to lie between 0 and 24 hours.")
        if self.absent_below > self.half_below > 0:
            raise InvalidInput(f"Shift {self.name}: the least time of half a day has to be the shorter one.")
        if self.kind is ShiftKind.FLEXIBLE and self.target is None:
            raise InvalidInput(f"Say how many hours flexible shift {self.name} asks for.")
        for pause in self.pauses:
            _check_pause(self.name, pause)
        steps = [step.after_minutes for step in self.overtime]
        if steps != sorted(set(steps)) or any(step < 0 for step in steps):
            raise InvalidInput(
                f"Shift {self.name}: each step of overtime has to begin later than the one before."
            )
        if any(step.percent <= 0 for step in self.overtime):
            raise InvalidInput(
                f"Shift {self.name}: say for each step of overtime how many percent of the pay it is."
            )
        return self


def _check_pause(name: str, pause: Pause) -> None:
    if (pause.start is None) != (pause.end is None):
        raise InvalidInput(f"A break of shift {name} needs both a start and an end.")
    if pause.start is None and not 0 < pause.minutes <= DAY_MINUTES:
        raise InvalidInput(f"Say how long the break of shift {name} is.")


class Turn(NamedTuple):
    """One day's turn of a shift for one person; moments in seconds since 1970.

    `late_from` and `early_until` are the start and the end that lateness is measured by, or None. `pauses`
    are the clock breaks as moments. `target` is in minutes. `grace` is ignored where `late_from` is None.
    """

    shift: Shift
    day: date
    start: int
    end: int
    opens: int
    closes: int
    late_from: int | None
    early_until: int | None
    pauses: tuple[tuple[int, int], ...]
    target: int


def moment(day: date, clock: time, zone: tzinfo) -> int:
    """Seconds since 1970 when the zone's clocks show this time on this day.

    Of a time that comes twice, when clocks are set back, it is the first; a time that is skipped when
    they are set forward is as much later as they jump (PEP 495, fold 0).
    """
    return int(datetime.combine(day, clock, zone).timestamp())


def turn_of(shift: Shift, day: date, zone: tzinfo) -> Turn:
    """The shift as it lies on this day. An OPEN shift spans the calendar day."""
    start, end = moment(day, shift.start, zone), _after(day, shift.start, shift.end, zone)
    late_from: int | None = start
    early_until: int | None = end
    if shift.kind is ShiftKind.FLEXIBLE:
        late_from = moment(day, shift.core_start, zone) if shift.core_start else None
        early_until = _after(day, shift.start, shift.core_end, zone) if shift.core_end else None
    if shift.kind is ShiftKind.OPEN:
        start, end = moment(day, time(), zone), moment(day + timedelta(days=1), time(), zone)
        late_from = early_until = None
    pauses = tuple(
        (_from(day, shift.start, pause.start, zone), _after(day, shift.start, pause.end, zone))
        for pause in shift.pauses
        if pause.start is not None and pause.end is not None
    )
    return Turn(
        shift,
        day,
        start,
        end,
        start - shift.opens * MINUTE,
        end + shift.closes * MINUTE,
        late_from,
        early_until,
        pauses,
        _target(shift, start, end, pauses),
    )


def _from(day: date, start: time, clock: time, zone: tzinfo) -> int:
    """The first moment at or after the shift's start with this time on the clock."""
    return moment(day + timedelta(days=clock < start), clock, zone)


def _after(day: date, start: time, clock: time, zone: tzinfo) -> int:
    """The first moment after the shift's start with this time on the clock."""
    return moment(day + timedelta(days=clock <= start), clock, zone)


def _target(shift: Shift, start: int, end: int, pauses: tuple[tuple[int, int], ...]) -> int:
    if shift.target is not None:
        return shift.target
    if shift.kind is ShiftKind.OPEN:
        return 0
    length = (end - start) // MINUTE
    work = length - sum(to - since for since, to in pauses) // MINUTE
    for pause in shift.pauses:
        if pause.start is None and length > pause.after_minutes:
            work = min(work, max(pause.after_minutes, length - pause.minutes))
    return max(0, work)
