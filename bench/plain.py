"""Opens a site's pack in other ways than Rollcall does, to compare with."""

from __future__ import annotations

from typing import Any

import numpy as np

from ray_backend.domain.model import DetectedFace
from ray_backend.ports import FaceEngine
from ray_backend.vision.insightface_pack import DETECTION_SIDE, MIN_SCORE, InsightfacePack
from ray_backend.vision.packs import Choice, Source, open_pack
from ray_backend.vision.results import largest_first
from ray_backend.vision.scrfd import find_faces


class SquarePack(InsightfacePack):
    """Looks at every picture in a square, as insightface does by default."""

    def detect(self, image_bgr: np.ndarray, quick: bool = False) -> list[DetectedFace]:
        """Faces, largest first."""
        size = (DETECTION_SIDE, DETECTION_SIDE)
        return largest_first(find_faces(self._detector, image_bgr, size, MIN_SCORE))


def open_plain(choice: Choice) -> FaceEngine:
    """The pack as its library runs it: in float32, and insightface's detector with its own square input."""
    return open_with(choice, SquarePack, bfloat16=False)


def open_with(
    choice: Choice, insightface: type[InsightfacePack] = InsightfacePack, **options: Any
) -> FaceEngine:
    """The pack with options that its class takes."""
    if choice.source is Source.BUILT_IN:
        from ray_backend.vision.dlib_pack import DlibPack

        return DlibPack(**options)
    from ray_backend.vision.pack_folder import open_folder

    return insightface(open_folder(choice.folder), open_pack(choice).pack, **options)
