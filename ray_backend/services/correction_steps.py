"""Steps of corrections: each is in the audit log, also where the process died in the middle of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from ray_backend.domain.entries import CORRECTION
from ray_backend.domain.model import AuditEntry, new_id
from ray_backend.domain.worktime.corrections import Correction
from ray_backend.ports import Store

REQUESTED, ADDED = "correction.requested", "correction.added"
OPEN = "correction_step/"
# A step of which nothing was kept after this long came to nothing.
GIVEN_UP_AFTER = timedelta(hours=1)
_CORRECTION = TypeAdapter(Correction)


class CorrectionSteps:
    """Notes what is about to be done before it is, so that `finish` can log what a killed process left.

    The audit entry of a step has the same id whoever writes it, so it is there once.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @contextmanager
    def step(self, action: str, at: datetime, ids: Sequence[str], **more: str) -> Iterator[Log]:
        """Around keeping the corrections with these ids; calling what it yields logs one of them.

        `at` is what the corrections say: `requested_at`, or `decided_at` of a decision. Where this is left
        by an error the step stays open, and `finish` sees what came of it.
        """
        key = OPEN + new_id()
        self._store.put_setting(key, {"action": action, "at": at.isoformat(), "ids": [*ids], "more": more})
        yield lambda correction: self._store.add_audit(_audit(action, correction, more))
        self._store.put_setting(key, None)

    def finish(self, now: datetime) -> None:
        """Logs what open steps did. One that somebody is at just now may be among them. May be repeated."""
        for key, step in self._store.settings(OPEN).items():
            at = datetime.fromisoformat(step["at"])
            done = [one for one in map(self._kept, step["ids"]) if one and _moment(step["action"], one) == at]
            for correction in done:
                self._store.add_audit(_audit(step["action"], correction, step["more"]))
            if now - at >= GIVEN_UP_AFTER or len(done) == len(step["ids"]):
                self._store.put_setting(key, None)

    def _kept(self, correction_id: str) -> Correction | None:
        entry = self._store.get_entry(CORRECTION, correction_id)
        return None if entry is None else _CORRECTION.validate_python(entry.body)


Log = Callable[[Correction], None]


def _moment(action: str, correction: Correction) -> datetime | None:
    """When the correction went through this step; None where it did not."""
    if action in (REQUESTED, ADDED):
        return correction.requested_at
    return correction.decided_at if action == f"correction.{correction.state}" else None


def _audit(action: str, correction: Correction, more: dict[str, str]) -> AuditEntry:
    actor = correction.requested_by if action in (REQUESTED, ADDED) else correction.decided_by
    detail = {"kind": correction.kind.value, "correction": correction.correction_id, **more}
    entry = AuditEntry(_moment(action, correction), actor, action, correction.person_id, detail)
    return replace(entry, entry_id=f"{action}/{correction.correction_id}")
