"""All pairs of faces of which it is known whether they show one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.accuracy.photos import Face
from ray_backend.domain.accuracy import Counts
from ray_backend.services.confidence import Estimate, interval


@dataclass(frozen=True, eq=False)
class Pairs:
    """Compared faces. A person, or a pair of people, weighs 1 however many photos there are.

    `people` have two photos or more; `people_pairs` are pairs of different people. These are the trials:
    photos of the same people tell little new. `closest` names the most similar pairs of different people;
    `own` (M,) are the similarities of all pairs of photos of one person.
    """

    genuine: Counts
    impostor: Counts
    people: int
    people_pairs: int
    genuine_comparisons: int
    impostor_comparisons: int
    closest: tuple[tuple[float, str, str], ...]
    own: np.ndarray

    def false_matches(self, threshold: float) -> Estimate:
        """FMR, with pairs of people as the trials."""
        return interval(self.impostor.share_at_or_above(threshold) * self.people_pairs, self.people_pairs)

    def false_non_matches(self, threshold: float) -> Estimate:
        """FNMR, with people as the trials."""
        return interval(self.genuine.share_below(threshold) * self.people, self.people)

    def photo_non_matches(self, threshold: float) -> float | None:
        """The share of pairs of photos of one person that stay below: whoever has many photos rules it."""
        return float((self.own < threshold).mean()) if len(self.own) else None


def compare(faces: Sequence[Face]) -> Pairs:
    """Every pair of two photos. Nameless faces of different photos are left out: they may be one person."""
    codes, _, _ = keys(faces)
    similarities = np.stack([face.embedding for face in faces])
    similarities = similarities @ similarities.T
    first, second = np.triu_indices(len(faces), 1)
    same = codes[first] == codes[second]
    differ = ~same & certainly_different(faces)[first, second]
    values = similarities[first, second]
    pair = np.minimum(codes[first], codes[second]) * (codes.max() + 1) + np.maximum(
        codes[first], codes[second]
    )
    genuine, people = _counted(values[same], pair[same])
    impostor, people_pairs = _counted(values[differ], pair[differ])
    closest = sorted(zip(values[differ], first[differ], second[differ], strict=True), reverse=True)[:3]
    return Pairs(
        genuine, impostor, people, people_pairs, int(same.sum()), int(differ.sum()),
        tuple((float(value), faces[a].shot.name, faces[b].shot.name) for value, a, b in closest),
        values[same],
    )  # fmt: skip


def keys(faces: Sequence[Face]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each face a number for its identity, one for its photo, and whether it has a name; each (N,)."""
    _, codes = np.unique([face.identity for face in faces], return_inverse=True)
    _, photos = np.unique([face.shot.name for face in faces], return_inverse=True)
    return codes, photos, np.array([face.named for face in faces])


def certainly_different(faces: Sequence[Face]) -> np.ndarray:
    """(N, N) bool: different identities of which one has a name, or which stand in one photo."""
    codes, photos, named = keys(faces)
    known = named[:, None] | named[None, :] | (photos[:, None] == photos[None, :])
    return (codes[:, None] != codes[None, :]) & known


def _counted(values: np.ndarray, pair: np.ndarray) -> tuple[Counts, int]:
    """Counts in which each pair of identities weighs 1, and how many there are."""
    if not len(values):
        return Counts.none(), 0
    _, place, size = np.unique(pair, return_inverse=True, return_counts=True)
    return Counts.of(values, 1 / size[place]), len(size)
