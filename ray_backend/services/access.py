"""Which machines may come in: the kiosks' tokens and the API's keys. Only hashes are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ray_backend.domain.answers import KioskToken
from ray_backend.domain.errors import InvalidInput, NotFound, WrongCredentials
from ray_backend.domain.permissions import Role
from ray_backend.ports import Clock, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.sessions import digest, new_secret

_TOKENS = "kiosk_token/"
_KEYS = "api_key/"


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
    """Checks tokens and keys, and hands out new ones."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._audit = Auditor(store, clock)

    def issue_token(self, kiosk: str, *, actor: str) -> str:
        """A new secret for a kiosk. It is shown this once. Raises InvalidInput."""
        kiosk = _checked_name(kiosk, "the kiosk", "entrance")
        secret = new_secret()
        record = {"kiosk": kiosk, "created_at": self._clock.now().isoformat()}
        self._store.put_setting(_TOKENS + digest(secret), record)
        self._audit.record(actor, "kiosk_token.issued", digest(secret)[:12], kiosk=kiosk)
        return secret

    def issue_key(self, name: str, role: Role, *, actor: str) -> str:
        """A new secret for a program, with what it may do. It is shown this once. Raises InvalidInput.

        With the role kiosk it is a kiosk's token, which opens the check-in page, too.
        """
        if role is Role.KIOSK:
            return self.issue_token(name, actor=actor)
        name = _checked_name(name, "the key", "payroll")
        secret = new_secret()
        record = {"name": name, "role": role.value, "created_at": self._clock.now().isoformat()}
        self._store.put_setting(_KEYS + digest(secret), record)
        self._audit.record(actor, "api_key.issued", digest(secret)[:12], name=name, role=role.value)
        return secret

    def verify_key(self, secret: str) -> ApiKey:
        """Whose key this is; kiosks' tokens count. Raises WrongCredentials."""
        kept = digest(secret)
        for prefix in (_KEYS, _TOKENS):
            record = self._store.get_setting(prefix + kept) if secret else None
            if record is not None:
                return _key_of(kept, record)
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
        record = self._store.get_setting(_TOKENS + digest(secret)) if secret else None
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


def _checked_name(name: str, whose: str, example: str) -> str:
    name = name.strip()
    if not name or len(name) > 64 or not name.isprintable():
        raise InvalidInput(f"Give {whose} a name of 1 to 64 visible characters, such as {example}.")
    return name


def _key_of(kept: str, record: dict) -> ApiKey:
    return ApiKey(
        kept[:12],
        record.get("name") or record["kiosk"],
        Role(record.get("role", Role.KIOSK)),
        datetime.fromisoformat(record["created_at"]),
    )
