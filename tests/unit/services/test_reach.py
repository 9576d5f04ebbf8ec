"""Asking a database that may be away, and what is remembered of it meanwhile."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from ray_backend.domain.errors import PersonNotFound, StoreUnavailable
from ray_backend.services.reach import Reach, RememberedSettings
from ray_backend.services.roster import Roster
from ray_backend.storage.memory import MemoryStore
from tests.store_samples import person
from tests.unit.services.test_check_in import FailingStore


@pytest.fixture
def store() -> FailingStore:
    return FailingStore()


@pytest.fixture
def reach(store) -> Reach:
    return Reach(store, patience_s=0.2)


def gone():
    raise StoreUnavailable("gone")


def test_answers_and_errors_come_through(reach):
    assert reach.ask(lambda: 7) == 7
    with pytest.raises(PersonNotFound):
        reach.ask(lambda: reach._store.get_person("nobody"))
    assert not reach.away


def test_after_one_failure_nobody_asks_until_somebody_looked_again(reach, store):
    told, asked = [], []
    reach.when_away(lambda: told.append(1))
    with pytest.raises(StoreUnavailable):
        reach.ask(gone)
    assert (reach.away, told) == (True, [1])
    with pytest.raises(StoreUnavailable):
        reach.ask(lambda: asked.append(1))
    assert asked == []
    store.away = "ping"
    assert not reach.look_again()
    store.away = ""
    assert reach.look_again()
    assert reach.ask(lambda: 1) == 1


def test_a_call_that_hangs_is_given_up_and_may_still_finish(reach):
    finish, done = threading.Event(), threading.Event()
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        reach.ask(lambda: (finish.wait(10), done.set()))
    assert time.monotonic() - started < 1
    assert reach.away
    finish.set()
    assert done.wait(5)


def test_calls_that_hang_hold_up_no_others(store):
    reach, finish = Reach(store, patience_s=5.0), threading.Event()
    hanging = [threading.Thread(target=lambda: reach.ask(lambda: finish.wait(10))) for _ in range(12)]
    for thread in hanging:
        thread.start()
    started = time.monotonic()
    assert reach.ask(lambda: 1) == 1
    assert time.monotonic() - started < 1
    finish.set()
    for thread in hanging:
        thread.join(10)


def test_settings_are_remembered_and_written_when_it_is_back(store, reach):
    store.put_setting("a/1", 1)
    store.put_setting("b/1", 2)
    remembered = RememberedSettings(store, reach, "a/")
    with pytest.raises(StoreUnavailable):
        reach.ask(gone)
    assert remembered.get_setting("a/1") == 1
    remembered.put_setting("a/1", 10)
    remembered.put_setting("a/2", 20)
    assert remembered.settings("a/") == {"a/1": 10, "a/2": 20}
    assert MemoryStore.get_setting(store, "a/1") == 1
    reach.look_again()
    assert remembered.get_setting("b/1") == 2
    assert store.settings() == {"a/1": 10, "a/2": 20, "b/1": 2}


def test_settings_of_other_processes_count_while_it_answers(store, reach):
    store.put_setting("a/1", 1)
    remembered = RememberedSettings(store, reach, "a/")
    store.put_setting("a/1", None)
    store.put_setting("a/2", 2)
    assert remembered.settings("a/") == {"a/2": 2}
    assert remembered.get_setting("a/1") is None
    store.away = "settings"
    assert remembered.settings("a/") == {"a/2": 2}


def test_people_are_named_from_memory_only_while_it_is_away(store, reach):
    ada, bob = person("E-1"), person("E-2")
    store.add_person(ada)
    store.add_person(bob)
    roster = Roster(store, reach)
    store.erase_person(bob.person_id, keep_punches=True)
    with pytest.raises(PersonNotFound):
        roster.get(bob.person_id)
    store.away = "people_of_many"
    assert roster.get(ada.person_id) == ada
    with pytest.raises(StoreUnavailable):
        roster.get(bob.person_id)
    roster.forget(ada.person_id)
    with pytest.raises(StoreUnavailable):
        roster.get(ada.person_id)


def test_many_people_are_asked_for_at_once_and_whoever_is_gone_is_missing(store, reach):
    ada, bob, gone = person("E-1"), person("E-2"), person("E-3")
    merged = replace(person("E-4"), merged_into=ada.person_id)
    lost = replace(person("E-5"), merged_into=gone.person_id)
    for one in (ada, bob, merged, lost):
        store.add_person(one)
    roster = Roster(store, reach)
    asked = [one.person_id for one in (ada, bob, gone, merged, lost)]
    assert roster.get_many(asked) == {ada.person_id: ada, bob.person_id: bob, merged.person_id: ada}
    store.away = "people_of_many"
    assert roster.get_many(asked[:2]) == {ada.person_id: ada, bob.person_id: bob}
    with pytest.raises(StoreUnavailable):
        roster.get_many(asked)


def test_whom_a_record_was_merged_into_is_remembered_too(store, reach):
    ada = person("E-1")
    merged = replace(person("E-2"), merged_into=ada.person_id)
    store.add_person(ada)
    store.add_person(merged)
    roster = Roster(store, reach)
    store.away = "get_person"
    assert roster.get_many([merged.person_id]) == {merged.person_id: ada}


def test_more_people_than_a_page_are_known(store, reach, monkeypatch):
    monkeypatch.setattr("ray_backend.services.identity._PAGE", 2)
    people = [person(f"E-{number}") for number in range(5)]
    for one in people:
        store.add_person(one)
    roster = Roster(store, reach)
    store.away = "people_of_many"
    assert [roster.get(one.person_id) for one in people] == people
