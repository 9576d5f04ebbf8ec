"""One gallery spread over several, for more templates than one process or machine can hold."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from ray_backend.domain.model import Candidate, Template
from ray_backend.ports import GalleryIndex

T = TypeVar("T")


def shard_of(template_id: str, shards: int) -> int:
    """Which of `shards` shards holds this template. The same in every process."""
    return zlib.crc32(template_id.encode()) % shards


class ShardedGallery:
    """Implements `GalleryIndex` over others: scatters every question and merges the answers.

    A change is done when every shard that it concerns has done it.
    """

    def __init__(self, shards: Sequence[GalleryIndex], dimension: int) -> None:
        self._shards = list(shards)
        self._dimension = dimension
        self._pool = ThreadPoolExecutor(len(self._shards), thread_name_prefix="shard")
        self._lock = threading.Lock()
        self._changes = 0

    @property
    def version(self) -> int:
        """Grows with every change made here."""
        return self._changes

    def __len__(self) -> int:
        return sum(self._scatter(len))

    def replace(self, templates: Iterator[Template]) -> None:
        parts = self._parts(templates)
        each = [parts.get(index, []) for index in range(len(self._shards))]
        list(self._pool.map(lambda shard, part: shard.replace(iter(part)), self._shards, each))
        self._changed()

    def add(self, templates: Sequence[Template]) -> None:
        parts = self._parts(templates)
        adding = [self._pool.submit(self._shards[index].add, part) for index, part in parts.items()]
        for call in adding:
            call.result()
        self._changed()

    def remove_template(self, template_id: str) -> None:
        self._shards[shard_of(template_id, len(self._shards))].remove_template(template_id)
        self._changed()

    def remove_person(self, person_id: str) -> None:
        self._scatter(lambda shard: shard.remove_person(person_id))
        self._changed()

    def search(
        self, embeddings: np.ndarray, limit: int = 2, only: frozenset[str] | None = None
    ) -> list[list[Candidate]]:
        answers = self._scatter(lambda shard: shard.search(embeddings, limit, only))
        return [merge(rows, limit) for rows in zip(*answers, strict=True)]

    def _parts(self, templates: Iterable[Template]) -> dict[int, list[Template]]:
        """The templates by shard, all of them looked at before the first shard changes anything."""
        parts: dict[int, list[Template]] = {}
        for template in templates:
            if template.embedding.shape != (self._dimension,):
                raise ValueError(f"expected ({self._dimension},) template, got {template.embedding.shape}")
            parts.setdefault(shard_of(template.template_id, len(self._shards)), []).append(template)
        return parts

    def _scatter(self, ask: Callable[[GalleryIndex], T]) -> list[T]:
        return list(self._pool.map(ask, self._shards))

    def _changed(self) -> None:
        with self._lock:
            self._changes += 1


def merge(results_per_shard: Iterable[Sequence[Candidate]], limit: int) -> list[Candidate]:
    """The `limit` nearest people over all shards, best first; of equals the one named first.

    A person whose templates lie on several shards counts once, with the largest similarity. When each
    shard answered with its own `limit` nearest people, this is what one gallery of all would answer.
    """
    best: dict[str, Candidate] = {}
    for candidates in results_per_shard:
        for candidate in candidates:
            known = best.get(candidate.person_id)
            if known is None or candidate.similarity > known.similarity:
                best[candidate.person_id] = candidate
    return sorted(best.values(), key=lambda candidate: -candidate.similarity)[:limit]
