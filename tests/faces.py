"""Photos for tests: a few from installed packages, always there; many from a shared folder, if there.

The shared folder lies beside the repository or where ROLLCALL_TEST_SHARED says. No photo and no model
file is ever copied into the project.
"""

from __future__ import annotations

import csv
import importlib.util
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ray_backend.vision.images import decode

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ROLLCALL_TEST_SHARED", REPOSITORY.parent / "shared"))
FACES, MODELS = SHARED / "faces", SHARED / "models"
EDGE_PACK = MODELS / "edge"

needs_shared = pytest.mark.skipif(
    not (FACES / "labels.csv").is_file() or not EDGE_PACK.is_dir(),
    reason="no folder with labelled faces and models: set ROLLCALL_TEST_SHARED",
)


@dataclass(frozen=True)
class Photo:
    """One labelled photo. `people` are the enrolled ones that it shows; `faces` None if not labelled."""

    name: str
    group: str
    people: frozenset[str]
    faces: int | None

    @property
    def path(self) -> Path:
        return FACES / self.name


def package_file(package: str, *parts: str) -> Path:
    """A file of an installed package, without importing the package."""
    spec = importlib.util.find_spec(package)
    assert spec is not None, f"{package} is not installed"
    return Path(spec.submodule_search_locations[0]).joinpath(*parts)


def six_people() -> Path:
    """A photo of six different people."""
    return package_file("insightface", "data", "images", "t1.jpg")


def astronaut() -> Path:
    """A portrait."""
    return package_file("skimage", "data", "astronaut.png")


def actor() -> Path:
    """A small portrait of somebody else."""
    return package_file("insightface", "data", "images", "Tom_Hanks_54745.png")


def open_photo(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 BGR."""
    return decode(path.read_bytes(), max_bytes=50_000_000, max_pixels=100_000_000)


@cache
def labelled(*groups: str) -> tuple[Photo, ...]:
    """The labelled photos of these sets (all without one); empty where there is no shared folder."""
    labels = FACES / "labels.csv"
    if not labels.is_file():
        return ()
    with labels.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] != "video"]
    photos = (
        Photo(
            row["file"],
            row["set"],
            frozenset(filter(None, row["people"].split("|"))),
            int(row["faces"]) if row["faces"] else None,
        )
        for row in rows
    )
    return tuple(photo for photo in photos if not groups or photo.group in groups)
