"""Everything that a person leaves behind besides their records: counted, taken away, and looked for again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from ray_backend.domain.entries import FILE, KINDS, LEAVE, EntryQuery
from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.model import Template, UnknownFace
from ray_backend.domain.queries import PunchQuery
from ray_backend.ports import GalleryIndex, Store
from ray_backend.services.codes import Codes
from ray_backend.services.corrections import CorrectionService
from ray_backend.services.leave import LeaveService
from ray_backend.services.look_alikes import LookAlikes
from ray_backend.services.policy import Policy
from ray_backend.services.punch_log import PunchLog
from ray_backend.services.roster import Roster

# What the same numbers come to when they are multiplied in another order; no two photos do.
_THE_SAME = 0.99999
# What never stays, even where the punches do: it tells of health, or is in somebody's own words.
_ALWAYS_GONE = {"leave": LEAVE, "files": FILE}
# Under which setting an erasure that has begun is noted until it is done.
BEGUN = "erasing/"
Check = dict[str, Any]


class Traces:
    """Where something about a person may lie. `ids` are all the `person_id` of one human being.

    `parts` are the galleries that are searched one by one: the shards of one that is spread, or the
    gallery itself, each under the name that the certificate gives it. `journals` are files that name
    people, by what they are called: each takes out a person by employee id and name. `memories` empty
    what else this process remembers.
    """

    def __init__(
        self,
        store: Store,
        gallery: GalleryIndex,
        parts: Mapping[str, GalleryIndex],
        policy: Policy,
        *,
        roster: Roster,
        punches: PunchLog,
        codes: Codes,
        look_alikes: LookAlikes,
        corrections: CorrectionService,
        leave: LeaveService,
        journals: Mapping[str, Callable[[str, str], object]],
        memories: Sequence[Callable[[], None]],
    ) -> None:
        self._store = store
        self._gallery = gallery
        self._parts = parts
        self._policy = policy
        self._roster = roster
        self._punches = punches
        self._codes = codes
        self._look_alikes = look_alikes
        self._corrections = corrections
        self._leave = leave
        self._journals = journals
        self._memories = memories

    def settle(self, ids: Sequence[str]) -> None:
        """Returns when no punch of theirs waits in the journal. Raises StoreUnavailable."""
        for person_id in ids:
            self._punches.settle(person_id)

    def count(self, ids: Sequence[str], templates: Sequence[Template]) -> dict[str, int]:
        """How much there is of everything."""
        return {
            "records": len(ids),
            "templates": len(templates),
            "photos": sum(bool(template.thumbnail) for template in templates),
            "punches": self._punches_of(ids),
            "codes": sum(self._codes.has(person_id) for person_id in ids),
            "look_alike_notes": self._look_alikes.count(ids),
            "unknown_faces": len(self._near(templates)),
            "entries": self._entries_of(ids),
            **{what: self._number_of(kind, ids) for what, kind in _ALWAYS_GONE.items()},
        }

    def remove(self, ids: Sequence[str], templates: Sequence[Template], keep_punches: bool) -> None:
        """Takes away everything besides the records themselves. May be repeated."""
        for person_id in ids:
            # Out of the gallery first: from here on nobody is recognised as this person.
            self._gallery.remove_person(person_id)
            self._codes.remove(person_id)
            self._look_alikes.forget(person_id)
            self._corrections.forget(person_id)
            self._leave.forget(person_id)
            if not keep_punches:
                self._corrections.take_away(person_id)
            self._take_out_of_journals(person_id)
        near = [face.face_id for face in self._near(templates)]
        if near:
            self._store.remove_unknown_faces(near)
        for group in self._store.unknown_groups():
            left = tuple(one for one in group.not_people if one not in ids)
            if left != group.not_people:
                self._store.put_unknown_group(replace(group, not_people=left))

    def _take_out_of_journals(self, person_id: str) -> None:
        """While the record is still there: it has the name that they hold."""
        with suppress(PersonNotFound):
            person = self._store.get_person(person_id)
            for take_out in self._journals.values():
                take_out(person.employee_id, person.name)

    def forget(self, ids: Sequence[str]) -> None:
        """Empties what this process remembers of them."""
        for person_id in ids:
            self._roster.forget(person_id)
            self._punches.forget(person_id)
        for forget in self._memories:
            forget()

    @property
    def files(self) -> list[str]:
        """What the files are called that name people."""
        return sorted(self._journals)

    def places(self) -> list[dict[str, Any]]:
        """Each part of the gallery with its version and how many templates it holds."""
        return [
            {"part": name, "version": part.version, "templates": len(part)}
            for name, part in self._parts.items()
        ]

    def checks(self, ids: Sequence[str], templates: Sequence[Template], keep_punches: bool) -> list[Check]:
        """What is found when everything is looked for again: each should have found 0."""
        wanted = {
            "people": sum(self._is_stored(person_id) for person_id in ids),
            "templates": len(self._store.templates_of_many(ids)),
            "codes": sum(self._codes.has(person_id) for person_id in ids),
            "look_alike_notes": self._look_alikes.count(ids),
            "unknown_faces": len(self._near(templates)),
            "settings": self._settings_about(ids),
            **{what: self._number_of(kind, ids) for what, kind in _ALWAYS_GONE.items()},
        }
        if not keep_punches:
            wanted |= {"punches": self._punches_of(ids), "entries": self._entries_of(ids)}
        stored = [_check("database", what, len(ids), found) for what, found in wanted.items()]
        return [*stored, *(check for name, part in self._parts.items()
                           for check in self._searched(name, part, ids, templates))]  # fmt: skip

    def _searched(
        self, name: str, part: GalleryIndex, ids: Sequence[str], templates: Sequence[Template]
    ) -> list[Check]:
        """Any row under these ids, whatever it looks like, and the very same faces under any id."""
        anything = np.eye(1, self._policy.dimension, dtype=np.float32)
        under_id = part.search(anything, limit=len(ids), only=frozenset(ids))[0]
        vectors = self._vectors(templates)
        nearest = part.search(vectors, limit=1) if len(vectors) else []
        alike = sum(row[0].similarity >= _THE_SAME for row in nearest if row)
        return [
            _check(name, "templates_by_person", len(ids), len(under_id)),
            _check(name, "templates_by_face", len(vectors), alike),
        ]

    def _near(self, templates: Sequence[Template]) -> list[UnknownFace]:
        """Faces that nobody matched, but that look like these, with all others of their groups."""
        vectors = self._vectors(templates)
        faces = [face for face in self._store.unknown_faces() if face.pack_id == self._policy.pack_id]
        if not len(vectors) or not faces:
            return []
        best = (np.stack([face.embedding for face in faces]) @ vectors.T).max(axis=1)
        limit = self._policy.threshold - self._policy.margin
        groups = {face.group_id for face, similarity in zip(faces, best, strict=True) if similarity >= limit}
        return [face for face in faces if face.group_id in groups]

    def _vectors(self, templates: Sequence[Template]) -> np.ndarray:
        """(N, D) float32 of those made with the running pack."""
        own = [template.embedding for template in templates if template.pack_id == self._policy.pack_id]
        return np.stack(own) if own else np.empty((0, self._policy.dimension), np.float32)

    def _punches_of(self, ids: Sequence[str]) -> int:
        return self._store.list_punches(PunchQuery(people=tuple(ids), limit=1)).total

    def _entries_of(self, ids: Sequence[str]) -> int:
        """Corrections, and whatever else is kept beside punches."""
        return sum(self._number_of(kind, ids) for kind in KINDS if kind not in _ALWAYS_GONE.values())

    def _number_of(self, kind: str, ids: Sequence[str]) -> int:
        return self._store.list_entries(EntryQuery(kind, subjects=tuple(ids), limit=1)).total

    def _is_stored(self, person_id: str) -> bool:
        try:
            self._store.get_person(person_id)
        except PersonNotFound:
            return False
        return True

    def _settings_about(self, ids: Sequence[str]) -> int:
        """Whatever any part of Rollcall noted under one of these ids."""
        kept = ((key, value) for key, value in self._store.settings().items() if not key.startswith(BEGUN))
        return sum(any(one in f"{key} {json.dumps(value)}" for one in ids) for key, value in kept)


def _check(where: str, what: str, searched: int, found: int) -> Check:
    return {"where": where, "what": what, "searched": searched, "found": found}
