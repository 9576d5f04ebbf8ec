"""What a kiosk's vote records, what it notes, and "This is not me"."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from ray_backend.domain.errors import NotFound, StoreUnavailable
from ray_backend.domain.model import DecisionKind, Liveness, Person, Receipt
from ray_backend.domain.queries import DecisionQuery
from tests.fakes import FAKE_PACK
from tests.store_samples import decision
from tests.unit.services.conftest import look_alike, stored_template
from tests.unit.services.test_check_in import FailingStore, punches_of

ADA, ALAN, EVE = 1, 2, 3
RECEIPT = Receipt("fake", 0.5, 0.75, 0.25, 4, 0.875, 640.0, Liveness.LIVE)


def recognised(site, person, key="k", kiosk="door", receipt=RECEIPT):
    check_ins = site.backend._records.check_ins
    return check_ins.punch_recognised(person.person_id, kiosk=kiosk, idempotency_key=key, receipt=receipt)


def dispute(site, punch, kiosk="door"):
    site.backend._records.check_ins.dispute(punch.punch_id, kiosk=kiosk)


def disputes(site):
    return [entry for entry in site.audit() if entry.action == "punch.disputed"]


def test_a_vote_records_a_punch_with_its_receipt(site):
    ada = site.enrol(ADA)
    answer = recognised(site, ada)
    assert (answer.decision.kind, answer.person, answer.repeated) == (DecisionKind.MATCH, ada, False)
    assert answer.decision.best.similarity == 0.75
    assert site.punches() == [answer.punch]
    assert answer.punch.receipt == RECEIPT
    assert answer.local_time.isoformat() == "2026-03-02T09:00:00+01:00"


def test_a_vote_and_a_frame_are_one_visit(site):
    ada = site.enrol(ADA)
    first = site.check_in(ADA)
    again = recognised(site, ada)
    assert (again.punch, again.repeated) == (first.punch, True)


def test_a_vote_sent_again_gives_the_same_punch_however_late(site):
    ada = site.enrol(ADA)
    first = recognised(site, ada)
    site.clock.move(hours=3)
    again = recognised(site, ada)
    assert (again.punch, again.repeated) == (first.punch, True)
    assert len(site.punches()) == 1


def test_somebody_erased_or_deactivated_meanwhile_is_unknown(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    site.store.update_person(replace(ada, active=False))
    site.store.erase_person(alan.person_id, keep_punches=True)
    for person in (ada, alan):
        answer = recognised(site, person, key=person.person_id)
        assert (answer.decision.kind, answer.person) == (DecisionKind.UNKNOWN, None)
    assert site.punches() == []


def test_each_new_punch_leaves_one_decision(site):
    ada = site.enrol(ADA)
    by_vote = recognised(site, ada)
    recognised(site, ada)
    site.clock.move(minutes=5)
    by_frame = site.check_in(ADA)
    site.check_in(ADA)
    first, second = site.store.list_decisions(DecisionQuery()).items
    assert (first.punch_id, second.punch_id) == (by_vote.punch.punch_id, by_frame.punch.punch_id)
    assert (first.kind, first.source, first.kiosk) == (DecisionKind.MATCH, "face", "door")
    assert (first.liveness, first.liveness_score, first.similarity) == (Liveness.LIVE, 0.875, 0.75)
    assert (first.frames, first.seconds) == (4, 0.64)
    assert (second.liveness, second.frames) == (Liveness.NOT_CHECKED, 1)


def test_a_noted_decision_is_kept_once(site):
    record = decision()
    for _ in range(2):
        site.backend._records.check_ins.note(record)
    assert site.store.list_decisions(DecisionQuery()).items == (record,)


def test_a_decision_that_cannot_be_kept_is_counted_and_blocks_nobody(open_site):
    store = FailingStore()
    site = open_site(store=store)
    ada = site.enrol(ADA)
    store.away = "add_decision"
    answer = recognised(site, ada)
    assert site.punches() == [answer.punch]
    check_ins = site.backend._records.check_ins
    started = time.monotonic()
    check_ins.note(decision())
    assert time.monotonic() - started < 0.3
    assert check_ins.notes_dropped == 2


def test_not_me_is_noted_once_with_facts_and_no_name(site):
    ada = site.enrol(ADA)
    punch = recognised(site, ada).punch
    site.clock.move(seconds=59)
    for _ in range(2):
        dispute(site, punch)
    [entry] = disputes(site)
    assert (entry.actor, entry.subject, entry.at) == ("kiosk door", punch.punch_id, site.clock.now())
    assert entry.detail == {
        "kiosk": "door",
        "source": "face",
        "at": punch.at.isoformat(),
        "pack": "fake",
        "threshold": 0.5,
        "similarity": 0.75,
        "runner_up_similarity": 0.25,
        "frames": 4,
        "liveness": "live",
        "liveness_score": 0.875,
    }
    assert ada.person_id not in str(entry)
    assert site.punches() == [punch]


def test_not_me_counts_in_a_new_process_too(site):
    punch = recognised(site, site.enrol(ADA)).punch
    site.clock.move(seconds=1)
    dispute(site.restarted(), punch)
    assert [entry.subject for entry in disputes(site)] == [punch.punch_id]


@pytest.mark.parametrize("late", [False, True])
def test_only_the_kiosks_own_fresh_punch_can_be_disputed(site, late):
    punch = recognised(site, site.enrol(ADA)).punch
    if late:
        site.clock.move(seconds=61)
        refused = [(punch, "door")]
    else:
        refused = [(punch, "gate"), (replace(punch, punch_id="unknown"), "door")]
    for one, kiosk in refused:
        for place in (site, site.restarted()):
            with pytest.raises(NotFound, match="within the last minute"):
                dispute(place, one, kiosk)
    assert disputes(site) == []


@pytest.mark.parametrize("restarted", [False, True], ids=["same process", "killed meanwhile"])
def test_not_me_while_the_database_is_away_is_kept_and_delivered_once(open_site, restarted):
    store = FailingStore()
    site = open_site(store=store)
    ada = site.enrol(ADA)
    store.away = "add_punch"
    punch = recognised(site, ada).punch
    for _ in range(2):
        dispute(site, punch)
    assert disputes(site) == []
    if restarted:
        site.backend._records.check_ins._notes._journal.close()
        punches_of(site)._journal.close()
        punches_of(site).close()
    store.away = ""
    if restarted:
        site = site.restarted()
    for _ in range(2):
        punches_of(site).deliver()
    assert [entry.subject for entry in disputes(site)] == [punch.punch_id]
    assert len(site.backend._records.check_ins._notes) == 0


def test_a_dispute_that_can_be_kept_nowhere_is_not_acknowledged(open_site, monkeypatch):
    store = FailingStore()
    site = open_site(store=store)
    punch = recognised(site, site.enrol(ADA)).punch
    store.away = "add_audit"

    def full(entry):
        raise StoreUnavailable("no space left")

    monkeypatch.setattr(site.backend._records.check_ins._notes._journal, "append", full)
    with pytest.raises(StoreUnavailable):
        dispute(site, punch)


def test_everybody_is_named_while_the_database_is_away_as_far_as_this_process_knows(open_site):
    store = FailingStore()
    site = open_site(store=store)
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    site = site.restarted()
    eve = site.enrol(EVE)
    site.backend.people.set_active(alan.person_id, False, actor="admin")
    store.away = "people_of_many"
    assert recognised(site, ada, "1").person == ada
    assert recognised(site, eve, "2").person == eve
    assert recognised(site, alan, "3").decision.kind is DecisionKind.UNKNOWN
    assert site.check_in(EVE).person == eve
    with pytest.raises(StoreUnavailable):
        recognised(site, Person("E9", "New", site.clock.now()), "4")


def test_the_journals_depth_is_told_with_and_without_a_database(open_site):
    store = FailingStore()
    site = open_site(store=store)
    ada = site.enrol(ADA)
    assert site.backend.overview().journal_depth == 0
    store.away = "add_punch"
    recognised(site, ada)
    overview = site.backend._records.overview
    assert overview.journal_depth() == 1
    assert overview.overview().journal_depth == 1


def enrol_alike(site, person, number, similarity):
    """Enrols person `number` with a template this close to the other's."""
    [template] = site.store.templates_of(person.person_id)
    other = Person(f"E{number}", f"Person {number}", site.clock.now())
    site.store.add_person(other)
    close = look_alike(template.embedding, similarity, seed=number)
    site.backend._records.enrolments.add_template(stored_template(other, close))
    return other


