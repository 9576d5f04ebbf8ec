"""Where the rows of a gallery lie: blocks of arrays in memory, or in files that are mapped into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

# 65,536 rows of 512 numbers are 128 MiB: few enough blocks for a million templates (16), and small
# enough that closing the gaps of one takes tens of milliseconds.
BLOCK_ROWS = 65_536
KEY_BYTES = 16
# The pieces of an embedding, if it can be cut into as many. Measured on 200,000 made-up templates with
# the similarities of the built-in pack (128 numbers): recall@1 0.54 with 32 pieces, 0.98 with 64, 1.0
# with 128; and on those of 512 numbers 1.0 with 128, at half the time of 256.
_PIECES = 128


@dataclass(slots=True)
class Block:
    """Arrays for a fixed number of rows; an unused or forgotten row is all zero.

    `vectors`: (R, D) float32. `codes`: (R, W) uint8, what the approximate index makes of the vectors;
    `sums`: (R,) uint32, check sums of the codes. `keys`: (R, 16) uint8, digests of whose rows they are.
    """

    vectors: np.ndarray
    codes: np.ndarray
    sums: np.ndarray
    keys: np.ndarray

    def wipe(self, rows: Sequence[int] | slice) -> None:
        """Overwrites everything that is known about these rows with zeros."""
        for array in (self.vectors, self.codes, self.sums, self.keys):
            array[rows] = 0

    def flush(self) -> None:
        """Returns when what was written is as durable as this kind of block gets."""

    def drop(self) -> None:
        """The block is not needed any more; searches that began earlier may still be reading it."""


class BlockSource(Protocol):
    """Makes blocks, and finds those that an earlier run left."""

    keyed: bool  # whether rows are found again by their keys, so that keys have to be written

    def left_over(self) -> list[Block]:
        """Blocks of an earlier run. Nothing in them may be believed before it was checked."""

    def new(self) -> Block:
        """An empty block."""


class MemoryBlocks:
    """Blocks that end with the process. Memory is taken when rows are written, not before."""

    keyed = False

    def __init__(self, dimension: int, code_bytes: int = 0, rows: int = BLOCK_ROWS) -> None:
        self._shape = (rows, dimension, code_bytes)

    def left_over(self) -> list[Block]:
        return []

    def new(self) -> Block:
        rows, dimension, code_bytes = self._shape
        return Block(
            np.zeros((rows, dimension), np.float32),
            np.zeros((rows, code_bytes), np.uint8),
            np.zeros(rows, np.uint32),
            np.zeros((rows, KEY_BYTES), np.uint8),
        )


def pieces(dimension: int) -> int:
    """How many pieces an embedding is cut into: the most up to 128 that divide it evenly."""
    return max(number for number in range(1, _PIECES + 1) if dimension % number == 0)


def code_bytes(dimension: int) -> int:
    """Bytes of one code: half a byte for each piece."""
    return (pieces(dimension) + 1) // 2
