"""Punches in memory: the last one of each person, and those that wait for the database."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from ray_backend.domain.model import Punch

# A request is repeated within seconds; this many punches are made in more than that.
_REMEMBERED_KEYS = 4096


def later_of(one: Punch | None, other: Punch | None) -> Punch | None:
    """The one with the later time; None is earlier than any."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda punch: punch.at)


class PunchMemory:
    """The last punch of each person, and the latest punches by their keys. Not safe for threads."""

    def __init__(self) -> None:
        self.last: dict[str, Punch] = {}
        self.by_key: OrderedDict[str, Punch] = OrderedDict()

    def add(self, punch: Punch) -> None:
        """Remembers a punch that is stored or waits to be."""
        self.last[punch.person_id] = later_of(self.last.get(punch.person_id), punch)
        self.by_key[punch.idempotency_key] = punch
        self.by_key.move_to_end(punch.idempotency_key)
        if len(self.by_key) > _REMEMBERED_KEYS:
            self.by_key.popitem(last=False)

    def by_id(self, punch_id: str) -> Punch | None:
        """One of the latest punches by its id."""
        return next((punch for punch in self.by_key.values() if punch.punch_id == punch_id), None)

    def takes_from(self, punch: Punch) -> bool:
        """Whether the punch's key, or a cooldown slot of its person's last one, is taken."""
        last = self.last.get(punch.person_id)
        slots = set(last.cooldown_slots) if last else set()
        return punch.idempotency_key in self.by_key or bool(slots & set(punch.cooldown_slots))

    def replace(self, dropped: Punch, recorded: Punch | None) -> None:
        """Forgets a punch that was not recorded after all, for the one that was."""
        self.by_key.pop(dropped.idempotency_key, None)
        if self.last.get(dropped.person_id) == dropped:
            del self.last[dropped.person_id]
        if recorded is not None:
            self.add(recorded)

    def forget(self, person_id: str) -> None:
        """Everything about one person."""
        self.last.pop(person_id, None)
        for key in [key for key, punch in self.by_key.items() if punch.person_id == person_id]:
            del self.by_key[key]


class WaitingPunches:
    """What waits in the journal, by everything that it is looked up by. Not safe for threads."""

    def __init__(self, punches: Iterable[Punch]) -> None:
        self.by_id: dict[str, Punch] = {}
        self.by_key: dict[str, Punch] = {}
        self.last: dict[str, Punch] = {}
        self._slots: set[str] = set()
        for punch in punches:
            self.add(punch)

    def __len__(self) -> int:
        return len(self.by_id)

    def add(self, punch: Punch) -> None:
        """One more, behind the others."""
        self.by_id[punch.punch_id] = punch
        self.by_key[punch.idempotency_key] = punch
        self.last[punch.person_id] = punch
        self._slots.update(punch.cooldown_slots)

    def remove(self, punch: Punch) -> None:
        """The oldest one was delivered."""
        self.by_id.pop(punch.punch_id, None)
        self.by_key.pop(punch.idempotency_key, None)
        if self.last.get(punch.person_id) == punch:
            del self.last[punch.person_id]
        self._slots.difference_update(punch.cooldown_slots)

    def takes_from(self, punch: Punch) -> bool:
        """Whether the punch's key or one of its cooldown slots is taken."""
        return punch.idempotency_key in self.by_key or not self._slots.isdisjoint(punch.cooldown_slots)
