"""The check-in: who is recognised, which way they go, and that a punch is recorded once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ray_backend.domain.errors import ImageRejected, PersonNotFound, StoreUnavailable
from ray_backend.domain.model import DecisionKind, Direction, Person, QualityIssue
from ray_backend.storage.memory import MemoryStore
from tests.fakes import FAKE_PACK, photo
from tests.unit.services.conftest import look_alike, stored_template

ADA, ALAN, STRANGER = 1, 2, 99


def test_a_known_person_is_recorded_going_in(site):
    ada = site.enrol(ADA)
    answer = site.check_in(ADA)
    assert answer.decision.kind is DecisionKind.MATCH
    assert answer.person == ada
    assert answer.punch == site.punches()[0]
    assert (answer.punch.direction, answer.punch.kiosk, answer.punch.source) == (Direction.IN, "door", "face")
    assert answer.punch.at == site.clock.now()
    assert not answer.repeated


def test_the_answer_tells_the_sites_time_and_where_the_face_is(site):
    site.enrol(ADA)
    answer = site.check_in(ADA)
    assert answer.local_time.isoformat() == "2026-03-02T09:00:00+01:00"
    assert answer.face_box == (20, 40, 170, 190)


def test_the_receipt_says_what_the_decision_rested_on(site):
    site.enrol(ADA)
    site.enrol(ALAN)
    receipt = site.check_in(ADA).punch.receipt
    assert (receipt.pack_id, receipt.threshold) == ("fake", FAKE_PACK.threshold)
    assert receipt.similarity == pytest.approx(1.0, abs=1e-5)
    assert receipt.runner_up_similarity < FAKE_PACK.threshold
    assert receipt.latency_ms > 0


def test_later_on_the_same_day_the_person_goes_out_and_in_again_the_next_day(site):
    site.enrol(ADA)
    directions = []
    for hours in (0, 4, 1, 15):
        site.clock.move(hours=hours)
        directions.append(site.check_in(ADA).punch.direction)
    assert directions == [Direction.IN, Direction.OUT, Direction.OUT, Direction.IN]


def test_within_the_cooldown_the_same_punch_is_given_again(site):
    site.enrol(ADA)
    first = site.check_in(ADA).punch
    site.clock.move(seconds=59)
    again = site.check_in(ADA)
    assert again.repeated
    assert again.punch == first
    assert again.local_time.isoformat() == "2026-03-02T09:00:00+01:00"
    assert site.punches() == [first]


def test_after_the_cooldown_a_new_punch_is_recorded(site):
    site.enrol(ADA)
    site.check_in(ADA)
    site.clock.move(seconds=60)
    assert not site.check_in(ADA).repeated
    assert len(site.punches()) == 2


def test_one_persons_cooldown_is_no_other_persons(site):
    site.enrol(ADA)
    site.enrol(ALAN)
    site.check_in(ADA)
    assert not site.check_in(ALAN).repeated
    assert len(site.punches()) == 2


def test_without_a_cooldown_every_check_in_counts(open_site):
    site = open_site(cooldown_s=0)
    site.enrol(ADA)
    assert [site.check_in(ADA).repeated for _ in range(3)] == [False] * 3
    assert len(site.punches()) == 3


def test_a_request_sent_again_gives_the_same_punch_however_late(site):
    site.enrol(ADA)
    first = site.check_in(ADA, idempotency_key="k")
    site.clock.move(hours=5)
    again = site.check_in(ADA, idempotency_key="k")
    assert again.repeated
    assert (again.punch, again.person, again.local_time) == (first.punch, first.person, first.local_time)
    assert again.decision.kind is DecisionKind.MATCH
    assert len(site.punches()) == 1


def test_a_request_sent_again_after_the_person_was_erased_names_nobody(site):
    ada = site.enrol(ADA)
    site.check_in(ADA, idempotency_key="k")
    site.backend.people.erase(ada.person_id, typed_employee_id="E1", keep_punches=True, actor="admin")
    again = site.check_in(ADA, idempotency_key="k")
    assert again.decision.kind is DecisionKind.UNKNOWN
    assert again.person is None
    assert len(site.punches()) == 1


@pytest.mark.parametrize(
    ("frame", "kind", "issue"),
    [
        (photo(STRANGER), DecisionKind.UNKNOWN, None),
        (photo(), DecisionKind.NO_FACE, None),
        (photo(ADA, blurred=True), DecisionKind.POOR_QUALITY, QualityIssue.BLURRED),
    ],
    ids=["stranger", "empty", "blurred"],
)
def test_a_frame_that_recognises_nobody_records_nothing(site, frame, kind, issue):
    site.enrol(ADA)
    answer = site.backend.check_in(frame, kiosk="door")
    assert (answer.decision.kind, answer.decision.issue) == (kind, issue)
    assert (answer.person, answer.punch, answer.local_time) == (None, None, None)
    assert site.punches() == []


def test_with_nobody_enrolled_everybody_is_unknown(site):
    assert site.check_in(ADA).decision.kind is DecisionKind.UNKNOWN


def test_bytes_that_are_no_picture_are_an_error(site):
    with pytest.raises(ImageRejected):
        site.backend.check_in(b"not a picture", kiosk="door")


def test_the_nearest_person_of_a_frame_is_served(site):
    site.enrol(ADA)
    alan = site.enrol(ALAN)
    assert site.backend.check_in(photo(ALAN, ADA), kiosk="door").person == alan


def test_of_two_look_alikes_nobody_is_recorded(site):
    ada = site.enrol(ADA)
    [template] = site.store.templates_of(ada.person_id)
    twin = Person("E2", "Twin", site.clock.now())
    close = look_alike(template.embedding, 1 - FAKE_PACK.margin / 2)
    site.store.add_person(twin, [stored_template(twin, close)])
    answer = site.restarted().check_in(ADA)
    assert answer.decision.kind is DecisionKind.AMBIGUOUS
    assert answer.decision.best.person_id == ada.person_id
    assert answer.decision.second.person_id == twin.person_id
    assert answer.person is None
    assert site.punches() == []


def test_a_threshold_of_the_site_overrides_the_packs(open_site):
    site = open_site(threshold=1.0)
    ada = Person("E1", "Ada", site.clock.now())
    [template] = site.store.templates_of(site.enrol(ALAN).person_id)
    site.store.add_person(ada, [stored_template(ada, look_alike(template.embedding, 0.9))])
    site.backend.people.remove_template(template.template_id, actor="admin")
    site = site.restarted()
    assert site.check_in(ALAN).decision.kind is DecisionKind.UNKNOWN
    laxer = open_site(store=site.store, threshold=0.85)
    assert laxer.check_in(ALAN).person == ada


def test_a_deactivated_person_is_unknown_and_back_when_activated(site):
    ada = site.enrol(ADA)
    site.backend.people.set_active(ada.person_id, False, actor="admin")
    assert site.check_in(ADA).decision.kind is DecisionKind.UNKNOWN
    assert site.punches() == []
    site.backend.people.set_active(ada.person_id, True, actor="admin")
    assert site.check_in(ADA).decision.kind is DecisionKind.MATCH


def test_an_erased_person_is_unknown(site):
    ada = site.enrol(ADA)
    site.backend.people.erase(ada.person_id, typed_employee_id="E1", keep_punches=False, actor="admin")
    assert site.check_in(ADA).decision.kind is DecisionKind.UNKNOWN


def test_a_person_deactivated_by_another_process_is_unknown_and_forgotten(site):
    ada = site.enrol(ADA)
    site.store.update_person(replace(ada, active=False))
    assert site.check_in(ADA).decision.kind is DecisionKind.UNKNOWN
    assert site.punches() == []
    assert site.backend.overview().templates == 0


def test_a_person_erased_by_another_process_is_unknown_and_forgotten(site):
    ada = site.enrol(ADA)
    site.store.erase_person(ada.person_id, keep_punches=False)
    assert site.check_in(ADA).decision.kind is DecisionKind.UNKNOWN
    assert site.punches() == []
    assert site.backend.overview().templates == 0


def race(count: int, work) -> list:
    """What `work(number)` gave in each of `count` threads that started together."""
    barrier = threading.Barrier(count)

    def start(number: int):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


class RacingStore(MemoryStore):
    """Lets everybody look for the last punch before anybody writes one: the worst case, each time."""

    def __init__(self, racers: int) -> None:
        super().__init__()
        self.together = threading.Barrier(racers)

    def last_punch(self, person_id):
        found = super().last_punch(person_id)
        if found is None:
            self.together.wait(timeout=10)
        return found


def test_of_sixteen_kiosks_that_see_a_person_at_once_one_records(open_site):
    site = open_site(store=RacingStore(16))
    ada = site.enrol(ADA)
    answers = race(
        16, lambda number: site.check_in(ADA, kiosk=f"door {number}", idempotency_key=f"k{number}")
    )
    [punch] = site.punches(ada)
    assert {answer.punch for answer in answers} == {punch}
    assert sorted(answer.repeated for answer in answers) == [False] + [True] * 15


def test_one_request_sent_sixteen_times_at_once_is_recorded_once(open_site):
    site = open_site(cooldown_s=0)
    ada = site.enrol(ADA)
    answers = race(16, lambda number: site.check_in(ADA, idempotency_key="k"))
    [punch] = site.punches(ada)
    assert {answer.punch for answer in answers} == {punch}


def punches_of(site):
    """The site's log of punches."""
    return site.backend._records.check_ins._punches


