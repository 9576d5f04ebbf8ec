"""Accounts of the people who sign in to the pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.permissions import ACCOUNT_ROLES, Caller, Role
from ray_backend.domain.requests import checked_email, checked_line

# A session ends after eight hours without use, and after a day in any case.
IDLE = timedelta(hours=8)
LONGEST = timedelta(hours=24)
MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 1000
FIRST_ADMIN = "admin"
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
# The audit log names these where nobody with an account acted.
_RESERVED = frozenset({"system", "rollcall", "kiosk", "api"})


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in. `username` is in lower case and never changes.

    `departments` binds managers and viewers to people of these, None to none in particular. Without
    `has_password` only the identity provider lets the account in. `role_from_groups`: the provider's groups
    decide the role at each sign-in.
    """

    username: str
    name: str
    role: Role
    created_at: datetime
    departments: tuple[str, ...] | None = None
    email: str = ""
    active: bool = True
    has_password: bool = True
    must_change_password: bool = False
    role_from_groups: bool = False

    @property
    def caller(self) -> Caller:
        """Who makes the calls of this account."""
        return Caller(self.username, self.role, self.departments)


@dataclass(frozen=True, slots=True)
class AccountDraft:
    """What an admin typed into the form. Administrators are bound to no department."""

    name: str
    role: Role
    departments: tuple[str, ...] | None = None
    email: str = ""

    def checked(self) -> AccountDraft:
        """The same without outer spaces. Raises InvalidInput."""
        if self.role not in ACCOUNT_ROLES:
            raise InvalidInput("An account is for an administrator, a manager or a viewer.")
        departments = None if self.role is Role.ADMIN else self.departments
        return replace(
            self,
            name=checked_line(self.name, "name", 200),
            departments=None if departments is None else tuple(sorted(set(departments))),
            email=checked_email(self.email).lower(),
        )


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account and the password for its first sign-in, which is shown once and kept nowhere."""

    account: Account
    password: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`token` stands for the session, `device` for a browser that this account has signed in with before:
    secrets for cookies. `account` is who it is."""

    account: Account
    token: str
    device: str


@dataclass(frozen=True, slots=True)
class ProviderRules:
    """What a site makes of the claims of its identity provider.

    `roles` maps names of groups, as they stand in the claim `groups_claim`, to roles. An e-mail address
    counts when the provider says that it has verified it, or always with `trust_email`.
    """

    groups_claim: str = "groups"
    roles: Mapping[str, Role] = field(default_factory=dict)
    trust_email: bool = False


def checked_username(text: str) -> str:
    """A username in lower case, without outer spaces. Raises InvalidInput."""
    username = text.strip().lower()
    if not _USERNAME.fullmatch(username) or username in _RESERVED:
        raise InvalidInput(
            "Choose a username of 1 to 64 letters, digits and . _ @ + - that begins with a letter or a digit."
        )
    return username


def checked_password(password: str) -> str:
    """A new password that is long enough. Raises InvalidInput."""
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise InvalidInput(f"Choose a password of at least {MIN_PASSWORD_LENGTH} characters.")
    if len(set(password)) < 4:
        raise InvalidInput("This password is too easy to guess. Use more different characters.")
    return password


def parse_roles(text: str) -> dict[str, Role]:
    """Groups and their roles of a text such as `rollcall-admins=admin, hr=manager`. Raises InvalidInput."""
    roles = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        group, found, role = part.rpartition("=")
        if not found or not group.strip() or role.strip() not in ACCOUNT_ROLES:
            raise InvalidInput(
                f"{part} is not like hr=manager. The roles are admin, manager and viewer; several groups are "
                "separated by commas."
            )
        roles[group.strip()] = Role(role.strip())
    return roles
