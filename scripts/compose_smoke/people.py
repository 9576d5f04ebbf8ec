"""Whose faces a smoke run uses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.faces import FACES
from tests.people import PEOPLE, face_photo

_PICTURES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class Somebody:
    """`photos` to register with, JPEG or PNG, and one to check in with."""

    employee_id: str
    photos: tuple[bytes, ...]
    at_the_door: bytes


def everybody(folder: Path | None) -> tuple[list[Somebody], str]:
    """The people, and where their pictures are from. `folder` holds one folder of photos for each person;
    without one the labelled photos beside the repository are taken, or those of installed packages."""
    chosen = folder or FACES / "enrol"
    if chosen.is_dir():
        found = [_of_folder(one) for one in sorted(chosen.iterdir()) if one.is_dir()]
        return [one for one in found if one], f"{len(found)} folders of photos"
    people = [
        Somebody(f"SMOKE-{number}", (face_photo(number),), face_photo(number, 1)) for number in range(PEOPLE)
    ]
    return people, "faces of installed packages"


def _of_folder(folder: Path) -> Somebody | None:
    """Checks in with the last photo, and registers with the others, or with that one if there are none."""
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in _PICTURES)
    photos = [file.read_bytes() for file in files]
    if not photos:
        return None
    return Somebody(f"SMOKE-{folder.name}"[:64], tuple(photos[:-1] or photos), photos[-1])
