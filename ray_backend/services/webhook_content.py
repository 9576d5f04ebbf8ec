"""What a webhook's message says: read from the records at the moment when it is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ray_backend.domain.entries import CORRECTION
from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.queries import PunchQuery
from ray_backend.domain.webhooks import Delivery, Event
from ray_backend.ports import Store
from ray_backend.services.identity import canonical

_MOMENT = timedelta(milliseconds=1)


class WebhookContent:
    """Makes the bodies. They hold employee ids, times and ids of ours; no names, faces or reasons."""

    def __init__(self, store: Store, zone: Callable[[], ZoneInfo]) -> None:
        self._store = store
        self._zone = zone

    def body(self, delivery: Delivery) -> bytes | None:
        """JSON in UTF-8, or None where what it is about was erased."""
        if delivery.event is Event.TEST:
            said: dict[str, Any] | None = {"test": {"at": self._time(delivery.about_at)}}
        elif delivery.event is Event.PUNCH:
            said = self._punch(delivery)
        else:
            said = self._correction(delivery)
        if said is None:
            return None
        head = {"id": delivery.delivery_id, "event": delivery.event.value}
        return json.dumps(head | said, separators=(",", ":")).encode()

    def _punch(self, delivery: Delivery) -> dict[str, Any] | None:
        around = PunchQuery(
            delivery.about_at - _MOMENT, delivery.about_at + _MOMENT, (delivery.person_id,), limit=1000
        )
        found = self._store.list_punches(around).items
        punch = next((one for one in found if one.punch_id == delivery.about), None)
        if punch is None:
            return None
        return {
            "punch": {
                "punch_id": punch.punch_id,
                "employee_id": self._employee_id(punch.person_id),
                "at": self._time(punch.at),
                "direction": punch.direction.value,
                "kiosk": punch.kiosk,
                "source": punch.source,
            }
        }

    def _correction(self, delivery: Delivery) -> dict[str, Any] | None:
        entry = self._store.get_entry(CORRECTION, delivery.about)
        if entry is None:
            return None
        body = entry.body
        to = body["to_person_id"]
        return {
            "correction": {
                "correction_id": entry.entry_id,
                "kind": body["kind"],
                "employee_id": self._employee_id(body["person_id"]),
                "to_employee_id": self._employee_id(to) if to else None,
                "punch_id": body["punch_id"] or None,
                "at": self._time(entry.at),
                "direction": body["direction"],
                "state": entry.state,
            }
        }

    def _employee_id(self, person_id: str) -> str | None:
        try:
            return canonical(self._store.get_person, person_id).employee_id
        except PersonNotFound:
            return None

    def _time(self, at: datetime) -> str:
        return at.astimezone(self._zone()).isoformat()
