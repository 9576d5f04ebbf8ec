"""Signing in and out: with a password, or because the site's identity provider vouches for somebody."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ray_backend.domain.accounts import Account, ProviderRules, SignedIn, checked_password
from ray_backend.domain.errors import InvalidInput, Overloaded, WrongCredentials
from ray_backend.ports import Clock
from ray_backend.services.account_book import Entry
from ray_backend.services.accounts import AccountService
from ray_backend.services.provider import Provider
from ray_backend.services.sessions import digest, new_secret

_MOST_DEVICES = 10
_MOST_WAITING = 8
_BUSY_S = 2.0


class SignInService:
    """Turns passwords and identities into sessions, and sessions into accounts."""

    def __init__(self, accounts: AccountService, clock: Clock, rules: ProviderRules | None = None) -> None:
        self._accounts = accounts
        self._book = accounts.book
        self._sessions = accounts.sessions
        self._passwords = accounts.passwords
        self._audit = accounts.audit
        self._clock = clock
        self._provider = Provider(accounts, clock, rules or ProviderRules())
        # Guesses sent at once would all be checked before the first of them is counted.
        self._one_at_a_time = threading.Lock()
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)

    def sign_in(self, username: str, password: str, device: str = "") -> SignedIn:
        """Opens a session. `device` is what this browser keeps from an earlier sign-in, if anything.

        Raises WrongCredentials, which does not tell whether there is such an account, TooManyAttempts, and
        Overloaded while many people sign in at once.
        """
        username = username.strip().lower()
        with self._in_turn():
            entry = self._book.find(username)
            known = entry is not None and digest(device) in entry.devices
            entry = self._checked(username, entry, password, device if known else "")
            return self._open(entry, device if known else new_secret())

    def by_provider(self, claims: Mapping[str, Any]) -> SignedIn:
        """Opens a session for who the identity provider says it is; `claims` are those of its ID token.

        Raises WrongCredentials when the site lets nobody in with these claims.
        """
        with self._accounts.one_change:
            return self._open(self._provider.entry(claims), new_secret())

    def who(self, token: str) -> Account:
        """Whose session this is. Raises WrongCredentials when it has ended."""
        username = self._sessions.username(token)
        entry = self._book.find(username) if username else None
        if entry is None or not entry.account.active:
            raise WrongCredentials("You were signed out. Sign in again.")
        return entry.account

    def sign_out(self, token: str) -> None:
        """Ends a session; one that has ended already is no error."""
        username = self._sessions.username(token)
        self._sessions.end(token)
        if username:
            self._audit.record(username, "account.signed_out", username)

    def sign_out_everywhere(self, *, actor: str) -> int:
        """Ends all sessions of an account, and makes its browsers strangers. Returns how many there were."""
        with self._accounts.one_change:
            entry = self._book.get(actor)
            self._book.put(replace(entry, devices=(), signed_out_at=self._clock.now()))
            ended = self._sessions.end_all(actor)
            self._audit.record(actor, "account.signed_out_everywhere", actor, sessions=ended)
        return ended

    def own_account(self, *, actor: str) -> Account:
        """The account of who asks. Raises NotFound."""
        return self._book.get(actor).account

    def change_password(self, old: str, new: str, *, actor: str) -> None:
        """Changes one's own password and ends all one's sessions, this one too.

        Raises WrongCredentials when the old one is not right, TooManyAttempts, and InvalidInput when the
        new one is too short.
        """
        with self._in_turn(), self._accounts.one_change:
            entry = self._book.get(actor)
            entry = self._checked(actor, entry, old, "")
            if new == old:
                raise InvalidInput("Choose a password that differs from the old one.")
            changed = replace(entry.account, must_change_password=False)
            password_hash = self._passwords.hash(checked_password(new))
            self._book.put(replace(entry, account=changed, password_hash=password_hash, devices=()))
            self._sessions.end_all(actor)
            self._audit.record(actor, "account.password_changed", actor)

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self._waiting.acquire(blocking=False):
            raise Overloaded("Many people sign in at the moment. Try again in a few seconds.", _BUSY_S)
        try:
            with self._one_at_a_time:
                yield
        finally:
            self._waiting.release()

    def _checked(self, username: str, entry: Entry | None, password: str, device: str) -> Entry:
        """The entry whose password this is."""
        attempts = self._accounts.guesses.at(username, device)
        attempts.refuse_while_locked()
        stored = entry.password_hash if entry is not None and entry.account.active else None
        if not self._passwords.verifies(stored, password):
            attempts.count_failure()
            self._accounts.guesses.tidy()
            raise WrongCredentials("Username or password is not right. Check capital letters and try again.")
        attempts.forget()
        return self._renewed(entry, password) if self._passwords.is_outdated(stored) else entry

    def _renewed(self, entry: Entry, password: str) -> Entry:
        with self._accounts.one_change:
            self._refuse_if_changed(entry)
            entry = replace(entry, password_hash=self._passwords.hash(password))
            self._book.put(entry)
        return entry

    def _open(self, entry: Entry, device: str) -> SignedIn:
        username = entry.account.username
        with self._accounts.one_change:
            entry = self._refuse_if_changed(entry)
            others = tuple(known for known in entry.devices if known != digest(device))
            self._book.put(replace(entry, devices=(*others, digest(device))[-_MOST_DEVICES:]))
            token = self._sessions.open(username)
        self._audit.record(username, "account.signed_in", username)
        return SignedIn(entry.account, token, device)

    def _refuse_if_changed(self, entry: Entry) -> Entry:
        """The account as it is now: it may have been shut while the password was checked."""
        now = self._book.get(entry.account.username)
        if not now.account.active or now.password_hash != entry.password_hash:
            raise WrongCredentials("This account was changed just now. Try again.")
        return now
