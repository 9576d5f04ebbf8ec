"""Looks for anything of a person: in files as bytes, and in the documents of a MongoDB."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pymongo import MongoClient

from ray_backend.domain.model import Template

_FLOATS = 16  # numbers in a row that no other face has
_PIECE = 48


@dataclass
class Needles:
    """What to look for: texts in the ways they are stored, embeddings and their parts, and pictures."""

    named: dict[str, bytes] = field(default_factory=dict)

    def text(self, what: str, text: str) -> None:
        """As it is, in small letters (which searches keep), and as a Windows program would write it."""
        for form in {text, text.lower(), text.casefold(), text.upper()}:
            self.named[f"{what} {form}"] = form.encode()
            self.named[f"{what} {form}, 16 bit"] = form.encode("utf-16-le")

    def embedding(self, what: str, vector: np.ndarray) -> None:
        """Every sixteen numbers, as float32 and as float64, so that no part is overlooked."""
        for start in range(0, len(vector) - _FLOATS + 1, _FLOATS):
            part = vector[start : start + _FLOATS]
            self.named[f"{what} numbers {start}"] = part.astype(np.float32).tobytes()
            self.named[f"{what} numbers {start}, double"] = part.astype(np.float64).tobytes()
            # Long enough to be nobody else's, whatever separates the numbers.
            self.named[f"{what} number {start} as text"] = repr(float(part[0])).encode()

    def picture(self, what: str, data: bytes) -> None:
        """Pieces from its inside: heads of files are alike."""
        for share in (0.4, 0.6, 0.8):
            start = int(share * len(data))
            self.named[f"{what} at {share}"] = data[start : start + _PIECE]

    def template(self, template: Template) -> None:
        """Everything of it that is not opaque."""
        self.embedding(f"template {template.template_id}", template.embedding)
        self.picture(f"thumbnail {template.template_id}", template.thumbnail)
        self.text(f"digest {template.template_id}", template.photo_sha256)

    def inside(self, data: bytes | mmap.mmap) -> list[str]:
        """Which of them are in it."""
        return [what for what, needle in self.named.items() if data.find(needle) >= 0]


def in_files(needles: Needles, folders: Iterable[Path]) -> dict[str, list[str]]:
    """For each file under these folders in which something is found: what."""
    return in_these(needles, files(folders))


def in_these(needles: Needles, paths: Iterable[Path]) -> dict[str, list[str]]:
    """As `in_files`, of single files."""
    found = {}
    for path in paths:
        try:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                here = needles.inside(data)
        except (OSError, ValueError):  # gone meanwhile, or empty
            continue
        if here:
            found[str(path)] = here
    return found


def files(folders: Iterable[Path]) -> Iterator[Path]:
    """All plain files, also hidden ones."""
    for folder in folders:
        for root, _, names in os.walk(folder):
            for name in names:
                path = Path(root, name)
                if path.is_file() and not path.is_symlink():
                    yield path


def written_since(folder: Path, moment: float, leave_out: Iterable[str]) -> list[Path]:
    """What in a shared folder for temporary files was written since then, by whomever."""
    out = tuple(leave_out)
    return [
        path
        for path in files(
            entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(out)
        )
        if _written(path) >= moment
    ] + [path for path in folder.iterdir() if path.is_file() and _written(path) >= moment]


def in_mongo(needles: Needles, url: str) -> dict[str, list[str]]:
    """For each collection of the database in which something is found: what."""
    found: dict[str, set[str]] = {}
    with MongoClient(url) as client:
        database = client.get_default_database()
        for name in database.list_collection_names():
            for document in database[name].find():
                found.setdefault(name, set()).update(needles.inside(_flat(document)))
    return {name: sorted(what) for name, what in found.items() if what}


def _flat(value: object) -> bytes:
    """A document as one row of bytes."""
    if isinstance(value, dict):
        return b"\0".join(_flat(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return b"\0".join(map(_flat, value))
    return value if isinstance(value, bytes) else str(value).encode()


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
