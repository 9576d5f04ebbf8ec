"""What every store has to do, whichever database is behind it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ray_backend.domain.answers import Erasure
from ray_backend.domain.errors import (
    DuplicateEmployeeId,
    DuplicatePunch,
    InvalidInput,
    PersonNotFound,
    StoreUnavailable,
    TemplateNotFound,
)
from ray_backend.domain.model import DecisionKind, Liveness, Receipt
from ray_backend.domain.queries import AuditQuery, DecisionQuery, PeopleQuery, PunchQuery
from ray_backend.ports import Store
from ray_backend.settings import Settings
from ray_backend.storage import open_store, open_store_url
from ray_backend.storage.paging import encode_cursor
from tests.store_samples import MORNING, audit_entry, decision, person, punch, template

TOKYO = ZoneInfo("Asia/Tokyo")
THREADS = 8


def race(action: Callable[[int], object], times: int = THREADS) -> list[object]:
    """What each of several simultaneous calls returned or raised."""

    def attempt(number: int) -> object:
        try:
            return action(number)
        except (DuplicatePunch, DuplicateEmployeeId) as error:
            return type(error)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(attempt, range(times)))


# People


def test_a_person_comes_back_as_stored(store: Store):
    full, plain = person("E-1"), person("E-2", department="", email="", consent_at=None, active=False)
    store.add_person(full)
    store.add_person(plain)
    assert store.get_person(full.person_id) == full
    assert store.find_person("E-2") == plain
    assert store.find_person("E-3") is None


def test_an_unknown_person_is_not_found(store: Store):
    for call in (
        lambda: store.get_person("nobody"),
        lambda: store.update_person(person()),
        lambda: store.erase_person("nobody", keep_punches=True),
        lambda: store.add_templates([template(person())]),
    ):
        with pytest.raises(PersonNotFound):
            call()


def test_an_employee_id_belongs_to_one_person(store: Store):
    store.add_person(person("E-1"))
    other = person("E-2")
    store.add_person(other)
    with pytest.raises(DuplicateEmployeeId):
        store.add_person(person("E-1"))
    with pytest.raises(DuplicateEmployeeId):
        store.update_person(replace(other, employee_id="E-1"))
    assert store.get_person(other.person_id) == other


def test_a_refused_person_leaves_no_templates(store: Store):
    first, second = person("E-1"), person("E-1")
    store.add_person(first, [template(first)])
    with pytest.raises(DuplicateEmployeeId):
        store.add_person(second, [template(second)])
    with pytest.raises(DuplicateEmployeeId):
        store.add_person(first, [template(first)])
    assert store.templates_of(second.person_id) == []
    assert len(list(store.templates())) == 1


def test_one_of_many_simultaneous_people_gets_the_employee_id(store: Store):
    people = [person("E-1") for _ in range(THREADS)]
    results = race(lambda number: store.add_person(people[number], [template(people[number])]))
    assert sorted(map(str, results)).count("None") == 1
    assert [t.person_id for t in store.templates()] == [store.find_person("E-1").person_id]


def test_an_update_replaces_every_field(store: Store):
    before = person("E-1")
    store.add_person(before)
    after = replace(
        before, employee_id="E-9", name="Ann", department="", email="", active=False, consent_at=None
    )
    store.update_person(after)
    assert store.get_person(before.person_id) == after
    assert store.find_person("E-1") is None
    assert store.list_people(PeopleQuery(text="zoë")).total == 0


def test_people_are_ordered_by_code_point(store: Store):
    ids = ["B", "a", "Z9", "ä", "É", "10", "9", "\uffee", "\U0001f600", "a b", "a-b"]
    for employee_id in ids:
        store.add_person(person(employee_id))
    assert [p.employee_id for p in store.list_people(PeopleQuery()).items] == sorted(ids)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ÄNNE", ["E-1"]),
        ("a\u0308nne", ["E-1"]),
        ("strasse", ["E-2"]),
        ("e-", ["E-1", "E-2"]),
        ("  müller   anna ", ["x.1"]),
        (".", ["x.1"]),
        ("(", ["E-2"]),
        ("1 änne", []),
        ("^", []),
        (" ", ["E-1", "E-2", "x.1"]),
    ],
)
def test_search_ignores_case_and_takes_the_text_literally(store: Store, text: str, expected: list[str]):
    store.add_person(person("E-1", name="Änne"))
    store.add_person(person("E-2", name="Straße (Lager)"))
    store.add_person(person("x.1", name="Müller Anna"))
    page = store.list_people(PeopleQuery(text=text))
    assert [p.employee_id for p in page.items] == expected
    assert page.total == len(expected)


def test_people_are_filtered_by_department_and_activity(store: Store):
    store.add_person(person("E-1", department="A"))
    store.add_person(person("E-2", department="A", active=False))
    store.add_person(person("E-3", department="b"))
    store.add_person(person("E-4", department=""))
    assert store.departments() == ["A", "b"]
    assert store.list_people(PeopleQuery(department="A")).total == 2
    assert [p.employee_id for p in store.list_people(PeopleQuery(department="")).items] == ["E-4"]
    assert [p.employee_id for p in store.list_people(PeopleQuery(department="A", active=True)).items] == [
        "E-1"
    ]
    assert [p.employee_id for p in store.list_people(PeopleQuery(text="e-", active=False)).items] == ["E-2"]


def test_pages_of_people_stay_right_while_people_come_and_go(store: Store):
    everybody = [person(f"E-{number:02}") for number in range(10, 20)]
    for one in everybody:
        store.add_person(one)
    first = store.list_people(PeopleQuery(limit=4))
    assert (first.total, len(first.items)) == (10, 4)
    store.add_person(person("E-00"))
    store.erase_person(first.items[-1].person_id, keep_punches=True)
    store.add_person(person("E-13x"))
    second = store.list_people(PeopleQuery(limit=4, cursor=first.next_cursor))
    third = store.list_people(PeopleQuery(limit=4, cursor=second.next_cursor))
    seen = [p.employee_id for page in (first, second, third) for p in page.items]
    assert seen == sorted([one.employee_id for one in everybody] + ["E-13x"])
    assert third.next_cursor is None
    assert third.total == 11


def test_merged_people_are_listed_apart(store: Store):
    target, other = person("E-1", department="A"), person("E-2", department="B")
    first = person("E-9", department="C", merged_into=target.person_id)
    second = person("E-8", department="C", merged_into=target.person_id)
    deeper = person("E-7", merged_into=first.person_id)
    for one in (target, other, first, second, deeper):
        store.add_person(one)
    assert store.list_people(PeopleQuery()).items == (target, other)
    assert store.list_people(PeopleQuery()).total == 2
    assert store.list_people(PeopleQuery(merged_into=None)).total == 5
    assert store.list_people(PeopleQuery(merged_into=target.person_id)).items == (second, first)
    assert store.list_people(PeopleQuery(text="e-9")).items == ()
    assert store.list_people(PeopleQuery(text="e-9", merged_into=None)).items == (first,)
    assert store.merged_people() == [deeper, second, first]
    assert store.merged_people([target.person_id, other.person_id]) == [second, first]
    assert store.merged_people([first.person_id]) == [deeper]
    for nobody in ([], [""], ["nobody"]):
        assert store.merged_people(nobody) == []
    assert store.departments() == ["A", "B"]
    store.update_person(replace(first, merged_into=""))
    assert store.list_people(PeopleQuery()).items == (target, other, replace(first, merged_into=""))
    assert store.departments() == ["A", "B", "C"]
    assert store.find_person("E-8") == second


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (PeopleQuery(departments=("A", "C")), ["E-1", "E-3"]),
        (PeopleQuery(departments=("A", "C"), department="A"), ["E-1"]),
        (PeopleQuery(departments=("A",), department="B"), []),
        (PeopleQuery(departments=("",)), ["E-4"]),
        (PeopleQuery(departments=()), []),
        (PeopleQuery(departments=("A", "B"), text="e-2"), ["E-2"]),
        (PeopleQuery(departments=("A", "B"), active=False), []),
    ],
)
def test_departments_bound_what_is_found(store: Store, query: PeopleQuery, expected: list[str]):
    for number, department in enumerate(("A", "B", "C", ""), start=1):
        store.add_person(person(f"E-{number}", department=department))
    page = store.list_people(query)
    assert [one.employee_id for one in page.items] == expected
    assert page.total == len(expected)


# Templates


def test_templates_come_back_bit_by_bit(store: Store):
    owner = person()
    odd = np.array([0.1, -0.0, np.nan, np.inf, 1e-45, -3.4028235e38, 1 / 3], np.float32)
    stored = [template(owner), template(owner, embedding=odd, thumbnail=b"", photo_sha256="")]
    store.add_person(owner, stored)
    back = {t.template_id: t for t in store.templates_of(owner.person_id)}
    assert [back[t.template_id] for t in stored] == stored
    assert all(t.embedding.dtype == np.float32 for t in back.values())
    assert {t.template_id for t in store.templates()} == set(back)


def test_an_embedding_of_another_kind_is_refused(store: Store):
    owner = person()
    for wrong in (np.zeros(4), np.zeros((1, 4), np.float32)):
        with pytest.raises(ValueError):
            store.add_person(owner, [template(owner, embedding=wrong)])
    assert store.find_person(owner.employee_id) is None


def test_templates_of_a_person_are_oldest_first(store: Store):
    owner = person()
    young, old = template(owner, created_at=MORNING + timedelta(days=1)), template(owner)
    store.add_person(owner, [young])
    store.add_templates([old])
    assert store.templates_of(owner.person_id) == [old, young]


def test_many_people_are_read_at_once(store: Store):
    one, other = person("E-1"), person("E-2")
    store.add_person(one)
    store.add_person(other)
    found = store.people_of_many([one.person_id, "nobody", other.person_id, one.person_id])
    assert sorted(found, key=lambda found: found.employee_id) == [one, other]
    assert store.people_of_many([]) == []
    assert store.people_of_many(["nobody"]) == []


def test_templates_of_many_people_come_together(store: Store):
    one, two, other = person("E-1"), person("E-2"), person("E-3")
    faces = [template(one), template(two, created_at=MORNING - timedelta(days=1)), template(other)]
    for owner, face in zip((one, two, other), faces, strict=True):
        store.add_person(owner, [face])
    assert store.templates_of_many([one.person_id, "nobody", two.person_id]) == [faces[1], faces[0]]
    assert store.templates_of_many([]) == []
    many = [f"nobody-{number}" for number in range(3000)]
    assert store.templates_of_many([*many, other.person_id]) == [faces[2]]


def test_adding_a_template_again_replaces_it(store: Store):
    owner = person()
    first = template(owner)
    store.add_person(owner, [first])
    better = replace(first, quality=0.99)
    store.add_templates([better])
    assert store.templates_of(owner.person_id) == [better]


def test_templates_are_chosen_by_pack(store: Store):
    here, gone = person("E-1"), person("E-2", active=False)
    store.add_person(here, [template(here), template(here, pack_id="pack-b")])
    store.add_person(gone, [template(gone)])
    assert store.count_templates() == {"pack-a": 2, "pack-b": 1}
    assert len(list(store.templates())) == 3
    assert {t.person_id for t in store.templates("pack-a")} == {here.person_id, gone.person_id}


def test_more_templates_than_one_batch_are_all_returned_once(store: Store):
    owner = person()
    faces = [template(owner, embedding=np.ones(4, np.float32)) for _ in range(1203)]
    store.add_person(owner, faces)
    assert sorted(t.template_id for t in store.templates()) == sorted(t.template_id for t in faces)
    assert store.count_templates() == {"pack-a": 1203}


def test_a_removed_template_is_returned_and_gone(store: Store):
    owner = person()
    face = template(owner)
    store.add_person(owner, [face])
    assert store.remove_template(face.template_id) == face
    assert store.templates_of(owner.person_id) == []
    with pytest.raises(TemplateNotFound):
        store.remove_template(face.template_id)


# Punches


def test_a_punch_comes_back_as_stored(store: Store):
    full, plain = punch(), punch(1, receipt=None)
    store.add_punch(full)
    store.add_punch(plain)
    assert store.find_punch(full.idempotency_key) == full
    assert store.find_punch(plain.idempotency_key) == plain
    assert store.find_punch("unknown") is None


@pytest.mark.parametrize("field", ["idempotency_key", "slot a", "slot b"])
def test_a_taken_key_or_slot_refuses_the_punch(store: Store, field: str):
    first, other = punch(), punch(1)
    store.add_punch(first)
    changes = {
        "idempotency_key": {"idempotency_key": first.idempotency_key},
        "slot a": {"cooldown_slots": (first.cooldown_slots[0], other.cooldown_slots[1])},
        "slot b": {"cooldown_slots": (other.cooldown_slots[0], first.cooldown_slots[1])},
    }
    with pytest.raises(DuplicatePunch):
        store.add_punch(replace(other, **changes[field]))
    assert store.list_punches(PunchQuery()).items == (first,)


def test_the_two_slots_are_counted_apart(store: Store):
    store.add_punch(punch(cooldown_slots=("x", "y")))
    store.add_punch(punch(1, cooldown_slots=("y", "x")))
    assert store.list_punches(PunchQuery()).total == 2


def test_of_simultaneous_punches_with_one_key_exactly_one_is_recorded(store: Store):
    for number in range(5):
        results = race(lambda _, key=f"key-{number}": store.add_punch(punch(idempotency_key=key)), 16)
        assert results.count(None) == 1
        assert results.count(DuplicatePunch) == 15
    assert store.list_punches(PunchQuery()).total == 5


@pytest.mark.parametrize("side", [0, 1])
def test_of_simultaneous_punches_in_one_slot_exactly_one_is_recorded(store: Store, side: int):
    def add(number: int) -> None:
        slots = [f"{number}/a", f"{number}/b"]
        slots[side] = "shared"
        store.add_punch(punch(cooldown_slots=(slots[0], slots[1])))

    results = race(add, 16)
    assert results.count(None) == 1
    assert results.count(DuplicatePunch) == 15


def test_many_punches_at_once_may_be_repeated(store: Store):
    punches = [punch(number) for number in range(20)]
    store.add_punches(punches[:12])
    store.add_punches(punches)
    store.add_punches([])
    assert store.list_punches(PunchQuery()).items == tuple(punches)


def test_many_punches_at_once_do_not_hide_a_conflict(store: Store):
    first = punch()
    store.add_punch(first)
    for clash in (replace(first, kiosk="other"), punch(idempotency_key=first.idempotency_key)):
        with pytest.raises(DuplicatePunch):
            store.add_punches([clash])
    assert store.find_punch(first.idempotency_key) == first


def test_the_last_punch_is_the_latest_by_time(store: Store):
    late, early, other = punch(9), punch(2), punch(30, person_id="p2")
    for one in (late, early, other):
        store.add_punch(one)
    assert store.last_punch("p1") == late
    assert store.last_punch("p3") is None


def test_people_were_last_seen_at_their_latest_punch(store: Store):
    late, early, other = (
        punch(9, at=MORNING + timedelta(microseconds=1)),
        punch(-2),
        punch(30, person_id="p2"),
    )
    for one in (late, early, other):
        store.add_punch(one)
    assert store.last_seen(["p1", "p2", "p3"]) == {"p1": late.at, "p2": other.at}
    assert store.last_seen(["p3"]) == {}
    assert store.last_seen([]) == {}
    assert store.last_seen(["p1"])["p1"].utcoffset() == timedelta(0)


def test_punches_of_several_people_are_read_in_order(store: Store):
    punches = [punch(minute, person_id=f"p{minute % 3}") for minute in range(9)]
    for one in reversed(punches):
        store.add_punch(one)
    query = PunchQuery(people=("p2", "p1", "nobody"), limit=4)
    first = store.list_punches(query)
    second = store.list_punches(replace(query, cursor=first.next_cursor))
    assert [*first.items, *second.items] == [one for one in punches if one.person_id != "p0"]
    assert (first.total, second.next_cursor) == (6, None)
    assert store.list_punches(PunchQuery(people=())).items == ()
    assert store.list_punches(PunchQuery(people=())).total == 0


def test_punches_are_read_by_time_and_person(store: Store):
    punches = [punch(minute, person_id=f"p{minute % 2}") for minute in range(6)]
    for one in reversed(punches):
        store.add_punch(one)
    start, end = punches[1].at, punches[4].at
    assert store.list_punches(PunchQuery()).items == tuple(punches)
    assert store.list_punches(PunchQuery(start=start, end=end)).items == tuple(punches[1:4])
    his = store.list_punches(PunchQuery(start=start, end=end, people=("p1",)))
    assert his.items == (punches[1], punches[3])
    assert his.total == 2
    assert store.list_punches(PunchQuery(start=end, end=start)).items == ()
    microsecond = timedelta(microseconds=1)
    between = PunchQuery(start=start + microsecond, end=punches[2].at + microsecond)
    assert store.list_punches(between).items == (punches[2],)


def test_pages_of_punches_stay_right_while_punches_are_added(store: Store):
    punches = [punch(minute // 3, person_id="p1" if minute % 2 else "p2") for minute in range(12)]
    for one in punches:
        store.add_punch(one)
    first = store.list_punches(PunchQuery(limit=5))
    store.add_punch(punch(-5))
    late = punch(50)
    store.add_punch(late)
    second = store.list_punches(PunchQuery(limit=5, cursor=first.next_cursor))
    third = store.list_punches(PunchQuery(limit=5, cursor=second.next_cursor))
    in_order = sorted(punches, key=lambda one: (one.at, one.punch_id))
    assert (*first.items, *second.items, *third.items) == (*in_order, late)
    assert third.next_cursor is None
    assert (first.total, third.total) == (12, 14)
    query = PunchQuery(people=("p1",), start=punches[0].at, end=punches[11].at, limit=2)
    first = store.list_punches(query)
    second = store.list_punches(replace(query, cursor=first.next_cursor))
    expected = [one for one in in_order if one.person_id == "p1" and one.at < punches[11].at]
    assert [*first.items, *second.items] == expected[:4]


@pytest.mark.parametrize("outcome", Liveness)
def test_a_receipt_tells_what_the_liveness_check_said(store: Store, outcome: Liveness):
    one = punch(receipt=Receipt("pack-a", 0.5, 0.75, liveness=0.25, liveness_outcome=outcome))
    store.add_punch(one)
    back = store.find_punch(one.idempotency_key)
    assert back == one
    assert back.receipt.liveness_outcome is outcome


# Decisions


def test_a_decision_comes_back_as_stored(store: Store):
    full = decision(0)
    bare = decision(1, kind=DecisionKind.NO_FACE, liveness_score=None, similarity=None, punch_id="")
    for record in (bare, full, full):
        store.add_decision(record)
    found = store.list_decisions(DecisionQuery())
    assert found.items == (full, bare)
    assert found.total == 2
    assert type(found.items[0].kind) is DecisionKind
    assert type(found.items[0].liveness) is Liveness


def test_a_decision_that_is_there_stays_as_it_is(store: Store):
    first = decision()
    store.add_decision(first)
    store.add_decision(replace(first, kiosk="another"))
    assert store.list_decisions(DecisionQuery()).items == (first,)


def test_decisions_are_filtered_and_paged_while_they_grow(store: Store):
    records = [decision(minute // 2, kiosk=("door", "gate")[minute % 3 == 0]) for minute in range(12)]
    for record in records:
        store.add_decision(record)
    in_order = sorted(records, key=lambda record: (record.at, record.record_id))
    first = store.list_decisions(DecisionQuery(limit=5))
    late = decision(99)
    store.add_decision(late)
    rest = store.list_decisions(DecisionQuery(limit=50, cursor=first.next_cursor))
    assert [*first.items, *rest.items] == [*in_order, late]
    assert (first.total, rest.total, rest.next_cursor) == (12, 13, None)
    query = DecisionQuery(kiosk="gate", start=records[2].at, end=records[10].at, limit=1)
    expected = [one for one in in_order if one.kiosk == "gate" and query.start <= one.at < query.end]
    page = store.list_decisions(query)
    assert (page.items, page.total) == ((expected[0],), len(expected))
    assert store.list_decisions(replace(query, cursor=page.next_cursor)).items == (expected[1],)


def test_decisions_that_are_alike_are_counted(store: Store):
    alike = [decision(n, kiosk="door", seconds=seconds) for n, seconds in enumerate((0.25, 0.259, 1.5, 0.0))]
    typed = [decision(n, kiosk="door", source="pin", frames=0, seconds=3.0) for n in (4, 5)]
    others = [decision(6, kiosk="gate", kind=DecisionKind.SPOOF, seconds=2.0), decision(7, kiosk="late")]
    for record in (*alike, *typed, *others):
        store.add_decision(record)
    kind, spoof = alike[0].kind.value, DecisionKind.SPOOF.value
    everything = store.count_decisions(DecisionQuery(end=others[1].at))
    assert sorted(everything) == [
        ("door", kind, False, 0, 2),
        ("door", kind, True, 0, 1),
        ("door", kind, True, 25, 2),
        ("door", kind, True, 150, 1),
        ("gate", spoof, True, 200, 1),
    ]
    query = DecisionQuery(start=alike[1].at, kiosk="door", limit=1)
    assert sum(one.number for one in store.count_decisions(query)) == 5
    assert store.count_decisions(DecisionQuery(kiosk="nowhere")) == []


def test_old_decisions_are_removed(store: Store):
    records = [decision(minute) for minute in range(4)]
    for record in records:
        store.add_decision(record)
    assert store.remove_decisions(records[2].at) == 2
    assert store.remove_decisions(records[2].at) == 0
    assert store.list_decisions(DecisionQuery()).items == tuple(records[2:])


# Time


def test_times_of_other_zones_come_back_equal_and_in_utc(store: Store):
    at = datetime(2026, 3, 2, 17, 0, 0, 5000, tzinfo=TOKYO)
    somebody = person(created_at=at, consent_at=at)
    store.add_person(somebody, [template(somebody, created_at=at)])
    one, entry = punch(at=at), audit_entry(at=at)
    store.add_punch(one)
    store.add_audit(entry)
    back = store.get_person(somebody.person_id)
    times = [
        back.created_at,
        back.consent_at,
        store.templates_of(somebody.person_id)[0].created_at,
        store.find_punch(one.idempotency_key).at,
        store.list_audit(AuditQuery()).items[0].at,
    ]
    assert times == [at] * 5
    assert {moment.utcoffset() for moment in times} == {timedelta(0)}
    assert store.list_punches(PunchQuery(start=at, end=at + timedelta(seconds=1))).total == 1


def test_a_time_before_1970_is_kept(store: Store):
    old = person(created_at=datetime(1931, 5, 4, 3, 2, 1, 7000, tzinfo=TOKYO))
    store.add_person(old)
    assert store.get_person(old.person_id).created_at == old.created_at


def test_a_time_without_a_zone_is_refused(store: Store):
    naive = MORNING.replace(tzinfo=None)
    owner = person()
    store.add_person(owner)
    for call in (
        lambda: store.add_person(person("E-2", created_at=naive)),
        lambda: store.update_person(replace(owner, consent_at=naive)),
        lambda: store.add_templates([template(owner, created_at=naive)]),
        lambda: store.add_punch(punch(at=naive)),
        lambda: store.add_audit(audit_entry(at=naive)),
        lambda: store.add_decision(decision(at=naive)),
        lambda: store.remove_decisions(naive),
        lambda: store.list_decisions(DecisionQuery(start=naive)),
        lambda: store.list_punches(PunchQuery(start=naive)),
        lambda: store.list_punches(PunchQuery(end=naive)),
    ):
        with pytest.raises(InvalidInput):
            call()


@pytest.mark.parametrize("cursor", ["", "x", "bm90anNvbg==", "WzEsMl0=", "ä", "eyJhIjoxfQ=="])
def test_a_broken_cursor_is_invalid_input(store: Store, cursor: str):
    for call in (
        lambda: store.list_people(PeopleQuery(cursor=cursor)),
        lambda: store.list_punches(PunchQuery(cursor=cursor)),
        lambda: store.list_audit(AuditQuery(cursor=cursor)),
        lambda: store.list_decisions(DecisionQuery(cursor=cursor)),
    ):
        with pytest.raises(InvalidInput):
            call()


def test_a_page_of_nothing_is_invalid_input(store: Store):
    with pytest.raises(InvalidInput):
        store.list_people(PeopleQuery(limit=0))


# Erasure


@pytest.mark.parametrize(("keep", "expected"), [(True, Erasure(2, 0, 3)), (False, Erasure(2, 3, 0))])
def test_erasing_a_person_leaves_others_alone(store: Store, keep: bool, expected: Erasure):
    goes, stays = person("E-1"), person("E-2")
    store.add_person(goes, [template(goes), template(goes)])
    store.add_person(stays, [template(stays)])
    for minute in range(3):
        store.add_punch(punch(minute, person_id=goes.person_id))
    other = punch(7, person_id=stays.person_id)
    store.add_punch(other)
    assert store.erase_person(goes.person_id, keep_punches=keep) == expected
    assert store.list_people(PeopleQuery()).items == (stays,)
    assert [t.person_id for t in store.templates()] == [stays.person_id]
    assert store.templates_of(goes.person_id) == []
    assert store.list_punches(PunchQuery()).total == (4 if keep else 1)
    assert store.last_punch(stays.person_id) == other
    with pytest.raises(PersonNotFound):
        store.erase_person(goes.person_id, keep_punches=keep)


def test_the_keys_of_erased_punches_are_free_again(store: Store):
    somebody = person()
    store.add_person(somebody)
    one = punch(person_id=somebody.person_id)
    store.add_punch(one)
    store.erase_person(somebody.person_id, keep_punches=False)
    store.add_punch(one)
    store.add_person(somebody)


# Opening and closing


def test_a_closed_store_says_so(store: Store):
    store.ping()
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable):
        store.ping()


def test_a_store_is_shared_by_threads(store: Store):
    def use(number: int) -> int:
        somebody = person(f"E-{number}")
        store.add_person(somebody, [template(somebody)])
        for minute in range(5):
            store.add_punch(punch(minute, person_id=somebody.person_id))
        return store.list_punches(PunchQuery(people=(somebody.person_id,))).total

    assert race(use) == [5] * THREADS
    assert store.list_people(PeopleQuery()).total == THREADS


@pytest.mark.parametrize(
    "url",
    [
        "postgres://host/db",
        "",
        "sqlite://relative.db",
        "sqlite:///",
        "mongo",
        "mongodb://",
        "mongodb://u:p/w@h",
    ],
)
def test_an_address_that_is_none_is_invalid_input(settings: Settings, url: str):
    with pytest.raises(InvalidInput) as error:
        open_store_url(url, settings)
    assert "mongodb://" in str(error.value)
    assert "p/w" not in str(error.value)


def test_the_setting_chooses_the_database(settings: Settings):
    store = open_store(settings)
    store.ping()
    store.close()
    assert [path.name for path in settings.data_dir.iterdir()] == ["rollcall.sqlite3"]


def test_a_cursor_with_a_number_that_no_database_holds_is_refused(store):
    cursor = encode_cursor((2**70, "x"))
    with pytest.raises(InvalidInput, match="first page"):
        store.list_punches(PunchQuery(cursor=cursor))


def test_people_without_photos_are_found(store: Store):
    with_photo, without, merged, target, twice = (person(f"E-{n}") for n in range(5))
    for one in (with_photo, without, target, twice):
        store.add_person(one, [template(one)] if one is with_photo else [])
    for one, into in ((merged, target), (person("E-9"), twice)):
        photos = [template(one)] if one is merged else []
        store.add_person(replace(one, merged_into=into.person_id), photos)

    found = store.list_people(PeopleQuery(without_photos=True))
    assert [one.employee_id for one in found.items] == ["E-1", "E-4"]
    assert found.total == 2
    first = store.list_people(PeopleQuery(without_photos=True, limit=1))
    rest = store.list_people(PeopleQuery(without_photos=True, limit=1, cursor=first.next_cursor))
    assert [one.employee_id for one in (*first.items, *rest.items)] == ["E-1", "E-4"]
    assert store.list_people(PeopleQuery(text="E-0", without_photos=True)).items == ()
