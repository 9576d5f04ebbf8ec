"""Reading the audit log, and taking it away as a file."""

from __future__ import annotations

import csv
import io

import pytest

from ray_backend.domain.queries import AuditQuery
from ray_backend.services import audit_log
from ray_backend.services.audit import Auditor
from ray_backend.services.audit_log import AuditLog
from ray_backend.storage.memory import MemoryStore
from tests.fakes import SetClock


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def auditor(store) -> Auditor:
    return Auditor(store, SetClock())


def exported(store: MemoryStore, **query) -> list[dict[str, str]]:
    text = AuditLog(store).export(AuditQuery(**query)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_a_change_holds_what_differs_as_it_was_and_as_it_is(auditor, store):
    auditor.change("ada", "site.changed", "site", {"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4})
    auditor.change("ada", "site.changed", "site", {"a": 1}, {"a": 1})
    [entry] = AuditLog(store).find(AuditQuery()).items
    assert entry.detail == {"before": {"b": 2}, "after": {"b": 3, "c": 4}}


def test_the_file_has_a_column_for_each_part(auditor, store):
    auditor.change("ada", "account.changed", "eve", {"role": "viewer"}, {"role": "admin"})
    assert exported(store) == [
        {
            "Time (UTC)": "2026-03-02T08:00:00+00:00",
            "Who": "ada",
            "Action": "account.changed",
            "Subject": "eve",
            "Before": '{"role": "viewer"}',
            "After": '{"role": "admin"}',
            "Details": "",
        }
    ]


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+1", "-1", "\t=1+1", "\n=cmd|' /C calc'!A0", "＝1"])
def test_nothing_in_the_file_is_run_by_a_spreadsheet(auditor, store, text):
    auditor.record(text, text, text, note=text)
    [row] = exported(store)
    for cell in row.values():
        assert not cell.startswith(("=", "+", "-", "@", "＝", "\t", "\n")), cell


def test_the_file_holds_what_the_search_finds_over_all_pages(auditor, store, monkeypatch):
    monkeypatch.setattr(audit_log, "_PAGE", 3)
    for number in range(10):
        auditor.record(("ada", "eve")[number % 2], "person.changed", f"p{number}")
    assert len(exported(store)) == 10
    assert {row["Who"] for row in exported(store, actor="ada")} == {"ada"}
    assert len(exported(store, actor="ada", limit=1)) == 5
    monkeypatch.setattr(audit_log, "MOST_EXPORTED", 4)
    assert len(exported(store)) == 4


def test_there_is_no_use_case_that_changes_the_log():
    public = {name for name in vars(AuditLog) if not name.startswith("_")}
    assert public == {"find", "export"}
