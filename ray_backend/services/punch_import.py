"""Taking over punches of other terminals: each once, and none that Rollcall has itself."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from ray_backend.domain.attendance import cooldown_slots
from ray_backend.domain.errors import DuplicatePunch, InvalidInput
from ray_backend.domain.model import Direction, Person, Punch
from ray_backend.domain.queries import PunchQuery
from ray_backend.ports import Clock, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.directions import Directions
from ray_backend.services.identity import canonical, ids_of
from ray_backend.services.policy import Policy
from ray_backend.services.punch_files import PunchRow

SOURCE = "import"
MOST_AT_ONCE = 1000
_BEFORE = timedelta(hours=48)
_FUTURE = "It lies in the future. Check the terminal's clock and the time zone."
_NOBODY = "Nobody is registered with this employee id."


class PunchOutcome(StrEnum):
    """What became of a row. KNOWN: it was imported before; REPEATED: too soon after another punch."""

    ADDED = "added"
    KNOWN = "there already"
    REPEATED = "repeats another punch"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PunchRowOutcome:
    """What became of one row of the file, and why it was refused."""

    number: int
    employee_id: str
    outcome: PunchOutcome
    reason: str = ""


class _Days:
    """A person's punches around those of a batch: `(seconds since 1970, id, direction)` by time."""

    def __init__(self, person: Person, known: list[tuple[int, str, Direction]]) -> None:
        self.person = person
        self._known = sorted(known)
        self.ids = {punch_id for _, punch_id, _ in known}

    def near(self, at_s: int, within_s: float) -> bool:
        """Whether there is a punch less than `within_s` before or after."""
        place = bisect_left(self._known, (at_s, ""))
        around = self._known[max(0, place - 1) : place + 1]
        return any(abs(at_s - other) < within_s for other, _, _ in around)

    def before(self, at_s: int) -> tuple[int, str, Direction] | None:
        """The last punch before, if any."""
        place = bisect_left(self._known, (at_s, ""))
        return self._known[place - 1] if place else None

    def add(self, at_s: int, punch_id: str, direction: Direction) -> None:
        """Takes note of a punch that is added."""
        insort(self._known, (at_s, punch_id, direction))
        self.ids.add(punch_id)


