"""The face pipeline: bytes in, faces out. decode → detect → align → quality → embed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from time import perf_counter

import numpy as np

from ray_backend.domain.errors import ImageRejected, InvalidInput
from ray_backend.domain.model import AnalysedFace, DetectedFace, FrameAnalysis, Pack
from ray_backend.domain.quality import CHECK_IN_LIMITS, find_issue
from ray_backend.ports import FaceEngine, ImageCodec


class Embed(StrEnum):
    """Which faces of a picture are embedded: it is the part that costs."""

    NEAREST_GOOD = "nearest_good"
    ALL = "all"


class _Stopwatch:
    """Collects stage times in milliseconds."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    def time(self, stage: str, work: Callable, *args):
        start = perf_counter()
        result = work(*args)
        self.ms[stage] = self.ms.get(stage, 0.0) + 1000 * (perf_counter() - start)
        return result


class FaceService:
    """Runs one engine over pictures. Safe to call from several threads."""

    def __init__(self, engine: FaceEngine, codec: ImageCodec) -> None:
        self._engine = engine
        self._codec = codec

    @property
    def pack(self) -> Pack:
        """The pack that makes the embeddings."""
        return self._engine.pack

    def analyse(
        self, image: bytes, embed: Embed = Embed.NEAREST_GOOD, thumbnails: bool = False
    ) -> FrameAnalysis:
        """All faces of a JPEG, PNG or WebP picture. Raises ImageRejected.

        With `Embed.NEAREST_GOOD` only the largest face is measured and embedded, and that only if
        it passes the limits of a check-in; the others are left out.
        """
        watch = _Stopwatch()
        picture = watch.time("decode", self._codec.decode, image)
        detected = watch.time("detect", self._engine.detect, picture)
        if embed is Embed.NEAREST_GOOD:
            detected = detected[:1]
        measured = [watch.time("quality", self._measure, picture, face) for face in detected]
        wanted = [
            index
            for index, (face, _) in enumerate(measured)
            if embed is Embed.ALL or find_issue(face.quality, CHECK_IN_LIMITS) is None
        ]
        embeddings = watch.time("embed", self._engine.embed, [measured[index][1] for index in wanted])
        embedding_of = dict(zip(wanted, embeddings, strict=True))
        faces = (
            replace(
                face,
                embedding=embedding_of.get(index),
                thumbnail=self._codec.thumbnail(picture, face.box) if thumbnails else b"",
            )
            for index, (face, _) in enumerate(measured)
        )
        return FrameAnalysis(picture.shape[1], picture.shape[0], tuple(faces), self.pack.pack_id, watch.ms)

    def analyse_many(
        self, images: Sequence[bytes], embed: Embed = Embed.ALL, thumbnails: bool = False
    ) -> list[FrameAnalysis | ImageRejected]:
        """One answer for each picture, in order; a bad one does not spoil the rest."""
        return [_or_error(self.analyse, image, embed, thumbnails) for image in images]

    def compute_embedding(self, image: bytes) -> np.ndarray:
        """(D,) float32, L2-normalised, of the nearest face. Raises ImageRejected, InvalidInput."""
        analysis = self.analyse(image, Embed.ALL)
        if not analysis.faces:
            raise InvalidInput("No face was found in this picture. Send one that shows a face.")
        return analysis.faces[0].embedding

    def compute_embeddings(self, images: Sequence[bytes]) -> list[np.ndarray | InvalidInput]:
        """`compute_embedding` of each picture, in order, or the error that it raised."""
        return [_or_error(self.compute_embedding, image) for image in images]

    def _measure(self, picture: np.ndarray, face: DetectedFace) -> tuple[AnalysedFace, np.ndarray]:
        crop = self._engine.align(picture, face)
        quality = self._engine.quality(picture, face, crop)
        return AnalysedFace(face.box, face.landmarks, quality), crop


def _or_error(work: Callable, *args):
    try:
        return work(*args)
    except InvalidInput as error:
        return error
