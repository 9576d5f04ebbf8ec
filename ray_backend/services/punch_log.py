"""The one place where punches of check-ins are written and looked up, with or without a database."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import NAMESPACE_OID, uuid5

from ray_backend.domain.errors import DuplicatePunch, StoreUnavailable
from ray_backend.domain.model import AuditEntry, Punch
from ray_backend.domain.queries import PunchQuery
from ray_backend.ports import Clock, Journal, Store
from ray_backend.services.punch_memory import PunchMemory, WaitingPunches, later_of
from ray_backend.services.reach import Reach

log = logging.getLogger(__name__)

RETRY_S = 1.0
# The direction of a punch depends on the same day's earlier ones; a day has 25 hours when clocks go back.
REMEMBERED = timedelta(hours=26)
_PAGE = 5000
_DUPLICATE = "This punch is recorded already."
_STILL_WAITING = (
    "Punches of this person wait to be written to the database. It is asked every second; try again shortly."
)


class Waiting(Protocol):
    """What else waits for the database."""

    def __len__(self) -> int:
        """How many."""

    def deliver(self) -> None:
        """Writes them. Raises StoreUnavailable; may be repeated."""


class PunchLog:
    """Writes punches to the database, and to the journal while that is away.

    What waits in the journal is delivered in order and exactly once by a thread that asks the database
    every `retry_s` seconds; with None there is no thread and `deliver` has to be called. New punches
    go behind those that wait. Safe to call from several threads.
    """

    def __init__(
        self, store: Store, journal: Journal, clock: Clock, reach: Reach, *, retry_s: float | None = RETRY_S
    ) -> None:
        """Reads the punches of the last day. Raises StoreUnavailable."""
        self._store = store
        self._journal = journal
        self._clock = clock
        self._reach = reach
        self._retry_s = retry_s
        self._guard = threading.RLock()
        self._one_deliverer = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._others: list[Waiting] = []
        self._memory = PunchMemory()
        self._read_last_day()
        self._waiting = WaitingPunches(journal.pending())
        for punch in journal.pending():
            self._memory.add(punch)
        reach.when_away(self.wake)
        if self._waiting:
            log.warning("%d punches of an earlier process wait for the database.", len(self._waiting))
            self.wake()

    def __len__(self) -> int:
        """How many punches wait for the database."""
        return len(self._journal)

    def away(self) -> bool:
        """Whether the database does not answer; waits a second for it at most."""
        try:
            self._reach.ask(self._store.ping)
        except StoreUnavailable:
            return True
        return False

    def check(self) -> None:
        """Raises StoreUnavailable when neither the database nor the journal would take a punch now."""
        with self._guard:
            waits = bool(self._waiting)
        if waits or self.away():
            self._journal.check()

    def find(self, idempotency_key: str) -> Punch | None:
        """The punch under this key, delivered or not; while the database is away, as far as remembered."""
        with self._guard:
            waiting = self._waiting.by_key.get(idempotency_key)
        if waiting is not None:
            return waiting
        try:
            return self._reach.ask(lambda: self._store.find_punch(idempotency_key))
        except StoreUnavailable:
            with self._guard:
                return self._memory.by_key.get(idempotency_key)

    def last(self, person_id: str) -> Punch | None:
        """The person's latest punch, delivered or not; while the database is away, as far as remembered."""
        try:
            stored = self._reach.ask(lambda: self._store.last_punch(person_id))
        except StoreUnavailable:
            with self._guard:
                return self._memory.last.get(person_id)
        with self._guard:
            if stored is not None:
                self._memory.add(stored)
            return later_of(stored, self._waiting.last.get(person_id))

    def recent(self, punch_id: str, start: datetime) -> Punch | None:
        """The punch with this id if it was made at `start` or later. Raises StoreUnavailable."""
        with self._guard:
            known = self._memory.by_id(punch_id) or self._waiting.by_id.get(punch_id)
        if known is None:
            query = PunchQuery(start=start, limit=_PAGE)
            found = self._reach.ask(lambda: self._store.list_punches(query)).items
            known = next((punch for punch in found if punch.punch_id == punch_id), None)
        return known if known is not None and known.at >= start else None

    def is_delivered(self, punch: Punch) -> bool:
        """Whether the database has it."""
        with self._guard:
            return punch.punch_id not in self._waiting.by_id

    def add(self, punch: Punch) -> bool:
        """Writes a punch for good and says whether the database has it already.

        Raises DuplicatePunch, and StoreUnavailable when neither database nor journal take it.
        """
        with self._guard:
            if self._reach.away or self._waiting:
                self._keep(punch)
                return False
        try:
            self._reach.ask(lambda: self._store.add_punch(punch))
        except StoreUnavailable:
            # The write may still succeed, or have succeeded: its key makes the second one harmless.
            with self._guard:
                self._keep(punch)
            return False
        with self._guard:
            self._memory.add(punch)
        return True

    def also_deliver(self, others: Waiting) -> None:
        """Delivers these, too, after the punches."""
        with self._guard:
            self._others.append(others)
        if len(others):
            self.wake()

    def deliver(self) -> bool:
        """Asks the database once and writes what waits; says whether it is there and nothing waits."""
        with self._one_deliverer:
            if not self._reach.look_again():
                return False
            try:
                for punch in self._journal.pending():
                    self._deliver(punch)
                for others in self._others:
                    others.deliver()
            except StoreUnavailable:
                self._reach.lost()
                return False
            return self._nothing_waits()

    def settle(self, person_id: str) -> None:
        """Returns when no punch of this person waits. Raises StoreUnavailable, in words for an admin."""
        if self._has_waiting(person_id):
            self.deliver()
        if self._has_waiting(person_id):
            raise StoreUnavailable(_STILL_WAITING)

    def forget(self, person_id: str) -> None:
        """The person was erased."""
        with self._guard:
            self._memory.forget(person_id)

    def close(self) -> None:
        """Ends the thread. What waits stays in the journal."""
        self._closed.set()

    def _nothing_waits(self) -> bool:
        return not self._reach.away and not len(self) and not any(map(len, self._others))

    def _has_waiting(self, person_id: str) -> bool:
        with self._guard:
            return person_id in self._waiting.last

    def _read_last_day(self) -> None:
        query = PunchQuery(start=self._clock.now() - REMEMBERED, limit=_PAGE)
        while True:
            page = self._store.list_punches(query)
            for punch in page.items:
                self._memory.add(punch)
            if page.next_cursor is None:
                return
            query = replace(query, cursor=page.next_cursor)

    def _keep(self, punch: Punch) -> None:
        """Puts it behind those that wait; by the rules of the database as far as they are known here."""
        if self._waiting.takes_from(punch) or self._memory.takes_from(punch):
            raise DuplicatePunch(_DUPLICATE)
        self._journal.append(punch)
        self._waiting.add(punch)
        self._memory.add(punch)
        self.wake()

    def _deliver(self, punch: Punch) -> None:
        try:
            self._store.add_punch(punch)
        except DuplicatePunch:
            if self._store.find_punch(punch.idempotency_key) is None:
                self._note_dropped(punch)
        with self._guard:
            self._journal.delivered(punch.punch_id)
            self._waiting.remove(punch)

    def _note_dropped(self, punch: Punch) -> None:
        """Another kiosk recorded the same visit first. Noted once, however often this is repeated."""
        detail = {"kiosk": punch.kiosk, "at": punch.at.isoformat(), "direction": punch.direction.value}
        entry_id = uuid5(NAMESPACE_OID, f"punch.dropped/{punch.punch_id}").hex
        self._store.add_audit(
            AuditEntry(self._clock.now(), "system", "punch.dropped", punch.punch_id, detail, entry_id)
        )
        recorded = self._store.last_punch(punch.person_id)
        with self._guard:
            self._memory.replace(punch, recorded)

    def wake(self) -> None:
        """Makes sure that somebody asks the database again."""
        with self._guard:
            if self._retry_s is None or self._thread is not None:
                return
            self._thread = threading.Thread(target=self._deliver_until_done, name="journal", daemon=True)
            self._thread.start()

    def _deliver_until_done(self) -> None:
        since = time.monotonic()
        while not self._closed.wait(self._retry_s):
            try:
                done = self.deliver()
            except Exception:
                # Whatever a database driver comes up with: without this thread nothing is ever delivered.
                log.exception("the journal could not be delivered; it is tried again")
                done = False
            with self._guard:
                if done and self._nothing_waits():
                    self._thread = None
                    log.warning("The database was away for %.0f s and is back.", time.monotonic() - since)
                    return
