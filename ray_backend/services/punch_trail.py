"""Every punch of one person's days with what became of it: counted, repeated, added, changed or struck."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ray_backend.domain.model import Direction, Person, Punch
from ray_backend.domain.queries import PunchQuery
from ray_backend.domain.requests import ReportQuery
from ray_backend.domain.worktime.corrections import (
    Approved,
    Correction,
    CorrectionKind,
    CorrectionState,
    EffectivePunch,
)
from ray_backend.domain.worktime.days import Day, derive
from ray_backend.domain.worktime.fitting import Mark
from ray_backend.domain.worktime.schedule import Planner, Rulebook
from ray_backend.domain.worktime.stories import PunchStory, stories
from ray_backend.ports import Clock, Store
from ray_backend.services import identity
from ray_backend.services.corrections import CorrectionService
from ray_backend.services.policy import Policy
from ray_backend.services.report import pages
from ray_backend.services.rules import RuleService

_MARGIN = timedelta(days=1)
_READ_MARGIN = timedelta(days=2)


class Fate(StrEnum):
    """COUNTS as it was recorded; REPEATED within the cooldown of another; ADDED, CHANGED and STRUCK by an
    approved correction, MOVED here from another person; REQUESTED is a correction that nobody decided yet."""

    COUNTS = "counts"
    REPEATED = "repeated"
    ADDED = "added"
    CHANGED = "changed"
    STRUCK = "struck"
    MOVED = "moved"
    REQUESTED = "requested"


@dataclass(frozen=True, slots=True)
class TrailRow:
    """One punch or request. `day` is the working day that it belongs to, `at` an aware time of the person's
    site, in whole microseconds. Who and why are empty where no correction had a part in it."""

    day: date
    at: datetime
    direction: Direction | None
    fate: Fate
    source: str
    kiosk: str = ""
    reason: str = ""
    asked_by: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    note: str = ""


class PunchTrailService:
    """Reads one person's punches with the corrections beside them. Changes nothing."""

    def __init__(
        self, store: Store, clock: Clock, policy: Policy, rules: RuleService, corrections: CorrectionService
    ) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._rules = rules
        self._corrections = corrections

    def stories(self, person_id: str, start: date, end: date) -> list[PunchStory]:
        """The punches of the working days from `start` to `end` as they were and as they count, by time.

        Raises InvalidInput and PersonNotFound.
        """
        return [story for _day, story in self._read(person_id, start, end).stories]

    def trail(self, person_id: str, start: date, end: date) -> list[TrailRow]:
        """The same with one row for what became of each punch, and one for each request that waits.

        Raises as `stories`.
        """
        read = self._read(person_id, start, end)
        rows = [row for day, story in read.stories for row in _rows(day, story, read)]
        return sorted(rows, key=lambda row: (row.at, row.fate))

    def _read(self, person_id: str, start: date, end: date) -> _Read:
        ReportQuery(start, end).checked()
        person = identity.canonical(self._store.get_person, person_id)
        book = self._rules.current()
        site = book.site_of(person.department)
        zone = ZoneInfo(site.zone) if site else self._policy.zone
        since = datetime.combine(start, time(), UTC) - _READ_MARGIN
        to = datetime.combine(end, time(), UTC) + _READ_MARGIN
        corrections = self._corrections.between(since, to)
        own = frozenset(identity.ids_of(self._store, person.person_id))
        told = stories(own, self._punches(own, corrections, since, to), corrections)
        counting = [story.counts for story in told if story.counts is not None]
        days = self._days(book, zone, person, start, end, counting)
        dated = [(_day_of(story, days, zone), story) for story in told]
        return _Read([one for one in dated if start <= one[0] <= end], days, zone)

    def _punches(
        self, own: frozenset[str], corrections: Iterable[Correction], since: datetime, to: datetime
    ) -> list[Punch]:
        """The person's, and those of whom a correction took one."""
        givers = {one.person_id for one in corrections if one.to_person_id in own}
        return list(pages(self._store.list_punches, PunchQuery(since, to, tuple(own | givers))))

    def _days(
        self,
        book: Rulebook,
        zone: ZoneInfo,
        person: Person,
        start: date,
        end: date,
        counting: Iterable[EffectivePunch],
    ) -> list[Day]:
        plan = Planner(book).days(person.person_id, person.department, zone, start - _MARGIN, end + _MARGIN)
        marks = [Mark(int(one.at.timestamp()), one.direction, one.punch_id) for one in counting]
        return derive(book, zone, plan, marks, now=int(self._clock.now().timestamp()))


class _Read(NamedTuple):
    """The stories with the working days that they belong to; all days; and the person's time zone."""

    stories: list[tuple[date, PunchStory]]
    days: list[Day]
    zone: ZoneInfo


def _day_of(story: PunchStory, days: Iterable[Day], zone: ZoneInfo) -> date:
    on_calendar = story.at.astimezone(zone).date()
    if story.counts is None:
        return on_calendar
    ref = story.counts.punch_id
    return next((one.day for one in days if ref in (*one.refs, *one.repeated)), on_calendar)


def _rows(day: date, story: PunchStory, read: _Read) -> Iterator[TrailRow]:
    at = story.at.astimezone(read.zone)
    punch = story.counts or story.was
    if punch is not None:
        fate, correction = _fate(story, read.days)
        why = _who_and_why(correction)
        yield TrailRow(day, at, punch.direction, fate, punch.source, punch.kiosk, **why)
    for one in story.corrections:
        if one.state is CorrectionState.REQUESTED:
            way = one.direction or (story.was.direction if story.was else None)
            yield TrailRow(at.date(), at, way, Fate.REQUESTED, one.source, **_who_and_why(one))


def _fate(story: PunchStory, days: Iterable[Day]) -> tuple[Fate, Correction | None]:
    """What became of a punch, and the correction that did it, if any."""
    if story.counts is None:
        return Fate.STRUCK, Approved.of(story.corrections).changes.get(story.was.punch_id)
    correction = next(
        (one for one in story.corrections if one.correction_id == story.counts.correction_id), None
    )
    fate = Fate.COUNTS
    if correction is not None:
        fates = {CorrectionKind.ADD: Fate.ADDED, CorrectionKind.PERSON: Fate.MOVED}
        fate = fates.get(correction.kind, Fate.CHANGED)
    if any(story.counts.punch_id in one.repeated for one in days):
        fate = Fate.REPEATED
    return fate, correction


def _who_and_why(correction: Correction | None) -> dict:
    if correction is None:
        return {}
    return {
        "reason": correction.reason,
        "asked_by": correction.requested_by,
        "decided_by": correction.decided_by,
        "decided_at": correction.decided_at,
        "note": correction.decision_note,
    }
