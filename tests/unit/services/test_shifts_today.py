"""The shift of today in the list of people: each person's own, on the clock of their site."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from ray_backend.domain.queries import PeopleQuery
from ray_backend.domain.worktime.schedule import Assignment, Leave, LeavePart, Level, Rulebook, Site
from ray_backend.domain.worktime.shifts import Shift, ShiftKind
from ray_backend.storage.memory import MemoryStore

EARLY = Shift("early", "Early", start=time(6), end=time(14))
NIGHT = Shift("night", "Night", start=time(22), end=time(6))
ANY = Shift("any", "Any time", kind=ShiftKind.OPEN)
MONDAY = date(2026, 3, 2)  # the site's present: 08:00 UTC
WEEK = ((("early",),) * 5) + ((), ())


def assign(level: Level, subject: str, *pattern: tuple[str, ...], start: date = MONDAY) -> Assignment:
    return Assignment(level, subject, start, pattern)


def keep(site, *assignments: Assignment, sites: tuple[Site, ...] = ()) -> None:
    shifts = {shift.shift_id: shift for shift in (EARLY, NIGHT, ANY)}
    book = Rulebook(site.backend.rules.current().version, shifts, assignments, sites)
    site.backend.rules.change(book, actor="test")


def today(site) -> dict:
    rows = site.backend.people.find_rows(PeopleQuery()).items
    return {row.person.employee_id: row.today for row in rows}


def test_the_own_schedule_comes_before_the_departments_and_that_before_all(site):
    one, *_ = site.enrol(1), site.enrol(2, department="Gate"), site.enrol(3)
    keep(
        site,
        assign(Level.EVERYBODY, "", *WEEK),
        assign(Level.DEPARTMENT, "Gate", ("night",)),
        assign(Level.PERSON, one.person_id, ("any",)),
    )
    said = {who: row.turns for who, row in today(site).items()}
    assert said == {
        "E1": (("Any time", None, None),),
        "E2": (("Night", time(22), time(6)),),
        "E3": (("Early", time(6), time(14)),),
    }


def test_it_is_the_day_of_a_rotation_and_of_the_clock_on_the_wall(site):
    site.enrol(1)
    site.enrol(2, department="Kiritimati")
    far = Site("far", "Far", "Pacific/Kiritimati", departments=("Kiritimati",))
    site.clock.at = datetime(2026, 3, 2, 12, tzinfo=UTC)  # the 3rd there
    keep(site, assign(Level.EVERYBODY, "", ("early",), ("night",), ()), sites=(Site("here", "H", "UTC"), far))
    assert {who: row.turns[0][0] for who, row in today(site).items()} == {"E1": "Early", "E2": "Night"}
    site.clock.move(days=2)
    assert [row.turns for row in today(site).values()] == [(), (("Early", time(6), time(14)),)]


def test_without_rules_or_before_they_begin_nobody_has_a_shift(site):
    site.enrol(1)
    assert today(site) == {"E1": None}
    keep(site, assign(Level.EVERYBODY, "", *WEEK, start=date(2026, 4, 1)))
    assert today(site) == {"E1": None}


def test_holidays_and_whole_days_of_leave_are_told_also_of_a_merged_record(site):
    people = [site.enrol(number, department="Shop" if number == 3 else "Engines") for number in (1, 2, 3, 4)]
    shop = Site("shop", "Shop", "UTC", departments=("Shop",), own_holidays={MONDAY: "Fair"})
    keep(site, assign(Level.EVERYBODY, "", *WEEK), sites=(Site("here", "Here", "UTC"), shop))
    leave = [
        Leave("a", people[0].person_id, MONDAY, MONDAY, "vacation", LeavePart.FIRST_HALF),
        Leave("b", people[3].person_id, MONDAY, MONDAY, "vacation"),
    ]
    site.backend.leave.add(leave, actor="test")
    site.backend.merges.merge(people[3].person_id, people[1].person_id, actor="admin")
    said = {who: (bool(row.turns), row.holiday, row.on_leave) for who, row in today(site).items()}
    assert said == {"E1": (True, "", False), "E2": (True, "", True), "E3": (False, "Fair", False)}


def test_a_page_of_people_asks_the_database_as_often_as_one_person(open_site):
    class Counting(MemoryStore):
        asked = 0

        def __getattribute__(self, name):
            if not name.startswith("_") and callable(getattr(MemoryStore, name, None)):
                Counting.asked += 1
            return super().__getattribute__(name)

    site = open_site(store=Counting())
    counts = []
    for number in range(1, 13):
        site.enrol(number)
        if number == 1:
            keep(site, assign(Level.EVERYBODY, "", *WEEK))
            today(site)
        Counting.asked = 0
        today(site)
        counts.append(Counting.asked)
    assert len(set(counts)) == 1
