"""Settings and the audit log, in every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ray_backend.domain.queries import AuditQuery
from ray_backend.ports import Store
from tests.contract.test_store import race
from tests.store_samples import MORNING, audit_entry


def test_settings_keep_json_values(store: Store):
    values = {"a.b": {"x.y": [1, 2.5, None, "ü"], "$z": True}, "a.c": "text", "b": 0, "a_": [], "A.d": False}
    for key, value in values.items():
        store.put_setting(key, value)
    assert {key: store.get_setting(key) for key in values} == values
    assert store.settings() == values
    assert store.settings("a.") == {"a.b": values["a.b"], "a.c": "text"}
    store.put_setting("a.b", "new")
    store.put_setting("a.c", None)
    store.put_setting("never", None)
    assert store.settings("a.") == {"a.b": "new"}
    assert store.get_setting("a.c") is None


def test_a_value_that_is_no_json_is_refused(store: Store):
    for value in (float("nan"), {1, 2}, b"bytes"):
        with pytest.raises((TypeError, ValueError)):
            store.put_setting("key", value)


def test_a_pinned_setting_stays(store: Store):
    assert store.pin_setting("pack", {"id": 1}) == {"id": 1}
    assert store.pin_setting("pack", {"id": 2}) == {"id": 1}
    assert store.get_setting("pack") == {"id": 1}
    assert store.pin_setting("other", None) is None


def test_simultaneous_pins_agree(store: Store):
    for number in range(5):
        results = race(lambda value, key=f"key-{number}": store.pin_setting(key, value))
        assert len(set(results)) == 1
        assert store.get_setting(f"key-{number}") == results[0]


def test_the_audit_log_is_read_newest_first_while_it_grows(store: Store):
    entries = [audit_entry(minute // 2) for minute in range(7)]
    for entry in entries:
        store.add_audit(entry)
    store.add_audit(entries[0])
    first = store.list_audit(AuditQuery(limit=3))
    store.add_audit(audit_entry(99))
    second = store.list_audit(AuditQuery(limit=3, cursor=first.next_cursor))
    third = store.list_audit(AuditQuery(limit=3, cursor=second.next_cursor))
    newest_first = sorted(entries, key=lambda entry: (entry.at, entry.entry_id), reverse=True)
    assert [*first.items, *second.items, *third.items] == newest_first
    assert third.next_cursor is None
    assert (first.total, third.total) == (7, 8)


def some_log(store: Store) -> None:
    """Nine entries, one each minute, of three actors, three actions and three subjects."""
    for minute in range(9):
        actor, subject = ("admin", "manager", "system")[minute % 3], f"p{minute // 3}"
        action = ("person.merged", "person.erased", "person")[minute // 3]
        store.add_audit(audit_entry(minute, actor=actor, action=action, subject=subject))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (AuditQuery(actor="manager"), [7, 4, 1]),
        (AuditQuery(action="person."), [5, 4, 3, 2, 1, 0]),
        (AuditQuery(action="person.erased"), [5, 4, 3]),
        (AuditQuery(action="PERSON."), []),
        (AuditQuery(action="%"), []),
        (AuditQuery(action=""), [8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (AuditQuery(subject="p2"), [8, 7, 6]),
        (AuditQuery(start=MORNING + timedelta(minutes=3), end=MORNING + timedelta(minutes=5)), [4, 3]),
        (AuditQuery(actor="admin", action="person.", subject="p1", end=MORNING + timedelta(minutes=9)), [3]),
        (AuditQuery(actor="nobody"), []),
    ],
)
def test_the_audit_log_is_searched(store: Store, query: AuditQuery, expected: list[int]):
    some_log(store)
    page = store.list_audit(query)
    assert [(entry.at - MORNING) // timedelta(minutes=1) for entry in page.items] == expected
    assert page.total == len(expected)


def test_a_search_of_the_audit_log_is_paged(store: Store):
    some_log(store)
    query = AuditQuery(action="person.", limit=4)
    first = store.list_audit(query)
    second = store.list_audit(replace(query, cursor=first.next_cursor))
    assert [len(first.items), len(second.items), first.total, second.total] == [4, 2, 6, 6]
    assert [*first.items, *second.items] == list(store.list_audit(replace(query, limit=50)).items)
    assert second.next_cursor is None
