"""Scheduled exports and their runs as they are kept: entries of the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from ray_backend.domain.entries import EXPORT, EXPORT_RUN, Entry, EntryQuery
from ray_backend.domain.errors import NotFound
from ray_backend.domain.reporting.exports import Run, RunState, ScheduledExport
from ray_backend.ports import Store

_ON, _OFF = "on", "off"
_KEPT_RUNS, _TOO_MANY_RUNS = 30, 60
_ALL = 100_000
_EXPORT, _RUN = TypeAdapter(ScheduledExport), TypeAdapter(Run)


class ExportBook:
    """Reads and writes exports and runs."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[ScheduledExport]:
        """Every export, by name."""
        found = self._exports(EntryQuery(EXPORT, limit=_ALL))
        return sorted(found, key=lambda one: (one.wanted.name.casefold(), one.created_at))

    def get(self, export_id: str) -> ScheduledExport:
        """Raises NotFound."""
        found = self.find(export_id)
        if found is None:
            raise NotFound("This export does not exist, or was removed.")
        return found

    def find(self, export_id: str) -> ScheduledExport | None:
        """The export, or None."""
        entry = self._store.get_entry(EXPORT, export_id)
        return None if entry is None else _EXPORT.validate_python(entry.body)

    def add(self, export: ScheduledExport) -> None:
        """Keeps a new one."""
        self._store.add_entry(_export_entry(export))

    def change(self, export: ScheduledExport, before: ScheduledExport) -> bool:
        """Replaces an export that is still switched on or off as it was before; says whether."""
        return self._store.replace_entry(_export_entry(export), state=_switch(before))

    def remove(self, export_id: str) -> None:
        """Removes an export and all its runs."""
        self._store.remove_entries(EXPORT, [export_id])
        self._forget([run.run_id for run in self.runs(export_id)])

    def due(self, now: datetime) -> list[ScheduledExport]:
        """The exports whose time has come."""
        return self._exports(EntryQuery(EXPORT, end=_until(now), states=(_ON,), limit=_ALL))

    def add_run(self, run: Run) -> bool:
        """Keeps a run that is not there yet; says whether it was new."""
        return self._store.add_entry(_run_entry(run))

    def change_run(self, run: Run, before: RunState) -> bool:
        """Replaces a run whose state is still this one; says whether."""
        return self._store.replace_entry(_run_entry(run), state=before.value)

    def runs(self, export_id: str) -> list[Run]:
        """The runs of an export, the last one first."""
        found = self._runs(EntryQuery(EXPORT_RUN, subjects=(export_id,), limit=_ALL))
        return sorted(found, key=lambda run: run.since, reverse=True)

    def waiting(self, now: datetime) -> list[Run]:
        """The runs whose turn it is, the longest waiting first."""
        states = (RunState.WAITING.value,)
        return self._runs(EntryQuery(EXPORT_RUN, end=_until(now), states=states, limit=_ALL))

    def interrupted(self) -> list[Run]:
        """The runs that are under way, or were when a process died."""
        return self._runs(EntryQuery(EXPORT_RUN, states=(RunState.RUNNING.value,), limit=_ALL))

    def tidy(self, export_id: str) -> None:
        """Leaves the last runs of an export. Not after each run, as leaving no bytes costs seconds."""
        settled = [run.run_id for run in self.runs(export_id) if run.settled]
        if len(settled) > _TOO_MANY_RUNS:
            self._forget(settled[_KEPT_RUNS:])

    def _forget(self, run_ids: list[str]) -> None:
        if run_ids:
            self._store.remove_entries(EXPORT_RUN, run_ids)

    def _exports(self, query: EntryQuery) -> list[ScheduledExport]:
        return [_EXPORT.validate_python(entry.body) for entry in self._store.list_entries(query).items]

    def _runs(self, query: EntryQuery) -> list[Run]:
        return [_RUN.validate_python(entry.body) for entry in self._store.list_entries(query).items]


def run_back_in_line(run: Run, now: datetime) -> Run:
    """The same run, waiting for its turn at once."""
    return replace(run, state=RunState.WAITING, again_at=now)


def _switch(export: ScheduledExport) -> str:
    return _OFF if export.off else _ON


def _export_entry(export: ScheduledExport) -> Entry:
    body = _EXPORT.dump_python(export, mode="json")
    return Entry(EXPORT, export.due_at, body, export.owner, _switch(export), export.export_id)


def _run_entry(run: Run) -> Entry:
    body = _RUN.dump_python(run, mode="json")
    return Entry(EXPORT_RUN, run.again_at, body, run.export_id, run.state.value, run.run_id)


def _until(now: datetime) -> datetime:
    return now + timedelta(microseconds=1)
