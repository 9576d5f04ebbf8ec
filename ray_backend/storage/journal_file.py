"""The journal's file as bytes: checksummed records, found again after damage.

A record is a mark of four bytes, the payload's length and its CRC-32 as little-endian unsigned integers,
and the payload, which is JSON in ASCII. The mark holds no ASCII, so it stands in no payload, and after a
damaged stretch the next good record can be looked for.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = b"\xf5\xc1\xff\xfe"
_HEADER = struct.Struct("<4sII")


@dataclass(frozen=True, slots=True)
class Entry:
    """A good record: its value, where it begins and the bytes it takes."""

    value: Any
    start: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of the file that are no record. `torn`: the last of them, as a write leaves that broke off."""

    start: int
    data: bytes
    torn: bool


def to_bytes(value: Any) -> bytes:
    """One record. Raises TypeError or ValueError for what JSON cannot hold."""
    payload = json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")
    return _HEADER.pack(MARK, len(payload), zlib.crc32(payload)) + payload


def from_bytes(data: bytes) -> Iterator[Entry | Damage]:
    """All good records in order, and whatever lies between them."""
    position = 0
    while position < len(data):
        found = _record_at(data, position)
        if found is not None:
            position += len(found.data)
            yield found
            continue
        following = _next_record(data, position + 1)
        bad = data[position:following]
        yield Damage(position, bad, torn=following == len(data) and bad.count(MARK) < 2)
        position = following


def _record_at(data: bytes, position: int) -> Entry | None:
    start = position + _HEADER.size
    if start > len(data):
        return None
    mark, length, checksum = _HEADER.unpack_from(data, position)
    payload = data[start : start + length]
    if mark != MARK or len(payload) != length or zlib.crc32(payload) != checksum:
        return None
    return Entry(json.loads(payload), position, data[position : start + length])


def _next_record(data: bytes, position: int) -> int:
    """Where the next good record begins, or the end of the data."""
    while (position := data.find(MARK, position)) >= 0:
        if _record_at(data, position) is not None:
            return position
        position += 1
    return len(data)


def write_all(descriptor: int, data: bytes) -> None:
    """Writes everything, whatever the system takes at a time. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Makes names that were given or taken in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(path: Path, data: bytes) -> None:
    """A file with this content under its name, or nothing new at all. Raises OSError."""
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(path)
    sync_folder(path.parent)
