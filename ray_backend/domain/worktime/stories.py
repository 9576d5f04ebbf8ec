"""A person's punches side by side: as they were made, and as they count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from ray_backend.domain.model import Punch
from ray_backend.domain.worktime.corrections import (
    Approved,
    Correction,
    CorrectionKind,
    EffectivePunch,
    effective_punches,
)


@dataclass(frozen=True, slots=True)
class PunchStory:
    """One punch with what became of it.

    `was` is the untouched punch, None where it was missing; `counts` as it counts for this person, None where
    it does not. `corrections` are all that were asked for, the earliest first.
    """

    at: datetime
    was: Punch | None
    counts: EffectivePunch | None
    corrections: tuple[Correction, ...]


def stories(
    ids: Collection[str], punches: Iterable[Punch], corrections: Iterable[Correction]
) -> list[PunchStory]:
    """The punches of one human being by time; `ids` are all `person_id` of theirs.

    `punches` may hold those of other people, which are told only where a correction gave them to this one.
    """
    asked: dict[str, list[Correction]] = defaultdict(list)
    for one in sorted(corrections, key=lambda one: (one.requested_at, one.correction_id)):
        asked[one.correction_id if one.kind is CorrectionKind.ADD else one.punch_id].append(one)
    known = {punch.punch_id: punch for punch in punches}
    everything = [one for group in asked.values() for one in group]
    counting, _struck = effective_punches(known.values(), Approved.of(everything))
    counts = {one.punch_id: one for one in counting if one.person_id in ids}
    told = [
        _story(key, known.get(key), counts.get(key), tuple(asked.get(key, ())))
        for key in known.keys() | asked.keys()
        if key in counts or _is_own(known.get(key), asked.get(key, ()), ids)
    ]
    return sorted(told, key=lambda story: (story.at, story.was is None, str(story.was)))


def _story(
    key: str, was: Punch | None, counts: EffectivePunch | None, asked: tuple[Correction, ...]
) -> PunchStory:
    return PunchStory(was.at if was else asked[0].at, was, counts, asked)


def _is_own(punch: Punch | None, asked: Iterable[Correction], ids: Collection[str]) -> bool:
    if punch is not None:
        return punch.person_id in ids
    return any(one.kind is CorrectionKind.ADD and one.person_id in ids for one in asked)