class FailingStore(MemoryStore):
    """Stops answering when `away` names the method."""

    away = ""

    def __getattribute__(self, name):
        if name == object.__getattribute__(self, "away"):
            raise StoreUnavailable("The database does not answer.")
        return super().__getattribute__(name)


@pytest.mark.parametrize("away", ["find_punch", "people_of_many", "last_punch", "add_punch"])
def test_without_a_database_the_journal_takes_the_punch_and_a_repetition_finds_it(open_site, away):
    store = FailingStore()
    site = open_site(store=store)
    ada = site.enrol(ADA)
    store.away = away
    answer = site.check_in(ADA, idempotency_key="k")
    assert (answer.person, answer.repeated, answer.delivered) == (ada, False, False)
    assert site.punches() == []
    again = site.check_in(ADA, idempotency_key="k")
    assert (again.punch, again.repeated, again.delivered) == (answer.punch, True, False)
    store.away = ""
    assert punches_of(site).deliver()
    assert site.punches() == [answer.punch]
    late = site.check_in(ADA, idempotency_key="k")
    assert (late.punch, late.repeated, late.delivered) == (answer.punch, True, True)


def test_without_database_and_journal_nothing_is_acknowledged_and_a_repetition_records(open_site):
    store = FailingStore()
    site = open_site(store=store)
    site.enrol(ADA)
    store.away = "add_punch"
    (site.settings.data_dir / "journal-of-trials").write_text("a file in the way of the journal")
    with pytest.raises(StoreUnavailable, match="journal"):
        site.check_in(ADA, idempotency_key="k")
    store.away = ""
    assert punches_of(site).deliver()
    assert site.punches() == []
    assert not site.check_in(ADA, idempotency_key="k").repeated
    assert len(site.punches()) == 1


