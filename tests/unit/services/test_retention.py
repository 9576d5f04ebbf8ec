"""Retention: what goes by itself, what is held back, and what is never touched."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from ray_backend.domain.errors import Conflict, InvalidInput, StoreUnavailable
from ray_backend.domain.model import DecisionKind, DecisionRecord, UnknownFace
from ray_backend.domain.queries import DecisionQuery, PeopleQuery
from ray_backend.services import certificates, retention
from ray_backend.services.retention import RetentionTimer
from tests.fakes import FAKE_PACK

ALAN = 2


@pytest.fixture(autouse=True)
def _cheap_digests(monkeypatch):
    monkeypatch.setitem(certificates._SCRYPT, "n", 16)


@pytest.fixture
def crew(site):
    """Twenty people, all registered on 2 March 2026."""
    return [site.enrol(who) for who in range(1, 21)]


def change(site, **changes):
    site.backend.site.change(changes, actor="admin")


def everybody(site) -> list[str]:
    found = site.backend.people.find(PeopleQuery(limit=1000, merged_into=None)).items
    return [person.employee_id for person in found]


def decisions(site) -> list[DecisionRecord]:
    return list(site.store.list_decisions(DecisionQuery()).items)


def unknown(site, at, group_id):
    embedding = np.eye(FAKE_PACK.dimension, dtype=np.float32)[0]
    site.store.add_unknown_face(UnknownFace(at, "door", FAKE_PACK.pack_id, embedding, 0.5, group_id, b"jpeg"))


def test_decisions_go_when_their_days_are_over(site):
    change(site, keep_decisions_days=30)
    for days in (0, 29, 30, 31, 100):
        at = site.clock.now() - timedelta(days=days)
        site.store.add_decision(DecisionRecord(at, "door", DecisionKind.UNKNOWN, "face"))
    assert site.backend.retention.due().decisions == 2
    assert site.backend.retention.sweep().decisions == 2
    assert len(decisions(site)) == 3
    assert site.backend.retention.sweep().decisions == 0


def test_a_strangers_face_goes_after_its_hours_and_at_once_where_none_are_kept(site):
    change(site, keep_unknown_hours=24)
    now = site.clock.now()
    unknown(site, now - timedelta(hours=25), "old")
    unknown(site, now - timedelta(hours=23), "new")
    assert site.backend.retention.due().unknown_faces == 1
    assert site.backend.retention.sweep().unknown_faces == 1
    assert [one.group_id for one in site.store.unknown_faces()] == ["new"]
    change(site, keep_unknown_hours=0)
    assert site.backend.retention.sweep().unknown_faces == 1
    assert site.store.unknown_faces() == []


def test_nobody_is_erased_unless_the_site_wants_it(site, crew):
    site.clock.move(days=4000)
    assert site.backend.retention.sweep().people == 0
    assert len(everybody(site)) == 20


def test_who_was_not_seen_for_the_months_goes_and_who_came_stays(site, crew):
    change(site, people_unseen_months=6)
    site.clock.move(days=100)
    for who in range(3, 21):
        site.check_in(who)
    # Six calendar months before 2 September is 2 March, the day of the registration, which is not over yet.
    site.clock.at = site.clock.at.replace(month=9, day=2, hour=12)
    assert site.backend.retention.due().people == ()
    site.clock.move(days=1)
    due = site.backend.retention.due()
    assert [one.person.employee_id for one in due.people] == ["E1", "E2"]
    assert {one.last_seen for one in due.people} == {None}
    assert (due.registered, due.most, due.too_many) == (20, 2, False)
    assert everybody(site)[:2] == ["E1", "E10"]  # a preview changes nothing
    assert site.backend.retention.sweep().people == 2
    assert "E1" not in everybody(site)
    assert len(everybody(site)) == 18


def test_it_is_the_erasure_of_an_admin_with_its_certificate_and_audit(site, crew):
    change(site, people_unseen_months=1)
    site.clock.move(days=40)
    for who in range(2, 21):
        site.check_in(who)
    site.backend.retention.sweep()
    entries = {entry.action: entry for entry in site.audit()}
    erased = entries["person.erased"]
    assert (erased.actor, erased.subject) == ("retention", crew[0].person_id)
    assert erased.detail["verified"] is True
    assert entries["retention.swept"].detail == {"people": 1}
    assert site.check_in(1).decision.kind is DecisionKind.UNKNOWN


@pytest.mark.parametrize(("policy", "left"), [("keep", 1), ("remove", 0)])
def test_the_punches_stay_without_a_name_or_go_as_the_site_says(site, crew, policy, left):
    change(site, people_unseen_months=1, unseen_punches=policy)
    site.check_in(1)
    site.clock.move(days=40)
    for who in range(2, 21):
        site.check_in(who)
    assert site.backend.retention.sweep().people == 1
    assert len(site.punches(crew[0])) == left


def test_who_was_merged_is_seen_with_the_person_they_are(site, crew):
    change(site, people_unseen_months=1)
    first, second, third = crew[:3]
    site.clock.move(days=40)
    for who in range(4, 21):
        site.check_in(who)
    site.punch(third.person_id, site.clock.now())
    site.store.update_person(replace(third, merged_into=second.person_id))
    site.store.update_person(replace(second, merged_into=first.person_id))
    # The punch of the third record is the first person's, over two merges.
    assert site.backend.retention.due().people == ()
    assert site.backend.retention.due().registered == 18


def test_a_wrong_clock_erases_nobody(site, crew):
    change(site, people_unseen_months=12)
    site.clock.move(days=3650)
    swept = site.backend.retention.sweep()
    assert (swept.people, swept.held_back) == (0, 20)
    assert len(everybody(site)) == 20
    assert site.backend.retention.last().held_back == 20
    assert site.backend.retention.due().too_many


def test_what_is_held_back_is_audited_once_and_forgotten_when_it_is_over(site, crew):
    change(site, people_unseen_months=12)
    right = site.clock.now()
    site.clock.move(days=3650)
    for _ in range(3):
        site.clock.move(hours=1)
        site.backend.retention.sweep()
    held = [entry for entry in site.audit() if entry.action == "retention.swept"]
    assert [entry.detail for entry in held] == [{"held_back": 20}]
    site.clock.at = right
    site.backend.retention.sweep()
    assert site.backend.retention.last().held_back == 0


def test_with_an_admins_word_they_go_in_the_admins_name(site, crew):
    change(site, people_unseen_months=12)
    site.clock.move(days=3650)
    with pytest.raises(Conflict, match="It is 20 people by now, not 19"):
        site.backend.retention.sweep_agreed(19, actor="grace")
    assert len(everybody(site)) == 20
    assert site.backend.retention.sweep_agreed(20, actor="grace").people == 20
    assert everybody(site) == []
    assert {entry.actor for entry in site.audit() if entry.action == "person.erased"} == {"grace"}


def test_the_preview_tells_what_other_settings_would_remove(site, crew):
    site.clock.move(days=40)
    assert len(site.backend.retention.due({"people_unseen_months": 1}).people) == 20
    assert site.backend.retention.due({"people_unseen_months": 2}).people == ()
    assert site.backend.site.current().people_unseen_months == 0
    with pytest.raises(InvalidInput):
        site.backend.retention.due({"people_unseen_months": 1000})


def test_who_comes_in_the_middle_of_a_sweep_stays(site, crew, monkeypatch):
    change(site, people_unseen_months=1)
    site.clock.move(days=40)
    for who in range(3, 21):
        site.check_in(who)
    service = site.backend._records.retention
    find = service._due_people

    def find_and_let_alan_in(bounds):
        found = find(bounds)
        site.check_in(ALAN)
        return found

    monkeypatch.setattr(service, "_due_people", find_and_let_alan_in)
    assert service.sweep().people == 1
    assert "E2" in everybody(site)


def test_nothing_is_removed_while_the_database_is_away(site, crew):
    service = site.backend._records.retention
    service._reach.lost()
    with pytest.raises(StoreUnavailable):
        service.sweep()


class Sweeps:
    """Counts, and fails the first time."""

    def __init__(self) -> None:
        self.number = self.wiped = 0

    def sweep(self) -> None:
        self.number += 1
        if self.number == 1:
            raise StoreUnavailable("away")

    def wipe(self) -> bool:
        self.wiped += 1
        return False


def test_the_timer_goes_on_after_a_failure_and_ends_when_it_is_closed():
    sweeps = Sweeps()
    timer = RetentionTimer(sweeps, every_s=0.01, first_after_s=0.01)
    timer.start()
    timer.start()
    until = time.monotonic() + 5
    while sweeps.number < 3 and time.monotonic() < until:
        time.sleep(0.01)
    assert sweeps.number >= 3
    timer.close()
    timer._thread.join(5)
    assert not timer._thread.is_alive()
    assert sweeps.wiped == sweeps.number - 1, "after every sweep but the one that failed"


def test_closing_the_backend_ends_its_timer(site):
    site.backend.start_retention()
    thread = site.backend._timer._thread
    site.backend.close()
    thread.join(5)
    assert not thread.is_alive()


class Large:
    """Makes the site's store one whose files are too large to be wiped with each removal."""

    def __init__(self, site, monkeypatch) -> None:
        self.due, self.wiped_at = True, []
        self.clock = site.clock
        monkeypatch.setattr(site.store, "wipes_due", lambda: self.due)
        monkeypatch.setattr(site.store, "wipe", self._wipe)

    def _wipe(self) -> None:
        self.wiped_at.append(self.clock.now())
        self.due = False


