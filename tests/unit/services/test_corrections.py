"""Corrections: what a kiosk's "This is not me" asks for, and a day as it was and as it counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.model import Direction
from ray_backend.domain.permissions import Caller, Role
from ray_backend.domain.worktime.corrections import Correction, CorrectionKind
from ray_backend.services.attachments import Attachment
from tests.unit.services.test_check_in import FailingStore, punches_of
from tests.unit.services.test_kiosk_check_in import RECEIPT, dispute, recognised

ADA, ALAN = 1, 2
HOUR = timedelta(hours=1)


def corrections_of(site):
    return site.backend._records.corrections


def day(site, person):
    today = site.backend.reports.today()
    return site.backend.punch_trails.stories(person.person_id, today, today)


def wanted(site, kind, person, punch=None, **more) -> Correction:
    at = punch.at if punch else site.clock.now() - HOUR
    return Correction(
        kind, person.person_id, "Kiosk was off", "", site.clock.now(), at,
        punch_id=punch.punch_id if punch else "", **more,
    )  # fmt: skip


def test_not_me_opens_one_request_with_the_receipt(site):
    ada = site.enrol(ADA)
    punch = recognised(site, ada).punch
    for _ in range(2):
        dispute(site, punch)
    [asked] = corrections_of(site).find(states=("requested",)).items
    assert (asked.kind, asked.person_id, asked.punch_id) == (
        CorrectionKind.PERSON, ada.person_id, punch.punch_id,
    )  # fmt: skip
    assert (asked.requested_by, asked.source) == ("kiosk door", "kiosk")
    assert corrections_of(site).punch(asked.correction_id).receipt == RECEIPT
    assert [e.action for e in site.audit()].count("correction.requested") == 1


@pytest.mark.parametrize("restarted", [False, True], ids=["same process", "killed meanwhile"])
def test_not_me_while_the_database_is_away_opens_the_request_once_it_is_back(open_site, restarted):
    store = FailingStore()
    site = open_site(store=store)
    ada = site.enrol(ADA)
    store.away = "add_punch"
    punch = recognised(site, ada).punch
    for _ in range(2):
        dispute(site, punch)
    assert corrections_of(site).find().total == 0
    if restarted:
        site.backend._records.check_ins._notes._journal.close()
        punches_of(site)._journal.close()
        punches_of(site).close()
    store.away = ""
    if restarted:
        site = site.restarted()
    for _ in range(2):
        punches_of(site).deliver()
    [asked] = corrections_of(site).find().items
    assert (asked.punch_id, asked.person_id) == (punch.punch_id, ada.person_id)


def test_not_me_waits_for_a_punch_that_waits_itself(open_site):
    """The database takes notes again, but the punch is still on the disk."""
    store = FailingStore()
    site = open_site(store=store)
    ada = site.enrol(ADA)
    store.away = "add_punch"
    punch = recognised(site, ada).punch
    store.away = ""
    site.backend._records.check_ins._reach.look_again()
    dispute(site, punch)
    punches_of(site).deliver()
    assert [one.punch_id for one in corrections_of(site).find().items] == [punch.punch_id]


def test_a_note_about_a_punch_that_was_removed_holds_nothing_up(open_site):
    store = FailingStore()
    site = open_site(store=store)
    ada = site.enrol(ADA)
    punch = recognised(site, ada).punch
    store.away = "add_audit"
    dispute(site, punch)
    store.away = ""
    store.erase_person(ada.person_id, keep_punches=False)
    punches_of(site).deliver()
    assert len(site.backend._records.check_ins._notes) == 0
    assert corrections_of(site).find().total == 0


def test_a_day_tells_each_punch_as_it_was_and_as_it_counts(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    own = site.punch(ada.person_id, site.clock.now() - 3 * HOUR)
    wrong = site.punch(ada.person_id, site.clock.now() - 2 * HOUR)
    service = corrections_of(site)
    missed = service.request(wanted(site, CorrectionKind.ADD, ada, direction=Direction.OUT), actor="anna")
    turned = service.request(
        wanted(site, CorrectionKind.DIRECTION, ada, own, direction=Direction.OUT), actor="anna"
    )
    given = service.request(
        wanted(site, CorrectionKind.PERSON, ada, wrong, to_person_id=alan.person_id), actor="anna"
    )
    for asked in (turned, given):
        service.decide(asked.correction_id, approve=True, actor="chief")
    told = day(site, ada)
    assert [(s.was and s.was.punch_id, s.counts and s.counts.direction) for s in told] == [
        (own.punch_id, Direction.OUT), (wrong.punch_id, None), (None, None),
    ]  # fmt: skip
    assert [one.correction_id for s in told for one in s.corrections] == [
        turned.correction_id, given.correction_id, missed.correction_id,
    ]  # fmt: skip
    [his] = day(site, alan)
    assert (his.was, his.counts.person_id) == (wrong, alan.person_id)
    assert site.punches() == [own, wrong]


def test_a_merged_record_has_its_punches_on_the_same_day(site):
    ada, old = site.enrol(ADA), site.enrol(ALAN)
    punch = site.punch(old.person_id, site.clock.now() - HOUR)
    site.backend.merges.merge(old.person_id, ada.person_id, actor="admin")
    assert [story.was for story in day(site, ada)] == [punch]
    assert [bool(story.counts) for story in day(site, ada)] == [True]


def test_requests_are_found_by_the_days_of_their_punches(site):
    ada = site.enrol(ADA)
    now = site.clock.now()
    corrections_of(site).request(wanted(site, CorrectionKind.ADD, ada, direction=Direction.IN), actor="anna")
    assert corrections_of(site).find(start=now - 2 * HOUR, end=now).total == 1
    assert corrections_of(site).find(start=now).total == 0


def test_managers_see_only_days_and_requests_of_their_departments(site):
    ada = site.enrol(ADA)
    asked = corrections_of(site).request(
        wanted(site, CorrectionKind.ADD, ada, direction=Direction.IN), actor="anna"
    )
    now = site.clock.now()
    for departments, sees in ((("Engines",), True), (("Kitchen",), False)):
        manager = site.backend.acting_as(Caller("mia", Role.MANAGER, departments))
        calls = (
            lambda manager=manager: manager.punch_trails.stories(ada.person_id, now.date(), now.date()),
            lambda manager=manager: manager.corrections.punch(asked.correction_id),
        )
        for call in calls:
            if sees:
                call()
            else:
                with pytest.raises(PersonNotFound):
                    call()


def test_who_is_erased_takes_words_and_files_along(site):
    ada = site.enrol(ADA)
    site.check_in(ADA)
    note = Attachment("doctor.txt", "text/plain", b"was at the doctor")
    service = corrections_of(site)
    asked = service.request(
        wanted(site, CorrectionKind.ADD, ada, direction=Direction.OUT), attachment=note, actor="anna"
    )
    service.decide(asked.correction_id, approve=True, note="Get well soon", actor="chief")
    service.forget(ada.person_id)
    bare = service.get(asked.correction_id)
    assert (bare.reason, bare.decision_note, bare.attachment) == ("-", "", "")
    assert (bare.state, bare.direction) == ("approved", Direction.OUT)
    assert site.store.get_entry("file", asked.attachment or "x") is None
