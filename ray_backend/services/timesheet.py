"""Working days of many people over weeks: read as columns, derived person by person, given as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from ray_backend.domain.entries import PunchColumns
from ray_backend.domain.model import Direction, Person
from ray_backend.domain.queries import PeopleQuery, PunchQuery
from ray_backend.domain.requests import SheetQuery
from ray_backend.domain.worktime.corrections import Approved, CorrectionKind
from ray_backend.domain.worktime.days import Day, derive
from ray_backend.domain.worktime.fitting import Mark
from ray_backend.domain.worktime.schedule import Leave, Planner, Rulebook
from ray_backend.ports import Clock, Store
from ray_backend.services import identity
from ray_backend.services.corrections import CorrectionService
from ray_backend.services.leave import LeaveService
from ray_backend.services.policy import Policy
from ray_backend.services.report import ERASED, pages
from ray_backend.services.rules import RuleService

COLUMNS = (
    "person_id", "employee_id", "name", "department", "site", "date", "shift", "status",
    "first_in", "last_out", "utc_offset", "worked", "pause", "target", "balance", "late", "early",
    "overtime", "missing", "holiday", "leave", "punches", "repeated", "corrected",
)  # fmt: skip
_MINUTES = ("worked", "pause", "target", "balance", "late", "early")
_WAYS = {str(way): way for way in Direction}
# A turn that begins on the last day may end on the next; one before the first may reach into it.
_MARGIN = timedelta(days=1)
_READ_MARGIN = timedelta(days=2)


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """`days` has the columns COLUMNS, a row for each turn or day, by date and name.

    `first_in` and `last_out` are local times without a zone, `utc_offset` says how far they are from UTC
    (`+01:00`, or two where the clocks changed in between). Lengths are minutes. `punches` counts those that
    count, `repeated` those that do not; `corrected` says that a correction had a part in the day.
    """

    query: SheetQuery
    generated_at: datetime
    zone: str
    rule_version: int
    days: pd.DataFrame = field(repr=False)


class TimesheetService:
    """Derives working days from punches, corrections, leave and rules, anew each time."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        policy: Policy,
        rules: RuleService,
        corrections: CorrectionService,
        leave: LeaveService,
    ) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._rules = rules
        self._corrections = corrections
        self._leave = leave

    def sheet(self, query: SheetQuery, *, rules: Rulebook | None = None) -> Sheet:
        """All days of the query, by the rules in force or by others that are to be tried.

        Raises InvalidInput.
        """
        query = query.checked()
        book = rules or self._rules.current()
        now = self._clock.now()
        people = self._people(query, book)
        marks, corrected = self._marks(query, people)
        if _unfiltered(query):
            people |= {person_id: _erased(person_id) for person_id in marks.keys() - people.keys()}
        rows = list(self._derived(query, book, people, marks, now))
        days = _table(rows, book, corrected)
        if query.statuses is not None:
            days = days[days["status"].isin(query.statuses)]
        order = ["date", "name", "employee_id"]
        days = days.sort_values(order, kind="stable", ignore_index=True)
        return Sheet(query, now, self._policy.zone.key, book.version, days)

    def _people(self, query: SheetQuery, book: Rulebook) -> dict[str, Person]:
        wanted = PeopleQuery(
            text=query.text, department=query.department, departments=query.departments, limit=1000
        )
        found = {person.person_id: person for person in pages(self._store.list_people, wanted)}
        if query.people is not None:
            found = {person_id: found[person_id] for person_id in query.people if person_id in found}
        if query.site is None:
            return found
        return {
            person_id: person
            for person_id, person in found.items()
            if (site := book.site_of(person.department)) is not None and site.site_id == query.site
        }

    def _marks(
        self, query: SheetQuery, people: Mapping[str, Person]
    ) -> tuple[dict[str, list[Mark]], frozenset[str]]:
        """What counts for each person, by `person_id`, and the ids of what a correction touched."""
        start = datetime.combine(query.start, time(), UTC) - _READ_MARGIN
        end = datetime.combine(query.end, time(), UTC) + _READ_MARGIN
        alias = identity.aliases(self._store.merged_people())
        approved = Approved.of(self._corrections.between(start, end))
        chosen = None
        if query.people is not None or query.text:
            others = [merged for merged, owner in alias.items() if owner in people]
            givers = {one.person_id for one in approved.changes.values()}
            chosen = tuple({*people, *others, *givers})
        columns = self._store.punch_columns(PunchQuery(start, end, chosen))
        marks: dict[str, list[Mark]] = defaultdict(list)
        for person_id, mark in _corrected(columns, approved):
            marks[alias.get(person_id, person_id)].append(mark)
        touched = (*approved.changes, *(one.correction_id for one in approved.added))
        return marks, frozenset(touched)

    def _derived(
        self,
        query: SheetQuery,
        book: Rulebook,
        people: Mapping[str, Person],
        marks: Mapping[str, list[Mark]],
        now: datetime,
    ) -> Iterator[tuple[Person, ZoneInfo, Day]]:
        planner = Planner(book)
        leave: dict[str, list[Leave]] = defaultdict(list)
        for one in self._leave.between(query.start, query.end):
            leave[one.person_id].append(one)
        first, last = query.start - _MARGIN, query.end + _MARGIN
        moment = int(now.timestamp())
        zones = _Zones(book, self._policy.zone)
        for person_id, person in people.items():
            zone = zones.of(person)
            plan = planner.days(person_id, person.department, zone, first, last)
            own = marks.get(person_id, ())
            for day in derive(book, zone, plan, own, leave.get(person_id, ()), now=moment):
                if query.start <= day.day <= query.end:
                    yield person, zone, day


