"""Faces to load a system with: real people's photos, and camera frames made from them.

The people are cut from photos inside installed packages, or read from a folder of `<id>_<name>/*.jpg`.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from ray_backend.services.bulk_import.entries import ImportLimits
from ray_backend.services.bulk_import.sources import Source
from ray_backend.services.bulk_import.words import Reason
from tests import people

FRAME = (640, 480)  # what a kiosk's camera sends
ENROLMENT_PHOTOS = 3
_MOST_BYTES = 12_000_000
_GRAIN = 3.0  # standard deviation of a camera's noise: without it JPEGs of a plain wall are far too small


@dataclass(frozen=True)
class Face:
    """Somebody with photos to be enrolled with, each the bytes of a picture file."""

    employee_id: str
    name: str
    photos: tuple[bytes, ...]


def package_people() -> list[Face]:
    """Everybody that the photos in the packages show frontally."""
    return [
        Face(f"LOAD-{person}", f"Load {person}", tuple(map(_photo_of(person), range(ENROLMENT_PHOTOS))))
        for person in range(people.PEOPLE)
    ]


def _photo_of(person: int):
    return lambda variant: people.face_photo(person, variant)


def folder_people(folder: Path) -> list[Face]:
    """Everybody in a folder as `rollcall people import` reads it. Raises InvalidInput when there are none."""
    found = []
    with Source(folder, ImportLimits(photo_bytes=_MOST_BYTES), consent=True) as source:
        for entry in source.people():
            files = [photo.read() for photo in entry.photos[:ENROLMENT_PHOTOS]]
            photos = tuple(data for data in files if not isinstance(data, Reason))
            if entry.draft is not None and photos:
                found.append(Face(entry.draft.employee_id, entry.draft.name, photos))
    return found


def stranger() -> Face:
    """Somebody who is never enrolled."""
    path = _package_file("skimage", "data", "astronaut.png")
    with Image.open(path) as picture:
        head = picture.convert("RGB").crop((95, 0, 351, 256))
    return Face("", "a stranger", (as_jpeg(head, 95),))


def newcomer() -> Face:
    """Somebody to be registered and erased again and again."""
    path = _package_file("insightface", "data", "images", "Tom_Hanks_54745.png")
    return Face("LOAD-NEW", "Load Newcomer", (path.read_bytes(),))


def _package_file(package: str, *parts: str) -> Path:
    """A file of an installed package, without importing the package."""
    return Path(find_spec(package).submodule_search_locations[0]).joinpath(*parts)


def frames(photo: bytes, number: int, seed: int = 0) -> list[bytes]:
    """`number` JPEGs of 640 x 480 that show the photo, as a camera would see somebody who moves.

    Size, place, light, noise and JPEG quality differ in each.
    """
    random = np.random.default_rng(seed)
    with Image.open(io.BytesIO(photo)) as picture:
        source = ImageOps.exif_transpose(picture).convert("RGB")
    grain = random.normal(0, _GRAIN, (FRAME[1], FRAME[0], 1)).astype(np.float32)
    return [_frame(source, grain, random) for _ in range(number)]


def _frame(source: Image.Image, grain: np.ndarray, random: np.random.Generator) -> bytes:
    fitted = ImageOps.contain(source, FRAME, Image.Resampling.BICUBIC)
    scale = random.uniform(0.8, 1.0)
    fitted = fitted.resize((round(fitted.width * scale), round(fitted.height * scale)))
    canvas = Image.fromarray(wall(int(random.integers(90, 170))))
    free = (FRAME[0] - fitted.width, FRAME[1] - fitted.height)
    canvas.paste(fitted, tuple(int(random.integers(0, side + 1)) for side in free))
    lit = np.asarray(ImageEnhance.Brightness(canvas).enhance(random.uniform(0.9, 1.08)), np.float32)
    noisy = lit + np.roll(grain, tuple(random.integers(0, 480, 2)), axis=(0, 1))
    return as_jpeg(Image.fromarray(noisy.clip(0, 255).astype(np.uint8)), int(random.integers(82, 93)))


@cache
def wall(grey: int) -> np.ndarray:
    """A wall that is lit from above: (480, 640, 3) uint8."""
    column = np.linspace(grey + 25, grey - 25, FRAME[1]).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(column[:, None, None], (FRAME[1], FRAME[0], 3)))


def as_jpeg(picture: Image.Image, quality: int) -> bytes:
    """The picture as the bytes of a JPEG of this quality, 1 to 95."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


_numbers: Iterator[int] = count(secrets.randbits(60))


def unlike_any_before(jpeg: bytes) -> bytes:
    """The same JPEG with a comment of its own, so that no cache of files can know it.

    Costs microseconds where encoding anew would cost as much as serving the request.
    """
    return b"".join(in_parts(jpeg))


def in_parts(jpeg: bytes) -> tuple[bytes, memoryview]:
    """`unlike_any_before` without copying the picture."""
    return jpeg[:2] + b"\xff\xfe\x00\x12%016x" % next(_numbers), memoryview(jpeg)[2:]
