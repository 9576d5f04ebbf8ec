"""What a search sees of a gallery: chunks of rows, and whose rows they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ray_backend.gallery.blocks import Block

NOBODY = -1


@dataclass(slots=True, eq=False)
class Chunk:
    """One block and whose rows these are. `people`: (R,) int32 person numbers, NOBODY for no row.

    `index` is what the approximate search built over the first rows, and None for the exact one.
    """

    block: Block
    people: np.ndarray
    template_ids: list[str | None] = field(default_factory=list)
    live: int = 0
    index: Any = None
    dropped: bool = False

    @property
    def used(self) -> int:
        return len(self.template_ids)

    def drop(self) -> None:
        """Nobody needs it any more, except searches that began earlier."""
        self.dropped = True
        self.block.drop()


@dataclass(frozen=True, slots=True)
class View:
    """What one search sees: of each chunk the first rows, and the ids of the people by number."""

    parts: tuple[tuple[Chunk, int], ...] = ()
    names: Sequence[str] = ()

    @property
    def count(self) -> int:
        """Rows, those of forgotten templates included."""
        return sum(count for _, count in self.parts)
