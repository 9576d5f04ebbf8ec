"""Entries and columns of punches in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ray_backend.domain.entries import Entry, EntryQuery, PunchColumns
from ray_backend.domain.queries import Page, PunchQuery
from ray_backend.storage import messages, records
from ray_backend.storage.memory_pages import page_between
from ray_backend.storage.memory_unknown import guarded


class MemoryEntries:
    """That part of `ray_backend.ports.Store`."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[tuple[str, str], Entry] = {}

    @guarded
    def punch_columns(self, query: PunchQuery) -> PunchColumns:
        rows = self.list_punches(replace(query, cursor=None, limit=10**9)).items
        return PunchColumns(
            np.array([records.to_micros(row.at) for row in rows], np.int64),
            [row.person_id for row in rows],
            [str(row.direction) for row in rows],
            [row.punch_id for row in rows],
        )

    @guarded
    def add_entry(self, entry: Entry) -> bool:
        key = (entry.kind, entry.entry_id)
        if key in self._entries:
            return False
        self._entries[key] = _stored(entry)
        return True

    @guarded
    def replace_entry(self, entry: Entry, *, state: str) -> bool:
        key = (entry.kind, entry.entry_id)
        if key not in self._entries or self._entries[key].state != state:
            return False
        self._entries[key] = _stored(entry)
        return True

    @guarded
    def get_entry(self, kind: str, entry_id: str) -> Entry | None:
        return self._entries.get((kind, entry_id))

    @guarded
    def list_entries(self, query: EntryQuery) -> Page[Entry]:
        found = [
            entry
            for entry in self._entries.values()
            if entry.kind == query.kind
            and (query.subjects is None or entry.subject in query.subjects)
            and (query.states is None or entry.state in query.states)
        ]
        found.sort(key=messages.entry_key)
        return page_between(found, query, messages.entry_key)

    @guarded
    def remove_entries(self, kind: str, entry_ids: Sequence[str]) -> int:
        return sum(self._entries.pop((kind, one), None) is not None for one in set(entry_ids))

    def _forget_entries_of(self, person_id: str) -> None:
        for key in [key for key, entry in self._entries.items() if entry.subject == person_id]:
            del self._entries[key]


def _stored(entry: Entry) -> Entry:
    return records.entry_of(records.entry_record(entry))