def hours(site, number: int) -> None:
    """The timer's next hours."""
    for _ in range(number):
        site.clock.move(hours=1)
        site.backend._records.retention.wipe()


def test_what_is_left_of_erased_records_is_overwritten_at_night(site, monkeypatch):
    """At 02:00 on the site's clock, which is 01:00 UTC in winter."""
    change(site, time_zone="Europe/Berlin")
    large = Large(site, monkeypatch)
    hours(site, 24)
    assert [(at.day, at.hour) for at in large.wiped_at] == [(3, 1)]
    hours(site, 24)
    assert len(large.wiped_at) == 1, "nothing is left"


def test_who_never_runs_at_night_waits_a_day(site, monkeypatch):
    large = Large(site, monkeypatch)
    monkeypatch.setattr(retention, "NIGHT_HOURS", range(0))
    hours(site, 24)
    assert large.wiped_at == []
    hours(site, 1)
    assert len(large.wiped_at) == 1


def test_a_wipe_that_fails_is_tried_again(site, monkeypatch):
    large = Large(site, monkeypatch)
    monkeypatch.setattr(retention, "NIGHT_HOURS", range(24))
    done, fails = large._wipe, [True]

    def wipe() -> None:
        if fails.pop():
            fails.append(False)
            raise StoreUnavailable("A reader holds the log.")
        done()

    monkeypatch.setattr(site.store, "wipe", wipe)
    with pytest.raises(StoreUnavailable):
        hours(site, 1)
    hours(site, 1)
    assert len(large.wiped_at) == 1
    assert site.store.get_setting(retention.WIPES_SINCE) is None


def test_the_certificate_says_that_the_night_is_waited_for(site, monkeypatch):
    somebody, another = site.enrol(1), site.enrol(2)
    now = site.backend.people.erase(
        somebody.person_id, typed_employee_id="E1", keep_punches=True, actor="admin"
    )
    Large(site, monkeypatch)
    later = site.backend.people.erase(
        another.person_id, typed_employee_id="E2", keep_punches=True, actor="admin"
    )
    said = [erasure.certificate.content["where"]["overwritten_at_night"] for erasure in (now, later)]
    assert said == [False, True]
