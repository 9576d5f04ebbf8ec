"""Webhooks: other programs are told of punches and corrections as they happen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from ray_backend.domain.errors import Conflict, InvalidInput
from ray_backend.domain.model import new_id
from ray_backend.domain.queries import Page
from ray_backend.domain.webhooks import Delivery, DeliveryState, Event, Hook
from ray_backend.ports import Clock, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.sessions import new_secret
from ray_backend.services.webhook_book import WebhookBook
from ray_backend.services.webhook_content import WebhookContent
from ray_backend.services.webhook_courier import WebhookCourier, WebhookTimer
from ray_backend.services.webhook_sender import Send

MOST_HOOKS = 20


class WebhookService:
    """Keeps who is told of what, and shows what became of the messages. `start` begins to send them."""

    def __init__(self, store: Store, clock: Clock, zone: Callable[[], ZoneInfo], send: Send) -> None:
        """`zone`: the site's, asked for each message."""
        self._clock = clock
        self._book = WebhookBook(store)
        self._content = WebhookContent(store, zone)
        self._send = send
        self._audit = Auditor(store, clock)
        self._courier = WebhookCourier(store, clock, self._book, self._content, send)
        self._timer = WebhookTimer(self._courier)

    def hooks(self) -> list[Hook]:
        """Everybody who is told, oldest first."""
        return [hook for hook, _ in self._book.hooks().values()]

    def add(self, name: str, url: str, events: Sequence[Event], *, actor: str) -> tuple[Hook, str]:
        """A new webhook, and the secret that its messages are signed with, which is shown this once.

        It is told of what happens from now on. Raises InvalidInput and Conflict.
        """
        hook = Hook(name.strip(), url.strip(), tuple(dict.fromkeys(events)), self._clock.now()).checked()
        known = self.hooks()
        if len(known) >= MOST_HOOKS:
            raise InvalidInput(f"There can be {MOST_HOOKS} webhooks. Remove one first.")
        if any(one.name == hook.name for one in known):
            raise Conflict("There is a webhook with this name. Choose another one.")
        secret = new_secret()
        self._book.put(hook, secret)
        self._audit.record(actor, "webhook.added", hook.hook_id, name=hook.name, events=list(hook.events))
        return hook, secret

    def remove(self, hook_id: str, *, actor: str) -> None:
        """Removes a webhook with all its messages. Raises NotFound."""
        hook, _ = self._book.hook(hook_id)
        self._book.remove(hook_id)
        self._audit.record(actor, "webhook.removed", hook_id, name=hook.name)

    def test(self, hook_id: str) -> str:
        """Sends one message of the kind `webhook.test` now, and says why it failed, or nothing.

        It is not repeated. Takes up to ten seconds or so. Raises NotFound.
        """
        hook, secret = self._book.hook(hook_id)
        now, one = self._clock.now(), new_id()
        message = Delivery(hook_id, Event.TEST, one, now, "", now, now, one)
        body = self._content.body(message)
        return self._send(hook, secret, body) if body else ""

    def messages(self, state: DeliveryState, *, cursor: str | None = None, limit: int = 50) -> Page[Delivery]:
        """Messages in this state, by when they are due, or were sent or given up."""
        return self._book.page(state, cursor, limit)

    def replay(self, delivery_ids: Sequence[str], *, actor: str) -> int:
        """Sends messages again that were given up or sent, with the same ids; says how many.

        Raises NotFound.
        """
        return self._again([self._book.get(one) for one in delivery_ids], actor)

    def replay_dead(self, hook_id: str, *, actor: str) -> int:
        """Sends everything again that was given up for this webhook; says how many. Raises NotFound."""
        self._book.hook(hook_id)
        return self._again(self._book.dead(hook_id), actor)

    def start(self) -> None:
        """Looks for news and sends them every other second, in a thread of this process."""
        self._timer.start()

    def stop(self) -> None:
        """Ends that thread."""
        self._timer.close()

    def _again(self, deliveries: Sequence[Delivery], actor: str) -> int:
        now, count = self._clock.now(), 0
        for one in deliveries:
            waiting = replace(one, state=DeliveryState.WAITING, since=now, due_at=now, attempts=0, error="")
            if one.state is not DeliveryState.WAITING:
                count += self._book.change(waiting, one.state)
        if count:
            self._audit.record(actor, "webhook.replayed", deliveries[0].hook_id, messages=count)
        return count
