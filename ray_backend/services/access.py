"""Who may come in: the admin's password, the kiosks' tokens and the API's keys. Only hashes are stored."""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from ray_backend.domain.answers import KioskToken
from ray_backend.domain.errors import InvalidInput, NotFound, WrongCredentials
from ray_backend.domain.permissions import Role
from ray_backend.ports import Clock, Store
from ray_backend.services.attempts import Attempts
from ray_backend.services.audit import Auditor

_PASSWORD = "admin/password_hash"
_FAILURES = "admin/failures"
_TOKENS = "kiosk_token/"
_KEYS = "api_key/"
MIN_PASSWORD_LENGTH = 10


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the HTTP API. `token_id` names it in lists; the secret is not kept.

    A kiosk's token is such a key with the role kiosk; `name` is the kiosk's then.
    """

    token_id: str
    name: str
    role: Role
    created_at: datetime


class AccessService:
    """Checks passwords and tokens, and hands out new ones."""

    def __init__(self, store: Store, clock: Clock, hasher: PasswordHasher | None = None) -> None:
        self._store = store
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        self._audit = Auditor(store, clock)
        self._attempts = Attempts(store, clock, _FAILURES, "passwords", on_lock=self._note_lock)
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
        self._attempts.refuse_while_locked()
        stored = self._store.get_setting(_PASSWORD)
        if stored is None or not self._verifies(stored, password):
            self._attempts.count_failure()
            raise WrongCredentials("This password is not right. Check capital letters and try again.")
        self._attempts.forget()
        if self._hasher.check_needs_rehash(stored):
            self._store.put_setting(_PASSWORD, self._hasher.hash(password))

    def issue_token(self, kiosk: str, *, actor: str) -> str:
        """A new secret for a kiosk. It is shown this once. Raises InvalidInput."""
        kiosk = _checked_name(kiosk, "the kiosk", "entrance")
        secret = secrets.token_urlsafe(24)
        record = {"kiosk": kiosk, "created_at": self._clock.now().isoformat()}
        self._store.put_setting(_TOKENS + _digest(secret), record)
        self._audit.record(actor, "kiosk_token.issued", _digest(secret)[:12], kiosk=kiosk)
        return secret

    def issue_key(self, name: str, role: Role, *, actor: str) -> str:
        """A new secret for a program, with what it may do. It is shown this once. Raises InvalidInput.

        With the role kiosk it is a kiosk's token, which opens the check-in page, too.
        """
        if role is Role.KIOSK:
            return self.issue_token(name, actor=actor)
        name = _checked_name(name, "the key", "payroll")
        secret = secrets.token_urlsafe(24)
        record = {"name": name, "role": role.value, "created_at": self._clock.now().isoformat()}
        self._store.put_setting(_KEYS + _digest(secret), record)
        self._audit.record(actor, "api_key.issued", _digest(secret)[:12], name=name, role=role.value)
        return secret

    def verify_key(self, secret: str) -> ApiKey:
        """Whose key this is; kiosks' tokens count. Raises WrongCredentials."""
        digest = _digest(secret)
        for prefix in (_KEYS, _TOKENS):
            record = self._store.get_setting(prefix + digest) if secret else None
            if record is not None:
                return _key_of(digest, record)
        raise WrongCredentials(
            "This API key is not known, or was revoked. `rollcall token create NAME --role ROLE` makes one."
        )

    def api_keys(self) -> list[ApiKey]:
        """All API keys and kiosks' tokens, oldest first."""
        found = [
            _key_of(key.removeprefix(prefix), record)
            for prefix in (_KEYS, _TOKENS)
            for key, record in self._store.settings(prefix).items()
        ]
        return sorted(found, key=lambda key: key.created_at)

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
        """Shuts a kiosk or a program out. `token_id` as `tokens` or `api_keys` gives it. Raises NotFound."""
        for prefix, action in ((_TOKENS, "kiosk_token.revoked"), (_KEYS, "api_key.revoked")):
            keys = [key for key in self._store.settings(prefix) if key.removeprefix(prefix)[:12] == token_id]
            for key in keys:
                self._store.put_setting(key, None)
            if keys:
                self._audit.record(actor, action, token_id)
                return
        raise NotFound("No token has this id. `rollcall token list` shows them.")

    def _set_password(self, password: str) -> None:
        self._store.put_setting(_PASSWORD, self._hasher.hash(password))
        self._attempts.forget()
        self._audit.record("system", "admin.password_set", "admin")

    def _verifies(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerifyMismatchError, InvalidHashError):
            return False

    def _note_lock(self, lock: timedelta) -> None:
        self._audit.record("system", "admin.locked", "admin", seconds=lock.total_seconds())


def _checked_name(name: str, whose: str, example: str) -> str:
    name = name.strip()
    if not name or len(name) > 64 or not name.isprintable():
        raise InvalidInput(f"Give {whose} a name of 1 to 64 visible characters, such as {example}.")
    return name


def _key_of(digest: str, record: dict) -> ApiKey:
    return ApiKey(
        digest[:12],
        record.get("name") or record["kiosk"],
        Role(record.get("role", Role.KIOSK)),
        datetime.fromisoformat(record["created_at"]),
    )


def _digest(secret: str) -> str:
    # A token has 192 random bits, so a plain digest cannot be guessed back; passwords get argon2.
    return hashlib.sha256(secret.encode()).hexdigest()
