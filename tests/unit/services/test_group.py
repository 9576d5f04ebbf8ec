"""The group photo: everybody on it is recorded as present, once, and nobody is sent home."""

from __future__ import annotations

import pytest

from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.model import DecisionKind, Direction, Liveness
from ray_backend.domain.queries import DecisionQuery
from tests.fakes import photo

ADA, ALAN, GRACE = 1, 2, 3
PICTURE = "a" * 64


def record(site, *people, picture=PICTURE):
    """The use case as the page calls it."""
    ids = [person.person_id for person in people]
    return site.backend.record_present(ids, picture_sha256=picture, actor="admin")


def test_everybody_is_recorded_in_order_as_having_come_in(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    answers = record(site, alan, ada)
    assert [answer.person for answer in answers] == [alan, ada]
    assert [answer.repeated for answer in answers] == [False, False]
    assert {(p.direction, p.source, p.kiosk) for p in site.punches()} == {
        (Direction.IN, "group", "group photo")
    }
    assert answers[0].local_time.isoformat() == "2026-03-02T09:00:00+01:00"
    assert answers[0].decision.kind is DecisionKind.MATCH


def test_each_new_punch_leaves_one_decision_and_a_repeated_one_none(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    at_the_door = site.check_in(ADA).punch
    site.clock.move(minutes=5)
    _, new = record(site, ada, alan)
    first, second = site.store.list_decisions(DecisionQuery()).items
    assert (first.punch_id, second.punch_id) == (at_the_door.punch_id, new.punch.punch_id)
    assert (second.kind, second.source, second.kiosk) == (DecisionKind.MATCH, "group", "group photo")
    assert (second.similarity, second.frames, second.liveness) == (None, 0, Liveness.NOT_CHECKED)


def test_the_same_person_twice_counts_once(site):
    ada = site.enrol(ADA)
    (answer,) = record(site, ada, ada)
    assert not answer.repeated
    assert len(site.punches()) == 1


@pytest.mark.parametrize("later", [{"seconds": 1}, {"hours": 3}, {"days": 3}])
def test_the_same_picture_records_nobody_twice_however_late(site, later):
    ada = site.enrol(ADA)
    (first,) = record(site, ada)
    site.clock.move(**later)
    (again,) = record(site, ada)
    assert again.repeated
    assert again.punch == first.punch
    assert len(site.punches()) == 1


def test_another_picture_of_the_next_day_records_again(site):
    ada = site.enrol(ADA)
    record(site, ada)
    site.clock.move(days=1)
    (answer,) = record(site, ada, picture="b" * 64)
    assert not answer.repeated
    assert [punch.direction for punch in site.punches()] == [Direction.IN, Direction.IN]


@pytest.mark.parametrize("later", [{"seconds": 10}, {"hours": 3}])
def test_who_checked_in_at_the_door_is_not_recorded_again_nor_sent_out(site, later):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    at_the_door = site.check_in(ADA).punch
    site.clock.move(**later)
    first, second = record(site, ada, alan)
    assert (first.repeated, first.punch) == (True, at_the_door)
    assert not second.repeated
    assert [punch.direction for punch in site.punches()] == [Direction.IN, Direction.IN]


def test_a_punch_just_before_midnight_is_the_same_visit(site):
    ada = site.enrol(ADA)
    site.clock.move(hours=14, minutes=59, seconds=40)  # 23:59:40 in Berlin
    before = site.check_in(ADA).punch
    site.clock.move(seconds=30)
    (answer,) = record(site, ada)
    assert (answer.repeated, answer.punch) == (True, before)


def test_somebody_who_was_erased_meanwhile_stops_all_of_it(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    site.backend.people.erase(alan.person_id, typed_employee_id="E2", keep_punches=False, actor="admin")
    with pytest.raises(PersonNotFound):
        record(site, ada, alan)
    assert site.punches() == []


def test_it_is_in_the_audit_log_without_anybodys_name(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    site.check_in(ADA)
    record(site, ada, alan)
    (entry,) = [entry for entry in site.audit() if entry.action == "group.recorded"]
    assert (entry.actor, entry.subject) == ("admin", PICTURE)
    assert entry.detail == {"recorded": 1, "repeated": 1}


def test_recognising_tells_how_large_the_picture_is_that_the_boxes_lie_in(site):
    ada = site.enrol(ADA)
    recognition = site.backend.recognise(photo(GRACE, ADA))
    width, height = recognition.picture_size
    assert (width, height) == (400, 240)
    assert [face.person for face in recognition.faces] == [None, ada]
    assert all(0 <= face.box[0] < face.box[2] <= width for face in recognition.faces)
