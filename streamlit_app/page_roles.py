"""Which roles may see which page: the one table of the app. What they may do there is the gate's part."""

from __future__ import annotations

from ray_backend.domain.permissions import Role

_ADMIN = frozenset({Role.ADMIN})
_OFFICE = frozenset({Role.ADMIN, Role.MANAGER})
_EVERYBODY = frozenset({Role.ADMIN, Role.MANAGER, Role.VIEWER})

PAGES: dict[str, frozenset[Role]] = {
    "home": _EVERYBODY,
    "register": _ADMIN,
    "group": _ADMIN,
    "people": _OFFICE,
    "import": _ADMIN,
    "import_punches": _ADMIN,
    "unknown": _ADMIN,
    "reports": _EVERYBODY,
    "exports": _OFFICE,
    "corrections": _OFFICE,
    "leave": _OFFICE,
    "rules": _ADMIN,
    "calibration": _ADMIN,
    "settings": _ADMIN,
    "accounts": _ADMIN,
    "webhooks": _ADMIN,
    "cluster": _ADMIN,
    "audit": _ADMIN,
    "my_account": _EVERYBODY,
}
