"""Whose face an embedding is."""

from __future__ import annotations

import numpy as np

from ray_backend.domain.errors import PersonNotFound
from ray_backend.domain.model import Person
from ray_backend.ports import GalleryIndex, Store


def find_other_owner(
    store: Store, gallery: GalleryIndex, embedding: np.ndarray, *, threshold: float, besides: str | None
) -> Person | None:
    """Somebody whose face this (D,) embedding is, other than the person with the id `besides`."""
    for candidate in gallery.search(embedding[None, :])[0]:
        if candidate.similarity < threshold or candidate.person_id == besides:
            continue
        try:
            return store.get_person(candidate.person_id)
        except PersonNotFound:
            # Erased by another process a moment ago.
            gallery.remove_person(candidate.person_id)
    return None
