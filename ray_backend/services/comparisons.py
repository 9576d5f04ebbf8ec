"""Compares a site's templates: each with its owner's others, and everybody as a stranger to all others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ray_backend.domain.accuracy import Counts

Progress = Callable[[float], None]
MOST_PROBES = 5000  # a rate below about 1 in 1,000 needs so many attempts, and they take seconds
_CHUNK_BYTES = 48_000_000
_MOST_PAIRS = 2000
_NOBODY = -2.0


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Templates person by person: `embeddings` (N, D) float32, L2-normalised, those of person i from
    `starts[i]` on; `starts` (P,) int64, rising from 0."""

    embeddings: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, people: Sequence[Sequence[np.ndarray]]) -> Rows:
        """One sequence of (D,) embeddings for each person; none of them empty, and one person at least."""
        sizes = [len(each) for each in people]
        starts = np.cumsum([0, *sizes[:-1]]).astype(np.int64)
        return cls(np.stack([row for each in people for row in each]), starts)

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(self.starts)

    @property
    def sizes(self) -> np.ndarray:
        """(P,) int64: how many templates each person has."""
        return np.diff(self.starts, append=len(self.embeddings))

    @property
    def owners(self) -> np.ndarray:
        """(N,) int64: whose template each row is."""
        return np.repeat(np.arange(self.people), self.sizes)


@dataclass(frozen=True, slots=True, eq=False)
class Attempts:
    """Everybody, or a sample, tried against all others.

    `people` have tried, each with the weight 1. `comparisons` counts each of them against each other
    person (the best of that person's templates, as a search takes it); `nearest` only the best of all
    others, which is what an attempt at the door comes to. `close` holds the closest pairs of people
    (places in `Rows`, lower one first) with their similarity, closest first.
    """

    people: int
    comparisons: Counts
    nearest: Counts
    close: tuple[tuple[int, int, float], ...]


def genuine(rows: Rows) -> Counts:
    """Each template against the best of its owner's others; every person with two or more weighs 1."""
    best, weights = [], []
    for start, size in zip(rows.starts, rows.sizes, strict=True):
        if size < 2:
            continue
        own = rows.embeddings[start : start + size]
        similarities = own @ own.T
        np.fill_diagonal(similarities, _NOBODY)
        best.append(similarities.max(axis=1))
        weights.append(np.full(size, 1 / size))
    return Counts.of(np.concatenate(best), np.concatenate(weights)) if best else Counts.none()


def attempts(
    rows: Rows, *, close_from: float, progress: Progress = lambda share: None, most: int = MOST_PROBES
) -> Attempts:
    """Tries everybody as a stranger, or `most` of them drawn by chance, in pieces of bounded memory.

    Pairs from the similarity `close_from` on are collected, the closest 2,000. `progress` is told the
    share that is done, 0 to 1.
    """
    probes, weights = _probes(rows, most)
    comparisons, nearest, close = Counts.none(), Counts.none(), {}
    size = max(1, _CHUNK_BYTES // (4 * len(rows.embeddings)))
    for first in range(0, len(probes) if rows.people > 1 else 0, size):
        chosen, weight = probes[first : first + size], weights[first : first + size]
        best = _best_of_each(rows, chosen)
        others = best > _NOBODY
        comparisons += Counts.of(best[others], np.broadcast_to(weight[:, None], best.shape)[others])
        nearest += Counts.of(best.max(axis=1), weight)
        close = _closest(close, rows.owners[chosen], best, close_from)
        progress(min(1.0, (first + size) / len(probes)))
    pairs = sorted(((a, b, value) for (a, b), value in close.items()), key=lambda pair: -pair[2])
    return Attempts(round(float(weights.sum())), comparisons, nearest, tuple(pairs))


def _probes(rows: Rows, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Which templates try, and how much each weighs: every one, or one each of people drawn by chance."""
    if len(rows.embeddings) <= most:
        return np.arange(len(rows.embeddings)), 1 / rows.sizes[rows.owners]
    random = np.random.default_rng(0)
    people = np.sort(random.permutation(rows.people)[:most])
    chosen = rows.starts[people] + random.integers(0, rows.sizes[people])
    return chosen, np.ones(len(chosen))


def _best_of_each(rows: Rows, chosen: np.ndarray) -> np.ndarray:
    """(B, P): each chosen template's best similarity with each person, `_NOBODY` with its own."""
    similarities = rows.embeddings[chosen] @ rows.embeddings.T
    best = np.maximum.reduceat(similarities, rows.starts, axis=1)
    best[np.arange(len(chosen)), rows.owners[chosen]] = _NOBODY
    return best


def _closest(
    known: dict[tuple[int, int], float], owners: np.ndarray, best: np.ndarray, close_from: float
) -> dict[tuple[int, int], float]:
    """The known pairs with those of this piece; the closest ones only where they are many."""
    places = np.flatnonzero(best.ravel() >= close_from)
    values = best.ravel()[places]
    if len(places) > 2 * _MOST_PAIRS:
        kept = np.argpartition(-values, 2 * _MOST_PAIRS)[: 2 * _MOST_PAIRS]
        places, values = places[kept], values[kept]
    for place, value in zip(places.tolist(), values.tolist(), strict=True):
        row, other = divmod(place, best.shape[1])
        pair = (min(int(owners[row]), other), max(int(owners[row]), other))
        known[pair] = max(value, known.get(pair, _NOBODY))
    if len(known) <= _MOST_PAIRS:
        return known
    return dict(sorted(known.items(), key=lambda item: -item[1])[:_MOST_PAIRS])
