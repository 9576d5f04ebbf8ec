"""The exact gallery: every search looks at every template."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ray_backend.domain.model import Candidate, Template
from ray_backend.gallery.blocks import BLOCK_ROWS, MemoryBlocks
from ray_backend.gallery.rows import Rows
from ray_backend.gallery.scan import checked, scan


class ExactGallery:
    """Implements `GalleryIndex`. Searches run beside changes; changes wait for each other."""

    def __init__(self, dimension: int, *, block_rows: int = BLOCK_ROWS) -> None:
        self._dimension = dimension
        self._rows = Rows(dimension, MemoryBlocks(dimension, rows=block_rows), block_rows)

    @property
    def version(self) -> int:
        return self._rows.version

    def __len__(self) -> int:
        return len(self._rows)

    def replace(self, templates: Iterator[Template]) -> None:
        self._rows.replace(templates)

    def add(self, templates: Sequence[Template]) -> None:
        self._rows.add(templates)

    def remove_template(self, template_id: str) -> None:
        self._rows.remove_template(template_id)

    def remove_person(self, person_id: str) -> None:
        self._rows.remove_person(person_id)

    def search(
        self, embeddings: np.ndarray, limit: int = 2, only: frozenset[str] | None = None
    ) -> list[list[Candidate]]:
        asked = checked(embeddings, self._dimension)
        return self._rows.read(lambda view: scan(view, asked, limit, only))
