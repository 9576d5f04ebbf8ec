"""Whose face an embedding is."""

from __future__ import annotations

import numpy as np

from ray_backend.domain.errors import FaceBelongsToAnother, InvalidInput, PersonNotFound
from ray_backend.domain.model import Person
from ray_backend.ports import GalleryIndex, Store
from ray_backend.services.identity import canonical

_NORM_TOLERANCE = 1e-3


def find_other_owner(
    store: Store, gallery: GalleryIndex, embedding: np.ndarray, *, threshold: float, besides: str | None
) -> Person | None:
    """Somebody whose face this (D,) embedding is, other than the person with the id `besides`.

    A record that was merged stands for the person that it was merged into.
    """
    for candidate in gallery.search(embedding[None, :])[0]:
        if candidate.similarity < threshold or candidate.person_id == besides:
            continue
        try:
            owner = canonical(store.get_person, candidate.person_id)
        except PersonNotFound:
            # Erased by another process a moment ago.
            gallery.remove_person(candidate.person_id)
            continue
        if owner.person_id != besides:
            return owner
    return None


def require_comparable(embedding: np.ndarray, dimension: int) -> None:
    """Raises InvalidInput unless it is (dimension,) float32, L2-normalised."""
    if embedding.shape != (dimension,) or embedding.dtype != np.float32:
        raise InvalidInput(f"Send the embedding as {dimension} float32 numbers.")
    if not abs(float(np.linalg.norm(embedding)) - 1) <= _NORM_TOLERANCE:
        raise InvalidInput("Send the embedding L2-normalised: its length has to be 1.")


def belongs_to(shown_in: str, owner: Person) -> FaceBelongsToAnother:
    """The error for a picture, named `shown_in`, that shows somebody who is registered."""
    return FaceBelongsToAnother(
        f"{shown_in} shows {owner.name}, who is registered as {owner.employee_id}. "
        "Open that person under People to add photos.",
        owner.employee_id,
        owner.name,
    )
