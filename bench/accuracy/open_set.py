"""Search in a gallery of many: who is missed (FNIR) when few strangers are let in (FPIR).

The gallery holds the named people and is filled to its size with invented ones. `around` draws their
embeddings around the mean of the real faces, as far from it on average as real ones are, with no preferred
direction; `random` draws directions without a preference at all. Both make searching easier than real people
would, who differ from the mean in few directions and so come closer to each other, not to speak of
relatives. So both rates are lower bounds, and the second is a very loose one. (A covariance fitted to some
thirty faces is no way out: it draws copies of the very faces that are tried.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.accuracy.pairs import certainly_different, keys
from bench.accuracy.photos import Face
from ray_backend.domain.accuracy import Counts
from ray_backend.services.confidence import Choice, Estimate, interval, threshold_for

FILLERS = ("around", "random")
TEMPLATES = 3  # of each named person at most: what a site has
_CHUNK = 4096
_NOBODY = -2.0


@dataclass(frozen=True, eq=False)
class Search:
    """Every face tried: `own` is its similarity with its person's other photos (`_NOBODY` where there is
    none), `rival` that with the nearest of all others. `weights` make each person weigh 1."""

    gallery: int
    own: np.ndarray
    rival: np.ndarray
    mated_weights: np.ndarray
    stranger_weights: np.ndarray

    @property
    def mated_people(self) -> int:
        """People with a photo beside the one that is tried."""
        return round(float(self.mated_weights.sum()))

    @property
    def strangers(self) -> int:
        """People who were tried as if they were not in the gallery."""
        return round(float(self.stranger_weights.sum()))

    def let_in(self, threshold: float) -> Estimate:
        """FPIR: strangers who are taken for somebody."""
        wrong = float(self.stranger_weights[self.rival >= threshold].sum())
        return interval(wrong, self.strangers)

    def missed(self, threshold: float, margin: float) -> Estimate:
        """FNIR: enrolled people who are not recognised, as `domain.decision.decide` has it."""
        sure = (self.own >= threshold) & (self.own >= self.rival)
        sure &= ~((self.rival >= threshold) & (self.own - self.rival < margin))
        return interval(float(self.mated_weights[~sure].sum()), self.mated_people)

    def threshold_for(self, rate: float) -> Choice | None:
        """The threshold for a FPIR; None when the strangers are too few to tell."""
        return threshold_for(Counts.of(self.rival, self.stranger_weights), self.strangers, rate)


def search(faces: Sequence[Face], gallery: int, filler: str) -> Search:
    """Tries every face against a gallery of so many people."""
    codes, _, named = keys(faces)
    rows = np.stack([face.embedding for face in faces])
    similarities = rows @ rows.T
    enrolled = _enrolled(codes, named)
    different = certainly_different(faces) & enrolled[None, :]
    rival = np.where(different, similarities, _NOBODY).max(axis=1)
    people = len(np.unique(codes[enrolled]))
    for others in _invented(rows, codes, gallery - people, filler):
        rival = np.maximum(rival, (rows @ others.T).max(axis=1))
    own = _own(similarities, codes)
    mated, strangers = named & (own > _NOBODY), rival > _NOBODY
    return Search(max(gallery, people), own, rival, _by_person(codes, mated), _by_person(codes, strangers))


def _enrolled(codes: np.ndarray, named: np.ndarray) -> np.ndarray:
    """(N,) bool: the first photos of each named person."""
    enrolled = np.zeros(len(codes), bool)
    for code in np.unique(codes[named]):
        enrolled[np.flatnonzero(codes == code)[:TEMPLATES]] = True
    return enrolled


def _own(similarities: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(N,): each face's best similarity with the first photos of its person, itself left out."""
    own = np.full(len(codes), _NOBODY)
    for place, code in enumerate(codes):
        others = np.flatnonzero(codes == code)
        others = others[others != place][:TEMPLATES]
        if len(others):
            own[place] = similarities[place, others].max()
    return own


def _by_person(codes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(N,): weights by which each identity of the chosen faces weighs 1, others nothing."""
    sizes = np.bincount(codes[chosen], minlength=codes.max() + 1)
    return np.where(chosen, 1 / np.maximum(1, sizes[codes]), 0.0)


def _invented(rows: np.ndarray, codes: np.ndarray, number: int, filler: str) -> Iterator[np.ndarray]:
    """(B, D) float32 unit rows of people who do not exist, piece by piece."""
    random = np.random.default_rng(0)
    mean, spread = np.zeros(rows.shape[1]), 1.0
    if filler == "around":
        one_each = np.stack([rows[np.flatnonzero(codes == code)[0]] for code in np.unique(codes)])
        mean = one_each.mean(axis=0)
        spread = float(np.sqrt(one_each.var(axis=0, ddof=1).mean()))
    for first in range(0, max(0, number), _CHUNK):
        size = (min(_CHUNK, number - first), rows.shape[1])
        drawn = mean + spread * random.standard_normal(size)
        yield (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
