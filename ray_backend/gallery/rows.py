"""The templates of a gallery as rows: changed by one at a time, read by many meanwhile, never copied.

Adding writes behind the rows that running searches see, then shows them all at once. Taking away
zeroes rows in place, for what is erased has to be gone; a search that this happened to is repeated.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import TypeVar

import numpy as np

from ray_backend.domain.model import Template
from ray_backend.gallery.blocks import BLOCK_ROWS, KEY_BYTES, Block, BlockSource
from ray_backend.gallery.chunks import NOBODY, Chunk, View

T = TypeVar("T")
_BATCH = 4096  # templates that are held at a time while the gallery is filled
_WORTH_CLOSING = 1024  # rows of a chunk from which on its gaps are closed when they are the most of it
_TRIES = 3  # searches without the lock before one is made with it


class Rows:
    """Holds templates by id. All methods may be called from several threads."""

    def __init__(self, dimension: int, blocks: BlockSource, block_rows: int = BLOCK_ROWS) -> None:
        self.lock = threading.RLock()
        self.view = View()
        self.version = 0
        self._dimension = dimension
        self._blocks = blocks
        self._block_rows = block_rows
        self._takings = 0  # odd while rows are being taken away
        self._serial = 0
        self._chunks: dict[int, Chunk] = {}
        self._positions: dict[str, int] = {}
        # Numbers are never given to somebody else: a running search may still hold one.
        self._names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._unclaimed: dict[bytes, int] = {}
        for block in blocks.left_over():
            self._take_in(block)

    def __len__(self) -> int:
        return len(self._positions)

    def read(self, answer: Callable[[View], T]) -> T:
        """`answer` of a view from which nothing was taken away while it was computed."""
        for _ in range(_TRIES):
            before = self._takings
            if before % 2:
                break
            result = answer(self.view)
            if self._takings == before:
                return result
        with self.lock:
            return answer(self.view)

    def add(self, templates: Sequence[Template]) -> None:
        """See `GalleryIndex.add`; takes effect as a whole."""
        self._check(templates)
        with self.lock:
            latest = {template.template_id: template for template in templates}
            replaced = [self._positions[key] for key in latest if key in self._positions]
            self._positions |= self._append(latest.values())
            self._show_and_take(replaced)

    def remove_template(self, template_id: str) -> None:
        """See `GalleryIndex`."""
        with self.lock:
            position = self._positions.pop(template_id, None)
            self._show_and_take([] if position is None else [position])

    def remove_person(self, person_id: str) -> None:
        """See `GalleryIndex`."""
        with self.lock:
            number = self._numbers.get(person_id)
            gone = [] if number is None else list(self._where(lambda chunk: chunk.people == number))
            for position in gone:
                del self._positions[self._template_id(position)]
            self._show_and_take(gone)

    def replace(self, templates: Iterator[Template]) -> None:
        """See `GalleryIndex.replace`. Rows that are there already, of this run or an earlier, stay."""
        with self.lock:
            staged = _Staged(self._serial, {serial: chunk.used for serial, chunk in self._chunks.items()})
            try:
                while batch := list(islice(templates, _BATCH)):
                    self._check(batch)
                    self._stage(batch, staged)
                staged.whole = True
            finally:
                if not staged.whole:
                    self._roll_back(staged)
            kept = np.fromiter(staged.positions.values(), np.int64, len(staged.positions))
            unwanted = np.setdiff1d(np.fromiter(self._where(lambda chunk: chunk.people >= 0), np.int64), kept)
            gone = [*unwanted.tolist(), *self._unclaimed.values()]
            self._positions, self._unclaimed = staged.positions, {}
            self._show_and_take(gone)

    def _check(self, templates: Iterable[Template]) -> None:
        for template in templates:
            if template.embedding.shape != (self._dimension,):
                raise ValueError(f"expected ({self._dimension},) template, got {template.embedding.shape}")

    def _stage(self, batch: Sequence[Template], staged: _Staged) -> None:
        fresh: dict[str, Template] = {}
        for template in batch:
            position = self._standing(template, staged)
            if position is None:
                fresh[template.template_id] = template
            else:
                fresh.pop(template.template_id, None)
                staged.positions[template.template_id] = position
        staged.positions |= self._append(fresh.values())

    def _standing(self, template: Template, staged: _Staged) -> int | None:
        """Where the template stands already, unchanged; a row of an earlier run becomes its row."""
        position = self._positions.get(template.template_id)
        key = row_key(template.template_id, template.person_id) if self._unclaimed else b""
        found = position if position is not None else self._unclaimed.get(key)
        if found is None:
            return None
        chunk, row = self._at(found)
        if chunk.block.vectors[row].tobytes() != template.embedding.astype(np.float32).tobytes():
            return None
        if position is None:
            del self._unclaimed[key]
            staged.claimed[key] = found
            chunk.people[row], chunk.template_ids[row] = (
                self._number(template.person_id),
                template.template_id,
            )
            chunk.live += 1
        return found if self._names[chunk.people[row]] == template.person_id else None

    def _roll_back(self, staged: _Staged) -> None:
        for serial, chunk in list(self._chunks.items()):
            self._hide(chunk, range(staged.used.get(serial, 0), chunk.used))
            if serial >= staged.first_new:
                self._chunks.pop(serial).drop()
        for key, position in staged.claimed.items():
            chunk, row = self._at(position)
            chunk.people[row], chunk.template_ids[row] = NOBODY, None
            chunk.live -= 1
            self._unclaimed[key] = position

    def _append(self, templates: Iterable[Template]) -> dict[str, int]:
        """Writes rows that nobody sees yet; returns the position of each template id."""
        templates = list(templates)
        if not templates:
            return {}
        vectors = np.stack([template.embedding for template in templates]).astype(np.float32, copy=False)
        numbers = np.array([self._number(template.person_id) for template in templates], np.int32)
        return self._append_rows(vectors, numbers, [template.template_id for template in templates])

    def _append_rows(self, vectors: np.ndarray, numbers: np.ndarray, ids: Sequence[str]) -> dict[str, int]:
        positions: dict[str, int] = {}
        done = 0
        while done < len(ids):
            serial, chunk = self._tail()
            start = chunk.used
            batch = slice(done, done + self._block_rows - start)
            names = ids[batch]
            rows = slice(start, start + len(names))
            chunk.block.vectors[rows], chunk.people[rows] = vectors[batch], numbers[batch]
            if self._blocks.keyed:
                keys = b"".join(map(row_key, names, (self._names[number] for number in numbers[batch])))
                chunk.block.keys[rows] = np.frombuffer(keys, np.uint8).reshape(-1, KEY_BYTES)
            chunk.template_ids.extend(names)
            chunk.live += len(names)
            first = serial * self._block_rows + start
            positions.update(zip(names, range(first, first + len(names)), strict=True))
            done += len(names)
        return positions

    def _tail(self) -> tuple[int, Chunk]:
        if self._chunks:
            serial = next(reversed(self._chunks))
            if self._chunks[serial].used < self._block_rows:
                return serial, self._chunks[serial]
        return self._new_chunk(self._blocks.new())

    def _new_chunk(self, block: Block) -> tuple[int, Chunk]:
        serial, self._serial = self._serial, self._serial + 1
        self._chunks[serial] = chunk = Chunk(block, np.full(self._block_rows, NOBODY, np.int32))
        return serial, chunk

    def _take_in(self, block: Block) -> None:
        """Keeps a block of an earlier run aside until `replace` claims its rows or wipes them."""
        serial, chunk = self._new_chunk(block)
        written = np.flatnonzero(block.keys.any(axis=1))
        chunk.template_ids = [None] * (int(written[-1]) + 1 if len(written) else 0)
        for row in written.tolist():
            self._unclaimed[block.keys[row].tobytes()] = serial * self._block_rows + row

    def _show_and_take(self, gone: Sequence[int]) -> None:
        """Shows what was added and takes the rows at these positions away, as one change."""
        with self._taking(bool(gone)):
            self._show()
            for serial, rows in self._by_chunk(gone).items():
                self._hide(self._chunks[serial], rows)
        if gone:
            self._close_gaps()
        self.version += 1

    def _show(self) -> None:
        self.view = View(tuple((chunk, chunk.used) for chunk in self._chunks.values()), self._names)

    @contextmanager
    def _taking(self, really: bool) -> Iterator[None]:
        self._takings += really
        try:
            yield
        finally:
            self._takings += really

    def _hide(self, chunk: Chunk, rows: Sequence[int]) -> None:
        if not rows:
            return
        rows = list(rows)
        chunk.live -= int(np.count_nonzero(chunk.people[rows] != NOBODY))
        chunk.people[rows] = NOBODY
        for row in rows:
            chunk.template_ids[row] = None
        chunk.block.wipe(rows)
        chunk.block.flush()

    def _close_gaps(self) -> None:
        """Moves what is left of chunks that are mostly empty to the end; searches go on meanwhile."""
        for serial, chunk in list(self._chunks.items()):
            if chunk.used < min(_WORTH_CLOSING, self._block_rows) or 2 * chunk.live > chunk.used:
                continue
            del self._chunks[serial]
            rows = np.flatnonzero(chunk.people >= 0)
            ids = [chunk.template_ids[row] for row in rows]
            self._positions |= self._append_rows(chunk.block.vectors[rows], chunk.people[rows], ids)
            self._show()
            with self._taking(True):
                chunk.drop()

    def _number(self, person_id: str) -> int:
        number = self._numbers.setdefault(person_id, len(self._names))
        if number == len(self._names):
            self._names.append(person_id)
        return number

    def _at(self, position: int) -> tuple[Chunk, int]:
        serial, row = divmod(position, self._block_rows)
        return self._chunks[serial], row

    def _template_id(self, position: int) -> str:
        chunk, row = self._at(position)
        return chunk.template_ids[row]

    def _where(self, wanted: Callable[[Chunk], np.ndarray]) -> Iterator[int]:
        for serial, chunk in self._chunks.items():
            yield from (np.flatnonzero(wanted(chunk)) + serial * self._block_rows).tolist()

    def _by_chunk(self, positions: Iterable[int]) -> dict[int, list[int]]:
        rows: dict[int, list[int]] = {}
        for position in positions:
            serial, row = divmod(position, self._block_rows)
            rows.setdefault(serial, []).append(row)
        return rows


@dataclass(slots=True)
class _Staged:
    """What `replace` has prepared, and how to undo it."""

    first_new: int
    used: dict[int, int]
    positions: dict[str, int] = field(default_factory=dict)
    claimed: dict[bytes, int] = field(default_factory=dict)
    whole: bool = False


def row_key(template_id: str, person_id: str) -> bytes:
    """By what a row is found again at the next start, without an id in the file."""
    return blake2b(f"{template_id}\0{person_id}".encode(), digest_size=KEY_BYTES).digest()
