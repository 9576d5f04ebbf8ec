"""Who may do what: roles, and the caller of a use case. The table of rules is in `services/gate.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What an account, a kiosk's token or a key of the API is for."""

    ADMIN = "admin"
    MANAGER = "manager"
    VIEWER = "viewer"
    KIOSK = "kiosk"
    RECOGNIZER = "recognizer"
    MONITOR = "monitor"


# The roles of people who sign in to the pages; the others belong to machines.
ACCOUNT_ROLES = (Role.ADMIN, Role.MANAGER, Role.VIEWER)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls a use case. `name` stands in the audit log; for a kiosk it is the kiosk's.

    `departments` binds the caller to people of these departments, None to nobody in particular. Without a
    `role` it is Rollcall itself, which may do everything. `session` is the secret of who signed in to the
    pages: the gate asks at each call whether it still holds, and what the account may do by now. `origin`
    goes along to other processes: which request or frame a call belongs to, for logs and traces only.
    """

    name: str
    role: Role | None
    departments: tuple[str, ...] | None = None
    session: str = field(default="", repr=False)
    origin: str = field(default="", repr=False, compare=False)

    @property
    def is_system(self) -> bool:
        """Whether this is Rollcall itself, or the operator at the command line."""
        return self.role is None


# Whoever can read the data folder, or has Ray's token, is the operator.
SYSTEM = Caller("system", None)
