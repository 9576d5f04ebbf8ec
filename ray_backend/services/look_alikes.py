"""Pairs of people whose faces are hard to tell apart, known since their enrolment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ray_backend.domain.model import Template
from ray_backend.ports import GalleryIndex, Store
from ray_backend.services.policy import Policy
from ray_backend.services.reach import RememberedSettings
from ray_backend.services.roster import Roster

PREFIX = "look_alike/"
# More people who all look like one another than there are in any family.
_NEAREST = 8


class LookAlikes:
    """Keeps the pairs in the store's settings, by ids alone.

    Two people are look-alikes when a template of one reaches the threshold, less the margin, against
    one of the other: a frame of the first may then reach the threshold against the second, with the two
    closer together than the margin that a match asks for.
    """

    def __init__(
        self,
        store: Store,
        remembered: RememberedSettings,
        gallery: GalleryIndex,
        policy: Policy,
        roster: Roster,
    ) -> None:
        self._store = store
        self._remembered = remembered
        self._gallery = gallery
        self._policy = policy
        self._roster = roster

    def note(self, templates: Sequence[Template]) -> None:
        """Compares new templates with everybody in the gallery."""
        if not templates:
            return
        rows = self._gallery.search(np.stack([t.embedding for t in templates]), limit=_NEAREST)
        for template, candidates in zip(templates, rows, strict=True):
            for candidate in candidates:
                alike = candidate.similarity >= self._policy.threshold - self._policy.margin
                if alike and candidate.person_id != template.person_id:
                    self._keep(template.person_id, candidate.person_id)

    def forget(self, person_id: str) -> None:
        """The person is erased."""
        for key in self._store.settings(PREFIX):
            if person_id in _ids(key):
                self._store.put_setting(key, None)
        self._remembered.settings(PREFIX)

    def count(self, person_ids: Sequence[str]) -> int:
        """How many pairs one of these people is in, with any pack."""
        wanted = set(person_ids)
        return sum(not wanted.isdisjoint(_ids(key)) for key in self._store.settings(PREFIX))

    def all(self) -> dict[str, frozenset[str]]:
        """For each person who has any, the ids of the look-alikes, with the running pack.

        What was merged into a person is the same person, and so no look-alike.
        """
        found: defaultdict[str, set[str]] = defaultdict(set)
        stands_for = self._roster.aliases()
        for key, pair in self._remembered.settings(PREFIX).items():
            one, other = (stands_for.get(person_id, person_id) for person_id in _ids(key))
            if pair["pack"] == self._policy.pack_id and one != other:
                found[one].add(other)
                found[other].add(one)
        return {person_id: frozenset(others) for person_id, others in found.items()}

    def _keep(self, one: str, other: str) -> None:
        first, second = sorted((one, other))
        self._store.put_setting(f"{PREFIX}{first}/{second}", {"pack": self._policy.pack_id})


def _ids(key: str) -> tuple[str, str]:
    first, _, second = key.removeprefix(PREFIX).partition("/")
    return first, second
