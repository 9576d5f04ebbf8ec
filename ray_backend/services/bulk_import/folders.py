"""A folder on this machine as a source of photos."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from ray_backend.services.bulk_import.entries import FileOutcome, ImportLimits, PhotoFile, refusal
from ray_backend.services.bulk_import.names import (
    TABLE_ENDINGS,
    comparable,
    ending,
    is_junk,
    not_a_photo,
    safe_parts,
    shown,
)
from ray_backend.services.bulk_import.words import Reason, Why, because

# What lies in one person's folder: its name, its photos, and what was refused by its name alone.
PersonFolder = tuple[str, list[PhotoFile], list[FileOutcome]]


class Tree(Protocol):
    """Files in folders, wherever they lie. `skipped` counts what operating systems leave behind."""

    skipped: int

    def tables(self) -> list[str]:
        """The CSV and Excel files beside the people's folders."""

    def people(self) -> Iterator[PersonFolder]:
        """One folder a person, sorted; what lies in none of them comes first, without a name."""

    def photo(self, path: str) -> PhotoFile | Reason:
        """The photo that a table names by its path relative to it."""

    def count(self) -> int:
        """How many people's folders there are."""


class FolderTree:
    """Implements `Tree`. Links are never followed, and only ordinary files are opened."""

    def __init__(self, root: Path, limits: ImportLimits) -> None:
        self._root = root
        self._limits = limits
        self.skipped = 0

    def tables(self) -> list[str]:
        return sorted(
            entry.name
            for entry in os.scandir(self._root)
            if ending(entry.name) in TABLE_ENDINGS and not is_junk((entry.name,))
        )

    def count(self) -> int:
        return sum(entry.is_dir() and not is_junk((entry.name,)) for entry in os.scandir(self._root))

    def people(self) -> Iterator[PersonFolder]:
        entries = self._listed(self._root)
        loose = [entry for entry in entries if entry.is_symlink() or not entry.is_dir()]
        if loose:
            yield "", [], [self._loose(entry) for entry in loose]
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield self._person(entry)

    def photo(self, path: str) -> PhotoFile | Reason:
        parts = safe_parts(path)
        if isinstance(parts, Reason):
            return parts
        wrong = not_a_photo(parts[-1])
        if wrong is not None:
            return wrong
        found = self._root
        for part in parts:
            found = _child(found, part)
            if found is None:
                return because(Why.MISSING)
            if found.is_symlink():
                return because(Why.LINK)
        return self._photo("/".join(parts), found)

    def _person(self, folder: os.DirEntry) -> PersonFolder:
        photos: list[PhotoFile] = []
        refused: list[FileOutcome] = []
        for entry in self._listed(Path(folder.path)):
            place = f"{shown(folder.name)}/{shown(entry.name)}"
            if entry.is_symlink():
                refused.append(refusal(place, because(Why.LINK)))
            elif entry.is_dir():
                refused.append(refusal(place, because(Why.TOO_DEEP)))
            else:
                wrong = not_a_photo(entry.name)
                photo = wrong or self._photo(place, Path(entry.path))
                (refused.append(refusal(place, photo)) if isinstance(photo, Reason) else photos.append(photo))
        return folder.name, photos, refused

    def _loose(self, entry: os.DirEntry) -> FileOutcome:
        reason = because(Why.LINK) if entry.is_symlink() else not_a_photo(entry.name)
        return refusal(shown(entry.name), reason or because(Why.NO_FOLDER))

    def _photo(self, place: str, path: Path) -> PhotoFile | Reason:
        try:
            facts = path.lstat()
        except OSError as error:
            return because(Why.UNREADABLE_FILE, problem=error.strerror)
        if not stat.S_ISREG(facts.st_mode):
            return because(Why.NOT_A_FILE)
        mark = f"{facts.st_size}.{facts.st_mtime_ns}"
        return PhotoFile(place, mark, partial(read_file, path, self._limits.photo_bytes))

    def _listed(self, folder: Path) -> list[os.DirEntry]:
        """What lies in a folder, sorted, without junk."""
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        wanted = [entry for entry in entries if not is_junk((entry.name,))]
        self.skipped += len(entries) - len(wanted)
        return wanted


def read_file(path: Path, most_bytes: int) -> bytes | Reason:
    """An ordinary file's bytes. A link or a pipe that was put in its place meanwhile is not opened."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(number, "rb") as file:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                return because(Why.NOT_A_FILE)
            data = file.read(most_bytes + 1)
    except OSError as error:
        return because(Why.UNREADABLE_FILE, problem=error.strerror)
    return data if len(data) <= most_bytes else too_many_bytes(most_bytes)


def too_many_bytes(most_bytes: int) -> Reason:
    """A file is larger than a photo may be."""
    return because(Why.TOO_MANY_BYTES, limit=f"{most_bytes / 1e6:g}")


def _child(folder: Path, name: str) -> Path | None:
    """The entry of this name, also where the disk has it as macOS writes it."""
    child = folder / name
    if os.path.lexists(child):
        return child
    if name.isascii() or not folder.is_dir():
        return None
    return next((found for found in folder.iterdir() if comparable(found.name) == name), None)
