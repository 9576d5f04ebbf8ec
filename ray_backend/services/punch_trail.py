"""Every punch of one person's days with what became of it: counted, repeated, added, changed or struck."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
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
    effective_punches,
)
from ray_backend.domain.worktime.days import Day, derive
from ray_backend.domain.worktime.fitting import Mark
from ray_backend.domain.worktime.schedule import Planner, Rulebook
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

    def trail(self, person_id: str, start: date, end: date) -> list[TrailRow]:
        """The rows of the working days from `start` to `end`, by time.

        Raises InvalidInput and PersonNotFound.
        """
        ReportQuery(start, end).checked()
        person = identity.canonical(self._store.get_person, person_id)
        book = self._rules.current()
        site = book.site_of(person.department)
        zone = ZoneInfo(site.zone) if site else self._policy.zone
        since = datetime.combine(start, time(), UTC) - _READ_MARGIN
        to = datetime.combine(end, time(), UTC) + _READ_MARGIN
        corrections = self._corrections.between(since, to)
        own = frozenset(identity.ids_of(self._store, person.person_id))
        punches = self._punches(own, corrections, since, to)
        counting, struck = effective_punches(punches, Approved.of(corrections))
        counting = [one for one in counting if one.person_id in own]
        days = self._days(book, zone, person, start, end, counting)
        known = {one.correction_id: one for one in corrections}
        rows = [_row(one, days, zone, known) for one in counting]
        rows += [_struck(one, zone, known) for one in struck if one.person_id in own]
        rows += _requests(corrections, own, punches, zone)
        return sorted((row for row in rows if start <= row.day <= end), key=lambda row: (row.at, row.fate))

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


def _row(
    punch: EffectivePunch, days: Iterable[Day], zone: ZoneInfo, known: Mapping[str, Correction]
) -> TrailRow:
    at = punch.at.astimezone(zone)
    day = next((one.day for one in days if punch.punch_id in (*one.refs, *one.repeated)), at.date())
    correction = known.get(punch.correction_id)
    fate = Fate.COUNTS
    if correction is not None:
        fates = {CorrectionKind.ADD: Fate.ADDED, CorrectionKind.PERSON: Fate.MOVED}
        fate = fates.get(correction.kind, Fate.CHANGED)
    if any(punch.punch_id in one.repeated for one in days):
        fate = Fate.REPEATED
    return TrailRow(day, at, punch.direction, fate, punch.source, punch.kiosk, **_who_and_why(correction))


def _struck(punch: EffectivePunch, zone: ZoneInfo, known: Mapping[str, Correction]) -> TrailRow:
    at = punch.at.astimezone(zone)
    return TrailRow(
        at.date(),
        at,
        punch.direction,
        Fate.STRUCK,
        punch.source,
        punch.kiosk,
        **_who_and_why(known.get(punch.correction_id)),
    )


def _requests(
    corrections: Iterable[Correction], own: frozenset[str], punches: Iterable[Punch], zone: ZoneInfo
) -> Iterator[TrailRow]:
    """What was asked for and waits for a decision."""
    ways = {punch.punch_id: punch.direction for punch in punches}
    for one in corrections:
        if one.state is CorrectionState.REQUESTED and one.person_id in own:
            at = one.at.astimezone(zone)
            way = one.direction or ways.get(one.punch_id)
            yield TrailRow(at.date(), at, way, Fate.REQUESTED, one.source, **_who_and_why(one))


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
