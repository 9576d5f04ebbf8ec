"""The unknown faces of a site in groups: what the database keeps, and what this process remembers of it."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from ray_backend.domain.errors import StoreUnavailable
from ray_backend.domain.grouping import FaceGroup, GroupedFace, Grouping, GroupingRules
from ray_backend.domain.model import UnknownFace, UnknownGroup
from ray_backend.ports import Clock, Store
from ray_backend.services.policy import Policy

# What another process changed is seen within this time.
_READ_AGAIN_S = 60.0


class Inbox:
    """Faces come in one at a time. Safe to call from several threads.

    Every method may raise StoreUnavailable; then everything is read again at the next call.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        policy: Policy,
        keep_hours: Callable[[], float],
        *,
        rules: GroupingRules | None = None,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keep_hours`: how long a face is kept, 0: not at all. Nothing is read before it is needed."""
        self._store = store
        self._clock = clock
        self._policy = policy
        self._keep_hours = keep_hours
        self._rules = rules
        self._elapsed_s = elapsed_s
        self._lock = threading.RLock()
        self._grouping: Grouping | None = None
        self._groups: dict[str, UnknownGroup] = {}
        self._read_at = 0.0

    @property
    def keeps(self) -> bool:
        """Whether the site keeps strangers' faces."""
        return self._keep_hours() > 0

    def add(self, face: UnknownFace) -> str:
        """Keeps a face, whatever its `group_id` says, and returns that of its group.

        Of a face that belongs to an ignored group no picture is kept.
        """
        with self._open() as grouping:
            placed = grouping.add(_grouped(face), self._policy.threshold)
            if grouping.get(placed.group_id).ignored:
                face = replace(face, thumbnail=b"")
            self._store.add_unknown_face(replace(face, group_id=placed.group_id))
            if placed.dropped_faces:
                self._store.remove_unknown_faces(placed.dropped_faces)
            for group_id in placed.dropped_groups:
                self._store.remove_unknown_group(group_id)
                self._groups.pop(group_id, None)
            return placed.group_id

    def groups(self, *, ignored: bool) -> list[FaceGroup]:
        """Copies of the groups, last seen first: either the ignored ones or all others."""
        with self._open(read_again=True) as grouping:
            found = [replace(group, faces=list(group.faces)) for group in grouping
                     if group.ignored is ignored]  # fmt: skip
        return sorted(found, key=lambda group: (group.last_at, group.group_id), reverse=True)

    def alike(self, group_id: str) -> list[str]:
        """Other groups that may be the same person, most alike first; ignored ones are left out."""
        with self._open() as grouping:
            if grouping.get(group_id) is None:
                return []
            least = self._policy.threshold - self._policy.margin
            return [one for one in grouping.alike(group_id, least) if not grouping.get(one).ignored]

    def faces(self, group_ids: Iterable[str], face_ids: Iterable[str] = ()) -> list[UnknownFace]:
        """The faces of these groups and these single ones, the best first."""
        wanted, groups = set(face_ids), set(group_ids)
        with self._open() as grouping:
            holders = {group.group_id for group in grouping for face in group.faces if face.face_id in wanted}
        found: dict[str, UnknownFace] = {}
        for group_id in groups | holders:
            for face in self._store.unknown_faces(group_id):
                if face.pack_id == self._policy.pack_id and (group_id in groups or face.face_id in wanted):
                    found[face.face_id] = face
        return sorted(found.values(), key=lambda face: (face.quality, face.at, face.face_id), reverse=True)

    def not_people(self, group_id: str) -> frozenset[str]:
        """The ids of those of whom an admin said that this group is not them."""
        with self._lock:
            group = self._groups.get(group_id)
        return frozenset(group.not_people) if group else frozenset()

    def say_not(self, group_id: str, person_id: str) -> bool:
        """Notes that the group is not this person; False where there is no such group."""
        with self._open() as grouping:
            if grouping.get(group_id) is None:
                return False
            self._put(group_id, not_people=(person_id,))
            return True

    def ignore(self, group_ids: Sequence[str], ignored: bool) -> int:
        """Hides groups, or shows them again; returns how many of them there are."""
        with self._open() as grouping:
            there = [group for group in map(grouping.get, group_ids) if group is not None]
            for group in there:
                group.ignored = ignored
                self._put(group.group_id, ignored=ignored)
            return len(there)

    def merge(self, group_ids: Sequence[str]) -> str | None:
        """Makes one group of these and returns its id; None where fewer than two of them exist."""
        with self._open() as grouping:
            there = [one for one in dict.fromkeys(group_ids) if grouping.get(one) is not None]
            if len(there) < 2:
                return None
            into, others = there[0], there[1:]
            moved = [face.face_id for one in others for face in grouping.get(one).faces]
            denied = tuple(person_id for one in others for person_id in self.not_people(one))
            dropped = grouping.merge(into, others)
            self._store.move_unknown_faces(moved, into)
            if denied:
                self._put(into, not_people=denied)
            for one in others:
                self._store.remove_unknown_group(one)
                self._groups.pop(one, None)
            if dropped:
                self._store.remove_unknown_faces(dropped)
            return into

    def remove(self, group_ids: Iterable[str], face_ids: Sequence[str] = ()) -> int:
        """Removes groups with their faces, and single faces; returns how many faces went."""
        with self._open() as grouping:
            removed = self._store.remove_unknown_faces(face_ids) if face_ids else 0
            grouping.remove_faces(face_ids)
            emptied = [group_id for group_id in self._groups if grouping.get(group_id) is None]
            for group_id in {*group_ids, *emptied}:
                grouping.remove_group(group_id)
                removed += self._store.remove_unknown_group(group_id)
                self._groups.pop(group_id, None)
            return removed

    def remove_before(self, before: datetime) -> int:
        """Removes faces seen before this, and groups that are empty then; returns how many faces went."""
        with self._open(expire=False) as grouping:
            return self._remove_before(grouping, before)

    def forget(self) -> None:
        """Empties what this process remembers; the next call reads the database again."""
        with self._lock:
            self._grouping = None
            self._groups = {}

    def _put(self, group_id: str, *, ignored: bool | None = None, not_people: tuple[str, ...] = ()) -> None:
        known = self._groups.get(group_id, UnknownGroup(group_id))
        group = UnknownGroup(
            group_id,
            known.ignored if ignored is None else ignored,
            tuple(dict.fromkeys((*known.not_people, *not_people))),
        )
        self._store.put_unknown_group(group)
        self._groups[group_id] = group

    @contextmanager
    def _open(self, *, read_again: bool = False, expire: bool = True) -> Iterator[Grouping]:
        """The groups as they are now, for this thread alone."""
        with self._lock:
            stale = read_again and self._elapsed_s() - self._read_at > _READ_AGAIN_S
            try:
                if self._grouping is None or stale:
                    self._grouping = self._read()
                if expire:
                    self._expire(self._grouping)
                yield self._grouping
            except StoreUnavailable:
                self.forget()
                raise

    def _read(self) -> Grouping:
        before = {group.group_id: group.seen for group in self._grouping or ()}
        self._groups = {group.group_id: group for group in self._store.unknown_groups()}
        faces: defaultdict[str, list[GroupedFace]] = defaultdict(list)
        for face in self._store.unknown_faces():
            # What another pack made can be compared with nobody; it goes when its time has come.
            if face.pack_id == self._policy.pack_id:
                faces[face.group_id].append(_grouped(face))
        grouping = Grouping(self._policy.dimension, self._rules)
        for group_id in sorted(faces, key=lambda one: min((face.at, one) for face in faces[one])):
            about = self._groups.get(group_id)
            grouping.restore(group_id, faces[group_id], ignored=about is not None and about.ignored)
            group = grouping.get(group_id)
            group.seen = max(group.seen, before.get(group_id, 0))
        self._read_at = self._elapsed_s()
        return grouping

    def _expire(self, grouping: Grouping) -> None:
        before = self._clock.now() - timedelta(hours=self._keep_hours())
        if any(group.first_at < before for group in grouping):
            self._remove_before(grouping, before)

    def _remove_before(self, grouping: Grouping, before: datetime) -> int:
        grouping.remove_before(before)
        self._groups = {one: group for one, group in self._groups.items() if grouping.get(one) is not None}
        return self._store.remove_unknown_before(before)


def _grouped(face: UnknownFace) -> GroupedFace:
    return GroupedFace(face.face_id, face.at, face.quality, face.embedding, face.kiosk)
