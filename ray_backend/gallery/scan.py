"""Exact search over rows: one matrix product for each chunk, then the best row of each person."""

from __future__ import annotations

import numpy as np

from ray_backend.domain.model import Candidate
from ray_backend.gallery.chunks import NOBODY, Chunk, View

# Similarities that are held at a time: 64 MiB, 16 queries at a million rows.
_CELLS = 1 << 24
# Rows that are looked at for each person asked for, before all people are. People have a few
# templates each; with sixteen the second look is needed for a crowd of one person's templates only.
_ROWS_A_PERSON = 16


def checked(embeddings: np.ndarray, dimension: int) -> np.ndarray:
    """The (N, D) float32 questions, contiguous. Raises ValueError for any other shape."""
    if embeddings.ndim != 2 or embeddings.shape[1] != dimension:
        raise ValueError(f"expected (N, {dimension}) embeddings, got {embeddings.shape}")
    return np.ascontiguousarray(embeddings, np.float32)


def scan(
    view: View, embeddings: np.ndarray, limit: int, only: frozenset[str] | None = None
) -> list[list[Candidate]]:
    """The `limit` nearest people of the view for each row of (N, D) float32, best first.

    `only` names the people to look among, None all.
    """
    blocks, owners = _rows_of(view, only)
    people = np.concatenate([*owners, np.empty(0, np.int32)])
    if not len(people):
        return [[] for _ in embeddings]
    step = max(1, _CELLS // len(people))
    found: list[list[Candidate]] = []
    for start in range(0, len(embeddings), step):
        similarities = all_similarities(blocks, embeddings[start : start + step], len(people))
        found += [nearest_people(row, people, view.names, limit) for row in similarities]
    return found


def _rows_of(view: View, only: frozenset[str] | None) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The (T, D) vectors of each part, and the (T,) numbers of the people that they belong to."""
    if only is None:
        parts = [(chunk.block.vectors[:used], chunk.people[:used]) for chunk, used in view.parts]
    else:
        wanted = np.array([number for number, name in enumerate(view.names) if name in only], np.int32)
        parts = [_chosen(chunk, used, wanted) for chunk, used in view.parts]
    return [vectors for vectors, _ in parts], [people for _, people in parts]


def _chosen(chunk: Chunk, used: int, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    people = chunk.people[:used]
    rows = np.flatnonzero(np.isin(people, wanted))
    return chunk.block.vectors[rows], people[rows]


def all_similarities(blocks: list[np.ndarray], embeddings: np.ndarray, count: int) -> np.ndarray:
    """(N, T) float32: each question against each row of (T, D) in all, in the order of the blocks."""
    similarities = np.empty((len(embeddings), count), np.float32)
    start = 0
    for vectors in blocks:
        similarities[:, start : start + len(vectors)] = embeddings @ vectors.T
        start += len(vectors)
    return similarities


def nearest_people(
    similarities: np.ndarray, people: np.ndarray, names: list[str], limit: int
) -> list[Candidate]:
    """The `limit` people with the largest similarity, best first, from (T,) similarities and numbers."""
    total = len(similarities)
    wanted = min(total, _ROWS_A_PERSON * limit)
    rows = np.argpartition(similarities, total - wanted)[total - wanted :]
    found = first_of_each(similarities[rows], people[rows], limit)
    if len(found) < limit and wanted < total:
        found = _of_everybody(similarities, people, len(names), limit)
    return [Candidate(names[number], similarity) for number, similarity in found.items()]


def first_of_each(similarities: np.ndarray, people: np.ndarray, limit: int) -> dict[int, float]:
    """Person number to largest similarity, best first, from a few rows."""
    order = np.argsort(-similarities)
    found: dict[int, float] = {}
    for number, similarity in zip(people[order].tolist(), similarities[order].tolist(), strict=True):
        if number != NOBODY and number not in found:
            found[number] = similarity
            if len(found) == limit:
                break
    return found


def _of_everybody(similarities: np.ndarray, people: np.ndarray, count: int, limit: int) -> dict[int, float]:
    """The same from all rows, by the best similarity of every person."""
    best = np.full(count, -np.inf, np.float32)
    held = people != NOBODY
    np.maximum.at(best, people[held], similarities[held])
    numbers = np.flatnonzero(best > -np.inf)
    numbers = numbers[np.argsort(-best[numbers])[:limit]]
    return dict(zip(numbers.tolist(), best[numbers].tolist(), strict=True))
