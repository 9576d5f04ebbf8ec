"""Who may come in: the admin's password and the kiosks' tokens. Only hashes are stored."""

from __future__ import annotations

import hashlib
import secrets
import threading
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from ray_backend.domain.answers import KioskToken
from ray_backend.domain.errors import InvalidInput, NotFound, TooManyAttempts, WrongCredentials
from ray_backend.ports import Clock, Store
from ray_backend.services.audit import Auditor

_PASSWORD = "admin/password_hash"
_FAILURES = "admin/failures"
_TOKENS = "kiosk_token/"
MIN_PASSWORD_LENGTH = 10
FREE_ATTEMPTS = 5
FIRST_LOCK = timedelta(seconds=30)
LONGEST_LOCK = timedelta(minutes=15)


class AccessService:
    """Checks passwords and tokens, and hands out new ones."""

    def __init__(self, store: Store, clock: Clock, hasher: PasswordHasher | None = None) -> None:
        self._store = store
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        self._audit = Auditor(store, clock)
        # Guesses sent at once would all be checked before the first of them is counted.
        self._one_at_a_time = threading.Lock()

    def ensure_admin(self, wanted: str | None) -> str | None:
        """Makes sure that an admin can sign in; returns the password if one had to be made up.

        `wanted` comes from the settings and is in force from now on if given. Raises InvalidInput when
        it is shorter than 10 characters.
        """
        stored = self._store.get_setting(_PASSWORD)
        if wanted is not None:
            if len(wanted) < MIN_PASSWORD_LENGTH:
                raise InvalidInput(
                    f"ROLLCALL_ADMIN_PASSWORD is too short: use at least {MIN_PASSWORD_LENGTH} characters."
                )
            if stored is None or not self._verifies(stored, wanted):
                self._set_password(wanted)
            return None
        if stored is not None:
            return None
        password = secrets.token_urlsafe(12)
        self._set_password(password)
        return password

    def sign_in(self, password: str) -> None:
        """Returns when the password is right. Raises WrongCredentials and TooManyAttempts.

        After five failures each further one locks signing in, for 30 s at first, then twice as long
        each time up to 15 minutes.
        """
        with self._one_at_a_time:
            self._sign_in(password)

    def _sign_in(self, password: str) -> None:
        self._refuse_while_locked()
        stored = self._store.get_setting(_PASSWORD)
        if stored is None or not self._verifies(stored, password):
            self._count_failure()
            raise WrongCredentials("This password is not right. Check capital letters and try again.")
        self._store.put_setting(_FAILURES, None)
        if self._hasher.check_needs_rehash(stored):
            self._store.put_setting(_PASSWORD, self._hasher.hash(password))

    def issue_token(self, kiosk: str, *, actor: str) -> str:
        """A new secret for a kiosk. It is shown this once. Raises InvalidInput."""
        kiosk = kiosk.strip()
        if not kiosk or len(kiosk) > 64 or not kiosk.isprintable():
            raise InvalidInput("Give the kiosk a name of 1 to 64 visible characters, such as entrance.")
        secret = secrets.token_urlsafe(24)
        record = {"kiosk": kiosk, "created_at": self._clock.now().isoformat()}
        self._store.put_setting(_TOKENS + _digest(secret), record)
        self._audit.record(actor, "kiosk_token.issued", _digest(secret)[:12], kiosk=kiosk)
        return secret

    def verify_token(self, secret: str) -> str:
        """The name of the kiosk that this token belongs to. Raises WrongCredentials."""
        record = self._store.get_setting(_TOKENS + _digest(secret)) if secret else None
        if record is None:
            raise WrongCredentials(
                "This kiosk is not allowed in. Open it with the address that `rollcall token create` prints."
            )
        return record["kiosk"]

    def tokens(self) -> list[KioskToken]:
        """All kiosks that are allowed in, oldest first."""
        found = [
            KioskToken(
                key.removeprefix(_TOKENS)[:12],
                record["kiosk"],
                datetime.fromisoformat(record["created_at"]),
            )
            for key, record in self._store.settings(_TOKENS).items()
        ]
        return sorted(found, key=lambda token: token.created_at)

    def revoke_token(self, token_id: str, *, actor: str) -> None:
        """Shuts a kiosk out. `token_id` as `tokens` gives it. Raises NotFound."""
        keys = [key for key in self._store.settings(_TOKENS) if key.removeprefix(_TOKENS)[:12] == token_id]
        if not keys:
            raise NotFound("No kiosk token has this id. `rollcall token list` shows them.")
        for key in keys:
            self._store.put_setting(key, None)
        self._audit.record(actor, "kiosk_token.revoked", token_id)

    def _set_password(self, password: str) -> None:
        self._store.put_setting(_PASSWORD, self._hasher.hash(password))
        self._store.put_setting(_FAILURES, None)
        self._audit.record("system", "admin.password_set", "admin")

    def _verifies(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerifyMismatchError, InvalidHashError):
            return False

    def _refuse_while_locked(self) -> None:
        failures = self._store.get_setting(_FAILURES)
        if not failures or "locked_until" not in failures:
            return
        left_s = (datetime.fromisoformat(failures["locked_until"]) - self._clock.now()).total_seconds()
        if left_s > 0:
            raise TooManyAttempts(
                f"Too many wrong passwords. Wait {round(left_s) or 1} seconds and try again.", left_s
            )

    def _count_failure(self) -> None:
        count = (self._store.get_setting(_FAILURES) or {"count": 0})["count"] + 1
        failures = {"count": count}
        if count >= FREE_ATTEMPTS:
            lock = min(FIRST_LOCK * 2 ** min(count - FREE_ATTEMPTS, 10), LONGEST_LOCK)
            failures["locked_until"] = (self._clock.now() + lock).isoformat()
            self._audit.record("system", "admin.locked", "admin", seconds=lock.total_seconds())
        self._store.put_setting(_FAILURES, failures)


def _digest(secret: str) -> str:
    # A token has 192 random bits, so a plain digest cannot be guessed back; passwords get argon2.
    return hashlib.sha256(secret.encode()).hexdigest()
