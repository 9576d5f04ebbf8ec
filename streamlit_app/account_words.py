"""Accounts in words."""

from __future__ import annotations

from ray_backend.domain.accounts import Account
from ray_backend.domain.permissions import Role
from streamlit_app.i18n import N_, _

ROLES = {Role.ADMIN: N_("Administrator"), Role.MANAGER: N_("Manager"), Role.VIEWER: N_("Viewer")}
EXPLAINED = {
    Role.ADMIN: N_("Registers people, manages kiosks, settings and accounts."),
    Role.MANAGER: N_("Reads people and reports, and makes corrections."),
    Role.VIEWER: N_("Reads reports and changes nothing."),
}


def role(which: Role) -> str:
    """What a role is called."""
    return _(ROLES[which])


def role_explained(which: Role) -> str:
    """What a role is called, and what it may do."""
    return f"{role(which)}: {_(EXPLAINED[which])}"


def bounds(account: Account) -> str:
    """Whose data the account sees."""
    if account.departments is None:
        return _("All departments")
    return ", ".join(account.departments) or _("No department yet")


def state(account: Account) -> str:
    """What is out of the ordinary about an account, or nothing."""
    if not account.active:
        return _("Shut")
    return _("New password") if account.must_change_password else ""
