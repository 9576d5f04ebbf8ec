"""Notes from people at a kiosk, which are kept whether the database is there or not."""

from __future__ import annotations

from collections.abc import Callable

from ray_backend.domain.errors import StoreUnavailable
from ray_backend.domain.model import AuditEntry
from ray_backend.ports import Journal, Store
from ray_backend.services.punch_log import PunchLog
from ray_backend.services.reach import Reach


class NoteLog:
    """Writes audit entries to the database, and to this machine's disk while that is away.

    What waits is delivered after the punches that wait; the entries' ids make that exactly once.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal[AuditEntry],
        reach: Reach,
        punches: PunchLog,
        then: Callable[[AuditEntry], bool] = lambda entry: True,
    ) -> None:
        """What an earlier process left is delivered, too.

        `then` does what follows from an entry and may be repeated; False while it cannot, because a punch
        that waits itself has to be there first.
        """
        self._store = store
        self._then = then
        self._journal = journal
        self._reach = reach
        self._punches = punches
        punches.also_deliver(self)

    def __len__(self) -> int:
        """How many wait for the database."""
        return len(self._journal)

    def add(self, entry: AuditEntry) -> None:
        """Keeps the entry for good. Raises StoreUnavailable when neither database nor disk take it."""
        try:
            done = self._reach.ask(lambda: self._write(entry))
        except StoreUnavailable:
            done = False
        if not done:
            self._journal.append(entry)
            self._punches.wake()

    def deliver(self) -> None:
        """Writes what waits. Raises StoreUnavailable; may be repeated."""
        for entry in self._journal.pending():
            # The punches are there by now. One that is not was removed, and nothing follows from the entry.
            self._write(entry)
            self._journal.delivered(entry.entry_id)

    def _write(self, entry: AuditEntry) -> bool:
        self._store.add_audit(entry)
        return self._then(entry)
