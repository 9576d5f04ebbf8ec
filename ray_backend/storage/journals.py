"""Where a site's journals lie."""

from __future__ import annotations

from pathlib import Path

from ray_backend.domain.model import AuditEntry, Punch
from ray_backend.settings import Settings
from ray_backend.storage.journal import NOTES, FileJournal


def open_journal(settings: Settings) -> FileJournal[Punch]:
    """The journal of punches."""
    return FileJournal(_folder(settings))


def open_notes(settings: Settings) -> FileJournal[AuditEntry]:
    """The journal of what people said about punches."""
    return FileJournal(_folder(settings) / "notes", NOTES)


def waiting(settings: Settings) -> int:
    """How many punches and notes of this site still wait for its database.

    Raises StoreUnavailable while another process has the journal.
    """
    number = 0
    for opened in (open_journal, open_notes):
        journal = opened(settings)
        number += len(journal)
        journal.close()
    return number


def _folder(settings: Settings) -> Path:
    # What a site's journal holds must not be delivered to a store of a trial, which forgets it.
    trial = settings.store.strip().lower() == "memory"
    return settings.data_dir / ("journal-of-trials" if trial else "journal")
