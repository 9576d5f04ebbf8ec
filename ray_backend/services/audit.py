"""Writing the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray_backend.domain.model import AuditEntry
from ray_backend.ports import Clock, Store


class Auditor:
    """Appends to the audit log. `subject` and `detail` must hold no personal data: erasing a person
    leaves the log as it is."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def record(self, actor: str, action: str, subject: str, **detail) -> None:
        """Adds one entry with the present time."""
        self._store.add_audit(AuditEntry(self._clock.now(), actor, action, subject, detail))

    def change(
        self, actor: str, action: str, subject: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> None:
        """Adds one entry with what differs, as it was and as it is; none where nothing does. What is new was
        nothing before."""
        names = [name for name in after if before.get(name) != after[name]]
        if not names:
            return
        was = {name: before[name] for name in names if name in before}
        detail = {"before": was, "after": {name: after[name] for name in names}}
        self.record(actor, action, subject, **(detail if was else {"after": detail["after"]}))
