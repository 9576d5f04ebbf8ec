"""Photos of single real people, cut from the group picture inside the insightface package.

They are there wherever the tests run. Each variant of a person is another file of the same face: another
cut and another light, as two frames of a camera would be.
"""

from __future__ import annotations

import io
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageEnhance

# x1, y1, x2, y2 of the faces of t1.jpg that both packs see as frontal.
_FACES = ((725, 354, 842, 470), (59, 277, 176, 394), (1109, 277, 1226, 394), (456, 302, 573, 419))
PEOPLE = len(_FACES)


@cache
def group_photo() -> bytes:
    """The JPEG of six people."""
    folder = Path(find_spec("insightface").submodule_search_locations[0])
    return (folder / "data" / "images" / "t1.jpg").read_bytes()


def face_photo(person: int, variant: int = 0) -> bytes:
    """A JPEG of person 0 to PEOPLE - 1 alone."""
    x1, y1, x2, y2 = _FACES[person]
    margin = (0.5 + 0.03 * variant) * (x2 - x1)
    box = (max(0, x1 - margin), max(0, y1 - margin), x2 + margin, y2 + margin)
    with Image.open(io.BytesIO(group_photo())) as group:
        cut = ImageEnhance.Brightness(group.crop(tuple(map(int, box)))).enhance(1 - 0.03 * variant)
    buffer = io.BytesIO()
    cut.save(buffer, "JPEG", quality=95)
    return buffer.getvalue()
