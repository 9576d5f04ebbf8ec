"""Short ways to make what somebody hands in, and to see what is read from it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from ray_backend.services.bulk_import.entries import Entry, ImportLimits
from ray_backend.services.bulk_import.sources import Source
from ray_backend.services.bulk_import.words import Reason

LIMITS = ImportLimits(photo_bytes=1_000_000)


def folder(root: Path, files: Mapping[str, bytes]) -> Path:
    """A folder with these files."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def archive(path: Path, files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """A zip with these files."""
    with zipfile.ZipFile(path, "w", method) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


def entries(path: Path, *, consent: bool = True, limits: ImportLimits = LIMITS) -> list[Entry]:
    """Everybody in a source."""
    with Source(path, limits, consent=consent) as source:
        return list(source.people())


def contents(path: Path, limits: ImportLimits = LIMITS) -> dict[str, list[bytes | str]]:
    """Each person's photos by employee id: the bytes, or the code of the reason why there are none."""
    found: dict[str, list[bytes | str]] = {}
    with Source(path, limits, consent=True) as source:
        for entry in source.people():
            if entry.draft is not None:
                photos = [photo.read() for photo in entry.photos]
                found[entry.draft.employee_id] = [p.code if isinstance(p, Reason) else p for p in photos]
    return found


def refused(path: Path, limits: ImportLimits = LIMITS) -> dict[str, str]:
    """The codes of everything that was refused before any face was looked at, by place."""
    codes: dict[str, str] = {}
    with Source(path, limits, consent=True) as source:
        for entry in source.people():
            codes |= {file.place: file.reason.code for file in entry.refused}
            for photo in entry.photos:
                data = photo.read()
                if isinstance(data, Reason):
                    codes[photo.place] = data.code
    return codes
