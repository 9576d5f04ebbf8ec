"""Asking the database without waiting for one that is away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from ray_backend.domain.errors import StoreUnavailable
from ray_backend.observing import origin
from ray_backend.ports import Store

T = TypeVar("T")

# Somebody stands at the kiosk: the first call that meets a dead database waits this long, none after it.
PATIENCE_S = 1.0
# More than the threads that ask at once, so that calls which hang hold up nobody else.
_WORKERS = 32
_AWAY = "The database does not answer. It is asked again every second; try again shortly."


class Reach:
    """Whether the database answers, and the way to ask it where somebody waits for the answer.

    After one call that failed or took too long the database counts as away, and every further one
    fails at once, until `look_again` finds it back. A call that took too long goes on by itself and may
    still succeed, so only what may be repeated is asked for in this way.
    """

    def __init__(self, store: Store, *, patience_s: float | None = None) -> None:
        self._store = store
        self._patience_s = PATIENCE_S if patience_s is None else patience_s
        self._away = threading.Event()
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="database")
        self._told: list[Callable[[], None]] = []

    @property
    def away(self) -> bool:
        """Whether the database is known to be away."""
        return self._away.is_set()

    def when_away(self, tell: Callable[[], None]) -> None:
        """Calls `tell` each time that the database is found to be away."""
        self._told.append(tell)

    def ask(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises. Raises StoreUnavailable within `patience_s` seconds."""
        if self.away:
            raise StoreUnavailable(_AWAY)
        call = self._workers.submit(origin.kept(work))
        try:
            return call.result(self._patience_s)
        except StoreUnavailable:
            self.lost()
            raise
        except TimeoutError:
            call.cancel()
            self.lost()
            raise StoreUnavailable(_AWAY) from None

    def lost(self) -> None:
        """The database does not answer."""
        self._away.set()
        for tell in self._told:
            tell()

    def look_again(self) -> bool:
        """Asks a database that was away whether it is back; waits as long as the store does."""
        try:
            self._store.ping()
        except StoreUnavailable:
            self._away.set()
            return False
        self._away.clear()
        return True


class KeepsSettings(Protocol):
    """The part of `Store` that small notes need."""

    def get_setting(self, key: str) -> Any:
        """The JSON-like value, or None."""

    def put_setting(self, key: str, value: Any) -> None:
        """Stores a JSON-like value; None removes the key."""

    def settings(self, prefix: str) -> dict[str, Any]:
        """All settings whose key starts with the prefix."""


class RememberedSettings:
    """The store's settings of some prefixes, remembered for as long as the database is away.

    What is put meanwhile is remembered too, and written when it is back; it is lost with the process.
    """

    def __init__(self, store: Store, reach: Reach, *prefixes: str) -> None:
        """Reads them once. Raises StoreUnavailable."""
        self._store = store
        self._reach = reach
        self._lock = threading.Lock()
        self._known = {key: value for one in prefixes for key, value in store.settings(one).items()}
        self._unsent: dict[str, Any] = {}

    def get_setting(self, key: str) -> Any:
        """The JSON-like value, or None."""
        try:
            self._send()
            value = self._reach.ask(lambda: self._store.get_setting(key))
        except StoreUnavailable:
            with self._lock:
                return self._known.get(key)
        self.remember(key, value)
        return value

    def put_setting(self, key: str, value: Any) -> None:
        """Stores a JSON-like value, later where the database is away; None removes the key."""
        self.remember(key, value)
        with self._lock:
            self._unsent[key] = value
        try:
            self._send()
        except StoreUnavailable:
            return

    def settings(self, prefix: str) -> dict[str, Any]:
        """All settings whose key starts with the prefix."""
        try:
            self._send()
            found = self._reach.ask(lambda: self._store.settings(prefix))
        except StoreUnavailable:
            with self._lock:
                return {key: value for key, value in self._known.items() if key.startswith(prefix)}
        with self._lock:
            others = {key: value for key, value in self._known.items() if not key.startswith(prefix)}
            self._known = others | found
        return found

    def remember(self, key: str, value: Any) -> None:
        """Takes note of what was stored, or found, just now; None: there is nothing under the key."""
        with self._lock:
            if value is None:
                self._known.pop(key, None)
            else:
                self._known[key] = value

    def _send(self) -> None:
        with self._lock:
            unsent = dict(self._unsent)
        for key, value in unsent.items():
            self._reach.ask(lambda key=key, value=value: self._store.put_setting(key, value))
            with self._lock:
                if self._unsent.get(key) == value:
                    self._unsent.pop(key, None)
