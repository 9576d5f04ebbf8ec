"""The gallery for very many templates: a fast look at short codes, then the exact similarity of the best.

Up to `exact_limit` templates it searches exactly, as `ExactGallery` does. Beyond it a thread in the
background learns and packs the codes; until a row is packed it is searched exactly, so that nothing
that was added is ever missed. The similarities in answers are always the exact ones.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ray_backend.domain.model import Candidate, Template
from ray_backend.gallery.blocks import BLOCK_ROWS, BlockSource, MemoryBlocks, code_bytes
from ray_backend.gallery.chunks import NOBODY, Chunk, View
from ray_backend.gallery.rows import Rows
from ray_backend.gallery.scan import checked, first_of_each, scan

if TYPE_CHECKING:
    from ray_backend.gallery.coarse import Codebook

log = logging.getLogger(__name__)

# Of each chunk the best 64 by code are looked at, of those of all chunks the best 256. Measured with codes
# half as long, on the built-in pack's narrow similarities: recall@1 0.98, and 0.95 with 16 and 64; 0.06 ms.
_OF_A_CHUNK = 64
_LOOKED_AT = 256
_MOST_PEOPLE = 16  # a longer list is asked for by no kiosk, and is scanned exactly
_SAMPLE = 4096  # templates that the codes are learnt from: as many as faiss takes for 16 centres
_LEAST_SAMPLE = 16
_STEP = 4096  # rows that are searched exactly before they are packed, too: 0.2 ms a search
_ENCODED_AT_ONCE = 4096


class ApproximateGallery:
    """Implements `GalleryIndex`. Codes in blocks of an earlier run are checked before they are used.

    `codebook` is what those were made with; `remember` is called with one that had to be learnt.
    """

    def __init__(
        self,
        dimension: int,
        exact_limit: int,
        blocks: BlockSource | None = None,
        *,
        codebook: Codebook | None = None,
        remember: Callable[[Codebook], None] | None = None,
        block_rows: int = BLOCK_ROWS,
        step: int = _STEP,
    ) -> None:
        self._dimension = dimension
        self._exact_limit = exact_limit
        self._step = step
        self._codebook = codebook
        self._remember = remember
        blocks = blocks or MemoryBlocks(dimension, code_bytes(dimension), block_rows)
        self._rows = Rows(dimension, blocks, block_rows)
        self._builder: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closed = False

    @property
    def version(self) -> int:
        return self._rows.version

    def __len__(self) -> int:
        return len(self._rows)

    def replace(self, templates: Iterator[Template]) -> None:
        self._rows.replace(templates)
        self._build()

    def add(self, templates: Sequence[Template]) -> None:
        self._rows.add(templates)
        self._build()

    def remove_template(self, template_id: str) -> None:
        self._rows.remove_template(template_id)
        self._build()

    def remove_person(self, person_id: str) -> None:
        self._rows.remove_person(person_id)
        self._build()

    def search(
        self, embeddings: np.ndarray, limit: int = 2, only: frozenset[str] | None = None
    ) -> list[list[Candidate]]:
        """See `GalleryIndex`; a person whose nearest template has an unlucky code may be missed."""
        asked = checked(embeddings, self._dimension)
        return self._rows.read(lambda view: self._search(view, asked, limit, only))

    def settle(self) -> None:
        """Returns when everything that is to be packed is; for tests and benches."""
        while (builder := self._builder) is not None and builder.is_alive():
            builder.join()

    def close(self) -> None:
        """Ends the work in the background. Calling it twice is no error."""
        self._closed = True
        self.settle()

    def _search(
        self, view: View, asked: np.ndarray, limit: int, only: frozenset[str] | None
    ) -> list[list[Candidate]]:
        packed = any(chunk.index is not None for chunk, _ in view.parts)
        small = not packed or len(self) <= self._exact_limit or not len(asked)
        # The codes' best of everybody may hold nobody of a few people asked for.
        if small or limit > _MOST_PEOPLE or only is not None:
            return scan(view, asked, limit, only)
        answers = []
        for question, places in zip(asked, _places(view, asked), strict=True):
            found = _nearest(view, question, places, limit)
            # A crowd of one person's templates, or of forgotten ones, may hide the others.
            answers.append(found if len(found) == limit else scan(view, question[None], limit)[0])
        return answers

    def _build(self) -> None:
        """Starts the thread that packs, if there is something to pack and none is at it."""
        if len(self) <= self._exact_limit or self._closed:
            return
        with self._starting:
            if self._builder is not None and self._builder.is_alive():
                return
            if self._unpacked() is None:
                return
            self._builder = threading.Thread(target=self._pack_all, name="gallery", daemon=True)
            self._builder.start()

    def _unpacked(self) -> tuple[Chunk, int] | None:
        """A chunk with many rows that are not packed, and how many rows of it are there."""
        for chunk, used in self._rows.view.parts:
            missing = used - (chunk.index.covered if chunk.index else 0)
            if missing >= min(self._step, len(chunk.people)) or (missing and used == len(chunk.people)):
                return chunk, used
        return None

    def _pack_all(self) -> None:
        if self._codebook is None:
            self._codebook = self._learn()
            if self._codebook is not None and self._remember is not None:
                self._remember(self._codebook)
        while not self._closed:
            with self._starting:
                # Leaves under the lock, so that an addition meanwhile starts another thread.
                if self._codebook is None or (part := self._unpacked()) is None:
                    self._builder = None
                    return
            self._pack(self._codebook, *part)

    def _learn(self) -> Codebook | None:
        # Here, because faiss is large and a small gallery never needs it.
        from ray_backend.gallery.coarse import Codebook

        sample = self._rows.read(self._sample)
        return Codebook.train(sample) if len(sample) >= _LEAST_SAMPLE else None

    def _sample(self, view: View) -> np.ndarray:
        share = min(1.0, _SAMPLE / max(1, len(self)))
        chance = np.random.default_rng(0)
        chosen = []
        for chunk, used in view.parts:
            rows = np.flatnonzero((chunk.people[:used] != NOBODY) & (chance.random(used) <= share))
            chosen.append(chunk.block.vectors[rows])
        return np.concatenate(chosen)

    def _pack(self, codebook: Codebook, chunk: Chunk, used: int) -> None:
        """Encodes the rows that have no valid code, then packs the codes of all of them."""
        block = chunk.block
        valid = codebook.sums(block.codes[:used]) == block.sums[:used]
        missing = np.flatnonzero(~valid & (chunk.people[:used] != NOBODY))
        for start in range(0, len(missing), _ENCODED_AT_ONCE):
            rows = missing[start : start + _ENCODED_AT_ONCE]
            codes = codebook.encode(block.vectors[rows])
            with self._rows.lock:
                # What was forgotten meanwhile must not come back, not even as a code.
                if chunk.dropped:
                    return
                staying = chunk.people[rows] != NOBODY
                block.codes[rows[staying]] = codes[staying]
                block.sums[rows[staying]] = codebook.sums(codes[staying])
        chunk.index = codebook.pack(block.codes[:used])
        block.flush()


def _places(view: View, asked: np.ndarray) -> list[list[tuple[Chunk, np.ndarray]]]:
    """For each question the rows to look at closely: of each chunk the best by code, and the unpacked."""
    # Each index is taken once: the builder may put a longer one in its place at any time.
    parts = [(chunk, used, chunk.index) for chunk, used in view.parts]
    packed = [(chunk, used, *index.search(asked, _OF_A_CHUNK)) for chunk, used, index in parts if index]
    scores = np.concatenate([score for _, _, score, _ in packed], axis=1)
    wanted = min(_LOOKED_AT, scores.shape[1])
    least = -np.partition(-scores, wanted - 1, axis=1)[:, wanted - 1]
    places: list[list[tuple[Chunk, np.ndarray]]] = [[] for _ in asked]
    for chunk, used, score, rows in packed:
        chosen = (score >= least[:, None]) & (rows >= 0) & (rows < used)
        for place, row, keep in zip(places, rows, chosen, strict=True):
            place.append((chunk, row[keep]))
    for chunk, used, index in parts:
        _add_unpacked(places, asked, chunk, index.covered if index else 0, used)
    return places


def _add_unpacked(
    places: list[list[tuple[Chunk, np.ndarray]]], asked: np.ndarray, chunk: Chunk, covered: int, used: int
) -> None:
    """Adds, of the rows that no code covers, the best by exact similarity."""
    if covered >= used:
        return
    similarities = asked @ chunk.block.vectors[covered:used].T
    wanted = min(_OF_A_CHUNK, used - covered)
    best = np.argpartition(similarities, -wanted, axis=1)[:, -wanted:] + covered
    for place, rows in zip(places, best, strict=True):
        place.append((chunk, rows))


def _nearest(
    view: View, question: np.ndarray, places: list[tuple[Chunk, np.ndarray]], limit: int
) -> list[Candidate]:
    """The nearest people among these rows, by their exact similarity."""
    similarities = np.concatenate([chunk.block.vectors[rows] @ question for chunk, rows in places])
    people = np.concatenate([chunk.people[rows] for chunk, rows in places])
    found = first_of_each(similarities, people, limit)
    return [Candidate(view.names[number], similarity) for number, similarity in found.items()]
