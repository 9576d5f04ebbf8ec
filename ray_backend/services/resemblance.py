"""Who else looks like somebody who is about to be registered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ray_backend.domain.answers import SimilarPerson
from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.model import AnalysedFace, Person
from ray_backend.ports import GalleryIndex, Store
from ray_backend.services.identity import canonical, ids_of
from ray_backend.services.policy import Policy

_NEAREST = 8


class Resemblance:
    """Compares new faces with everybody in the gallery."""

    def __init__(self, store: Store, gallery: GalleryIndex, policy: Policy) -> None:
        self._store = store
        self._gallery = gallery
        self._policy = policy

    def find(self, faces: Sequence[AnalysedFace], besides: str | None = None) -> tuple[SimilarPerson, ...]:
        """People with these faces, or with ones that a kiosk may take for them; the most similar first.

        By the rule of `LookAlikes`: from the threshold less the margin on. The person with the id `besides`
        is left out. The faces have their embeddings, and thumbnails to show.
        """
        found: dict[str, SimilarPerson] = {}
        for face, row in zip(faces, self._search(faces), strict=True):
            for candidate in row:
                person = self._person(candidate.person_id)
                if person is None or person.person_id == besides:
                    continue
                known = found.get(person.person_id)
                if known is None or candidate.similarity > known.similarity:
                    found[person.person_id] = self._similar(person, candidate.similarity, face)
        return tuple(sorted(found.values(), key=lambda one: -one.similarity))

    def _search(self, faces: Sequence[AnalysedFace]) -> list[list]:
        if not faces:
            return []
        rows = self._gallery.search(np.stack([face.embedding for face in faces]), limit=_NEAREST)
        least = self._policy.threshold - self._policy.margin
        return [[one for one in row if one.similarity >= least] for row in rows]

    def _person(self, person_id: str) -> Person | None:
        """The person that this record counts for; None for one that was erased a moment ago."""
        try:
            return canonical(self._store.get_person, person_id)
        except PersonNotFound:
            return None

    def _similar(self, person: Person, similarity: float, face: AnalysedFace) -> SimilarPerson:
        stored = self._store.templates_of_many(ids_of(self._store, person.person_id))
        own = [template for template in stored if template.pack_id == self._policy.pack_id]
        nearest = max(own, key=lambda template: float(face.embedding @ template.embedding), default=None)
        return SimilarPerson(
            person,
            similarity,
            same=similarity >= self._policy.threshold,
            new_thumbnail=face.thumbnail,
            known_thumbnail=nearest.thumbnail if nearest else b"",
        )
