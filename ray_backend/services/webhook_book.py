"""Webhooks and their messages as they are kept: hooks in the settings, messages as entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from ray_backend.domain.entries import DELIVERY, Entry, EntryQuery
from ray_backend.domain.errors import NotFound
from ray_backend.domain.queries import Page
from ray_backend.domain.webhooks import Delivery, DeliveryState, Hook
from ray_backend.ports import Store

HOOKS = "webhook/"
_HOOK, _DELIVERY = TypeAdapter(Hook), TypeAdapter(Delivery)
_PAGE = 1000


class WebhookBook:
    """Reads and writes hooks and messages."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def hooks(self) -> dict[str, tuple[Hook, str]]:
        """Each hook with its secret, by its id, oldest first."""
        found = [
            (_HOOK.validate_python(record["hook"]), record["secret"])
            for record in self._store.settings(HOOKS).values()
        ]
        found.sort(key=lambda one: one[0].created_at)
        return {hook.hook_id: (hook, secret) for hook, secret in found}

    def hook(self, hook_id: str) -> tuple[Hook, str]:
        """A hook with its secret. Raises NotFound."""
        record = self._store.get_setting(HOOKS + hook_id)
        if record is None:
            raise NotFound("This webhook does not exist, or was removed.")
        return _HOOK.validate_python(record["hook"]), record["secret"]

    def put(self, hook: Hook, secret: str) -> None:
        """Adds or replaces a hook."""
        record = {"hook": _HOOK.dump_python(hook, mode="json"), "secret": secret}
        self._store.put_setting(HOOKS + hook.hook_id, record)

    def remove(self, hook_id: str) -> None:
        """Removes a hook and all its messages."""
        self._store.put_setting(HOOKS + hook_id, None)
        states = tuple(_word(state, hook_id) for state in DeliveryState)
        self.forget([one.delivery_id for one in self._all(EntryQuery(DELIVERY, states=states))])

    def add(self, delivery: Delivery) -> bool:
        """Keeps a message that is not there yet, and says whether it was new. Only looking costs little."""
        if self._store.get_entry(DELIVERY, delivery.delivery_id) is not None:
            return False
        return self._store.add_entry(_entry(delivery))

    def get(self, delivery_id: str) -> Delivery:
        """Raises NotFound."""
        entry = self._store.get_entry(DELIVERY, delivery_id)
        if entry is None:
            raise NotFound("This message is not kept any more.")
        return _of(entry)

    def change(self, delivery: Delivery, before: DeliveryState) -> bool:
        """Replaces a message whose state is still this one; says whether."""
        return self._store.replace_entry(_entry(delivery), state=_word(before, delivery.hook_id))

    def page(self, state: DeliveryState, cursor: str | None, limit: int) -> Page[Delivery]:
        """Messages in this state, those that are due first, first."""
        query = EntryQuery(DELIVERY, states=self._words(state), cursor=cursor, limit=limit)
        page = self._store.list_entries(query)
        return Page(tuple(map(_of, page.items)), page.next_cursor, page.total)

    def due(self, hook_id: str, now: datetime, limit: int) -> list[Delivery]:
        """A hook's messages whose time has come, the longest due first."""
        states = (_word(DeliveryState.WAITING, hook_id),)
        end = now + timedelta(microseconds=1)
        query = EntryQuery(DELIVERY, end=end, states=states, limit=limit)
        return list(map(_of, self._store.list_entries(query).items))

    def dead(self, hook_id: str) -> list[Delivery]:
        """A hook's messages that were given up."""
        states = (_word(DeliveryState.DEAD, hook_id),)
        return list(self._all(EntryQuery(DELIVERY, states=states)))

    def settled_before(self, before: datetime) -> list[str]:
        """The ids of messages that were sent or given up before this moment."""
        settled = (*self._words(DeliveryState.SENT), *self._words(DeliveryState.DEAD))
        return [one.delivery_id for one in self._all(EntryQuery(DELIVERY, end=before, states=settled))]

    def forget(self, delivery_ids: list[str]) -> None:
        """Removes messages; unknown ids are no error."""
        if delivery_ids:
            self._store.remove_entries(DELIVERY, delivery_ids)

    def _words(self, state: DeliveryState) -> tuple[str, ...]:
        return tuple(_word(state, hook_id) for hook_id in self.hooks())

    def _all(self, query: EntryQuery | None) -> Iterator[Delivery]:
        query = replace(query, limit=_PAGE)
        while query is not None:
            page = self._store.list_entries(query)
            yield from map(_of, page.items)
            query = None if page.next_cursor is None else replace(query, cursor=page.next_cursor)


def _word(state: DeliveryState, hook_id: str) -> str:
    """The state of the entry: with the hook in it, one hook's messages are found without reading others'."""
    return f"{state}/{hook_id}"


def _entry(delivery: Delivery) -> Entry:
    body = _DELIVERY.dump_python(delivery, mode="json")
    state = _word(delivery.state, delivery.hook_id)
    return Entry(DELIVERY, delivery.due_at, body, delivery.person_id, state, delivery.delivery_id)


def _of(entry: Entry) -> Delivery:
    return _DELIVERY.validate_python(entry.body)
