"""Moving a site between databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ray_backend.domain.entries import CORRECTION, LEAVE, Entry
from ray_backend.domain.errors import Conflict, StoreUnavailable
from ray_backend.domain.queries import PeopleQuery, PunchQuery
from ray_backend.ports import Store
from ray_backend.settings import Settings
from ray_backend.storage import open_store_url
from ray_backend.storage.copy import CopyReport, copy_store
from tests.contract.conftest import ADAPTERS
from tests.store_samples import (
    MORNING,
    audit_entry,
    decision,
    person,
    punch,
    template,
    unknown_face,
    unknown_group,
)

MICROSECONDS = timedelta(microseconds=456)
WHOLE = CopyReport(people=7, templates=14, punches=1203, decisions=11, settings=2, audit=9, entries=3)


@pytest.fixture
def open_empty(make_url, settings: Settings) -> Iterator[Callable[[str], Store]]:
    """Opens a new, empty store of an adapter."""
    opened: list[Store] = []

    def make(adapter: str) -> Store:
        opened.append(open_store_url(make_url(adapter), settings))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def fill(store: Store) -> Store:
    """A site with times that MongoDB cannot keep to the last digit. Two people were merged into the first."""
    first = person("E-0", created_at=MORNING + MICROSECONDS)
    for number in range(7):
        merged = {"merged_into": first.person_id} if number > 4 else {}
        somebody = person(f"E-{number}", created_at=MORNING + MICROSECONDS, active=number != 3, **merged)
        somebody = somebody if number else first
        store.add_person(somebody, [template(somebody), template(somebody, pack_id="pack-b")])
    store.add_punches([punch(minute, at=MORNING + minute * MICROSECONDS) for minute in range(1203)])
    for minute in range(11):
        store.add_decision(decision(minute, at=MORNING + minute * MICROSECONDS))
    store.put_setting("pack", {"id": "pack-a"})
    store.put_setting("kiosk.1", ["x", None])
    for minute in range(9):
        store.add_audit(audit_entry(minute))
    for minute, kind in enumerate((CORRECTION, CORRECTION, LEAVE)):
        store.add_entry(Entry(kind, MORNING + minute * MICROSECONDS, {"n": minute}, "p1", "requested"))
    return store


@pytest.mark.parametrize(
    ("there", "back"),
    [("sqlite", "mongo"), ("mongo", "sqlite"), ("memory", "sqlite"), ("memory", ADAPTERS[-1])],
)
def test_a_copy_there_and_back_is_the_same(open_empty, there: str, back: str):
    source, middle, end = fill(open_empty(there)), open_empty(back), open_empty(there)
    assert copy_store(source, middle) == WHOLE
    assert copy_store(middle, end) == WHOLE
    assert end.list_punches(PunchQuery(limit=2000)) == source.list_punches(PunchQuery(limit=2000))
    assert end.settings() == source.settings()
    assert copy_store(source, end) == WHOLE


def test_merged_people_are_copied_and_unknown_faces_are_not(open_empty):
    source, target = fill(open_empty("sqlite")), open_empty("mongo")
    source.add_unknown_face(unknown_face())
    source.put_unknown_group(unknown_group())
    report = copy_store(source, target)
    assert report == replace(WHOLE, unknown_left=1)
    assert [one.employee_id for one in target.merged_people()] == ["E-5", "E-6"]
    assert target.unknown_faces() == []
    assert target.unknown_groups() == []


@pytest.mark.parametrize("target_adapter", ADAPTERS)
def test_an_interrupted_copy_goes_on_and_doubles_nothing(open_empty, target_adapter: str):
    source, target = fill(open_empty("sqlite")), open_empty(target_adapter)

    def interrupt_at(kind: str, count: int):
        def progress(what: str, done: int, total: int) -> None:
            if (what, done) == (kind, count):
                raise StoreUnavailable("the cable was pulled")

        return progress

    for kind, count in (("people", 3), ("punches", 500), ("decisions", 5), ("audit", 4)):
        with pytest.raises(StoreUnavailable):
            copy_store(source, target, interrupt_at(kind, count))
    assert copy_store(source, target) == WHOLE
    assert copy_store(source, target) == WHOLE


def test_progress_ends_with_everything(open_empty):
    last: dict[str, tuple[int, int]] = {}
    source = fill(open_empty("memory"))
    copy_store(source, open_empty("memory"), lambda what, done, total: last.update({what: (done, total)}))
    assert last == {
        "people": (7, 7),
        "punches": (1203, 1203),
        "decisions": (11, 11),
        "settings": (2, 2),
        "audit": (9, 9),
        "entries": (3, 3),
    }


@pytest.mark.parametrize("target_adapter", ADAPTERS)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda source, target: target.add_person(person("E-1", name="Somebody else")),
        lambda source, target: target.add_person(person("stranger")),
        lambda source, target: target.add_person(
            replace(source.list_people(PeopleQuery()).items[0], name="Renamed")
        ),
        lambda source, target: target.add_punch(punch()),
        lambda source, target: target.put_setting("pack", {"id": "pack-z"}),
        lambda source, target: target.put_setting("of its own", 1),
        lambda source, target: target.add_audit(audit_entry()),
        lambda source, target: target.add_decision(decision()),
    ],
    ids=["employee id", "person", "changed person", "punch", "setting", "other setting", "audit", "decision"],
)
def test_a_target_with_other_data_is_refused_untouched(open_empty, target_adapter: str, spoil):
    source, target = fill(open_empty("memory")), open_empty(target_adapter)
    spoil(source, target)
    before = (target.list_people(PeopleQuery()).total, target.list_punches(PunchQuery()).total)
    with pytest.raises(Conflict, match="target holds"):
        copy_store(source, target)
    assert (target.list_people(PeopleQuery()).total, target.list_punches(PunchQuery()).total) == before


def test_a_template_of_other_content_is_refused(open_empty):
    source, target = fill(open_empty("memory")), open_empty("memory")
    somebody = source.list_people(PeopleQuery()).items[0]
    face = source.templates_of(somebody.person_id)[0]
    target.add_person(somebody, [template(somebody, template_id=face.template_id)])
    with pytest.raises(Conflict, match="faces"):
        copy_store(source, target)


def test_a_write_during_the_copy_is_noticed(open_empty):
    source, target = fill(open_empty("memory")), open_empty("memory")

    def write(what: str, done: int, total: int) -> None:
        if (what, done) == ("audit", 9):
            source.add_punch(punch())

    with pytest.raises(Conflict, match="punches \\(1204 in the source, 1203 in the target\\)"):
        copy_store(source, target, write)
    assert copy_store(source, target).punches == 1204
