"""Limiting guesses at the passwords of accounts, so that guessing is slow and shuts nobody out for ever.

Whoever guesses locks an account for browsers that it never signed in with. A browser that it did sign in
with keeps a secret, and its own count: its owner gets in while somebody else guesses
(OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ray_backend.ports import Clock, Store
from ray_backend.services.attempts import Attempts
from ray_backend.services.audit import Auditor
from ray_backend.services.sessions import digest

_STRANGERS, _KNOWN = "account_failures/", "device_failures/"
_FORGET_AFTER = timedelta(days=1)
# Guessed names are counted like real ones, and forgotten when there are many.
_MOST_COUNTS = 1000


class Guesses:
    """Counts wrong passwords for each username, whether it has an account or not. One call at a time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._audit = Auditor(store, clock)

    def at(self, username: str, device: str = "") -> Attempts:
        """The count for an account; `device` is what a known browser keeps, or nothing."""
        # Guessed names can be long and are nobody's business.
        key = _KNOWN + digest(device)[:24] if device else _STRANGERS + digest(username)[:24]
        subject = username if self._store.get_setting(f"account/{username}") is not None else "unknown"

        def note(lock: timedelta) -> None:
            self._audit.record("system", "account.locked", subject, seconds=lock.total_seconds())

        return Attempts(self._store, self._clock, key, "passwords", on_lock=note, forget_after=_FORGET_AFTER)

    def forget(self, username: str) -> None:
        """Ends the lock of an account."""
        self._store.put_setting(_STRANGERS + digest(username)[:24], None)

    def tidy(self) -> None:
        """Drops counts that are a day old when there are very many."""
        for prefix in (_STRANGERS, _KNOWN):
            counts = self._store.settings(prefix)
            if len(counts) < _MOST_COUNTS:
                continue
            for key, count in counts.items():
                if self._clock.now() - datetime.fromisoformat(count["last"]) > _FORGET_AFTER:
                    self._store.put_setting(key, None)
