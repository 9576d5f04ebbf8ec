"""The people whom an unknown face looks like most."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.model import Candidate, Person, Template
from ray_backend.domain.unknown import NearPerson, likeness
from ray_backend.ports import GalleryIndex, Store
from ray_backend.services.identity import canonical, ids_of
from ray_backend.services.policy import Policy

SHOWN = 3


class NearestPeople:
    """Searches the gallery, with names and photos."""

    def __init__(self, store: Store, gallery: GalleryIndex, policy: Policy) -> None:
        self._store = store
        self._gallery = gallery
        self._policy = policy

    def find(self, embedding: np.ndarray, *, besides: frozenset[str] = frozenset()) -> tuple[NearPerson, ...]:
        """Up to three people, the most similar first, without those of the ids `besides`."""
        found: dict[str, NearPerson] = {}
        for candidate in self._gallery.search(embedding[None, :], SHOWN + len(besides))[0]:
            person = self._person(candidate)
            if person is None or person.person_id in besides or person.person_id in found:
                continue
            similarity = candidate.similarity
            words = likeness(similarity, threshold=self._policy.threshold, margin=self._policy.margin)
            found[person.person_id] = NearPerson(
                person, similarity, words, self._photo(embedding, person.person_id)
            )
        return tuple(found.values())[:SHOWN]

    def own_and_other(self, embedding: np.ndarray, person_id: str) -> tuple[float | None, float | None]:
        """The similarity to this person's photos, and to the nearest other person's; None without any."""
        own = [float(embedding @ template.embedding) for template in self._templates(person_id)]
        mine = frozenset(ids_of(self._store, person_id))
        rivals = self._gallery.search(embedding[None, :], 1 + len(mine))[0]
        others = [candidate.similarity for candidate in rivals if candidate.person_id not in mine]
        return max(own, default=None), max(others, default=None)

    def _person(self, candidate: Candidate) -> Person | None:
        get: Callable[[str], Person] = self._store.get_person
        try:
            return canonical(get, candidate.person_id)
        except PersonNotFound:
            return None  # erased by another process a moment ago

    def _photo(self, embedding: np.ndarray, person_id: str) -> bytes:
        own = [template for template in self._templates(person_id) if template.thumbnail]
        nearest = max(own, key=lambda template: float(embedding @ template.embedding), default=None)
        return nearest.thumbnail if nearest else b""

    def _templates(self, person_id: str) -> list[Template]:
        """Those of the running pack, of the person and of all records merged into it."""
        everything = self._store.templates_of_many(ids_of(self._store, person_id))
        return [template for template in everything if template.pack_id == self._policy.pack_id]
