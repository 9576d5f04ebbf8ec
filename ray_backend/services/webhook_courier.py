"""Finds what webhooks are to be told of, and sends it, beside everything else that this process does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ray_backend.domain.errors import RollcallError
from ray_backend.domain.model import AuditEntry
from ray_backend.domain.queries import AuditQuery, PunchQuery
from ray_backend.domain.webhooks import (
    GIVEN_UP_AFTER,
    Delivery,
    DeliveryState,
    Event,
    Hook,
    delivery_id,
    wait_s,
)
from ray_backend.ports import Clock, Store
from ray_backend.services.correction_steps import CorrectionSteps
from ray_backend.services.webhook_book import WebhookBook
from ray_backend.services.webhook_content import WebhookContent
from ray_backend.services.webhook_sender import Send

log = logging.getLogger(__name__)

EVERY_S = 2.0
# A punch that waited in a journal for longer is told all the same, if this process did not run meanwhile.
LATE = timedelta(hours=48)
OVERLAP = timedelta(minutes=10)
LOOK_BACK_EVERY = timedelta(minutes=10)
KEPT, TIDY_HOUR_UTC = timedelta(days=14), 2
SWEPT = "webhooks_swept"
_BATCH, _HOOKS_AT_ONCE, _PAGE, _REMOVED_AT_ONCE = 200, 8, 1000, 50_000
# Who ends this process waits no longer than this, and the time-out of one message.
_LONGEST_TURN_S = 10.0
_NOT_TRIED = "Not tried in time: {reason}"


@dataclass(frozen=True, slots=True)
class _Fact:
    """Something that happened: what, about which record, whose, and when."""

    event: Event
    about: str
    person_id: str
    about_at: datetime
    happened_at: datetime


class WebhookCourier:
    """Each round looks for new punches and decisions, keeps a message for each, and sends what is due.

    A message is kept before it is sent and marked afterwards, so each arrives at least once, and twice only
    where the process died in between, with the same id. Each hook is served by one thread at a time, so
    that a slow one holds up no other.
    """

    def __init__(
        self, store: Store, clock: Clock, book: WebhookBook, content: WebhookContent, send: Send
    ) -> None:
        self._store = store
        self._clock = clock
        self._book = book
        self._content = content
        self._send = send
        self._steps = CorrectionSteps(store)
        self._busy: set[str] = set()
        self._seen: set[tuple[str, Event, str]] = set()
        self._looked_back: datetime | None = None
        self._tidied: datetime | None = None
        self._failures: dict[str, tuple[int, datetime]] = {}

    def round(self, pool: ThreadPoolExecutor | None = None) -> None:
        """One round, which first completes the log that it reads. With a pool hooks are served side by
        side, else one after another. May raise StoreUnavailable; the next round finds what this one left."""
        self._steps.finish(self._clock.now())
        hooks = self._book.hooks()
        if not hooks:
            return
        self._look([hook for hook, _ in hooks.values()])
        for known in hooks.values():
            hook_id = known[0].hook_id
            if hook_id in self._busy or self._resting_until(hook_id) > self._clock.now():
                continue
            self._busy.add(hook_id)
            if pool is None:
                self._serve(*known)
            else:
                pool.submit(self._serve, *known)
        self._tidy()

    def _resting_until(self, hook_id: str) -> datetime:
        return self._failures.get(hook_id, (0, _LONG_AGO))[1]

    def _look(self, hooks: list[Hook]) -> None:
        """Keeps a message for everything that happened since the last round, or that arrived late."""
        now = self._clock.now()
        back = self._looked_back is None or now - self._looked_back >= LOOK_BACK_EVERY
        since = now - OVERLAP
        if back:
            swept = self._store.get_setting(SWEPT)
            since = min(now, datetime.fromisoformat(swept) if swept else now) - LATE
        since = max(since, min(hook.created_at for hook in hooks))
        events = {event for hook in hooks for event in hook.events}
        facts = [*self._punches(since, events), *self._decisions(since, events)]
        for hook in hooks:
            for fact in facts:
                if fact.event in hook.events and fact.happened_at >= hook.created_at:
                    self._keep(hook, fact, now)
        if back:
            self._seen = {
                (hook.hook_id, fact.event, fact.about) for hook in hooks for fact in facts
            } & self._seen
            self._looked_back = now
            self._store.put_setting(SWEPT, now.isoformat())

    def _keep(self, hook: Hook, fact: _Fact, now: datetime) -> None:
        key = (hook.hook_id, fact.event, fact.about)
        if key in self._seen:
            return
        self._book.add(
            Delivery(
                hook.hook_id,
                fact.event,
                fact.about,
                fact.about_at,
                fact.person_id,
                now,
                now,
                delivery_id(*key),
            )
        )
        self._seen.add(key)

    def _punches(self, since: datetime, events: set[Event]) -> Iterator[_Fact]:
        if Event.PUNCH not in events:
            return
        columns = self._store.punch_columns(PunchQuery(start=since))
        for at_us, punch_id, person_id in zip(
            columns.at_us.tolist(), columns.punch_ids, columns.person_ids, strict=True
        ):
            at = _EPOCH + timedelta(microseconds=at_us)
            yield _Fact(Event.PUNCH, punch_id, person_id, at, at)

    def _decisions(self, since: datetime, events: set[Event]) -> Iterator[_Fact]:
        """From the audit log: a correction itself lies at the time of the punch that it is about."""
        if events == {Event.PUNCH}:
            return
        query: AuditQuery | None = AuditQuery(start=since, action="correction.", limit=_PAGE)
        while query is not None:
            page = self._store.list_audit(query)
            yield from (_decision(entry) for entry in page.items if entry.action in _EVENTS)
            query = None if page.next_cursor is None else replace(query, cursor=page.next_cursor)

    def _serve(self, hook: Hook, secret: str) -> None:
        try:
            self._deliver(hook, secret, self._book.due(hook.hook_id, self._clock.now(), _BATCH))
        except RollcallError as error:
            log.warning("a webhook waits: %s", error.message)
        finally:
            self._busy.discard(hook.hook_id)

    def _deliver(self, hook: Hook, secret: str, batch: list[Delivery]) -> None:
        reason, end = "", time.monotonic() + _LONGEST_TURN_S
        for delivery in batch:
            if reason:
                self._give_up_if_old(delivery, reason)
                continue
            if time.monotonic() > end:
                break
            body = self._content.body(delivery)
            if body is None:
                self._book.forget([delivery.delivery_id])
                continue
            reason = self._send(hook, secret, body)
            self._settle(delivery, reason)
        if batch:
            self._note(hook.hook_id, reason)

    def _note(self, hook_id: str, reason: str) -> None:
        """A hook that fails is left alone for a while, however much waits for it."""
        if not reason:
            self._failures.pop(hook_id, None)
            return
        times = self._failures.get(hook_id, (0, _LONG_AGO))[0] + 1
        pause = timedelta(seconds=min(300.0, wait_s(times)))
        self._failures[hook_id] = (times, self._clock.now() + pause)

    def _settle(self, delivery: Delivery, reason: str) -> None:
        now, attempts = self._clock.now(), delivery.attempts + 1
        tried = replace(delivery, attempts=attempts, error=reason, due_at=now, state=DeliveryState.SENT)
        if reason and now - delivery.since >= GIVEN_UP_AFTER:
            tried = replace(tried, state=DeliveryState.DEAD)
        elif reason:
            again = now + timedelta(seconds=wait_s(attempts))
            tried = replace(tried, state=DeliveryState.WAITING, due_at=again)
        self._book.change(tried, DeliveryState.WAITING)

    def _give_up_if_old(self, delivery: Delivery, reason: str) -> None:
        now = self._clock.now()
        if now - delivery.since >= GIVEN_UP_AFTER:
            said = delivery.error or _NOT_TRIED.format(reason=reason)
            dead = replace(delivery, state=DeliveryState.DEAD, error=said, due_at=now)
            self._book.change(dead, DeliveryState.WAITING)

    def _tidy(self) -> None:
        """Once a night, since leaving no bytes of what is removed takes the database some seconds."""
        now = self._clock.now()
        if now.hour != TIDY_HOUR_UTC or (self._tidied and self._tidied.date() == now.date()):
            return
        self._tidied = now
        ids = self._book.settled_before(now - KEPT)
        for start in range(0, len(ids), _REMOVED_AT_ONCE):
            self._book.forget(ids[start : start + _REMOVED_AT_ONCE])


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_AGO = _EPOCH
_EVENTS = frozenset(event.value for event in Event)


def _decision(entry: AuditEntry) -> _Fact:
    event = Event(entry.action)
    return _Fact(event, entry.detail["correction"], entry.subject, entry.at, entry.at)


class WebhookTimer:
    """Makes a round every other second in a thread of its own, until it is closed."""

    def __init__(self, courier: WebhookCourier, *, every_s: float = EVERY_S) -> None:
        self._courier = courier
        self._every_s = every_s
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins, once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Ends the thread; what is being sent goes on to its end."""
        self._closed.set()

    def _run(self) -> None:
        with ThreadPoolExecutor(_HOOKS_AT_ONCE, thread_name_prefix="webhook") as pool:
            while not self._closed.wait(self._every_s):
                try:
                    self._courier.round(pool)
                except RollcallError as error:
                    log.warning("webhooks wait: %s", error.message)
