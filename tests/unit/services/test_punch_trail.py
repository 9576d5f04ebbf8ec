"""One person's punches with what became of each, and who may read why."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.model import Direction
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.queries import PunchQuery
from ray_backend.domain.worktime.corrections import Correction, CorrectionKind
from ray_backend.domain.worktime.schedule import Assignment, Level, Rulebook
from ray_backend.domain.worktime.shifts import Shift

MONDAY = date(2026, 3, 2)
FORGOT = "Forgot at the door."


@pytest.fixture
def ada(site):
    """Came at 09:00 and, within the cooldown of the rules, at once again; left at 17:00."""
    who = site.enrol(1, department="Sales")
    _rules(site, cooldown_s=600)
    for minutes in (0, 5, 475):
        site.clock.move(minutes=minutes)
        site.check_in(1)
    return who


def _rules(site, **parts) -> None:
    rules = site.backend.rules
    rules.change(Rulebook(version=rules.current().version, **parts), actor="admin")


def trail(backend, who, start: date = MONDAY, end: date = MONDAY) -> list:
    return backend.punch_trails.trail(who.person_id, start, end)


def correct(site, who, kind: CorrectionKind, *, approve: bool = True, **parts) -> None:
    wanted = Correction(kind, who.person_id, FORGOT, "", datetime.min, **parts)
    asked = site.backend.corrections.request(wanted, actor="anna")
    if approve:
        site.backend.corrections.decide(asked.correction_id, approve=True, note="Seen.", actor="boss")


def first_punch(site, who):
    return site.store.list_punches(PunchQuery(people=(who.person_id,))).items[0]


def test_what_counts_and_what_repeats_it_stand_there_in_the_time_of_the_site(site, ada):
    rows = trail(site.backend, ada)
    assert [(f"{row.at:%H:%M %z}", row.fate) for row in rows] == [
        ("09:00 +0100", "counts"), ("09:05 +0100", "repeated"), ("17:00 +0100", "counts"),
    ]  # fmt: skip
    assert {row.reason for row in rows} == {""}


def test_an_added_punch_says_who_and_why(site, ada):
    correct(site, ada, CorrectionKind.ADD, at=datetime(2026, 3, 2, 12, tzinfo=UTC), direction=Direction.OUT)
    (added,) = (row for row in trail(site.backend, ada) if row.fate == "added")
    assert (added.direction, added.source, added.reason, added.asked_by, added.decided_by, added.note) == (
        "out", "manual", FORGOT, "anna", "boss", "Seen.",
    )  # fmt: skip


def test_a_struck_punch_stays_visible_and_a_changed_one_shows_its_new_direction(site, ada):
    punch = first_punch(site, ada)
    named = {"at": punch.at, "punch_id": punch.punch_id}
    correct(site, ada, CorrectionKind.DIRECTION, direction=Direction.OUT, **named)
    assert [row.fate for row in trail(site.backend, ada)] == ["changed", "repeated", "counts"]
    site.clock.move(minutes=1)
    correct(site, ada, CorrectionKind.VOID, **named)
    rows = trail(site.backend, ada)
    assert [row.fate for row in rows] == ["struck", "counts", "counts"]
    assert (rows[0].reason, rows[0].decided_by) == (FORGOT, "boss")


def test_a_request_that_waits_stands_beside_the_punch(site, ada):
    punch = first_punch(site, ada)
    correct(site, ada, CorrectionKind.VOID, approve=False, at=punch.at, punch_id=punch.punch_id)
    fates = [row.fate for row in trail(site.backend, ada)]
    assert sorted(fates) == ["counts", "counts", "repeated", "requested"]


def test_a_punch_of_somebody_else_is_struck_there_and_counts_here(site, ada):
    grace, punch = site.enrol(2, department="Sales"), first_punch(site, ada)
    correct(
        site, ada, CorrectionKind.PERSON, at=punch.at, punch_id=punch.punch_id, to_person_id=grace.person_id
    )
    assert [row.fate for row in trail(site.backend, grace)] == ["moved"]
    assert trail(site.backend, ada)[0].fate == "struck"


def test_a_punch_after_midnight_belongs_to_the_night_that_it_ends(site):
    who = site.enrol(1, department="Sales")
    night = Assignment(Level.EVERYBODY, "", date(2026, 1, 5), (("night",),))
    shift = Shift("night", "Night", start=time(22), end=time(6))
    _rules(site, shifts={"night": shift}, assignments=(night,))
    zone = site.backend.site.current().zone
    for at in (datetime(2026, 3, 2, 22, tzinfo=zone), datetime(2026, 3, 3, 6, tzinfo=zone)):
        site.clock.at = at.astimezone(UTC)
        site.check_in(1)
    assert [row.day for row in trail(site.backend, who)] == [MONDAY, MONDAY]
    tuesday = MONDAY + timedelta(days=1)
    assert trail(site.backend, who, tuesday, tuesday) == []


def test_a_manager_reads_the_own_departments_only_and_a_viewer_no_reasons(site, ada):
    correct(site, ada, CorrectionKind.ADD, at=datetime(2026, 3, 2, 12, tzinfo=UTC), direction=Direction.OUT)
    others = site.backend.acting_as(Caller("maria", Role.MANAGER, ("Engines",)))
    with pytest.raises(PersonNotFound):
        trail(others, ada)
    own = site.backend.acting_as(Caller("maria", Role.MANAGER, ("Sales",)))
    assert FORGOT in [row.reason for row in trail(own, ada)]
    viewer = trail(site.backend.acting_as(Caller("victor", Role.VIEWER)), ada)
    assert "added" in [row.fate for row in viewer]
    assert {(row.reason, row.asked_by, row.decided_by, row.note) for row in viewer} == {("", "", "", "")}
