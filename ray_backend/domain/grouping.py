"""Unknown faces gathered into groups that look like one person, one face at a time.

Agglomerative grouping with average linkage on cosine, done incrementally: a new face joins the group whose
faces it resembles most on average, if that reaches the threshold, and opens a group of its own otherwise.
What is grouped stays as it is; only a person merges groups. The mean of the cosines to the faces of a group
is the product with their mean vector, so one row a group is all that a new face is compared with:
O(groups * D) for that, and O(faces of one group * D) for keeping the row right. Measured: 0.1 ms to join one
of 500 groups with 512 numbers a face, 0.25 ms to open another one.

The threshold is the pack's own. Measured on the labelled photos of `vision/calibration.py` in 20 orders of
arrival: the built-in pack then puts no two people together, and one person of several photos into 1.26 groups
on average; a margin lower it puts two people together, a margin higher it makes 1.35 groups. With edge every
threshold from 0.35 to 0.50 puts the same two look-alikes together and nobody else, at 1.00 to 1.16 groups for
a person. Two groups of one person cost a click, two people in one group a wrong photo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from ray_backend.domain.model import new_id


@dataclass(frozen=True, slots=True)
class GroupingRules:
    """The caps, which keep an inbox that nobody looks into small."""

    most_faces: int = 12
    most_groups: int = 500


@dataclass(frozen=True, slots=True, eq=False)
class GroupedFace:
    """What grouping needs of a face. `embedding`: (D,) float32, L2-normalised; `quality` 0 to 1."""

    face_id: str
    at: datetime
    quality: float
    embedding: np.ndarray
    kiosk: str = ""


@dataclass(slots=True, eq=False)
class FaceGroup:
    """Faces that look like one person, oldest first; never empty. An ignored group is not shown. `seen`
    counts the faces that came, with those that were dropped since."""

    group_id: str
    faces: list[GroupedFace] = field(default_factory=list)
    ignored: bool = False
    seen: int = 0

    @property
    def first_at(self) -> datetime:
        """When the oldest face that is still kept was seen."""
        return self.faces[0].at

    @property
    def last_at(self) -> datetime:
        """When the newest face was seen."""
        return self.faces[-1].at

    @property
    def best(self) -> GroupedFace:
        """The face of the best quality; the newest of equals."""
        return max(self.faces, key=lambda face: (face.quality, face.at, face.face_id))

    @property
    def mean(self) -> np.ndarray:
        """(D,) float32, not normalised: its product with an embedding is the mean cosine to the faces."""
        return np.mean([face.embedding for face in self.faces], axis=0, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a new face went, and what had to go for it."""

    group_id: str
    dropped_faces: tuple[str, ...] = ()
    dropped_groups: tuple[str, ...] = ()


