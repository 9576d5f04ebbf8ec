"""The marks of many people for a timesheet: as columns, and one by one where a correction had a part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from ray_backend.domain.entries import PunchColumns
from ray_backend.domain.model import Direction
from ray_backend.domain.worktime.corrections import Approved, CorrectionKind
from ray_backend.domain.worktime.fitting import Mark

_WAYS = {str(way): way for way in Direction}
_MICROS = 1_000_000


class Marks:
    """What counts for each person. `touched` are the refs of what a correction had a part in."""

    def __init__(self, columns: PunchColumns, approved: Approved, alias: Mapping[str, str]) -> None:
        """`alias` says for merged records for whom they stand."""
        records = {person_id: place for place, person_id in enumerate(dict.fromkeys(columns.person_ids))}
        self._columns = columns
        self._owners = [alias.get(person_id, person_id) for person_id in records]
        self._record = np.fromiter(map(records.__getitem__, columns.person_ids), np.int64, len(columns))
        self.touched = frozenset((*approved.changes, *(one.correction_id for one in approved.added)))
        self._named = self._corrected(approved, alias)

    def owners(self) -> set[str]:
        """Everybody for whom anything counts."""
        plain = set(self._owners) - self._named.keys()
        return plain | {person_id for person_id, marks in self._named.items() if marks}

    def of(self, places: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`(who, at, out)` of a `Crowd` whose people have these places, without those of `named_of`."""
        place = [-1 if owner in self._named else places.get(owner, -1) for owner in self._owners]
        who = np.array(place, np.int64)[self._record]
        known = who >= 0
        left = str(Direction.OUT)
        out = np.fromiter((way == left for way in self._columns.directions), bool, len(who))
        return who[known], self._columns.at_us[known] // _MICROS, out[known]

    def named_of(self, places: Mapping[str, int]) -> dict[int, list[Mark]]:
        """All marks of those of them whom a correction touched, by their places."""
        return {places[one]: marks for one, marks in self._named.items() if one in places}

    def _corrected(self, approved: Approved, alias: Mapping[str, str]) -> dict[str, list[Mark]]:
        changes = approved.changes
        rows = [row for row, ref in enumerate(self._columns.punch_ids) if ref in changes] if changes else []
        people = {self._owners[record] for record in self._record[rows].tolist()}
        about = (one.to_person_id for one in changes.values() if one.to_person_id)
        people |= {alias.get(one, one) for one in (*about, *(one.person_id for one in approved.added))}
        found: dict[str, list[Mark]] = {person_id: [] for person_id in people}
        records = [record for record, owner in enumerate(self._owners) if owner in people]
        for person_id, mark in self._counting(
            np.flatnonzero(np.isin(self._record, records)).tolist(), approved
        ):
            found[alias.get(person_id, person_id)].append(mark)
        return found

    def _counting(self, rows: Iterable[int], approved: Approved) -> Iterator[tuple[str, Mark]]:
        """What counts of these rows, and what was added, with whose it is."""
        columns = self._columns
        for row in rows:
            at, ref = int(columns.at_us[row]) // _MICROS, columns.punch_ids[row]
            mark = Mark(at, _WAYS[columns.directions[row]], ref)
            change = approved.changes.get(ref)
            if change is None:
                yield columns.person_ids[row], mark
            elif change.kind is CorrectionKind.DIRECTION:
                yield columns.person_ids[row], mark._replace(direction=change.direction)
            elif change.kind is CorrectionKind.PERSON and change.to_person_id:
                yield change.to_person_id, mark
        for added in approved.added:
            yield added.person_id, Mark(int(added.at.timestamp()), added.direction, added.correction_id)
