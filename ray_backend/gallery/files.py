"""Blocks of a large gallery as files that are mapped into memory, so that the next start finds their codes.

One folder, one file for each block, and the codebook. The store stays the truth: `Rows.replace`
compares every row with it, and wipes what the store does not hold. Whoever is forgotten is zeroed in
the file, which is never only unlinked. Only the owner may read the folder.
"""

from __future__ import annotations

import logging
import mmap
import os
import re
from pathlib import Path

import numpy as np

from ray_backend.gallery.blocks import BLOCK_ROWS, KEY_BYTES, Block, MemoryBlocks, code_bytes
from ray_backend.gallery.coarse import Codebook

try:
    import fcntl
except ImportError:  # not a POSIX system: no lock, so no files
    fcntl = None

log = logging.getLogger(__name__)
_CODEBOOK = "codebook.bin"
_FILE = re.compile(r"rows-(\d+)x(\d+)-(\d+)\.bin")


class FileBlock(Block):
    """A block whose arrays lie in a file."""

    __slots__ = ("_map", "_path")

    def __init__(self, path: Path, dimension: int, rows: int) -> None:
        """Opens or makes the file. Raises OSError, also when the disk has no room for all of it."""
        self._path = path
        shapes = [
            ((rows, dimension), np.float32), ((rows, code_bytes(dimension)), np.uint8),
            ((rows,), np.uint32), ((rows, KEY_BYTES), np.uint8),
        ]  # fmt: skip
        self._map = _mapped(path, file_bytes(dimension, rows))
        arrays, start = [], 0
        for shape, dtype in shapes:
            count = int(np.prod(shape))
            arrays.append(np.frombuffer(self._map, dtype, count, start).reshape(shape))
            start += _aligned(arrays[-1].nbytes)
        super().__init__(*arrays)

    def flush(self) -> None:
        self._map.flush()

    def drop(self) -> None:
        self.wipe(slice(None))
        self.flush()
        self._path.unlink(missing_ok=True)


class FileBlocks:
    """Blocks in a folder that belongs to one process at a time."""

    keyed = True

    def __init__(self, folder: Path, dimension: int, rows: int = BLOCK_ROWS) -> None:
        """Raises OSError, BlockingIOError among them when another process uses the folder."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _locked(folder)
        self._folder = folder
        self._dimension = dimension
        self._rows = rows
        self._next = 0

    def left_over(self) -> list[Block]:
        """The blocks found in the folder; those of another shape are wiped and removed."""
        blocks: list[Block] = []
        for path in sorted(self._folder.glob("rows-*.bin")):
            parts = _FILE.fullmatch(path.name)
            shape = (self._dimension, self._rows)
            whole = parts is not None and path.stat().st_size == file_bytes(*shape)
            if whole and (int(parts[1]), int(parts[2])) == shape:
                self._next = max(self._next, int(parts[3]) + 1)
                blocks.append(FileBlock(path, *shape))
            else:
                _shred(path)
        return blocks

    def new(self) -> Block:
        path = self._folder / f"rows-{self._dimension}x{self._rows}-{self._next:06}.bin"
        self._next += 1
        try:
            return FileBlock(path, self._dimension, self._rows)
        except OSError as error:
            log.warning("these templates are kept in memory only: %s", error)
            path.unlink(missing_ok=True)
            return MemoryBlocks(self._dimension, code_bytes(self._dimension), self._rows).new()

    def codebook(self) -> Codebook | None:
        """The codebook of the last run, if it is whole and fits."""
        path = self._folder / _CODEBOOK
        if not path.exists():
            return None
        try:
            return Codebook.from_bytes(self._dimension, path.read_bytes())
        except ValueError as error:
            log.warning("the gallery's codes are made anew: %s", error)
            return None

    def remember(self, codebook: Codebook) -> None:
        """Keeps the codebook for the next start."""
        path = self._folder / _CODEBOOK
        fresh = path.with_suffix(".new")
        fresh.write_bytes(codebook.to_bytes())
        fresh.replace(path)

    def close(self) -> None:
        """Lets another process have the folder. The blocks must not be changed any more."""
        self._lock.close()


def shred(folder: Path) -> None:
    """Wipes and removes what an earlier run left. Raises OSError, also when a process is using it."""
    if folder.is_dir():
        with _locked(folder):
            for path in folder.glob("*.bin"):
                _shred(path)


def file_bytes(dimension: int, rows: int) -> int:
    """Size of a block's file."""
    sizes = (4 * dimension * rows, code_bytes(dimension) * rows, 4 * rows, KEY_BYTES * rows)
    return sum(map(_aligned, sizes))


def _aligned(size: int) -> int:
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


def _mapped(path: Path, size: int) -> mmap.mmap:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # All of it now: a full disk is an error here, and a crash when a page is written later.
        os.posix_fallocate(handle, 0, size)
        return mmap.mmap(handle, size)
    finally:
        os.close(handle)


def _locked(folder: Path):
    """An open file that holds the folder's lock until it is closed."""
    if fcntl is None:
        raise OSError("this system has no file locks")
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock


def _shred(path: Path) -> None:
    with path.open("r+b") as file:
        left = path.stat().st_size
        while left > 0:
            left -= file.write(bytes(min(left, 1 << 20)))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