def test_people_hard_to_tell_apart_are_known_since_their_enrolment(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    reach = FAKE_PACK.threshold - FAKE_PACK.margin
    twin = enrol_alike(site, ada, 11, reach + 0.02)
    stranger = enrol_alike(site, ada, 12, reach - 0.02)
    for place in (site, site.restarted()):
        alike = place.backend._records.check_ins.look_alikes()
        assert alike[ada.person_id] == {twin.person_id}
        assert alike[twin.person_id] == {ada.person_id}
        assert stranger.person_id not in alike
        assert alan.person_id not in alike


def test_look_alikes_of_an_erased_person_are_forgotten(site):
    ada = site.enrol(ADA)
    twin = enrol_alike(site, ada, 11, FAKE_PACK.threshold - 0.01)
    site.backend.people.erase(twin.person_id, typed_employee_id="E11", keep_punches=True, actor="admin")
    assert site.backend._records.check_ins.look_alikes() == {}
    assert site.store.settings("look_alike/") == {}


def test_look_alikes_of_another_pack_do_not_count(site):
    site.store.put_setting("look_alike/a/b", {"pack": "another"})
    assert site.backend._records.check_ins.look_alikes() == {}


def test_erasing_somebody_whose_punches_wait_is_refused_until_they_are_written(open_site):
    store = FailingStore()
    site = open_site(store=store)
    ada = site.enrol(ADA)
    store.away = "add_punch"
    recognised(site, ada)
    options = {"typed_employee_id": "E1", "keep_punches": False, "actor": "admin"}
    with pytest.raises(StoreUnavailable, match="wait"):
        site.backend.people.erase(ada.person_id, **options)
    assert site.check_in(ADA).person == ada
    store.away = ""
    assert site.backend.people.erase(ada.person_id, **options).punches_removed == 1
    assert site.punches() == []
