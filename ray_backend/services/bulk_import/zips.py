"""A zip archive as a source of photos. Nothing is unpacked to the disk, and no header is believed."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from ray_backend.domain.errors import InvalidInput
from ray_backend.services.bulk_import.entries import FileOutcome, ImportLimits, PhotoFile, refusal
from ray_backend.services.bulk_import.folders import PersonFolder, too_many_bytes
from ray_backend.services.bulk_import.names import (
    TABLE_ENDINGS,
    comparable,
    ending,
    is_junk,
    not_a_photo,
    safe_parts,
)
from ray_backend.services.bulk_import.words import Reason, Why, because

# Others can unpack to gigabytes in one step, which no limit of ours would see.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED, _UTF8 = 0x1, 0x800  # flags of an entry (PKWARE APPNOTE 4.4.4)
_DIRECTORY_SIZE = 5  # place in what zipfile reads from the archive's end
_STEP = 16 * 1024
_SMALL = 1_000_000  # bytes; what unpacks to less harms nobody, whatever its ratio
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


class _Counted(io.FileIO):
    """A file that counts what is read from it."""

    count = 0

    def read(self, size: int = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


class ZipTree:
    """Implements `Tree` over an archive of any size. Raises InvalidInput when it is none."""

    def __init__(self, path: Path, limits: ImportLimits) -> None:
        self._limits = limits
        self._size = path.stat().st_size
        self._unpacked = 0
        self.skipped = 0
        self._file = _Counted(path, "rb")
        try:
            self._zip = _opened(self._file, limits)
            self._wrong: list[FileOutcome] = []
            self._files = self._listed()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Lets go of the file."""
        self._zip.close()
        self._file.close()

    def tables(self) -> list[str]:
        return [parts[0] for parts in self._files if len(parts) == 1 and ending(parts[0]) in TABLE_ENDINGS]

    def open_table(self, name: str, copy: BinaryIO) -> None:
        """Unpacks a table into `copy`. Raises InvalidInput."""
        data = self._read(self._files[name,], self._limits.table_bytes)
        if isinstance(data, Reason):
            raise InvalidInput(data.sentence)
        copy.write(data)
        copy.seek(0)

    def count(self) -> int:
        return len({parts[0] for parts in self._files if len(parts) > 1})

    def people(self) -> Iterator[PersonFolder]:
        loose = [self._loose(parts) for parts in self._files if len(parts) == 1]
        if loose or self._wrong:
            yield "", [], self._wrong + loose
        for name, group in groupby(
            (parts for parts in self._files if len(parts) > 1), key=lambda parts: parts[0]
        ):
            yield self._person(name, list(group))

    def photo(self, path: str) -> PhotoFile | Reason:
        parts = safe_parts(path)
        if isinstance(parts, Reason):
            return parts
        wrong = not_a_photo(parts[-1])
        if wrong is not None:
            return wrong
        if parts not in self._files:
            return because(Why.MISSING)
        return self._photo(parts)

    def _person(self, name: str, files: list[tuple[str, ...]]) -> PersonFolder:
        photos: list[PhotoFile] = []
        refused: list[FileOutcome] = []
        for parts in files:
            deep = because(Why.TOO_DEEP) if len(parts) > 2 else None
            found = deep or not_a_photo(parts[-1]) or self._photo(parts)
            if isinstance(found, Reason):
                refused.append(refusal("/".join(parts), found))
            else:
                photos.append(found)
        return name, photos, refused

    def _loose(self, parts: tuple[str, ...]) -> FileOutcome:
        return refusal(parts[0], not_a_photo(parts[0]) or because(Why.NO_FOLDER))

    def _photo(self, parts: tuple[str, ...]) -> PhotoFile | Reason:
        info = self._files[parts]
        if stat.S_ISLNK(info.external_attr >> 16):
            return because(Why.LINK)
        if info.flag_bits & _ENCRYPTED:
            return because(Why.ENCRYPTED)
        if info.compress_type not in _METHODS:
            return because(Why.PACKED_OTHERWISE)
        mark = f"{info.file_size}.{info.CRC:08x}"
        return PhotoFile("/".join(parts), mark, partial(self._read, info, self._limits.photo_bytes))

    def _read(self, info: zipfile.ZipInfo, most_bytes: int) -> bytes | Reason:
        most_in_all = self._limits.expansion * self._size + self._limits.expansion_free_bytes
        if self._unpacked > most_in_all:
            return because(Why.ARCHIVE_TOO_LARGE, limit=self._limits.expansion)
        before = self._file.count
        try:
            data = self._unpack(info, most_bytes + 1)
        except _DAMAGE:
            return because(Why.DAMAGED)
        self._unpacked += len(data)
        ratio = len(data) // max(1, self._file.count - before)
        if len(data) > _SMALL and ratio > self._limits.photo_ratio:
            return because(Why.BOMB, ratio=ratio)
        return data if len(data) <= most_bytes else too_many_bytes(most_bytes)

    def _unpack(self, info: zipfile.ZipInfo, most_bytes: int) -> bytes:
        data = bytearray()
        with self._zip.open(info) as file:
            # zipfile reads as much packed as it is asked for unpacked: small steps keep the ratio honest.
            while len(data) < most_bytes and (chunk := file.read(min(_STEP, most_bytes - len(data)))):
                data += chunk
        return bytes(data)

    def _listed(self) -> dict[tuple[str, ...], zipfile.ZipInfo]:
        """The files by the parts of their paths, sorted, without junk and without one folder around all."""
        files: dict[tuple[str, ...], zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            name = _name(info)
            if name.endswith("/"):
                continue
            parts = safe_parts(name)
            if isinstance(parts, Reason):
                self._wrong.append(refusal(comparable(name).replace("\0", ""), parts))
            elif is_junk(parts):
                self.skipped += 1
            elif parts in files:
                self._wrong.append(refusal("/".join(parts), because(Why.SAME_FILE_TWICE)))
            else:
                files[parts] = info
        cut = 1 if _one_folder_around(files) else 0
        return {parts[cut:]: files[parts] for parts in sorted(files)}


def _opened(file: _Counted, limits: ImportLimits) -> zipfile.ZipFile:
    try:
        # zipfile makes an object of each entry before anybody can look at their number. Its own reader
        # of the archive's end is used, so that both see the same size.
        end = zipfile._EndRecData(file)
        if end and end[_DIRECTORY_SIZE] > limits.directory_bytes:
            raise InvalidInput("The archive has too many files. Split it into several.")
        return zipfile.ZipFile(file)
    except _DAMAGE as error:
        raise InvalidInput("This is not a zip archive that can be read. Pack it again.") from error


def _name(info: zipfile.ZipInfo) -> str:
    """The entry's path as its maker meant it: macOS writes UTF-8 without saying so."""
    if info.flag_bits & _UTF8:
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.orig_filename


def _one_folder_around(files: dict[tuple[str, ...], zipfile.ZipInfo]) -> bool:
    """Whether the archive holds one folder with the people's folders, or a table, inside."""
    if len({parts[0] for parts in files}) != 1 or any(len(parts) == 1 for parts in files):
        return False
    table_inside = any(len(parts) == 2 and ending(parts[1]) in TABLE_ENDINGS for parts in files)
    return table_inside or all(len(parts) > 2 for parts in files)