def test_a_kiosks_clock_set_back_a_little_repeats_the_punch(site):
    site.enrol(ADA)
    first = site.check_in(ADA).punch
    site.clock.move(seconds=-30)
    assert site.check_in(ADA).punch == first


def test_a_punch_without_a_face_is_recorded_for_a_known_person(site):
    ada = site.enrol(ADA)
    check_ins = site.backend._records.check_ins
    punch = check_ins.record(ada.person_id, kiosk="desk", source="manual", idempotency_key="k")
    assert (punch.source, punch.receipt, punch.direction) == ("manual", None, Direction.IN)
    assert check_ins.record(ada.person_id, kiosk="desk", source="manual", idempotency_key="other") == punch
    with pytest.raises(PersonNotFound):
        check_ins.record("nobody", kiosk="desk", source="manual", idempotency_key="k2")


def test_a_manual_punch_sent_again_late_is_recorded_once(site):
    ada = site.enrol(ADA)
    check_ins = site.backend._records.check_ins
    first = check_ins.record(ada.person_id, kiosk="desk", source="manual", idempotency_key="k")
    site.clock.move(hours=2)
    assert check_ins.record(ada.person_id, kiosk="desk", source="manual", idempotency_key="k") == first
    assert len(site.punches()) == 1


def test_similar_people_are_listed_nearest_first(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    [template] = site.store.templates_of(alan.person_id)
    found = site.backend._records.check_ins.find_similar(template.embedding[None])[0]
    assert [c.person_id for c in found] == [alan.person_id, ada.person_id]
    assert found[0].similarity == pytest.approx(1.0, abs=1e-5)


def test_the_day_turns_at_the_sites_midnight(site):
    site.enrol(ADA)
    directions = []
    for hour in (7, 16, 23):  # 08:00, 17:00, and midnight of the next day where the site is
        site.clock.at = datetime(2026, 3, 2, hour, 5, tzinfo=UTC)
        directions.append(site.check_in(ADA).punch.direction)
    assert directions == [Direction.IN, Direction.OUT, Direction.IN]


def test_who_comes_in_the_evening_goes_out_in_the_morning(site):
    site.enrol(ADA)
    directions = []
    for at in (datetime(2026, 3, 2, 21, tzinfo=UTC), datetime(2026, 3, 3, 5, tzinfo=UTC)):
        site.clock.at = at
        directions.append(site.check_in(ADA).punch.direction)
    assert directions == [Direction.IN, Direction.OUT]
