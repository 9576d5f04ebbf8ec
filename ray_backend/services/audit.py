"""Writing the audit log."""

from __future__ import annotations

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
