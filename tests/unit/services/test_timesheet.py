"""The timesheet: against an independent reckoning, and what corrections, leave and merging do to it."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from ray_backend.domain.errors import Conflict, InvalidInput
from ray_backend.domain.model import Direction, Person, Punch, new_id
from ray_backend.domain.requests import SheetQuery
from ray_backend.domain.worktime.corrections import Correction, CorrectionKind
from ray_backend.domain.worktime.schedule import Assignment, Leave, Level, Rulebook, Site
from ray_backend.domain.worktime.shifts import Pause, Shift
from ray_backend.services.attachments import Attachment
from ray_backend.services.corrections import CorrectionService
from ray_backend.services.leave import LeaveService
from ray_backend.services.rules import RuleService
from ray_backend.services.timesheet import TimesheetService
from ray_backend.storage.memory import MemoryStore
from tests.fakes import SetClock

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 4, 10, tzinfo=UTC)
MARCH = SheetQuery(date(2026, 3, 1), date(2026, 3, 31))
MONDAY = date(2026, 3, 2)
OFFICE = Shift("office", "Office", start=time(8), end=time(17), pauses=(Pause(30, 360),), grace_in=5)
NIGHT = Shift("night", "Night", start=time(22), end=time(6))


class Place:
    """A site in memory with its services."""

    def __init__(self, **rules) -> None:
        self.store = MemoryStore()
        self.clock = SetClock(NOW)
        self.rules = RuleService(self.store, self.clock)
        self.corrections = CorrectionService(self.store, self.clock)
        self.leave = LeaveService(self.store, self.clock)
        policy = SimpleNamespace(zone=BERLIN)
        self.sheets = TimesheetService(
            self.store, self.clock, policy, self.rules, self.corrections, self.leave
        )
        self.book = self.rules.change(Rulebook(**rules), actor="admin")

    def person(self, number: int, department: str = "", **more) -> Person:
        someone = Person(f"E-{number:03}", f"Person {number:03}", NOW, department=department, **more)
        self.store.add_person(someone)
        return someone

    def punch(self, person: Person, at: datetime, direction: Direction = Direction.IN) -> Punch:
        key = new_id()
        punch = Punch(person.person_id, at, direction, "door", "face", key, (f"{key}/a", f"{key}/b"))
        self.store.add_punch(punch)
        return punch

    def work(self, person: Person, day: date, since: str = "08:00", to: str = "17:00") -> list[Punch]:
        ways = ((since, Direction.IN), (to, Direction.OUT))
        return [self.punch(person, at(day, clock), way) for clock, way in ways]

    def days(self, query: SheetQuery = MARCH) -> pd.DataFrame:
        return self.sheets.sheet(query).days


def at(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), BERLIN)


def missing(person: Person, clock: str, way: Direction) -> Correction:
    when = at(MONDAY, clock)
    return Correction(CorrectionKind.ADD, person.person_id, "Forgot.", "", NOW, when, direction=way)


def office_hours(**more) -> dict:
    weekdays = (("office",),) * 5 + ((), ())
    everybody = Assignment(Level.EVERYBODY, "", date(2025, 12, 29), weekdays)
    return {"shifts": {"office": OFFICE, "night": NIGHT}, "assignments": (everybody,), **more}


@pytest.fixture
def site() -> Place:
    return Place(**office_hours())


def test_a_month_of_fifty_people_agrees_with_plain_pandas_to_the_minute(site: Place):
    """The same month reckoned in another way: by calendar day, straight from the raw punches."""
    chance = random.Random(5)
    raw = []
    for number in range(50):
        person = site.person(number, "Works")
        for day in pd.date_range("2026-03-01", "2026-03-31"):
            if chance.random() < 0.15:
                continue
            came = at(day.date(), "08:00") + timedelta(seconds=chance.randint(-3600, 5400))
            went = at(day.date(), "17:00") + timedelta(seconds=chance.randint(-7200, 5400))
            site.punch(person, came)
            raw.append((person.employee_id, came))
            if chance.random() > 0.05:
                site.punch(person, went, Direction.OUT)
                raw.append((person.employee_id, went))
    punches = pd.DataFrame(raw, columns=["who", "at"])
    punches["at"] = pd.to_datetime(punches["at"], utc=True).dt.tz_convert("Europe/Berlin")
    punches["day"] = punches["at"].dt.date
    minute = punches["at"].dt.tz_convert("UTC").dt.floor("min")
    eight = pd.to_datetime(punches["day"]).dt.tz_localize("Europe/Berlin") + pd.Timedelta(hours=8)
    weekday = punches["at"].dt.weekday < 5
    counted = minute.where(~weekday, minute.where(minute > eight, eight.dt.tz_convert("UTC")))
    spans = counted.groupby([punches["who"], punches["day"]]).agg(["min", "max", "size"]).reset_index()
    gross = (spans["max"] - spans["min"]).dt.total_seconds() // 60
    workday = pd.to_datetime(spans["day"]).dt.weekday < 5
    # Thirty minutes are taken off after six hours, but never below them.
    net = gross.where(~workday | (gross <= 360), (gross - 30).clip(lower=360)).where(spans["size"] > 1, 0)
    expected = net.groupby(spans["who"]).sum().astype(int)
    got = site.days().groupby("employee_id")["worked"].sum()
    assert got.to_dict() == expected.to_dict()
    assert expected.min() > 8000


def test_every_day_of_the_month_stands_there_once(site: Place):
    site.work(site.person(1), MONDAY)
    days = site.days()
    assert days["date"].tolist() == [date(2026, 3, day) for day in range(1, 32)]
    assert days["status"].value_counts().to_dict() == {"absent": 21, "off": 9, "present": 1}


def test_times_are_the_clock_on_the_wall_with_its_offset(site: Place):
    night = Assignment(Level.PERSON, (person := site.person(1)).person_id, MONDAY, (("night",),))
    site.rules.change(
        Rulebook(version=site.book.version, **office_hours(assignments=(night,))), actor="admin"
    )
    site.punch(person, at(date(2026, 3, 28), "22:00"))
    site.punch(person, at(date(2026, 3, 29), "06:00"), Direction.OUT)
    row = site.days(SheetQuery(date(2026, 3, 28), date(2026, 3, 28))).iloc[0]
    assert (row.first_in, row.last_out) == (
        pd.Timestamp("2026-03-28 22:00"),
        pd.Timestamp("2026-03-29 06:00"),
    )
    assert (row.utc_offset, row.worked) == ("+01:00 to +02:00", 420)


def test_a_missing_punch_is_added_by_an_approved_request_and_only_then(site: Place):
    person = site.person(1)
    site.punch(person, at(MONDAY, "08:00"))
    asked = site.corrections.request(
        missing(person, "17:00", Direction.OUT),
        actor="anna",
    )
    monday = SheetQuery(MONDAY, MONDAY)
    assert site.days(monday).iloc[0].status == "incomplete"
    site.corrections.decide(asked.correction_id, approve=True, actor="chief")
    row = site.days(monday).iloc[0]
    assert (row.status, row.worked, bool(row.corrected)) == ("present", 510, True)
    assert site.corrections.get(asked.correction_id).decided_by == "chief"
    with pytest.raises(InvalidInput, match="already"):
        site.corrections.decide(asked.correction_id, approve=False, actor="other")


def test_a_punch_of_somebody_else_moves_to_them_and_stays_as_it_was(site: Place):
    wrong, right = site.person(1), site.person(2)
    came, went = site.work(wrong, MONDAY)
    for punch in (came, went):
        asked = site.corrections.open_dispute(punch, actor="kiosk door")
        assert site.corrections.open_dispute(punch, actor="kiosk door") == asked
        site.corrections.decide(
            asked.correction_id, approve=True, to_person_id=right.person_id, actor="chief"
        )
    days = site.days(SheetQuery(MONDAY, MONDAY)).set_index("employee_id")
    assert days["status"].to_dict() == {"E-001": "absent", "E-002": "present"}
    only = site.days(SheetQuery(MONDAY, MONDAY, people=(right.person_id,)))
    assert only["status"].tolist() == ["present"]
    assert site.store.find_punch(came.idempotency_key) == came


def test_a_request_about_a_punch_of_another_person_is_refused(site: Place):
    one, other = site.person(1), site.person(2)
    came, _ = site.work(one, MONDAY)
    void = Correction(
        CorrectionKind.VOID, other.person_id, "Not me.", "", NOW, came.at, punch_id=came.punch_id
    )
    with pytest.raises(InvalidInput, match="not one of this person"):
        site.corrections.request(void, actor="anna")


def test_two_who_decide_at_once_do_not_both(site: Place, monkeypatch):
    came, _ = site.work(site.person(1), MONDAY)
    asked = site.corrections.open_dispute(came, actor="kiosk door")
    stale = site.corrections.get(asked.correction_id)
    site.corrections.decide(asked.correction_id, approve=False, actor="first")
    monkeypatch.setattr(site.corrections, "get", lambda correction_id: stale)
    with pytest.raises(Conflict, match="Somebody else"):
        site.corrections.decide(asked.correction_id, approve=True, actor="second")


def test_an_outage_is_mended_for_many_at_once_and_once(site: Place):
    people = [site.person(number) for number in range(3)]
    ids = [person.person_id for person in people]
    for clock, way in (("08:00", Direction.IN), ("17:00", Direction.OUT)):
        assert (
            len(site.corrections.add_manually(ids, at(MONDAY, clock), way, "Power cut", actor="chief")) == 3
        )
        assert site.corrections.add_manually(ids, at(MONDAY, clock), way, "Power cut", actor="chief") == ()
    assert site.days(SheetQuery(MONDAY, MONDAY))["worked"].tolist() == [510] * 3


def test_a_file_that_explains_comes_back_and_a_wrong_one_leaves_nothing(site: Place):
    person = site.person(1)
    wanted = Correction(
        CorrectionKind.ADD, person.person_id, "Train.", "", NOW, at(MONDAY, "08:00"), direction=Direction.IN
    )
    with pytest.raises(InvalidInput, match="PDF"):
        site.corrections.request(
            wanted, attachment=Attachment("x.exe", "application/exe", b"MZ"), actor="anna"
        )
    assert site.corrections.find().total == 0
    note = Attachment("note.txt", "text/plain", b"Delayed by 40 minutes")
    asked = site.corrections.request(wanted, attachment=note, actor="anna")
    assert site.corrections.attachment(asked.correction_id) == note


def test_leave_counts_and_is_kept_once(site: Place):
    person = site.person(1)
    week = Leave("l1", person.person_id, MONDAY, MONDAY + timedelta(days=4), "vacation")
    assert (site.leave.add([week], actor="hr"), site.leave.add([week], actor="hr")) == (1, 0)
    statuses = site.days(SheetQuery(MONDAY, MONDAY + timedelta(days=7)))["status"].tolist()
    assert statuses == ["on_leave"] * 5 + ["off", "off", "absent"]
    site.leave.remove("l1", actor="hr")
    assert site.days(SheetQuery(MONDAY, MONDAY))["status"].tolist() == ["absent"]


def test_a_merged_record_counts_for_its_person(site: Place):
    target = site.person(1)
    source = site.person(2, merged_into=target.person_id)
    site.punch(source, at(MONDAY, "08:00"))
    site.punch(target, at(MONDAY, "17:00"), Direction.OUT)
    for query in (SheetQuery(MONDAY, MONDAY), SheetQuery(MONDAY, MONDAY, people=(target.person_id,))):
        days = site.days(query)
        assert (days["employee_id"].tolist(), days["worked"].tolist()) == (["E-001"], [510])


def test_each_site_keeps_its_own_clock_and_holidays():
    sites = (
        Site("b", "Berlin", "Europe/Berlin", ("Works",), country="DE"),
        Site("l", "Lisbon", "Europe/Lisbon", ("Office",), country="PT"),
    )
    site = Place(**office_hours(sites=sites))
    berliner, lisboner = site.person(1, "Works"), site.person(2, "Office")
    for person in (berliner, lisboner):
        site.punch(person, datetime(2026, 3, 2, 8, tzinfo=UTC))
    days = site.days(SheetQuery(MONDAY, MONDAY)).set_index("name")
    assert days["late"].to_dict() == {"Person 001": 60, "Person 002": 0}
    only = site.days(SheetQuery(MONDAY, MONDAY, site="l"))
    assert only["site"].tolist() == ["Lisbon"]
    whit = site.days(SheetQuery(date(2026, 4, 6), date(2026, 4, 6))).set_index("site")["status"]
    assert whit.to_dict() == {"Berlin": "holiday", "Lisbon": "absent"}


def test_other_rules_can_be_tried_on_the_same_punches(site: Place):
    site.work(site.person(1), MONDAY, "08:20")
    strict = site.days(SheetQuery(MONDAY, MONDAY)).iloc[0]
    kinder = Rulebook(
        **office_hours(shifts={"office": Shift("office", "Office", grace_in=30), "night": NIGHT})
    )
    tried = site.sheets.sheet(SheetQuery(MONDAY, MONDAY), rules=kinder.checked()).days.iloc[0]
    assert (strict.status, strict.late, tried.status, tried.late) == ("late", 20, "present", 0)


def test_rules_are_kept_as_versions_and_nobody_overwrites_another(site: Place):
    stale = site.book
    site.rules.change(Rulebook(version=stale.version, **office_hours(cooldown_s=30)), actor="admin")
    with pytest.raises(Conflict):
        site.rules.change(Rulebook(version=stale.version, **office_hours(cooldown_s=90)), actor="other")
    assert (site.rules.current().cooldown_s, site.rules.version(1).cooldown_s) == (30, 60)
    assert site.sheets.sheet(SheetQuery(MONDAY, MONDAY)).rule_version == 2


def test_a_filter_by_status_keeps_only_those_days(site: Place):
    site.work(site.person(1), MONDAY)
    days = site.days(SheetQuery(MONDAY, date(2026, 3, 8), statuses=("off", "present")))
    assert days["status"].tolist() == ["present", "off", "off"]
