"""What the claims of an identity provider (OpenID Connect) are worth here.

Nobody gets in only because the provider knows them: there has to be an account with their e-mail address,
or one of their groups has to stand in the site's settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ray_backend.domain.accounts import Account, ProviderRules, checked_username, parse_roles
from ray_backend.domain.errors import InvalidInput, WrongCredentials
from ray_backend.domain.permissions import ACCOUNT_ROLES, Role
from ray_backend.domain.requests import checked_email
from ray_backend.ports import Clock
from ray_backend.services.account_book import Entry
from ray_backend.services.accounts import AccountService
from ray_backend.services.sessions import digest

# The browser keeps what the provider said for longer than a session here may last.
_FRESH = timedelta(minutes=10)
_CLOCKS_DIFFER = timedelta(minutes=2)


def provider_rules(settings: Any) -> ProviderRules:
    """What this process's `Settings` say of the provider. Raises InvalidInput."""
    try:
        roles = parse_roles(settings.oidc_roles)
    except InvalidInput as error:
        raise InvalidInput(f"ROLLCALL_OIDC_ROLES cannot be used: {error.message}") from error
    return ProviderRules(settings.oidc_groups_claim, roles, settings.oidc_trust_email)


class Provider:
    """Finds or makes the account of who is vouched for. One call at a time."""

    def __init__(self, accounts: AccountService, clock: Clock, rules: ProviderRules) -> None:
        self._accounts = accounts
        self._book = accounts.book
        self._clock = clock
        self._rules = rules

    def entry(self, claims: Mapping[str, Any]) -> Entry:
        """The account for these claims of an ID token. Raises WrongCredentials."""
        issued_at = self._issued_at(claims)
        email, identity = self._email(claims), digest(f"{claims.get('iss')}\n{claims.get('sub')}")
        entry = next((one for one in self._book.all() if one.account.email == email), None)
        if entry is None:
            return self._made(email, claims, identity)
        if entry.signed_out_at is not None and issued_at <= entry.signed_out_at:
            raise WrongCredentials("You signed out. Sign in again.")
        if not entry.account.active or entry.identity not in ("", identity):
            raise WrongCredentials("This account is shut. Ask an administrator.")
        entry = replace(entry, identity=identity)
        if entry.account.role_from_groups:
            entry = self._with_role(entry, self._role(claims))
        self._book.put(entry)
        return entry

    def _issued_at(self, claims: Mapping[str, Any]) -> datetime:
        stamp = claims.get("iat")
        if isinstance(stamp, int | float) and claims.get("sub"):
            issued_at = datetime.fromtimestamp(stamp, UTC)
            if -_CLOCKS_DIFFER <= self._clock.now() - issued_at <= _FRESH:
                return issued_at
        raise WrongCredentials("Your sign-in has expired. Sign in again.")

    def _email(self, claims: Mapping[str, Any]) -> str:
        email = claims.get("email")
        verified = claims.get("email_verified") in (True, "true") or self._rules.trust_email
        try:
            if isinstance(email, str) and email.strip() and verified:
                return checked_email(email).lower()
        except InvalidInput:
            pass
        raise WrongCredentials("Your identity provider does not vouch for an e-mail address of yours.")

    def _role(self, claims: Mapping[str, Any]) -> Role:
        groups = claims.get(self._rules.groups_claim)
        listed = groups if isinstance(groups, list) else [groups]
        mine = {self._rules.roles.get(group) for group in listed if isinstance(group, str)}
        for role in ACCOUNT_ROLES:
            if role in mine:
                return role
        raise WrongCredentials("Nobody has made an account for you here. Ask an administrator.")

    def _made(self, email: str, claims: Mapping[str, Any], identity: str) -> Entry:
        role = self._role(claims)
        try:
            username = checked_username(email)
        except InvalidInput as error:
            raise WrongCredentials(
                "This e-mail address cannot be used here. Ask an administrator."
            ) from error
        if self._book.find(username) is not None:
            raise WrongCredentials("This account is shut. Ask an administrator.")
        name = claims.get("name") if isinstance(claims.get("name"), str) else ""
        account = Account(
            username,
            " ".join(name.split())[:200] or username,
            role,
            self._clock.now(),
            # An administrator says which departments a manager is for.
            None if role is Role.ADMIN else (),
            email,
            has_password=False,
            role_from_groups=True,
        )
        entry = Entry(account, identity=identity)
        self._book.put(entry)
        self._accounts.audit.record("system", "account.created", username, role=role.value, by="provider")
        return entry

    def _with_role(self, entry: Entry, role: Role) -> Entry:
        before = entry.account
        if role is before.role:
            return entry
        bound = () if before.departments is None else before.departments
        after = replace(before, role=role, departments=None if role is Role.ADMIN else bound)
        changed = {"role": before.role.value}, {"role": role.value}
        self._accounts.audit.change("system", "account.changed", before.username, *changed)
        return replace(entry, account=after)
