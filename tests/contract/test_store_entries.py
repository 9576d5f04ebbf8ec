"""Entries and columns of punches: every adapter alike."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ray_backend.domain.entries import CORRECTION, LEAVE, Entry, EntryQuery
from ray_backend.domain.queries import PunchQuery
from ray_backend.ports import Store
from ray_backend.settings import Settings
from ray_backend.storage import open_store_url
from tests.store_samples import MORNING as NOW
from tests.store_samples import person, punch

LATER = NOW + timedelta(hours=1)


def an_entry(**fields) -> Entry:
    return Entry(**({"kind": CORRECTION, "at": NOW, "body": {"reason": "Forgot.", "n": [1, None]}} | fields))


def test_an_entry_comes_back_as_it_was(store: Store):
    entry = an_entry(subject="anna", state="requested")
    assert store.add_entry(entry) is True
    assert store.get_entry(CORRECTION, entry.entry_id) == entry
    assert store.get_entry(LEAVE, entry.entry_id) is None


def test_an_entry_that_is_there_stays_as_it_is(store: Store):
    entry = an_entry()
    store.add_entry(entry)
    assert store.add_entry(replace(entry, body={})) is False
    assert store.get_entry(CORRECTION, entry.entry_id) == entry


def test_the_same_id_of_another_kind_is_another_entry(store: Store):
    entry = an_entry()
    store.add_entry(entry)
    assert store.add_entry(replace(entry, kind=LEAVE)) is True


def test_an_entry_is_replaced_only_from_the_state_that_was_seen(store: Store):
    entry = an_entry(state="requested")
    store.add_entry(entry)
    approved = replace(entry, state="approved", body={"by": "chief"}, at=LATER)
    assert store.replace_entry(approved, state="requested") is True
    assert store.replace_entry(replace(entry, state="refused"), state="requested") is False
    assert store.get_entry(CORRECTION, entry.entry_id) == approved


def test_of_two_who_decide_at_once_one_wins(store: Store, request: pytest.FixtureRequest):
    if "ferretdb" in request.node.name:
        # It finds and writes in two steps. Nobody is hurt: all decisions pass one DatabaseActor and its lock.
        pytest.skip("FerretDB 1.24 does not replace under a condition in one step")
    entry = an_entry(state="requested")
    store.add_entry(entry)
    won, start = [], threading.Barrier(8)

    def decide(word: str) -> None:
        start.wait()
        if store.replace_entry(replace(entry, state=word), state="requested"):
            won.append(word)

    threads = [threading.Thread(target=decide, args=(f"by {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [store.get_entry(CORRECTION, entry.entry_id).state]


def test_entries_are_found_by_kind_subject_state_and_time(store: Store):
    first = an_entry(subject="anna", state="requested")
    second = an_entry(subject="bert", state="approved", at=LATER)
    for entry in (second, first, an_entry(kind=LEAVE, subject="anna")):
        store.add_entry(entry)

    def found(**asked) -> list[Entry]:
        return list(store.list_entries(EntryQuery(CORRECTION, **asked)).items)

    assert found() == [first, second]
    assert found(subjects=("anna",)) == [first]
    assert found(subjects=("anna", "bert")) == [first, second]
    assert found(subjects=()) == []
    assert found(states=("approved", "refused")) == [second]
    assert found(start=LATER) == [second]
    assert found(end=LATER) == [first]


def test_pages_of_entries_hold_each_once(store: Store):
    entries = [an_entry(at=NOW + timedelta(seconds=n // 3)) for n in range(10)]
    for entry in entries:
        store.add_entry(entry)
    seen, cursor = [], None
    while True:
        page = store.list_entries(EntryQuery(CORRECTION, cursor=cursor, limit=4))
        assert page.total == 10
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(e.entry_id for e in seen) == sorted(e.entry_id for e in entries)
    assert [e.at for e in seen] == sorted(e.at for e in entries)


def test_removed_entries_are_gone(store: Store):
    one, other = an_entry(), an_entry()
    store.add_entry(one)
    store.add_entry(other)
    assert store.remove_entries(CORRECTION, [one.entry_id, "nobody"]) == 1
    assert store.list_entries(EntryQuery(CORRECTION)).items == (other,)


def test_erasing_somebody_with_the_punches_takes_the_entries_along(store: Store):
    for keep, left in ((True, 1), (False, 0)):
        somebody = person()
        store.add_person(somebody)
        store.add_entry(an_entry(subject=somebody.person_id))
        store.erase_person(somebody.person_id, keep_punches=keep)
        assert store.list_entries(EntryQuery(CORRECTION, subjects=(somebody.person_id,))).total == left


def test_no_bytes_of_a_removed_entry_stay_in_the_files(make_url, settings: Settings, tmp_path: Path):
    store = open_store_url(make_url("sqlite"), settings)
    secret = "Ärztin called about " + os.urandom(8).hex()
    entry = an_entry(body={"reason": secret})
    store.add_entry(entry)
    store.remove_entries(CORRECTION, [entry.entry_id])
    for path in tmp_path.rglob("*.sqlite3*"):
        assert secret.encode() not in path.read_bytes(), path.name


def test_punches_come_as_columns_by_time(store: Store):
    punches = [punch(n, who) for n, who in enumerate("abab")]
    for one in reversed(punches):
        store.add_punch(one)
    columns = store.punch_columns(PunchQuery())
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert columns.at_us.tolist() == [(p.at - epoch) // timedelta(microseconds=1) for p in punches]
    assert columns.person_ids == list("abab")
    assert columns.punch_ids == [p.punch_id for p in punches]
    assert columns.directions == [str(p.direction) for p in punches]
    chosen = store.punch_columns(PunchQuery(people=("a",), start=NOW + timedelta(minutes=1), limit=1))
    assert chosen.punch_ids == [punches[2].punch_id]
    assert len(store.punch_columns(PunchQuery(people=()))) == 0


def test_entries_outlive_the_process(durable_url: str, settings: Settings):
    entry = an_entry(subject="anna", state="approved")
    with closing(open_store_url(durable_url, settings)) as store:
        store.add_entry(entry)
    with closing(open_store_url(durable_url, settings)) as store:
        assert store.get_entry(CORRECTION, entry.entry_id) == entry


def test_small_sites_have_nothing_left_to_be_overwritten(store: Store):
    store.add_person(somebody := person())
    store.add_entry(an_entry(subject=somebody.person_id))
    store.erase_person(somebody.person_id, keep_punches=False)
    assert not store.wipes_due()
    store.wipe()
    assert not store.wipes_due()
