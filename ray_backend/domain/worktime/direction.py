"""Which way a person goes who punches now: by the turn that the punch falls into, not by the calendar day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from ray_backend.domain.model import Direction
from ray_backend.domain.worktime.fitting import Mark, fit, open_spans
from ray_backend.domain.worktime.schedule import PlannedDay, Rulebook
from ray_backend.domain.worktime.shifts import DirectionMode, Shift, ShiftKind

_NOW = "now"


def next_direction(
    rulebook: Rulebook,
    zone: tzinfo,
    plan: Sequence[PlannedDay],
    last: tuple[int, Direction] | None,
    at: int,
    kiosk: str,
) -> Direction:
    """In for the first punch of a turn. Further ones go out, or by turns where the shift says so.

    A kiosk with a fixed direction has the last word. `last` is the person's punch before this one, `at` is
    now, both in seconds since 1970; `plan` holds the day before this one, this one and the next.
    """
    fixed = rulebook.kiosk_directions.get(kiosk)
    if fixed is not None:
        return fixed
    if last is None:
        return Direction.IN
    before, went = last
    marks = [Mark(before, went, "last"), Mark(at, Direction.IN, _NOW)]
    if went is Direction.OUT:
        # Whoever left has come before: the pair tells the fitting that nobody is inside.
        marks.insert(0, Mark(before, Direction.IN, "came"))
    together, shift = _companions(rulebook, zone, plan, marks)
    if not together:
        return Direction.IN
    if shift.directions is DirectionMode.FIRST_IN_LAST_OUT:
        return Direction.OUT
    return Direction.OUT if went is Direction.IN else Direction.IN


def _companions(
    rulebook: Rulebook, zone: tzinfo, plan: Sequence[PlannedDay], marks: list[Mark]
) -> tuple[bool, Shift]:
    """Whether the punch of now belongs to the same turn as the last one, and that turn's shift."""
    turns = [turn for day in plan for turn in day.turns if turn.shift.kind is not ShiftKind.OPEN]
    turns.sort(key=lambda turn: turn.start)
    # A clock may have been set back since the last punch.
    fitted, loose = fit(turns, sorted(marks))
    spans = [(span, rulebook.unplanned) for _, span in open_spans(loose, rulebook.unplanned, zone)]
    groups = [*zip(fitted, (turn.shift for turn in turns), strict=True), *spans]
    group, shift = next(found for found in groups if any(mark.ref == _NOW for mark in found[0]))
    return group[0].ref != _NOW, shift
