"""Merging two records of one person: who is meant everywhere, and everything back as it was when undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ray_backend.domain.errors import Conflict, FaceBelongsToAnother, PersonNotFound
from ray_backend.domain.model import DecisionKind, Person
from ray_backend.domain.queries import PeopleQuery, PunchQuery
from ray_backend.domain.requests import PersonDraft, SheetQuery
from ray_backend.services.timesheet_table import COLUMNS
from ray_backend.storage.memory import MemoryStore
from tests.fakes import FAKE_PACK, photo
from tests.unit.services.conftest import Site, look_alike, photos, stored_template

ADA, ALAN, GRACE = 1, 2, 3
PIN = "271828"


def merge(site: Site, source: Person, target: Person) -> Person:
    return site.backend.merges.merge(source.person_id, target.person_id, actor="admin")


def undo(site: Site, source: Person) -> Person:
    return site.backend.merges.undo(source.person_id, actor="admin")


def preview(site: Site, source: Person, target: Person):
    return site.backend.merges.preview(source.person_id, target.person_id)


PUNCHES = COLUMNS.index("punches")


def report_rows(site: Site, **query) -> list[tuple]:
    day = site.backend.reports.today()
    report = site.backend.timesheets.sheet(SheetQuery(day - timedelta(days=9), day, **query))
    return [tuple(row) for row in report.days.astype(object).fillna("").itertuples(index=False)]


def known_as(site: Site, who: int) -> list[str]:
    """The people that a face of person number `who` is taken for by the gallery."""
    (row,) = site.backend._check_ins.find_similar(engine_embedding(site, who)[None], 3)
    return [one.person_id for one in row if one.similarity >= FAKE_PACK.threshold]


def engine_embedding(site: Site, who: int) -> np.ndarray:
    (analysed,) = site.backend.analyse(photos(photo(who)))
    return analysed.analysis.faces[0].embedding


def test_a_merged_face_is_the_target_at_once_and_after_a_restart(site):
    ada, twice = site.enrol(ADA), site.enrol(ALAN)
    assert merge(site, twice, ada) == ada
    for process in (site, site.restarted()):
        answer = process.check_in(ALAN)
        assert answer.decision.kind is DecisionKind.MATCH
        assert answer.decision.best.person_id == ada.person_id
        assert answer.person == ada
        assert answer.punch.person_id == ada.person_id
        assert known_as(process, ALAN) == [ada.person_id]
        assert process.backend.overview().templates == 2
    assert site.backend.overview().people == 1


def test_both_faces_and_the_code_share_one_visit_and_one_direction(site):
    ada, twice = site.enrol(ADA), site.enrol(ALAN)
    site.backend.people.set_code(twice.person_id, PIN, actor="admin")
    before = site.check_in(ALAN).punch
    merge(site, twice, ada)
    assert site.check_in(ADA).punch == before
    assert site.check_in(ALAN).punch == before
    by_code = site.backend._check_ins.punch_by_code(PIN, kiosk="gate", idempotency_key="code")
    assert (by_code.person, by_code.punch, by_code.repeated) == (ada, before, True)
    site.clock.move(hours=8)
    out = site.check_in(ADA)
    assert (out.punch.direction.value, out.person) == ("out", ada)
    assert len(site.punches()) == 2


def test_who_was_merged_is_present_in_a_group_photo_once(site):
    ada, twice = site.enrol(ADA), site.enrol(ALAN)
    merge(site, twice, ada)
    record = site.backend.record_present
    [answer] = record([twice.person_id, ada.person_id], picture_sha256="a" * 64, actor="admin")
    assert (answer.person, answer.repeated) == (ada, False)
    site.clock.move(hours=1)
    [again] = record([twice.person_id], picture_sha256="b" * 64, actor="admin")
    assert (again.punch, again.repeated) == (answer.punch, True)


def test_punches_of_before_count_for_the_target_in_a_group_photo(site):
    ada, twice = site.enrol(ADA), site.enrol(ALAN)
    early = site.check_in(ALAN).punch
    merge(site, twice, ada)
    site.clock.move(hours=1)
    record = site.backend.record_present
    [answer] = record([ada.person_id], picture_sha256="a" * 64, actor="admin")
    assert (answer.punch, answer.repeated) == (early, True)


def test_a_frame_that_is_sent_again_after_the_merge_gives_its_punch(site):
    ada, twice = site.enrol(ADA), site.enrol(ALAN)
    first = site.check_in(ALAN, idempotency_key="frame")
    merge(site, twice, ada)
    again = site.check_in(ALAN, idempotency_key="frame")
    assert (again.punch, again.person) == (first.punch, ada)


def test_a_kiosk_that_decided_for_the_source_records_the_target(site):
    ada, twice = site.enrol(ADA), site.enrol(ALAN)
    receipt = site.check_in(ALAN).punch.receipt
    site.clock.move(hours=2)
    merge(site, twice, ada)
    answer = site.backend._check_ins.punch_recognised(
        twice.person_id, kiosk="door", idempotency_key="vote", receipt=receipt
    )
    assert (answer.person, answer.punch.person_id) == (ada, ada.person_id)
    assert answer.decision.best.person_id == ada.person_id


def test_reports_show_all_punches_under_the_target(site):
    ada = site.enrol(ADA, name="Ada", department="Engines")
    twice = site.enrol(ALAN, name="Ada King", department="Poetry")
    site.check_in(ALAN)
    site.clock.move(hours=8)
    site.check_in(ADA)
    merge(site, twice, ada)
    for rows in (report_rows(site), report_rows(site, department="Engines"), report_rows(site, text="e1")):
        [row] = rows
        day = dict(zip(COLUMNS, row, strict=True))
        assert (day["employee_id"], day["name"], day["department"]) == ("E1", "Ada", "Engines")
        assert (day["worked"], day["punches"]) == (480, 2)
    assert report_rows(site, department="Poetry") == []
    for asked in (ada, twice):
        listed = site.backend.reports.recent_punches(PunchQuery(people=(asked.person_id,)))
        assert [person for _, person in listed] == [ada, ada]


def test_lists_show_the_target_alone_with_everything_of_both(site):
    ada, twice, grace = (
        site.enrol(ADA),
        site.enrol(ALAN, photo(ALAN), photo(ALAN, variant=1)),
        site.enrol(GRACE),
    )
    site.check_in(ALAN)
    seen = site.clock.now()
    merge(site, twice, ada)
    people = site.backend.people
    assert people.find(PeopleQuery()).items == (ada, grace)
    page = people.find_rows(PeopleQuery())
    assert [(row.person, row.templates, row.last_seen) for row in page.items] == [
        (ada, 3, seen),
        (grace, 1, None),
    ]
    assert page.total == 2
    details = people.details(ada.person_id)
    assert [template.person_id for template in details.templates].count(twice.person_id) == 2
    assert [one.person_id for one in details.merged] == [twice.person_id]
    assert people.details(twice.person_id) == details
    assert people.by_employee_id("E2") == ada
    assert site.backend.merges.merged(ada.person_id) == details.merged


def test_the_picture_of_a_row_is_the_best_one(site):
    ada, twice, nobody = site.enrol(ADA), site.enrol(ALAN), site.enrol(GRACE)
    row = engine_embedding(site, ADA)
    for template in list(site.store.templates()):
        site.backend.people.remove_template(template.template_id, actor="admin")
    for owner, quality, picture in ((ada, 0.8, b"good"), (twice, 0.9, b"best"), (twice, 1.0, b"")):
        site.store.add_templates([stored_template(owner, row, quality=quality, thumbnail=picture)])
    merge(site, twice, ada)
    first, last = site.backend.people.find_rows(PeopleQuery()).items
    assert (first.person, first.thumbnail, first.templates) == (ada, b"best", 3)
    assert (last.person, last.thumbnail, last.templates, last.last_seen) == (nobody, b"", 0, None)


def test_rows_cost_a_handful_of_questions_whoever_is_merged(open_site):
    class Counting(MemoryStore):
        asked = 0

        def __getattribute__(self, name: str):
            if name in ("list_people", "merged_people", "templates_of_many", "last_seen"):
                Counting.asked += 1
            return super().__getattribute__(name)

    site = open_site(Counting())
    people = [site.enrol(who) for who in range(1, 13)]
    for source in people[8:]:
        merge(site, source, people[0])
    Counting.asked = 0
    assert len(site.backend.people.find_rows(PeopleQuery()).items) == 8
    assert Counting.asked <= 5


def test_photos_under_the_old_employee_id_go_to_the_target(site):
    ada, twice = site.enrol(ADA), site.enrol(ALAN)
    merge(site, twice, ada)
    found = site.backend.people.by_employee_id("E2")
    site.backend.add_photos(found.person_id, photos(photo(ALAN, variant=1)), source="import", actor="admin")
    enrolment = site.backend.add_photos(
        twice.person_id, photos(photo(ADA, variant=2)), source="upload", actor="admin"
    )
    assert enrolment.person == ada
    assert len(site.store.templates_of(ada.person_id)) == 3
    [review] = site.backend.review(photos(photo(ALAN)), twice.person_id)
    assert review.reason.value == "already_stored"
    with pytest.raises(FaceBelongsToAnother, match="E1"):
        site.try_enrol(PersonDraft("E9", "Another", consent=True), photo(ALAN, variant=3))


def test_merged_records_are_changed_and_erased_with_their_person_only(site):
    ada, twice = site.enrol(ADA), site.enrol(ALAN)
    merge(site, twice, ada)
    people = site.backend.people
    for change in (
        lambda: people.update(twice.person_id, PersonDraft("E2", "New"), actor="admin"),
        lambda: people.set_active(twice.person_id, False, actor="admin"),
        lambda: people.set_code(twice.person_id, PIN, actor="admin"),
        lambda: people.erase(twice.person_id, typed_employee_id="E2", keep_punches=True, actor="admin"),
    ):
        with pytest.raises(Conflict, match="merged into another person"):
            change()
    people.erase(ada.person_id, typed_employee_id="E1", keep_punches=True, actor="admin")
    assert list(site.store.templates()) == []
    assert site.store.list_people(PeopleQuery(merged_into=None)).total == 0
    assert site.check_in(ALAN).decision.kind is DecisionKind.UNKNOWN


def test_nobody_is_recognised_as_a_deactivated_target(site):
    ada, twice = site.enrol(ADA), site.enrol(ALAN)
    people = site.backend.people
    people.set_active(ada.person_id, False, actor="admin")
    merge(site, twice, ada)
    assert site.check_in(ALAN).decision.kind is DecisionKind.UNKNOWN
    assert site.restarted().backend.overview().templates == 0
    people.set_active(ada.person_id, True, actor="admin")
    assert site.check_in(ALAN).person.person_id == ada.person_id
    people.set_active(ada.person_id, False, actor="admin")
    assert site.backend.overview().templates == 0
    undo(site, twice)
    assert site.check_in(ALAN).person == twice


def test_a_deactivated_source_answers_while_it_is_merged(site):
    ada, twice = site.enrol(ADA), site.enrol(ALAN)
    site.backend.people.set_active(twice.person_id, False, actor="admin")
    merge(site, twice, ada)
    assert site.check_in(ALAN).person == ada
    undo(site, twice)
    assert site.check_in(ALAN).decision.kind is DecisionKind.UNKNOWN
    assert not site.store.get_person(twice.person_id).active


def test_a_merge_of_a_merge_reaches_the_last(site):
    ada, alan, grace = site.enrol(ADA), site.enrol(ALAN), site.enrol(GRACE)
    merge(site, ada, alan)
    merge(site, alan, grace)
    assert site.check_in(ADA).person == grace
    assert site.backend.people.by_employee_id("E1") == grace
    assert [one.employee_id for one in site.backend.merges.merged(grace.person_id)] == ["E1", "E2"]
    assert len(site.backend.people.details(ada.person_id).templates) == 3
    assert known_as(site.restarted(), ADA) == [grace.person_id]
    undo(site, alan)
    assert known_as(site, ADA) == [alan.person_id]
    assert known_as(site, GRACE) == [grace.person_id]


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (lambda ada, alan, grace: (ada, ada), "itself"),
        (lambda ada, alan, grace: (grace, ada), "merged into another person already"),
        (lambda ada, alan, grace: (ada, grace), "Choose that person"),
        (lambda ada, alan, grace: (alan, grace), "Choose that person"),
    ],
    ids=["itself", "merged already", "into a merged one", "a circle"],
)
def test_what_cannot_be_merged_is_refused_in_the_same_words_before_and_then(site, pair, words: str):
    ada, alan, grace = site.enrol(ADA), site.enrol(ALAN), site.enrol(GRACE)
    merge(site, grace, alan)
    before = site.store.list_people(PeopleQuery(merged_into=None)).items
    source, target = pair(ada, alan, grace)
    assert words in preview(site, source, target).refused
    with pytest.raises(Conflict, match=words):
        merge(site, source, target)
    assert site.store.list_people(PeopleQuery(merged_into=None)).items == before


def test_who_is_not_there_is_not_merged(site):
    ada = site.enrol(ADA)
    merges = site.backend.merges
    for call in (
        lambda: merges.preview("nobody", ada.person_id),
        lambda: merges.merge(ada.person_id, "nobody", actor="admin"),
        lambda: merges.merge("nobody", ada.person_id, actor="admin"),
        lambda: merges.undo("nobody", actor="admin"),
    ):
        with pytest.raises(PersonNotFound):
            call()
    with pytest.raises(Conflict, match="nothing to undo"):
        undo(site, ada)
    assert merges.merged(ada.person_id) == ()


def test_a_merge_into_somebody_who_is_merged_at_the_same_moment_is_taken_back(open_site):
    class Racing(MemoryStore):
        meanwhile: Callable[[], None] | None = None

        def update_person(self, person: Person) -> None:
            super().update_person(person)
            if self.meanwhile is not None:
                then, self.meanwhile = self.meanwhile, None
                then()

    site = open_site(Racing())
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    site.store.meanwhile = lambda: site.store.update_person(replace(alan, merged_into=ada.person_id))
    with pytest.raises(Conflict, match="a moment ago"):
        merge(site, ada, alan)
    assert site.store.get_person(ada.person_id).merged_into == ""
    site.store.update_person(alan)
    site.store.meanwhile = lambda: site.store.erase_person(alan.person_id, keep_punches=True)
    with pytest.raises(Conflict, match="erased or merged"):
        merge(site, ada, alan)
    assert known_as(site, ADA) == [ada.person_id]


def test_a_circle_that_two_processes_made_ends_somewhere(site):
    ada, alan = site.enrol(ADA), site.enrol(ALAN)
    site.store.update_person(replace(ada, merged_into=alan.person_id))
    site.store.update_person(replace(alan, merged_into=ada.person_id))
    again = site.restarted()
    assert again.check_in(ADA).decision.kind in set(DecisionKind)
    again.backend.people.details(ada.person_id)
    report_rows(again)


def test_the_preview_counts_what_would_move(site):
    ada, twice = site.enrol(ADA), site.enrol(ALAN, photo(ALAN), photo(ALAN, variant=1))
    deeper = site.enrol(GRACE)
    merge(site, deeper, twice)
    first = site.check_in(ALAN).punch.at
    site.clock.move(days=1)
    last = site.check_in(GRACE).punch.at
    before = site.audit()
    seen = preview(site, twice, ada)
    assert (seen.source.person_id, seen.target) == (twice.person_id, ada)
    assert (seen.templates, seen.punches, seen.first_punch, seen.last_punch) == (3, 2, first, last)
    assert seen.refused == ""
    assert site.audit() == before
    assert preview(site, ada, twice).first_punch is None


@pytest.mark.parametrize(("similarity", "different"), [(0.8, False), (0.3, True)])
def test_the_preview_says_how_alike_the_faces_are(site, similarity: float, different: bool):
    ada, twice = site.enrol(ADA), site.enrol(ALAN)
    row = look_alike(engine_embedding(site, ADA), similarity)
    site.store.add_templates([stored_template(twice, row)])
    seen = preview(site, twice, ada)
    assert seen.similarity == pytest.approx(similarity, abs=1e-5)
    assert seen.looks_different is different


def test_without_faces_nothing_is_said_about_likeness(site):
    ada, twice = site.enrol(ADA), site.enrol(ALAN)
    for template in site.store.templates_of(twice.person_id):
        site.backend.people.remove_template(template.template_id, actor="admin")
    seen = preview(site, twice, ada)
    assert (seen.similarity, seen.looks_different) == (None, False)
    merge(site, twice, ada)
    assert known_as(site, ADA) == [ada.person_id]


def test_the_two_are_no_look_alikes_of_each_other_and_others_are_the_targets(site):
    ada, grace = site.enrol(ADA), site.enrol(GRACE)
    twice = Person("E8", "Ada King", site.clock.now())
    site.store.add_person(twice)
    near = look_alike(engine_embedding(site, ADA), FAKE_PACK.threshold - 0.02)
    site.backend._enrolments.add_template(stored_template(twice, near))
    site.backend._enrolments.add_template(
        stored_template(grace, look_alike(near, FAKE_PACK.threshold - 0.02, seed=4))
    )
    alike = site.backend._check_ins.look_alikes
    before = alike()
    assert before[twice.person_id] == {ada.person_id, grace.person_id}
    merge(site, twice, ada)
    assert alike() == {ada.person_id: {grace.person_id}, grace.person_id: {ada.person_id}}
    undo(site, twice)
    assert alike() == before


def test_the_audit_log_names_ids_and_nobody(site):
    ada, twice = site.enrol(ADA), site.enrol(ALAN)
    site.clock.move(minutes=1)
    merge(site, twice, ada)
    site.clock.move(minutes=1)
    undo(site, twice)
    merged, undone = site.audit()[-2:]
    assert (merged.actor, merged.action, merged.subject, merged.detail) == (
        "admin", "person.merged", twice.person_id, {"into": ada.person_id},
    )  # fmt: skip
    assert (undone.action, undone.subject, undone.detail) == (
        "person.merge_undone", twice.person_id, {"was": ada.person_id},
    )  # fmt: skip


def test_names_are_known_while_the_database_is_away(open_site):
    store = MemoryStore()
    site = open_site(store)
    ada, twice = site.enrol(ADA), site.enrol(ALAN)
    before = site.check_in(ALAN).punch
    merge(site, twice, ada)
    store.close()
    answer = site.check_in(ALAN, idempotency_key="while it is away")
    assert (answer.person, answer.punch) == (ada, before)
    site.clock.move(hours=8)
    out = site.check_in(ADA, idempotency_key="later")
    assert (out.punch.direction.value, out.delivered) == ("out", False)


def snapshot(site: Site) -> dict:
    """Everything that people see, and what the gallery answers for every face and code."""
    people = site.backend.people
    everybody = site.store.list_people(PeopleQuery(merged_into=None)).items
    punches = site.backend.reports.recent_punches(PunchQuery())
    return {
        "report": report_rows(site),
        "departments": people.departments(),
        "rows": people.find_rows(PeopleQuery()),
        "found": [people.find(PeopleQuery(text=text)).items for text in ("e1", "person")],
        "punches": [(punch.punch_id, person) for punch, person in punches],
        "of each": [
            [punch for punch, _ in site.backend.reports.recent_punches(PunchQuery(people=(one.person_id,)))]
            for one in everybody
        ],
        "details": [people.details(one.person_id) for one in everybody],
        "ids": [people.by_employee_id(one.employee_id) for one in everybody],
        "faces": [known_as(site, who) for who in range(1, 6)],
        "look alikes": site.backend._check_ins.look_alikes(),
        "counts": site.counts(),
        "stored": (everybody, sorted(t.template_id for t in site.store.templates()), site.punches()),
    }


PEOPLE = st.integers(1, 5)


@hypothesis_settings(max_examples=15, deadline=None)
@given(
    inactive=st.sets(PEOPLE, max_size=2),
    punched=st.lists(st.tuples(PEOPLE, st.integers(1, 2000)), max_size=6),
    merged=st.lists(st.tuples(PEOPLE, PEOPLE), min_size=1, max_size=6),
    order=st.randoms(use_true_random=False),
)
def test_merging_and_undoing_in_any_order_gives_back_what_was_there(inactive, punched, merged, order):
    with TemporaryDirectory() as folder:
        site = property_site(folder)
        people = {who: site.enrol(who, department=f"D{who % 2}") for who in range(1, 6)}
        for who, minutes in punched:
            site.clock.move(minutes=minutes)
            site.check_in(who)
        for who in inactive:
            site.backend.people.set_active(people[who].person_id, False, actor="admin")
        before = snapshot(site)
        done = []
        for source, target in merged:
            if not preview(site, people[source], people[target]).refused:
                merge(site, people[source], people[target])
                done.append(source)
        assert site.backend.people.find(PeopleQuery()).total == 5 - len(done)
        assert sum(row[PUNCHES] for row in report_rows(site)) == sum(row[PUNCHES] for row in before["report"])
        again = site.restarted()
        assert [known_as(again, who) for who in people] == [known_as(site, who) for who in people]
        order.shuffle(done)
        for source in done:
            undo(site, people[source])
        assert snapshot(site) == before
        site.backend.close()  # and the store, which both processes share


def property_site(folder: str) -> Site:
    from ray_backend.client import local_backend
    from ray_backend.settings import Settings
    from tests.fakes import FakeEngine, SetClock

    settings = Settings(store="memory", time_zone="Europe/Berlin", data_dir=folder, cooldown_s=60)
    store, clock, engine = MemoryStore(), SetClock(), FakeEngine()
    backend = local_backend(settings, store=store, engine=engine, clock=clock)
    return Site(backend, store, clock, settings, engine)
