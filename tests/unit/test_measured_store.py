"""A store that is timed does what it did before."""

from __future__ import annotations

import logging

import pytest

from ray_backend.domain.errors import StoreUnavailable
from ray_backend.observing import meters
from ray_backend.storage.measured import measured
from ray_backend.storage.memory import MemoryStore


def counted(name: str, operation: str) -> float:
    return meters.REGISTRY.get_sample_value(name, {"operation": operation}) or 0.0


def test_operations_are_counted_and_answer_as_before():
    before = counted("rollcall_database_seconds_count", "get_setting")
    store = measured(MemoryStore())
    store.put_setting("a", 1)
    assert store.get_setting("a") == 1
    assert counted("rollcall_database_seconds_count", "get_setting") == before + 1


def test_only_writes_are_logged_and_not_one_word_of_them(caplog):
    store = measured(MemoryStore())
    with caplog.at_level(logging.INFO, "ray_backend"):
        store.put_setting("secret-key", "secret-value")
        store.get_setting("secret-key")
    assert [record.getMessage() for record in caplog.records] == ["database put_setting"]
    assert "secret" not in str(caplog.records[0].__dict__)


def test_a_database_that_does_not_answer_is_counted_and_raises_as_before():
    class Away(MemoryStore):
        def ping(self) -> None:
            raise StoreUnavailable("away")

    before = counted("rollcall_database_failures_total", "ping")
    with pytest.raises(StoreUnavailable):
        measured(Away()).ping()
    assert counted("rollcall_database_failures_total", "ping") == before + 1
