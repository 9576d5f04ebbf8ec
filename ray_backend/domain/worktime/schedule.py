"""Who works when: sites, weekly and rotating patterns, holidays, leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.model import Direction
from ray_backend.domain.worktime.shifts import DirectionMode, Shift, ShiftKind, Turn, turn_of

LONGEST_PATTERN_DAYS = 366
# Work on a day off, or of somebody without a schedule.
UNPLANNED = Shift("unplanned", "Unplanned", kind=ShiftKind.OPEN, directions=DirectionMode.FIRST_IN_LAST_OUT)


class Level(StrEnum):
    """For whom an assignment counts. A person's own comes before the department's, that before all."""

    PERSON = "person"
    DEPARTMENT = "department"
    EVERYBODY = "everybody"


class LeavePart(StrEnum):
    """Which part of the day is free."""

    WHOLE = "whole"
    FIRST_HALF = "first_half"
    SECOND_HALF = "second_half"


@dataclass(frozen=True, slots=True)
class Site:
    """A place with its own clock and holidays. `departments` work here, `kiosks` stand here.

    `country` and `region` are codes of the `holidays` library; `own_holidays` come on top.
    """

    site_id: str
    name: str
    zone: str
    departments: tuple[str, ...] = ()
    kiosks: tuple[str, ...] = ()
    country: str = ""
    region: str = ""
    own_holidays: Mapping[date, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assignment:
    """From `start` on (to `end`, if given) `subject` works by this pattern.

    `pattern` holds the shift ids of each day, repeated from `start`; a day with none is free. Seven
    entries that start on a Monday are a week. `subject` is a `person_id`, a department, or empty.
    """

    level: Level
    subject: str
    start: date
    pattern: tuple[tuple[str, ...], ...]
    end: date | None = None

    def shifts_on(self, day: date) -> tuple[str, ...]:
        """The ids of the shifts of this day."""
        return self.pattern[(day - self.start).days % len(self.pattern)]

    def covers(self, day: date) -> bool:
        """Whether it is in force on this day."""
        return self.start <= day and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Leave:
    """Days on which somebody need not come. `kind` is the organisation's word, such as vacation."""

    leave_id: str
    person_id: str
    first: date
    last: date
    kind: str
    part: LeavePart = LeavePart.WHOLE
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules of a site as of one version. `holidays` maps a site's id to its days.

    `cooldown_s`: a punch so soon after another one is a repetition. `unplanned` is the OPEN shift for work
    that nobody planned. `kiosk_directions`: kiosks at which everybody goes one way.
    """

    version: int = 0
    shifts: Mapping[str, Shift] = field(default_factory=dict)
    assignments: tuple[Assignment, ...] = ()
    sites: tuple[Site, ...] = ()
    holidays: Mapping[str, Mapping[date, str]] = field(default_factory=dict)
    unplanned: Shift = UNPLANNED
    cooldown_s: int = 60
    kiosk_directions: Mapping[str, Direction] = field(default_factory=dict)

    def checked(self) -> Rulebook:
        """Itself. Raises InvalidInput that says what to mend."""
        for shift in self.shifts.values():
            shift.checked()
        if self.unplanned.checked().kind is not ShiftKind.OPEN:
            raise InvalidInput("Unplanned work needs an open shift.")
        for assignment in self.assignments:
            self._check_assignment(assignment)
        departments = [name for site in self.sites for name in site.departments]
        kiosks = [name for site in self.sites for name in site.kiosks]
        if len(set(departments)) < len(departments) or len(set(kiosks)) < len(kiosks):
            raise InvalidInput("A department or a kiosk can belong to one site only.")
        return self

    def _check_assignment(self, assignment: Assignment) -> None:
        if not 0 < len(assignment.pattern) <= LONGEST_PATTERN_DAYS:
            raise InvalidInput(f"A pattern has between 1 and {LONGEST_PATTERN_DAYS} days.")
        if assignment.end is not None and assignment.end < assignment.start:
            raise InvalidInput("A schedule cannot end before it starts.")
        for shift_id in {shift_id for day in assignment.pattern for shift_id in day}:
            if shift_id not in self.shifts:
                raise InvalidInput(f"There is no shift {shift_id}. Choose one of the list.")

    def site_of(self, department: str) -> Site | None:
        """The site where this department works; the first one is for all that are not named."""
        for site in self.sites:
            if department and department in site.departments:
                return site
        return self.sites[0] if self.sites else None


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """One calendar day of one person: its turns, or why there are none.

    `scheduled` says whether any assignment is in force: without one a day is neither free nor missed.
    """

    day: date
    turns: tuple[Turn, ...]
    scheduled: bool
    holiday: str = ""


class Planner:
    """What the schedules say. People who share their assignments share the answer, too."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._rulebook = rulebook
        self._turns: dict[tuple[str, date, str], Turn] = {}
        self._plans: dict[tuple, tuple[PlannedDay, ...]] = {}

    def days(
        self, person_id: str, department: str, zone: ZoneInfo, first: date, last: date
    ) -> tuple[PlannedDay, ...]:
        """Each day from `first` to `last`. `zone` is that of the person's site."""
        assignments = self._assignments(person_id, department)
        site = self._rulebook.site_of(department)
        site_id = site.site_id if site else ""
        key = (tuple(map(id, assignments)), site_id, zone.key, first, last)
        if key not in self._plans:
            holidays = self._rulebook.holidays.get(site_id, {})
            days = (first + timedelta(days=count) for count in range((last - first).days + 1))
            self._plans[key] = tuple(self._day(assignments, zone, day, holidays.get(day, "")) for day in days)
        return self._plans[key]

    def _assignments(self, person_id: str, department: str) -> list[Assignment]:
        """Those that can count for this person, the strongest first."""
        subjects = {Level.PERSON: person_id, Level.DEPARTMENT: department, Level.EVERYBODY: ""}
        levels = list(subjects)
        own = [one for one in self._candidates(person_id, department) if one.subject == subjects[one.level]]
        return sorted(own, key=lambda one: (levels.index(one.level), -one.start.toordinal()))

    def _candidates(self, person_id: str, department: str) -> list[Assignment]:
        return [one for subject in {person_id, department, ""} for one in self._by_subject.get(subject, ())]

    @cached_property
    def _by_subject(self) -> dict[str, list[Assignment]]:
        found: dict[str, list[Assignment]] = {}
        for assignment in self._rulebook.assignments:
            found.setdefault(assignment.subject, []).append(assignment)
        return found

    def _day(self, assignments: list[Assignment], zone: ZoneInfo, day: date, holiday: str) -> PlannedDay:
        assignment = next((one for one in assignments if one.covers(day)), None)
        if assignment is None:
            return PlannedDay(day, (), False, holiday)
        shifts = (self._rulebook.shifts[shift_id] for shift_id in assignment.shifts_on(day))
        turns = [self._turn(shift, day, zone) for shift in shifts if not holiday or shift.works_on_holidays]
        return PlannedDay(day, tuple(sorted(turns, key=lambda turn: turn.start)), True, holiday)

    def _turn(self, shift: Shift, day: date, zone: ZoneInfo) -> Turn:
        key = (shift.shift_id, day, zone.key)
        if key not in self._turns:
            self._turns[key] = turn_of(shift, day, zone)
        return self._turns[key]
