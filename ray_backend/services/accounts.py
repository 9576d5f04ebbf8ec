"""Managing the accounts of people who sign in: the part that only administrators do."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ray_backend.domain.accounts import (
    FIRST_ADMIN,
    Account,
    AccountDraft,
    NewAccount,
    checked_password,
    checked_username,
)
from ray_backend.domain.errors import Conflict, InvalidInput
from ray_backend.domain.permissions import Role
from ray_backend.ports import Clock, Store
from ray_backend.services.account_book import AccountBook, Entry
from ray_backend.services.audit import Auditor
from ray_backend.services.guesses import Guesses
from ray_backend.services.passwords import Passwords, new_password
from ray_backend.services.reach import KeepsSettings
from ray_backend.services.sessions import Sessions


class AccountService:
    """Makes, changes and shuts accounts. There is always an administrator who can sign in."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        passwords: Passwords | None = None,
        remembered: KeepsSettings | None = None,
    ) -> None:
        """`remembered` knows accounts and sessions while the database is away."""
        self.book = AccountBook(remembered or store, clock)
        self.passwords = passwords or Passwords()
        self.sessions = Sessions(remembered or store, clock)
        self.guesses = Guesses(store, clock)
        self._clock = clock
        self.audit = Auditor(store, clock)
        # Two changes at once could each leave the other as the last administrator.
        self.one_change = threading.RLock()

    def ensure_admin(self, wanted: str | None) -> str | None:
        """Makes sure that an admin can sign in; returns the password if one had to be made up.

        `wanted` comes from the settings and is in force for the account `admin` from now on if given, which
        also ends a lock. Raises InvalidInput when it is too short.
        """
        with self.one_change:
            self.book.take_over_old_admin()
            if wanted is not None:
                self._set_first_admin(_checked_setting(wanted))
                return None
            if any(map(_is_active_admin, self.everybody())):
                return None
            password = new_password()
            self._set_first_admin(password)
            return password

    def everybody(self) -> tuple[Account, ...]:
        """All accounts, by username."""
        return tuple(entry.account for entry in self.book.all())

    def create(self, username: str, draft: AccountDraft, *, actor: str) -> NewAccount:
        """A new account with a password that has to be changed at the first sign-in.

        Raises InvalidInput, and Conflict when the username or the e-mail address is taken.
        """
        username, draft = checked_username(username), draft.checked()
        with self.one_change:
            if self.book.find(username) is not None:
                raise Conflict("This username is taken. Choose another one.")
            self._refuse_taken_email(username, draft.email)
            account = Account(
                username, draft.name, draft.role, self._clock.now(), draft.departments, draft.email,
                must_change_password=True,
            )  # fmt: skip
            password = new_password()
            self.book.put(Entry(account, self.passwords.hash(password)))
            self.audit.change(actor, "account.created", username, {}, _told(account))
        return NewAccount(account, password)

    def change(self, username: str, draft: AccountDraft, *, actor: str) -> Account:
        """Changes name, role, departments and e-mail address, in force at once for who is signed in.

        Raises InvalidInput, NotFound, and Conflict for a taken address and for the last administrator.
        """
        draft = draft.checked()
        with self.one_change:
            entry = self.book.get(username)
            self._refuse_taken_email(username, draft.email)
            before = entry.account
            after = replace(
                before, name=draft.name, role=draft.role, departments=draft.departments, email=draft.email
            )
            self._keep_an_admin(before, after)
            identity = entry.identity if after.email == before.email else ""
            self.book.put(replace(entry, account=after, identity=identity))
            self.audit.change(actor, "account.changed", username, _told(before), _told(after))
            fields = [name for name in ("name", "email") if getattr(before, name) != getattr(after, name)]
            if fields:
                self.audit.record(actor, "account.changed", username, fields=fields)
        return after

    def set_active(self, username: str, active: bool, *, actor: str) -> Account:
        """Shuts an account, which ends its sessions, or opens it again. Raises NotFound and Conflict."""
        with self.one_change:
            entry = self.book.get(username)
            changed = replace(entry, account=replace(entry.account, active=active))
            self._keep_an_admin(entry.account, changed.account)
            self.book.put(changed)
            if not active:
                self.sessions.end_all(username)
            before, after = {"active": entry.account.active}, {"active": active}
            self.audit.change(actor, "account.changed", username, before, after)
        return changed.account

    def reset_password(self, username: str, *, actor: str) -> NewAccount:
        """A new password for the next sign-in; ends all sessions and any lock. Raises NotFound."""
        with self.one_change:
            password = new_password()
            account = self._set_password(self.book.get(username), password, must_change=True)
            self.audit.record(actor, "account.password_reset", username)
        return NewAccount(account, password)

    def _set_first_admin(self, password: str) -> None:
        entry = self.book.find(FIRST_ADMIN)
        if entry is None:
            entry = Entry(Account(FIRST_ADMIN, "Administrator", Role.ADMIN, self._clock.now()))
            self.audit.change("system", "account.created", FIRST_ADMIN, {}, _told(entry.account))
        if _is_active_admin(entry.account) and self.passwords.verifies(entry.password_hash, password):
            self.guesses.forget(FIRST_ADMIN)
            return
        restored = replace(entry.account, role=Role.ADMIN, departments=None, active=True)
        self.audit.change("system", "account.changed", FIRST_ADMIN, _told(entry.account), _told(restored))
        self._set_password(replace(entry, account=restored), password, must_change=False)
        self.audit.record("system", "account.password_set", FIRST_ADMIN)

    def _set_password(self, entry: Entry, password: str, *, must_change: bool) -> Account:
        account = replace(entry.account, has_password=True, must_change_password=must_change)
        self.book.put(
            replace(entry, account=account, password_hash=self.passwords.hash(password), devices=())
        )
        self.sessions.end_all(account.username)
        self.guesses.forget(account.username)
        return account

    def _refuse_taken_email(self, username: str, email: str) -> None:
        if email and any(a.email == email and a.username != username for a in self.everybody()):
            raise Conflict("Another account has this e-mail address.")

    def _keep_an_admin(self, before: Account, after: Account) -> None:
        others = (account for account in self.everybody() if account.username != before.username)
        if _is_active_admin(before) and not any(map(_is_active_admin, (after, *others))):
            raise Conflict("This is the last administrator who can sign in. Make another one first.")


def _checked_setting(password: str) -> str:
    try:
        return checked_password(password)
    except InvalidInput as error:
        raise InvalidInput(f"ROLLCALL_ADMIN_PASSWORD cannot be used. {error.message}") from error


def _is_active_admin(account: Account) -> bool:
    return account.active and account.role is Role.ADMIN


def _told(account: Account) -> dict[str, Any]:
    """What the audit log keeps of an account: no name and no address."""
    return {
        "role": account.role.value,
        "departments": _listed(account.departments),
        "active": account.active,
    }


def _listed(departments: Iterable[str] | None) -> list[str] | None:
    return None if departments is None else list(departments)