class _Zones:
    """Each person's own time zone: that of the site of their department, or the installation's."""

    def __init__(self, book: Rulebook, default: ZoneInfo) -> None:
        self._book = book
        self._default = default
        self._known: dict[str, ZoneInfo] = {}

    def of(self, person: Person) -> ZoneInfo:
        if person.department not in self._known:
            site = self._book.site_of(person.department)
            self._known[person.department] = ZoneInfo(site.zone) if site else self._default
        return self._known[person.department]


def _corrected(columns: PunchColumns, approved: Approved) -> Iterator[tuple[str, Mark]]:
    """The marks that count, with whose they are."""
    changes = approved.changes
    rows = zip(
        columns.person_ids,
        (columns.at_us // 1_000_000).tolist(),
        columns.directions,
        columns.punch_ids,
        strict=True,
    )
    for person_id, at, way, punch_id in rows:
        change = changes.get(punch_id) if changes else None
        if change is None:
            yield person_id, Mark(at, _WAYS[way], punch_id)
        elif change.kind is CorrectionKind.DIRECTION:
            yield person_id, Mark(at, change.direction, punch_id)
        elif change.kind is CorrectionKind.PERSON and change.to_person_id:
            yield change.to_person_id, Mark(at, _WAYS[way], punch_id)
    for added in approved.added:
        yield added.person_id, Mark(int(added.at.timestamp()), added.direction, added.correction_id)


def _unfiltered(query: SheetQuery) -> bool:
    """Whether the punches of erased people, which have no department or name, are asked for, too."""
    bounds = (query.department, query.departments, query.site, query.people)
    return not query.text and all(bound is None for bound in bounds)


def _erased(person_id: str) -> Person:
    return replace(ERASED, employee_id=f"erased-{person_id[:8]}", person_id=person_id)


def _table(
    rows: Sequence[tuple[Person, ZoneInfo, Day]], book: Rulebook, corrected: frozenset[str]
) -> pd.DataFrame:
    names = {shift_id: shift.name for shift_id, shift in book.shifts.items()}
    names[book.unplanned.shift_id] = book.unplanned.name
    people, zones, days = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    sites = {name: book.site_of(name) for name in {person.department for person in people}}
    site_of = {name: site.name if site else "" for name, site in sites.items()}
    first = pd.array([day.first_in for day in days], dtype="Int64")
    last = pd.array([day.last_out for day in days], dtype="Int64")
    local_first, local_last, offsets = _local(first, last, zones)
    columns = {
        "person_id": [person.person_id for person in people],
        "employee_id": [person.employee_id for person in people],
        "name": [person.name for person in people],
        "department": [person.department for person in people],
        "site": [site_of[person.department] for person in people],
        "date": [day.day for day in days],
        "shift": [names.get(day.shift_id, "") for day in days],
        "status": [day.status.value for day in days],
        "first_in": local_first,
        "last_out": local_last,
        "utc_offset": offsets,
        **{name: [getattr(day, name) for day in days] for name in _MINUTES},
        "overtime": [sum(day.overtime) for day in days],
        **{name: [getattr(day, name) for day in days] for name in ("missing", "holiday", "leave")},
        "punches": [len(day.refs) for day in days],
        "repeated": [len(day.repeated) for day in days],
        "corrected": [not corrected.isdisjoint(day.refs) for day in days],
    }
    return pd.DataFrame(columns)[list(COLUMNS)]


def _local(
    first: pd.api.extensions.ExtensionArray, last: pd.api.extensions.ExtensionArray, zones: Sequence[ZoneInfo]
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Both moments as the clocks of their zones show them, and the offsets from UTC in words."""
    frame = pd.DataFrame({"first": first, "last": last, "zone": [zone.key for zone in zones]})
    parts = []
    for key, part in frame.groupby("zone", sort=False):
        moments = {name: pd.to_datetime(part[name], unit="s", utc=True) for name in ("first", "last")}
        local = {name: at.dt.tz_convert(key).dt.tz_localize(None) for name, at in moments.items()}
        behind = {name: (local[name] - at.dt.tz_localize(None)) for name, at in moments.items()}
        parts.append(pd.DataFrame({**local, "offset": _offsets(behind["first"], behind["last"])}))
    if not parts:
        nothing = pd.Series([], dtype="datetime64[s]")
        return nothing, nothing, pd.Series([], dtype=object)
    joined = pd.concat(parts).sort_index()
    return joined["first"], joined["last"], joined["offset"]


def _offsets(first: pd.Series, last: pd.Series) -> pd.Series:
    """Such as `+01:00`, or both where the clocks changed in between."""
    words = {delta: _offset_words(delta) for delta in pd.concat([first, last]).dropna().unique()}
    came, went = first.map(words).fillna(""), last.map(words).fillna("")
    both = came.where((went == "") | (came == went), came + " to " + went)
    return both.where(came != "", went)


def _offset_words(delta: pd.Timedelta) -> str:
    minutes = round(delta.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
