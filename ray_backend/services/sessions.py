"""Sessions of people who signed in. Only digests of their tokens are stored."""

from __future__ import annotations

import hashlib
import secrets
import threading
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from ray_backend.domain.accounts import IDLE, LONGEST
from ray_backend.ports import Clock
from ray_backend.services.reach import KeepsSettings

SESSIONS = "session/"
# A page runs at each click; its use is noted this often.
_NOTE_USE_AFTER = timedelta(minutes=1)


def _alone(method):
    @wraps(method)
    def alone(self, *args):
        with self._one_at_a_time:
            return method(self, *args)

    return alone


class Sessions:
    """Opens, finds and ends sessions. Safe to call from several threads."""

    def __init__(self, store: KeepsSettings, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        # Noting the use of a session must not bring back one that is ended meanwhile.
        self._one_at_a_time = threading.RLock()

    @_alone
    def open(self, username: str) -> str:
        """The secret token of a new session; drops those that have expired."""
        self._drop_expired()
        token = new_secret()
        now = self._clock.now().isoformat()
        record = {"username": username, "created_at": now, "used_at": now}
        self._store.put_setting(SESSIONS + digest(token), record)
        return token

    @_alone
    def username(self, token: str) -> str | None:
        """Whose session this is, and notes its use. None when there is none, or it has expired."""
        key = SESSIONS + digest(token)
        record = self._store.get_setting(key) if token else None
        if record is None:
            return None
        now = self._clock.now()
        if _has_expired(record, now):
            self._store.put_setting(key, None)
            return None
        if now - datetime.fromisoformat(record["used_at"]) >= _NOTE_USE_AFTER:
            self._store.put_setting(key, record | {"used_at": now.isoformat()})
        return record["username"]

    @_alone
    def end(self, token: str) -> None:
        """Ends one session; an unknown one is no error."""
        self._store.put_setting(SESSIONS + digest(token), None)

    @_alone
    def end_all(self, username: str) -> int:
        """Ends every session of an account and returns how many there were."""
        keys = [key for key, record in self._all() if record["username"] == username]
        for key in keys:
            self._store.put_setting(key, None)
        return len(keys)

    def _drop_expired(self) -> None:
        now = self._clock.now()
        for key, record in self._all():
            if _has_expired(record, now):
                self._store.put_setting(key, None)

    def _all(self) -> list[tuple[str, dict[str, Any]]]:
        return list(self._store.settings(SESSIONS).items())


def _has_expired(record: dict[str, Any], now: datetime) -> bool:
    idle = now - datetime.fromisoformat(record["used_at"])
    return idle >= IDLE or now - datetime.fromisoformat(record["created_at"]) >= LONGEST


def new_secret() -> str:
    """A random secret of 192 bits."""
    return secrets.token_urlsafe(24)


def digest(secret: str) -> str:
    """What is stored of a random secret: it has too many bits to be guessed back from this."""
    return hashlib.sha256(secret.encode()).hexdigest()
