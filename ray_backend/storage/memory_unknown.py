"""What every part of the memory store shares, and unknown faces in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from threading import RLock
from typing import Concatenate, ParamSpec, TypeVar

from ray_backend.domain.errors import StoreUnavailable
from ray_backend.domain.model import UnknownFace, UnknownGroup
from ray_backend.storage import messages, records

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="MemoryUnknown")


def guarded(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Runs the method alone, and only while the store is open."""

    @wraps(method)
    def run(store: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with store._lock:
            if store._closed:
                raise StoreUnavailable("The database is closed.")
            return method(store, *args, **kwargs)

    return run


class MemoryUnknown:
    """That part of `ray_backend.ports.Store`."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._closed = False
        self._faces: dict[str, records.Record] = {}
        self._groups: dict[str, records.Record] = {}

    @guarded
    def add_unknown_face(self, face: UnknownFace) -> None:
        self._faces[face.face_id] = records.unknown_face_record(face)

    @guarded
    def unknown_faces(self, group_id: str | None = None) -> list[UnknownFace]:
        found = [
            records.unknown_face_of(record)
            for record in self._faces.values()
            if group_id in (None, record["group_id"])
        ]
        return sorted(found, key=messages.unknown_face_key, reverse=True)

    @guarded
    def move_unknown_faces(self, face_ids: Sequence[str], group_id: str) -> None:
        for face_id in set(face_ids) & self._faces.keys():
            self._faces[face_id]["group_id"] = group_id

    @guarded
    def remove_unknown_faces(self, face_ids: Sequence[str]) -> int:
        there = set(face_ids) & self._faces.keys()
        for face_id in there:
            del self._faces[face_id]
        return len(there)

    @guarded
    def remove_unknown_before(self, before: datetime) -> int:
        before = records.utc(before)
        old = [face_id for face_id, record in self._faces.items() if record["at"] < before]
        removed = self.remove_unknown_faces(old)
        inhabited = {record["group_id"] for record in self._faces.values()}
        self._groups = {key: group for key, group in self._groups.items() if key in inhabited}
        return removed

    @guarded
    def put_unknown_group(self, group: UnknownGroup) -> None:
        self._groups[group.group_id] = records.unknown_group_record(group)

    @guarded
    def unknown_groups(self) -> list[UnknownGroup]:
        return [records.unknown_group_of(self._groups[key]) for key in sorted(self._groups)]

    @guarded
    def remove_unknown_group(self, group_id: str) -> int:
        self._groups.pop(group_id, None)
        his = [face_id for face_id, record in self._faces.items() if record["group_id"] == group_id]
        return self.remove_unknown_faces(his)
