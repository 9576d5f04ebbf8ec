"""Labelled photos, and the faces that a pack finds on them.

From folders with a `labels.csv` (columns file, set, people joined by |) or of `<person>/*.jpg`, and from the
photos inside installed packages.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import faces as package_faces
from ray_backend.domain.errors import ImageRejected
from ray_backend.domain.model import Quality
from ray_backend.domain.quality import CHECK_IN_LIMITS, find_issue
from ray_backend.ports import FaceEngine
from ray_backend.vision.images import decode

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
# Pictures made from other ones of the set, whose similarity says nothing, and pictures of pictures.
SKIPPED_SETS = ("odd", "rotate", "resolution", "liveness", "video")
MOST_BYTES, MOST_PIXELS = 50_000_000, 100_000_000


@dataclass(frozen=True)
class Shot:
    """One photo. `person` is who it shows alone; None: nobody on it is known by name."""

    name: str
    data: bytes
    person: str | None


@dataclass(frozen=True, eq=False)
class Face:
    """One usable face. `identity` is the person's name, or unique to this face of this photo where nobody
    knows it (`named` False). `embedding`: (D,) float32, L2-normalised."""

    identity: str
    named: bool
    shot: Shot
    quality: Quality
    embedding: np.ndarray


def read(folders: Sequence[Path]) -> list[Shot]:
    """The photos of all folders, and those in installed packages as further people.

    Without a folder each of the packages' people comes on three cuts of one photo: enough to try the
    bench, not to judge a pack.
    """
    shots = [shot for folder in folders for shot in _folder(folder)]
    return [*shots, *_packages(cuts=1 if shots else None)]


def _folder(folder: Path) -> Iterator[Shot]:
    if (folder / "labels.csv").is_file():
        yield from _labelled(folder)
        return
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        for file in sorted(path for path in person.iterdir() if path.suffix.lower() in ENDINGS):
            yield Shot(f"{person.name}/{file.name}", file.read_bytes(), person.name)


def _labelled(folder: Path) -> Iterator[Shot]:
    """Photos of one known person or of unknown ones: who is who on the others, the labels do not say."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] not in SKIPPED_SETS]
    for row in rows:
        people = [name for name in row["people"].split("|") if name]
        if len(people) <= 1:
            yield Shot(row["file"], (folder / row["file"]).read_bytes(), people[0] if people else None)


def _packages(cuts: int | None) -> Iterator[Shot]:
    others = [package_faces.stranger(), package_faces.newcomer()]
    for face in [*package_faces.package_people(), *others]:
        name = face.employee_id or face.name
        for number, data in enumerate(face.photos[:cuts]):
            yield Shot(f"{name}/{number}", data, name)


def find(shots: Sequence[Shot], engine: FaceEngine) -> tuple[list[Face], Counter[str]]:
    """Every face that is good enough for a check-in, and why the others were left out."""
    found: list[Face] = []
    left_out: Counter[str] = Counter()
    for shot in shots:
        faces = list(_faces(shot, engine, left_out))
        if shot.person is not None and len(faces) > 1:
            left_out["several faces beside a name"] += len(faces)
            continue
        found += faces
    return found, left_out


def _faces(shot: Shot, engine: FaceEngine, left_out: Counter[str]) -> Iterator[Face]:
    try:
        picture = decode(shot.data, max_bytes=MOST_BYTES, max_pixels=MOST_PIXELS)
    except ImageRejected:
        left_out["unreadable photo"] += 1
        return
    detected = engine.detect(picture)
    if not detected:
        left_out["no face found"] += 1
    for number, face in enumerate(detected):
        crop = engine.align(picture, face)
        quality = engine.quality(picture, face, crop)
        issue = find_issue(quality, CHECK_IN_LIMITS)
        if issue is not None:
            left_out[issue.value.replace("_", " ")] += 1
            continue
        identity = shot.person or f"{shot.name}#{number}"
        yield Face(identity, shot.person is not None, shot, quality, engine.embed([crop])[0])
