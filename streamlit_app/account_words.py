"""Accounts in words."""

from __future__ import annotations

from ray_backend.domain.accounts import Account
from ray_backend.domain.permissions import Role

ROLES = {Role.ADMIN: "Administrator", Role.MANAGER: "Manager", Role.VIEWER: "Viewer"}
EXPLAINED = {
    Role.ADMIN: "Registers people, manages kiosks, settings and accounts.",
    Role.MANAGER: "Reads people and reports, and makes corrections.",
    Role.VIEWER: "Reads reports and changes nothing.",
}


def bounds(account: Account) -> str:
    """Whose data the account sees."""
    if account.departments is None:
        return "All departments"
    return ", ".join(account.departments) or "No department yet"


def state(account: Account) -> str:
    """What is out of the ordinary about an account, or nothing."""
    if not account.active:
        return "Shut"
    return "New password" if account.must_change_password else ""