class Grouping:
    """All groups of one inbox. Faces come in any order of time; not safe to call from several threads."""

    def __init__(
        self, dimension: int, rules: GroupingRules | None = None, make_id: Callable[[], str] = new_id
    ) -> None:
        self._rules = rules or GroupingRules()
        self._make_id = make_id
        self._groups: dict[str, FaceGroup] = {}
        self._ids: list[str] = []
        self._means = np.empty((0, dimension), np.float32)

    def __len__(self) -> int:
        """How many groups there are."""
        return len(self._groups)

    def __iter__(self) -> Iterator[FaceGroup]:
        """The groups in the order in which they were opened."""
        return iter(self._groups.values())

    def get(self, group_id: str) -> FaceGroup | None:
        """The group with this id, or None."""
        return self._groups.get(group_id)

    def nearest(self, embedding: np.ndarray) -> tuple[str, float] | None:
        """The group that a (D,) embedding is most like on average, with that mean cosine."""
        if not self._ids:
            return None
        likeness = self._means @ embedding
        best = int(np.argmax(likeness))
        return self._ids[best], float(likeness[best])

    def alike(self, group_id: str, threshold: float) -> list[str]:
        """The other groups whose mean cosine to this one reaches the threshold, most alike first."""
        likeness = self._means @ self._means[self._ids.index(group_id)]
        order = np.argsort(-likeness, kind="stable")
        near = [self._ids[place] for place in order if likeness[place] >= threshold]
        return [other for other in near if other != group_id]

    def add(self, face: GroupedFace, threshold: float) -> Placed:
        """Puts a new face into the nearest group, if its mean cosine to that reaches the threshold, or into
        one of its own, and keeps within the caps."""
        near = self.nearest(face.embedding)
        if near is not None and near[1] >= threshold:
            return Placed(near[0], dropped_faces=self._join(near[0], face))
        group_id = self._make_id()
        self.restore(group_id, [face])
        return Placed(group_id, dropped_groups=self._make_room(besides=group_id))

    def restore(self, group_id: str, faces: Iterable[GroupedFace], *, ignored: bool = False) -> None:
        """Takes a group as it was kept; faces are added to one that is there. No cap is applied."""
        group = self._groups.setdefault(group_id, FaceGroup(group_id, ignored=ignored))
        added = list(faces)
        group.seen += len(added)
        group.faces = sorted([*group.faces, *added], key=lambda face: (face.at, face.face_id))
        if group.faces:
            self._settle(group)
        else:
            self._forget(group_id)

    def merge(self, into: str, others: Sequence[str]) -> tuple[str, ...]:
        """Moves the faces of the others into one group; returns the ids of faces beyond the cap."""
        moved = [face for other in others if other != into for face in self.remove_group(other)]
        self.restore(into, moved)
        return self._trim(self._groups[into])

    def remove_faces(self, face_ids: Iterable[str]) -> None:
        """Forgets faces, and groups that are empty then; unknown ids are no error."""
        gone = frozenset(face_ids)
        for group in list(self._groups.values()):
            kept = [face for face in group.faces if face.face_id not in gone]
            if len(kept) < len(group.faces):
                self._keep(group, kept)

    def remove_before(self, before: datetime) -> int:
        """Forgets faces seen before this, and groups that are empty then; returns how many faces."""
        removed = 0
        for group in list(self._groups.values()):
            kept = [face for face in group.faces if face.at >= before]
            if len(kept) < len(group.faces):
                removed += len(group.faces) - len(kept)
                self._keep(group, kept)
        return removed

    def remove_group(self, group_id: str) -> list[GroupedFace]:
        """Forgets a group and returns its faces; none for an unknown id."""
        group = self._groups.get(group_id)
        if group is None:
            return []
        self._forget(group_id)
        return group.faces

    def _join(self, group_id: str, face: GroupedFace) -> tuple[str, ...]:
        self.restore(group_id, [face])
        return self._trim(self._groups[group_id])

    def _trim(self, group: FaceGroup) -> tuple[str, ...]:
        """Drops the poorest faces beyond the cap, oldest of equals first, but never the newest face."""
        surplus = len(group.faces) - self._rules.most_faces
        if surplus <= 0:
            return ()
        by_worth = sorted(group.faces[:-1], key=lambda face: (face.quality, face.at, face.face_id))
        dropped = {face.face_id for face in by_worth[:surplus]}
        self._keep(group, [face for face in group.faces if face.face_id not in dropped])
        return tuple(face.face_id for face in by_worth[:surplus])

    def _make_room(self, besides: str) -> tuple[str, ...]:
        """Drops the groups that were not seen for longest, ignored ones last."""
        surplus = len(self._groups) - self._rules.most_groups
        if surplus <= 0:
            return ()
        others = [group for group in self._groups.values() if group.group_id != besides]
        others.sort(key=lambda group: (group.ignored, group.last_at, group.group_id))
        dropped = [group.group_id for group in others[:surplus]]
        for group_id in dropped:
            self._forget(group_id)
        return tuple(dropped)

    def _keep(self, group: FaceGroup, faces: list[GroupedFace]) -> None:
        group.faces = faces
        if faces:
            self._settle(group)
        else:
            self._forget(group.group_id)

    def _settle(self, group: FaceGroup) -> None:
        """Keeps the group's row of means right."""
        if group.group_id not in self._ids:
            self._ids.append(group.group_id)
            self._means = np.vstack([self._means, group.mean])
        else:
            self._means[self._ids.index(group.group_id)] = group.mean

    def _forget(self, group_id: str) -> None:
        del self._groups[group_id]
        if group_id in self._ids:
            place = self._ids.index(group_id)
            del self._ids[place]
            self._means = np.delete(self._means, place, axis=0)
