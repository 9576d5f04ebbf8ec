"""Packs of insightface: its SCRFD detector and ArcFace embedder, and no other model of the pack."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from insightface.model_zoo import get_model

from ray_backend.domain.errors import PackUnavailable
from ray_backend.domain.model import DetectedFace, Pack, Quality
from ray_backend.vision import quality
from ray_backend.vision.alignment import arcface_crop
from ray_backend.vision.bfloat16 import in_bfloat16
from ray_backend.vision.pack_folder import PackFolder
from ray_backend.vision.results import largest_first, normalised
from ray_backend.vision.scrfd import find_faces
from ray_backend.vision.session import CUDA, memory_errors, providers, session_options

# Longest side of the detector's input, as insightface sets it, and of a smaller one at a fifth of the cost,
# which finds faces that fill the picture (portraits cut out tightly) where the larger one shows nobody.
DETECTION_SIDE, SMALL_SIDE = 640, 256
# Faces that are at least this long in the smaller input are recognised as well as from the larger one, though
# their head angles are less exact; see docs/architecture.md.
ENOUGH_PX = 32
STRIDE = 32  # the detector's input sides are multiples of it
MIN_SCORE = 0.5  # insightface's default
# Crops in one call of the embedder. Measured on CPUs: from eight on, they push each other out of the cache.
CPU_BATCH, GPU_BATCH = 4, 32
LARGEST_ASPECT = 20  # pictures longer than this would shrink to nothing


class InsightfacePack:
    """A detector and an embedder of insightface as a `FaceEngine`. Safe to call from several threads."""

    def __init__(
        self,
        files: PackFolder,
        pack: Pack,
        *,
        threads: int = 1,
        bfloat16: bool = True,
        square: bool = False,
    ) -> None:
        """`pack.dimension` is overruled by what the embedder puts out. `bfloat16`: where that is faster.
        `square`: all of every picture is looked at, in a square, as insightface does by default.

        Raises PackUnavailable when insightface cannot use the files.
        """
        self._detector = _load(files.detector, threads)
        self._embedder = _load(files.embedder, threads)
        self._square = square
        self._crop_size = int(self._embedder.input_size[0])
        if bfloat16:
            crop = (3, self._crop_size, self._crop_size)
            self._embedder.session = in_bfloat16(self._embedder.session, files.embedder, crop)
        one_by_one = isinstance(self._embedder.input_shape[0], int)
        self._batch = 1 if one_by_one else GPU_BATCH if CUDA in providers() else CPU_BATCH
        dimension = self._embedder.output_shape[1]
        self.pack = Pack(pack.pack_id, int(dimension), pack.threshold, pack.margin, pack.licence, pack.origin)

    def detect(self, image_bgr: np.ndarray, quick: bool = False) -> list[DetectedFace]:
        """Faces, largest first. Landmarks: left eye, right eye, nose, left and right mouth corner."""
        height, width = image_bgr.shape[:2]
        if max(height, width) > LARGEST_ASPECT * min(height, width):
            return []
        if self._square:
            return largest_first(self._look(image_bgr, DETECTION_SIDE))
        if quick and (faces := self._look(image_bgr, SMALL_SIDE)):
            enough = ENOUGH_PX * max(1.0, max(height, width) / SMALL_SIDE)
            if all(_shorter_side(face) >= enough for face in faces):
                return largest_first(faces)
        return largest_first(self._look(image_bgr, DETECTION_SIDE) or self._look(image_bgr, SMALL_SIDE))

    def _look(self, image_bgr: np.ndarray, longest: int) -> list[DetectedFace]:
        width, height = image_bgr.shape[1::-1]
        size = (longest, longest) if self._square else input_size(width, height, longest)
        return find_faces(self._detector, image_bgr, size, MIN_SCORE)

    def align(self, image_bgr: np.ndarray, face: DetectedFace) -> np.ndarray:
        """(S, S, 3) uint8 BGR, S as the embedder wants it: 112 for all known packs."""
        return arcface_crop(image_bgr, face.landmarks, self._crop_size)

    def embed(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """(N, D) float32, L2-normalised, for N crops of `align`."""
        if not len(crops):
            return np.empty((0, self.pack.dimension), np.float32)
        batches = [list(crops[i : i + self._batch]) for i in range(0, len(crops), self._batch)]
        with memory_errors():
            return normalised(np.concatenate([self._embedder.get_feat(batch) for batch in batches]))

    def quality(self, image_bgr: np.ndarray, face: DetectedFace, crop: np.ndarray) -> Quality:
        """Measures one face."""
        return quality.measure(image_bgr, face, crop, quality.INSIGHTFACE)


def input_size(width: int, height: int, longest: int = DETECTION_SIDE) -> tuple[int, int]:
    """(width, height) of the detector's input: the picture's shape, `longest` px long at most.

    A square input, as insightface uses by default, would spend up to half of its pixels on nothing.
    """
    scale = min(1.0, longest / max(width, height))
    return tuple(max(1, -(-round(side * scale) // STRIDE)) * STRIDE for side in (width, height))


def _shorter_side(face: DetectedFace) -> float:
    x1, y1, x2, y2 = face.box
    return min(x2 - x1, y2 - y1)


def _load(path: Path, threads: int):
    """insightface's own wrapper of one model, on one session for all input shapes."""
    model = get_model(
        str(path),
        providers=providers(),
        sess_options=session_options(threads),
        static_shape_sessions=False,
    )
    if model is None:
        raise PackUnavailable(f"insightface does not know what to do with {path}.")
    return model
