"""Which turn each mark belongs to. A mark is a punch reduced to what the rules need.

A punch belongs to the shift it fits, not to the calendar day on which it happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import NamedTuple

from ray_backend.domain.model import Direction
from ray_backend.domain.worktime.shifts import MINUTE, DirectionMode, Shift, ShiftKind, Turn


class Mark(NamedTuple):
    """`at` in seconds since 1970; `ref` is the punch's id."""

    at: int
    direction: Direction
    ref: str


def without_repetitions(marks: Iterable[Mark], cooldown_s: int) -> tuple[list[Mark], list[Mark]]:
    """`(kept, repeated)`, both by time: a mark within the cooldown of the one kept before it repeats that."""
    kept: list[Mark] = []
    repeated: list[Mark] = []
    for mark in sorted(marks):
        if kept and mark.at - kept[-1].at < cooldown_s:
            repeated.append(mark)
        else:
            kept.append(mark)
    return kept, repeated


def fit(turns: Sequence[Turn], marks: Sequence[Mark]) -> tuple[list[list[Mark]], list[Mark]]:
    """`(marks of each turn, marks that fit none)`. Both arguments are sorted by time.

    A mark may belong to a turn whose window holds it. Where the windows of two neighbours overlap, the
    first way out of somebody inside belongs to the earlier one until that ends, and whoever has left it
    comes to the later one once that has begun. Otherwise the end or the start decides that is nearer.
    """
    fitted: list[list[Mark]] = [[] for _ in turns]
    loose: list[Mark] = []
    current = 0
    for mark in marks:
        while current < len(turns) and not _belongs(turns, fitted, current, mark):
            current += 1
        if current == len(turns) or mark.at < turns[current].opens:
            loose.append(mark)
        else:
            fitted[current].append(mark)
    return fitted, loose


def _belongs(turns: Sequence[Turn], fitted: list[list[Mark]], index: int, mark: Mark) -> bool:
    """Whether no later turn than this one is to be looked at for the mark."""
    turn = turns[index]
    if mark.at > turn.closes:
        return False
    if index + 1 == len(turns) or mark.at < turns[index + 1].opens:
        return True
    following = turns[index + 1]
    inside = len(fitted[index]) % 2 == 1
    if inside and mark.at <= turn.end:
        return True
    if not inside and mark.at >= following.start:
        return False
    to_end, to_start = abs(mark.at - turn.end), abs(mark.at - following.start)
    return to_end < to_start or (to_end == to_start and inside)


def open_spans(marks: Sequence[Mark], shift: Shift, zone: tzinfo) -> list[tuple[date, list[Mark]]]:
    """Marks without a turn, gathered into spans of work, each with the day on which it began.

    A new calendar day begins a new span, unless somebody is still inside (an odd number of marks) and
    came no more than `shift.longest` minutes ago: a night's work is one span.
    """
    spans: list[tuple[date, list[Mark]]] = []
    for mark in marks:
        day = datetime.fromtimestamp(mark.at, UTC).astimezone(zone).date()
        if spans:
            began, span = spans[-1]
            inside = len(span) % 2 == 1 and mark.at - span[0].at <= shift.longest * MINUTE
            if day == began or inside:
                span.append(mark)
                continue
        spans.append((day, [mark]))
    return spans


class Work(NamedTuple):
    """What marks amount to: intervals of presence in seconds, and whether a mark is missing.

    `missing` is `in`, `out` or empty.
    """

    intervals: list[tuple[int, int]]
    missing: str


def work_of(marks: Sequence[Mark], mode: DirectionMode, turn: Turn) -> Work:
    """Times of presence by the shift's way to read directions."""
    if not marks:
        return Work([], "")
    if mode is DirectionMode.BY_KIOSK:
        return _by_kiosk(marks)
    if len(marks) == 1:
        return Work([], _missing(marks[0], turn))
    if mode is DirectionMode.FIRST_IN_LAST_OUT:
        return Work([(marks[0].at, marks[-1].at)], "")
    pairs = [(marks[i].at, marks[i + 1].at) for i in range(0, len(marks) - 1, 2)]
    return Work(pairs, "out" if len(marks) % 2 else "")


def _missing(mark: Mark, turn: Turn) -> str:
    """What to ask for beside a single mark."""
    if turn.shift.kind is ShiftKind.OPEN:
        return "in" if mark.direction is Direction.OUT else "out"
    return "in" if abs(mark.at - turn.end) < abs(mark.at - turn.start) else "out"


def _by_kiosk(marks: Sequence[Mark]) -> Work:
    """Each way in with the next way out; of several in a row the first in and the last out count."""
    intervals: list[tuple[int, int]] = []
    came: int | None = None
    missing = ""
    for mark in marks:
        if mark.direction is Direction.IN:
            came = mark.at if came is None else came
        elif came is not None:
            intervals.append((came, mark.at))
            came = None
        elif intervals:
            intervals[-1] = (intervals[-1][0], mark.at)
        else:
            missing = "in"
    return Work(intervals, "out" if came is not None else missing)
