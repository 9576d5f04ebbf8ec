"""A site in memory at which people keep office hours or work by night, for tests of reports."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from ray_backend.domain.model import Direction, Person, Punch, new_id
from ray_backend.domain.requests import SheetQuery
from ray_backend.domain.worktime.schedule import Assignment, Level, Rulebook
from ray_backend.domain.worktime.shifts import Pause, Shift
from ray_backend.services.corrections import CorrectionService
from ray_backend.services.leave import LeaveService
from ray_backend.services.rules import RuleService
from ray_backend.services.timesheet import Sheet, TimesheetService
from ray_backend.storage.memory import MemoryStore
from tests.fakes import SetClock

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 4, 10, tzinfo=UTC)
OFFICE = Shift("office", "Office", start=time(8), end=time(17), pauses=(Pause(30, 360),), grace_in=5)
WEEKDAYS = Assignment(Level.EVERYBODY, "", date(2025, 12, 29), (("office",),) * 5 + ((), ()))


class WorkingSite:
    """Everybody works from Monday to Friday, 8:00 to 17:00 in Berlin. `sheets` derives the days."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = SetClock(NOW)
        self.rules = RuleService(self.store, self.clock)
        self.rules.change(Rulebook(shifts={"office": OFFICE}, assignments=(WEEKDAYS,)), actor="admin")
        others = (CorrectionService(self.store, self.clock), LeaveService(self.store, self.clock))
        self.sheets = TimesheetService(
            self.store, self.clock, SimpleNamespace(zone=BERLIN), self.rules, *others
        )

    def person(self, number: int, name: str) -> Person:
        """Somebody of department Works."""
        person = Person(f"E-{number:03}", name, NOW, department="Works")
        self.store.add_person(person)
        return person

    def work(self, person: Person, came: datetime, went: datetime) -> None:
        """Two punches."""
        for at, way in ((came, Direction.IN), (went, Direction.OUT)):
            key = new_id()
            punch = Punch(person.person_id, at, way, "door", "face", key, (f"{key}/a", f"{key}/b"))
            self.store.add_punch(punch)

    def sheet(self, start: date, end: date) -> Sheet:
        """Everybody's days."""
        return self.sheets.sheet(SheetQuery(start, end))
