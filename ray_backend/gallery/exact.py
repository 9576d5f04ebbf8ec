"""Exact cosine search: one matrix product over all templates, then the best row of each person."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import numpy as np

from ray_backend.domain.model import Candidate, Template

_FIRST_CAPACITY = 1024


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What one search sees: rows [0, count) never change while somebody holds this."""

    matrix: np.ndarray
    person_ids: list[str]
    template_ids: list[str]
    count: int


class ExactGallery:
    """Implements `GalleryIndex`. Searches run beside changes; changes wait for each other.

    Adding writes behind the rows that running searches see; removing copies, since it is rare.
    """

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._lock = threading.Lock()
        self._version = 0
        self._now = self._empty()

    def _empty(self) -> _Snapshot:
        return _Snapshot(np.empty((_FIRST_CAPACITY, self._dimension), np.float32), [], [], 0)

    @property
    def version(self) -> int:
        return self._version

    def __len__(self) -> int:
        return self._now.count

    def replace(self, templates: Iterator[Template]) -> None:
        with self._lock:
            fresh = self._empty()
            for template in templates:
                self._check(template)
                fresh = self._appended(fresh, template)
            self._publish(fresh)

    def add(self, templates: Sequence[Template]) -> None:
        with self._lock:
            for template in templates:
                self._check(template)
            latest = {template.template_id: template for template in templates}
            snapshot = self._without_templates(latest.keys())
            for template in latest.values():
                snapshot = self._appended(snapshot, template)
            self._publish(snapshot)

    def remove_template(self, template_id: str) -> None:
        with self._lock:
            self._publish(self._without_templates({template_id}))

    def remove_person(self, person_id: str) -> None:
        with self._lock:
            ids = zip(self._now.person_ids, self._now.template_ids, strict=True)
            self._publish(self._without_templates({t for p, t in ids if p == person_id}))

    def search(self, embeddings: np.ndarray, limit: int = 2) -> list[list[Candidate]]:
        if embeddings.ndim != 2 or embeddings.shape[1] != self._dimension:
            raise ValueError(f"expected (N, {self._dimension}) embeddings, got {embeddings.shape}")
        now = self._now
        if now.count == 0:
            return [[] for _ in embeddings]
        similarities = embeddings.astype(np.float32, copy=False) @ now.matrix[: now.count].T
        return [_nearest_people(row, now.person_ids, limit) for row in similarities]

    def _publish(self, snapshot: _Snapshot) -> None:
        self._now = snapshot
        self._version += 1

    def _check(self, template: Template) -> None:
        if template.embedding.shape != (self._dimension,):
            raise ValueError(f"expected ({self._dimension},) template, got {template.embedding.shape}")

    def _appended(self, snapshot: _Snapshot, template: Template) -> _Snapshot:
        matrix, count = snapshot.matrix, snapshot.count
        if count == len(matrix):
            matrix = np.empty((2 * count, self._dimension), np.float32)
            matrix[:count] = snapshot.matrix
        matrix[count] = template.embedding
        snapshot.person_ids.append(template.person_id)
        snapshot.template_ids.append(template.template_id)
        return _Snapshot(matrix, snapshot.person_ids, snapshot.template_ids, count + 1)

    def _without_templates(self, gone: Set[str]) -> _Snapshot:
        now = self._now
        if gone.isdisjoint(now.template_ids):
            return now
        kept = [row for row in range(now.count) if now.template_ids[row] not in gone]
        matrix = np.empty((max(_FIRST_CAPACITY, len(kept)), self._dimension), np.float32)
        matrix[: len(kept)] = now.matrix[kept]
        return _Snapshot(
            matrix,
            [now.person_ids[row] for row in kept],
            [now.template_ids[row] for row in kept],
            len(kept),
        )


def _nearest_people(similarities: np.ndarray, person_ids: list[str], limit: int) -> list[Candidate]:
    """The `limit` people with the largest similarity, best first, from one row of (T,) similarities."""
    total = len(similarities)
    wanted = min(total, 16 * limit)
    while True:
        rows = np.argpartition(similarities, total - wanted)[total - wanted :]
        found: dict[str, float] = {}
        for row in rows[np.argsort(-similarities[rows])]:
            found.setdefault(person_ids[row], float(similarities[row]))
            if len(found) == limit:
                break
        if len(found) == limit or wanted == total:
            return [Candidate(person_id, similarity) for person_id, similarity in found.items()]
        wanted = min(total, 4 * wanted)
