"""`rollcall store copy` as a whole: what holds it back, and what it says then."""

from __future__ import annotations

from contextlib import closing

import pytest

from ray_backend.domain.errors import Conflict
from ray_backend.domain.model import AuditEntry
from ray_backend.domain.queries import PunchQuery
from ray_backend.jobs.store_copy import copy
from ray_backend.settings import Settings
from ray_backend.storage import open_store_url
from ray_backend.storage.journals import open_journal, open_notes
from tests.store_samples import MORNING, punch


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(data_dir=tmp_path, store=f"sqlite:///{tmp_path}/old.sqlite3")


def copied(settings: Settings):
    target = f"sqlite:///{settings.data_dir}/new.sqlite3"
    return copy(settings, settings.store, target, lambda what, done, total: None)


def leave_behind(settings: Settings) -> None:
    with closing(open_journal(settings)) as journal, closing(open_notes(settings)) as notes:
        journal.append(punch(1))
        notes.append(AuditEntry(MORNING, "kiosk door", "punch.disputed", "p1", {}))


def test_what_still_waits_for_the_database_is_not_left_behind(settings):
    leave_behind(settings)
    with pytest.raises(Conflict) as refused:
        copied(settings)
    said = refused.value.message
    assert said.startswith("2 punches and notes")
    assert "Start Rollcall with the old database" in said
    assert str(settings.data_dir / "journal") in said
    with closing(open_journal(settings)) as journal:
        assert len(journal) == 1, "it is still there"


def test_once_it_is_delivered_it_is_copied(settings):
    leave_behind(settings)
    with (
        closing(open_store_url(settings.store, settings)) as store,
        closing(open_journal(settings)) as journal,
        closing(open_notes(settings)) as notes,
    ):
        for kept in journal.pending():
            store.add_punch(kept)
            journal.delivered(kept.idempotency_key)
            journal.delivered(kept.punch_id)
        for entry in notes.pending():
            store.add_audit(entry)
            notes.delivered(entry.entry_id)
    report = copied(settings)
    assert (report.punches, report.audit) == (1, 1)
    with closing(open_store_url(f"sqlite:///{settings.data_dir}/new.sqlite3", settings)) as new:
        assert new.list_punches(PunchQuery()).total == 1


def test_a_folder_without_a_journal_is_left_as_it_is(settings):
    copied(settings)
    assert not (settings.data_dir / "journal").exists()
