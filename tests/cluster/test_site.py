"""The site's settings over real actors: a change applies without any process starting anew."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import ray

from ray_backend.client import Photo, local_backend
from ray_backend.domain.model import DecisionKind, DecisionRecord, Person
from ray_backend.domain.queries import PeopleQuery
from ray_backend.domain.requests import PersonDraft
from ray_backend.serving import handles
from ray_backend.serving.names import DATABASE_ACTOR
from tests.people import face_photo


def pids() -> dict[str, int]:
    """The process of each actor."""
    names = [DATABASE_ACTOR, *handles.face_actor_names()]
    return {name: ray.get(handles.get_handle(name).health.remote())["pid"] for name in names}


def enrol(backend, number: int) -> Person:
    draft = PersonDraft(f"E{number}", f"Person {number}", consent=True)
    return backend.enrol(draft, [Photo("1.jpg", face_photo(number))], source="upload", actor="test").person


def test_threshold_cooldown_and_zone_change_while_the_actors_run(backend):
    before = pids()
    ada = enrol(backend, 0)
    assert backend.check_in(face_photo(0, 2), kiosk="door").person == ada

    backend.site.change({"threshold": 0.9999}, actor="test")
    assert backend.check_in(face_photo(0, 2), kiosk="door").decision.kind is DecisionKind.UNKNOWN

    backend.site.change({"threshold": None, "cooldown_s": 3600, "time_zone": "Asia/Tokyo"}, actor="test")
    again = backend.check_in(face_photo(0, 2), kiosk="door")
    assert again.person == ada
    assert again.repeated
    assert again.local_time.utcoffset() == timedelta(hours=9)
    assert pids() == before


def test_a_kiosk_and_another_process_take_a_change_within_seconds(backend, settings):
    enrol(backend, 0)
    kiosk = backend.kiosk_session("door")
    other = local_backend(settings.model_copy(update={"ray_address": ""}))
    try:
        backend.site.change({"threshold": 0.9999, "site_name": "Mill", "liveness": "off"}, actor="test")
        time.sleep(2.1)
        assert other.site.current().site_name == "Mill"
    finally:
        other.close()
    until = time.monotonic() + 10
    answer = kiosk.frame(face_photo(0, 2))
    while answer.check_in is None and time.monotonic() < until:
        answer = kiosk.frame(face_photo(0, 2))
    assert answer.check_in.decision.kind is DecisionKind.UNKNOWN


def test_what_is_due_goes_in_the_database_actor_and_from_its_gallery(backend, settings):
    for number in range(2):
        enrol(backend, number)
    other = local_backend(settings.model_copy(update={"ray_address": ""}))
    try:
        store = other._records.store
        long_ago = datetime.now(UTC) - timedelta(days=400)
        store.add_decision(DecisionRecord(long_ago, "door", DecisionKind.UNKNOWN, "face"))
        gone = Person("E9", "Person 9", long_ago)
        store.add_person(gone)
    finally:
        other.close()
    backend.site.change({"people_unseen_months": 12}, actor="test")

    due = backend.retention.due()
    assert [one.person.person_id for one in due.people] == [gone.person_id]
    assert due.decisions == 1
    swept = backend.retention.sweep()
    assert (swept.people, swept.decisions, swept.held_back) == (1, 1, 0)
    left = backend.people.find(PeopleQuery()).items
    assert [person.employee_id for person in left] == ["E0", "E1"]
    assert backend.check_in(face_photo(1, 2), kiosk="door").person is not None
    assert backend.retention.last().people == 1