class PunchImportService:
    """Adds punches with the source `import`. A punch's key is made of its content, so a file may be imported
    again, whole or in part, and nothing comes twice."""

    def __init__(self, store: Store, clock: Clock, policy: Policy, directions: Directions) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._directions = directions
        self._audit = Auditor(store, clock)

    def take(self, rows: Sequence[PunchRow], *, dry_run: bool = False, actor: str) -> list[PunchRowOutcome]:
        """One outcome for each row, in order. With `dry_run` nothing is stored. Raises InvalidInput."""
        if len(rows) > MOST_AT_ONCE:
            raise InvalidInput(f"At most {MOST_AT_ONCE} rows at once.")
        days = self._days(rows)
        outcomes: dict[int, PunchRowOutcome] = {}
        fresh: dict[int, Punch] = {}
        # By time, so that a file that is not in order gets the same directions.
        order = sorted(range(len(rows)), key=lambda place: rows[place].at or _NEVER)
        for place in order:
            row = rows[place]
            said = self._refusal(row, days)
            if said:
                outcomes[place] = _outcome(row, PunchOutcome.REFUSED, said)
                continue
            outcome, punch = self._judged(row, days[row.employee_id])
            outcomes[place] = _outcome(row, outcome)
            if punch is not None:
                fresh[place] = punch
        if fresh and not dry_run:
            for place in self._write(fresh):
                outcomes[place] = _outcome(rows[place], PunchOutcome.REPEATED)
            self._note(actor, [outcomes[place] for place in fresh])
        return [outcomes[place] for place in range(len(rows))]

    def _refusal(self, row: PunchRow, days: dict[str, _Days]) -> str:
        if row.problem or row.at is None:
            return row.problem or "The time is missing."
        if row.at > self._clock.now():
            return _FUTURE
        return "" if row.employee_id in days else _NOBODY

    def _judged(self, row: PunchRow, days: _Days) -> tuple[PunchOutcome, Punch | None]:
        key = _key(row)
        if key[:32] in days.ids:
            return PunchOutcome.KNOWN, None
        at_s, cooldown_s = int(row.at.timestamp()), self._policy.cooldown_s
        if days.near(at_s, max(1.0, cooldown_s)):
            return PunchOutcome.REPEATED, None
        punch = self._punch(row, days, key, cooldown_s)
        days.add(at_s, punch.punch_id, punch.direction)
        return PunchOutcome.ADDED, punch

    def _punch(self, row: PunchRow, days: _Days, key: str, cooldown_s: float) -> Punch:
        person, kiosk = days.person, row.device or SOURCE
        slots = cooldown_slots(person.person_id, row.at, cooldown_s, unless=key)
        direction = row.direction
        if direction is None:
            last = days.before(int(row.at.timestamp()))
            before = None
            if last is not None:
                when = datetime.fromtimestamp(last[0], UTC)
                before = Punch(person.person_id, when, last[2], "", "", "", ("", ""), punch_id=last[1])
            direction = self._directions.of(person, before, row.at, kiosk)
        return Punch(
            person.person_id, row.at, direction, kiosk, SOURCE, f"import/{key}", slots, punch_id=key[:32]
        )

    def _write(self, fresh: dict[int, Punch]) -> list[int]:
        """Writes the punches; the places of those whom a check-in of this moment was quicker than."""
        try:
            self._store.add_punches(list(fresh.values()))
        except DuplicatePunch:
            return [place for place, punch in fresh.items() if not self._written(punch)]
        return []

    def _written(self, punch: Punch) -> bool:
        try:
            self._store.add_punch(punch)
        except DuplicatePunch:
            return self._store.find_punch(punch.idempotency_key) is not None
        return True

    def _note(self, actor: str, outcomes: Sequence[PunchRowOutcome]) -> None:
        added = sum(one.outcome is PunchOutcome.ADDED for one in outcomes)
        self._audit.record(actor, "punch.imported", "import", added=added)

    def _days(self, rows: Sequence[PunchRow]) -> dict[str, _Days]:
        """By employee id, everybody of the rows who is registered, with the punches around."""
        times = [row.at for row in rows if row.at is not None]
        people: dict[str, Person] = {}
        for employee_id in {row.employee_id for row in rows if row.at is not None}:
            found = self._store.find_person(employee_id)
            if found is not None:
                people[employee_id] = canonical(self._store.get_person, found.person_id)
        owner = {
            record: person.person_id
            for person in people.values()
            for record in ids_of(self._store, person.person_id)
        }
        known: dict[str, list[tuple[int, str, Direction]]] = {}
        if owner:
            margin = timedelta(seconds=self._policy.cooldown_s + 1)
            window = PunchQuery(min(times) - _BEFORE, max(times) + margin, tuple(owner))
            columns = self._store.punch_columns(window)
            for at_us, record, way, punch_id in zip(
                columns.at_us.tolist(), columns.person_ids, columns.directions, columns.punch_ids, strict=True
            ):
                known.setdefault(owner[record], []).append((at_us // 1_000_000, punch_id, Direction(way)))
        one_each = {
            person.person_id: _Days(person, known.get(person.person_id, [])) for person in people.values()
        }
        return {employee_id: one_each[person.person_id] for employee_id, person in people.items()}


_NEVER = datetime(1900, 1, 1, tzinfo=UTC)


def _key(row: PunchRow) -> str:
    content = f"{row.employee_id}\n{row.at.astimezone(UTC).isoformat()}"
    return hashlib.sha256(content.encode()).hexdigest()


def _outcome(row: PunchRow, outcome: PunchOutcome, reason: str = "") -> PunchRowOutcome:
    return PunchRowOutcome(row.number, row.employee_id, outcome, reason)
