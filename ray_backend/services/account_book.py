"""Accounts as they are kept in the settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ray_backend.domain.accounts import FIRST_ADMIN, Account
from ray_backend.domain.errors import NotFound
from ray_backend.domain.permissions import Role
from ray_backend.ports import Clock
from ray_backend.services.reach import KeepsSettings

ACCOUNTS = "account/"
# Until there were accounts, the admin had a password and nothing else.
_OLD_PASSWORD, _OLD_FAILURES = "admin/password_hash", "admin/failures"


@dataclass(frozen=True, slots=True)
class Entry:
    """An account and what only the services may see of it.

    `devices` are digests of what known browsers keep. `identity` is a digest of who the provider says it is.
    What a provider vouched for before `signed_out_at` does not count any more.
    """

    account: Account
    password_hash: str | None = None
    devices: tuple[str, ...] = ()
    identity: str = ""
    signed_out_at: datetime | None = None


class AccountBook:
    """Reads and writes accounts. The caller keeps two changes from happening at once."""

    def __init__(self, store: KeepsSettings, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def find(self, username: str) -> Entry | None:
        """The account with this username, or None."""
        record = self._store.get_setting(ACCOUNTS + username)
        return None if record is None else _entry_of(username, record)

    def get(self, username: str) -> Entry:
        """Raises NotFound."""
        entry = self.find(username)
        if entry is None:
            raise NotFound("There is no account with this username.")
        return entry

    def all(self) -> list[Entry]:
        """Every account, by username."""
        found = self._store.settings(ACCOUNTS).items()
        return sorted(
            (_entry_of(key.removeprefix(ACCOUNTS), record) for key, record in found),
            key=lambda entry: entry.account.username,
        )

    def put(self, entry: Entry) -> None:
        """Adds the account, or replaces the one with its username."""
        self._store.put_setting(ACCOUNTS + entry.account.username, _record_of(entry))

    def take_over_old_admin(self) -> None:
        """Makes an account of the admin's password of earlier versions."""
        old = self._store.get_setting(_OLD_PASSWORD)
        if old is None:
            return
        if self.find(FIRST_ADMIN) is None:
            account = Account(FIRST_ADMIN, "Administrator", Role.ADMIN, self._clock.now())
            self.put(Entry(account, old))
        for key in (_OLD_PASSWORD, _OLD_FAILURES):
            self._store.put_setting(key, None)


def _record_of(entry: Entry) -> dict[str, Any]:
    account = entry.account
    return {
        "name": account.name,
        "role": account.role.value,
        "departments": None if account.departments is None else list(account.departments),
        "email": account.email,
        "active": account.active,
        "must_change_password": account.must_change_password,
        "role_from_groups": account.role_from_groups,
        "created_at": account.created_at.isoformat(),
        "password_hash": entry.password_hash,
        "devices": list(entry.devices),
        "identity": entry.identity,
        "signed_out_at": entry.signed_out_at and entry.signed_out_at.isoformat(),
    }


def _entry_of(username: str, record: dict[str, Any]) -> Entry:
    departments, signed_out_at = record["departments"], record["signed_out_at"]
    account = Account(
        username,
        record["name"],
        Role(record["role"]),
        datetime.fromisoformat(record["created_at"]),
        None if departments is None else tuple(departments),
        record["email"],
        record["active"],
        record["password_hash"] is not None,
        record["must_change_password"],
        record["role_from_groups"],
    )
    return Entry(
        account,
        record["password_hash"],
        tuple(record["devices"]),
        record["identity"],
        signed_out_at and datetime.fromisoformat(signed_out_at),
    )
