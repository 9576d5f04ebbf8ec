"""Corrections: what was asked for, what was decided, and the punches that count because of it.

A punch is never changed. A correction is a record of its own beside it, and counts once it is approved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.model import Direction, Punch, new_id


class CorrectionKind(StrEnum):
    """A punch that is missing; one that is not wanted; one the other way; one of another person."""

    ADD = "add"
    VOID = "void"
    DIRECTION = "direction"
    PERSON = "person"


class CorrectionState(StrEnum):
    """What became of the request. Withdrawn: by whoever asked."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction of one person's punches. `person_id` is whose day it changes.

    `at` is when the punch was or is. ADD needs `direction`; VOID, DIRECTION and PERSON name the `punch_id`;
    DIRECTION needs `direction`; PERSON the `to_person_id` whose punch it is, empty where nobody knows.
    `attachment` names a stored file. `source` says who asked: `manager`, `person`, `kiosk` or `import`.
    """

    kind: CorrectionKind
    person_id: str
    reason: str
    requested_by: str
    requested_at: datetime
    at: datetime
    punch_id: str = ""
    direction: Direction | None = None
    to_person_id: str = ""
    attachment: str = ""
    source: str = "manager"
    state: CorrectionState = CorrectionState.REQUESTED
    decided_by: str = ""
    decided_at: datetime | None = None
    decision_note: str = ""
    correction_id: str = field(default_factory=new_id)

    def checked(self) -> Correction:
        """Itself. Raises InvalidInput that says what is missing."""
        if not self.reason.strip():
            raise InvalidInput("Give a reason: whoever approves has to understand what happened.")
        if self.kind is CorrectionKind.ADD:
            if self.direction is None:
                raise InvalidInput("Say whether the missing punch was in or out.")
        elif not self.punch_id:
            raise InvalidInput("Choose the punch that is to be corrected.")
        if self.kind is CorrectionKind.DIRECTION and self.direction is None:
            raise InvalidInput("Say whether the punch was in or out.")
        if self.kind is CorrectionKind.PERSON and self.to_person_id == self.person_id:
            raise InvalidInput("Choose another person: the punch is this person's already.")
        return self

    def decided(self, state: CorrectionState, by: str, at: datetime, note: str = "") -> Correction:
        """As it is after the decision. Raises InvalidInput when it was decided before."""
        if self.state is not CorrectionState.REQUESTED:
            raise InvalidInput(f"This request is {self.state.value} already.")
        return replace(self, state=state, decided_by=by, decided_at=at, decision_note=note)


@dataclass(frozen=True, slots=True)
class EffectivePunch:
    """A punch as it counts, with the correction that made or changed it, if any. `punch_id` is that of
    the untouched punch, or the correction's own where there was none."""

    person_id: str
    at: datetime
    direction: Direction
    source: str
    punch_id: str
    kiosk: str = ""
    correction_id: str = ""


@dataclass(frozen=True, slots=True)
class Approved:
    """Approved corrections, ready to be applied: `changes` by `punch_id`, and the punches that were missing.

    Of several corrections of one punch the one that was decided last counts.
    """

    changes: Mapping[str, Correction]
    added: tuple[Correction, ...]

    @classmethod
    def of(cls, corrections: Iterable[Correction]) -> Approved:
        """Those of them that are approved."""
        approved = sorted(
            (one for one in corrections if one.state is CorrectionState.APPROVED),
            key=lambda one: (one.decided_at or one.requested_at, one.correction_id),
        )
        changes = {one.punch_id: one for one in approved if one.kind is not CorrectionKind.ADD}
        return cls(changes, tuple(one for one in approved if one.kind is CorrectionKind.ADD))


def effective_punches(
    punches: Iterable[Punch], approved: Approved
) -> tuple[list[EffectivePunch], list[EffectivePunch]]:
    """`(counting, struck)`: the punches that count, by time, and those that a correction took away.

    A punch that was given to another person is struck here and counts there.
    """
    counting = [_added(one) for one in approved.added]
    struck = []
    for punch in punches:
        as_was = EffectivePunch(
            punch.person_id, punch.at, punch.direction, punch.source, punch.punch_id, punch.kiosk
        )
        change = approved.changes.get(punch.punch_id)
        if change is None:
            counting.append(as_was)
            continue
        marked = replace(as_was, correction_id=change.correction_id)
        if change.kind is CorrectionKind.DIRECTION:
            counting.append(replace(marked, direction=change.direction))
            continue
        struck.append(marked)
        if change.kind is CorrectionKind.PERSON and change.to_person_id:
            counting.append(replace(marked, person_id=change.to_person_id))
    counting.sort(key=lambda one: (one.at, one.punch_id))
    return counting, struck


def _added(correction: Correction) -> EffectivePunch:
    return EffectivePunch(
        correction.person_id,
        correction.at,
        correction.direction,
        "manual",
        correction.correction_id,
        correction_id=correction.correction_id,
    )
