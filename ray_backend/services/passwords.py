"""Hashes of passwords: argon2id, renewed when its cost has been raised."""

from __future__ import annotations

import secrets
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError


class Passwords:
    """Makes and checks hashes. Safe to call from several threads."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(new_password())

    def hash(self, password: str) -> str:
        """What to store."""
        return self._hasher.hash(password)

    def verifies(self, stored: str | None, password: str) -> bool:
        """Whether this is the password. Takes as long where nothing is stored, so that the time does not
        tell which usernames there are."""
        try:
            return self._hasher.verify(stored or self._nobodys, password) and stored is not None
        except (VerifyMismatchError, InvalidHashError):
            return False

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash should be made anew at the next sign-in."""
        return self._hasher.check_needs_rehash(stored)


def new_password() -> str:
    """A random password of 16 characters for a first sign-in."""
    return secrets.token_urlsafe(12)
