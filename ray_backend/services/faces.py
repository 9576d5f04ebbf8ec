"""The face pipeline: bytes in, faces out. decode → detect → align → quality → embed."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from time import perf_counter
from typing import TypeVar

import numpy as np

from ray_backend.domain.errors import BrokenImage, ImageRejected, InvalidInput
from ray_backend.domain.model import AnalysedFace, DetectedFace, FrameAnalysis, Pack
from ray_backend.domain.quality import CHECK_IN_LIMITS, find_issue
from ray_backend.ports import FaceEngine, ImageCodec, LivenessModel

log = logging.getLogger(__name__)


class Embed(StrEnum):
    """Which faces of a picture are embedded: it is the part that costs.

    `NEAREST_GOOD` is the largest one, and that only if it passes the limits of a check-in.
    """

    NOTHING = "nothing"
    NEAREST_GOOD = "nearest_good"
    ALL = "all"


# Who stands behind a person at a kiosk is told apart from them, but a crowd need not be measured.
_NEAREST_FACES = 4
# When so much of a batch is decoded, it goes on to the next stage: eight frames of 1280 x 720 are less.
_MOST_DECODED_BYTES = 32_000_000

_Stage = TypeVar("_Stage")


class _Stopwatch:
    """Collects stage times in milliseconds."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    def time(self, stage: str, work: Callable, *args):
        start = perf_counter()
        result = work(*args)
        self.ms[stage] = self.ms.get(stage, 0.0) + 1000 * (perf_counter() - start)
        return result


@dataclass(frozen=True, slots=True)
class _How:
    """What is wanted of a picture; see `FaceService.analyse` and `analyse_many`."""

    embed: Embed
    thumbnails: bool = False
    liveness: bool = False
    quick: bool = False


@dataclass(slots=True)
class _Picture:
    """A picture that is decoded, and the faces that were detected in it."""

    pixels: np.ndarray
    watch: _Stopwatch
    detected: Sequence[DetectedFace] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """A picture before embedding. `crops[i]` belongs to `faces[wanted[i]]`."""

    size: tuple[int, int]
    faces: list[AnalysedFace]
    wanted: list[int]
    crops: list[np.ndarray]
    watch: _Stopwatch
    brightness: float

    def analysis(self, embeddings: np.ndarray, pack_id: str) -> FrameAnalysis:
        faces = list(self.faces)
        for index, embedding in zip(self.wanted, embeddings, strict=True):
            faces[index] = replace(faces[index], embedding=embedding)
        return FrameAnalysis(*self.size, tuple(faces), pack_id, self.watch.ms, self.brightness)


class FaceService:
    """Runs one engine over pictures. Safe to call from several threads.

    Without a liveness model nobody's liveness is known. `recoveries` counts what went wrong and was
    survived: `out_of_memory` and `poisoned_image`.
    """

    def __init__(self, engine: FaceEngine, codec: ImageCodec, liveness: LivenessModel | None = None) -> None:
        self._engine = engine
        self._codec = codec
        self._liveness = liveness
        self.recoveries: Counter[str] = Counter()

    @property
    def pack(self) -> Pack:
        """The pack that makes the embeddings."""
        return self._engine.pack

    @property
    def width(self) -> int:
        """How many pictures can be looked at at once: one on each core."""
        return os.cpu_count() or 1

    def analyse(
        self,
        image: bytes,
        embed: Embed = Embed.NEAREST_GOOD,
        thumbnails: bool = False,
        liveness: bool = False,
    ) -> FrameAnalysis:
        """All faces of a JPEG, PNG or WebP picture. Raises ImageRejected.

        With `liveness` the largest face is asked, too, whether it is a living one. What is not
        `Embed.ALL` is a person at a kiosk, and then the faces far behind are left out.
        """
        how = _How(embed, thumbnails, liveness)
        seen = self._measure(self._detect(self._decode(image, how), how), how)
        embeddings = seen.watch.time("embed", self._embed, seen.crops)
        return seen.analysis(embeddings, self.pack.pack_id)

    def analyse_many(
        self,
        images: Sequence[bytes],
        embed: Embed = Embed.ALL,
        thumbnails: bool = False,
        bulk: bool = False,
        quick: bool = False,
    ) -> list[FrameAnalysis | ImageRejected]:
        """One answer for each picture, in order; a bad one does not spoil the rest.

        The faces of all pictures are embedded together. `bulk` says that nobody waits, which makes a
        difference only where pictures of many callers stand in a line. `quick`: see `FaceEngine.detect`.
        """
        looks = list(self._looks(images, _How(embed, thumbnails, quick=quick)))
        seen = [look for look in looks if isinstance(look, _Seen)]
        crops = [crop for one in seen for crop in one.crops]
        started = perf_counter()
        embeddings = self._embed(crops)
        each_ms = 1000 * (perf_counter() - started) / max(1, len(crops))
        rows = iter(embeddings)
        for one in seen:
            one.watch.ms["embed"] = each_ms * len(one.crops)
        return [
            look.analysis([next(rows) for _ in look.crops], self.pack.pack_id)
            if isinstance(look, _Seen)
            else look
            for look in looks
        ]

    def compute_embedding(self, image: bytes) -> np.ndarray:
        """(D,) float32, L2-normalised, of the nearest face. Raises ImageRejected, InvalidInput."""
        return _nearest_embedding(self.analyse(image, Embed.ALL))

    def compute_embeddings(self, images: Sequence[bytes]) -> list[np.ndarray | InvalidInput]:
        """`compute_embedding` of each picture, in order, or the error that it would have raised."""
        return [_nearest_or_error(answer) for answer in self.analyse_many(images)]

    def _looks(self, images: Sequence[bytes], how: _How) -> Iterator[_Seen | ImageRejected]:
        """Everything before embedding, one stage after the other for several pictures at once: what a stage
        needs is in the processor's caches then, which saves 7 % of a small picture's time."""
        group: list[_Picture | ImageRejected] = []
        decoded_bytes = 0
        for image in images:
            picture = self._or_error(self._decode, image, how)
            group.append(picture)
            decoded_bytes += picture.pixels.nbytes if isinstance(picture, _Picture) else 0
            if decoded_bytes >= _MOST_DECODED_BYTES:
                yield from self._finished(group, how)
                group, decoded_bytes = [], 0
        yield from self._finished(group, how)

    def _finished(self, group: list[_Picture | ImageRejected], how: _How) -> Iterable[_Seen | ImageRejected]:
        for stage in (self._detect, self._measure):
            group = [
                one if isinstance(one, ImageRejected) else self._or_error(stage, one, how) for one in group
            ]
        return group

    def _decode(self, image: bytes, how: _How) -> _Picture:
        watch = _Stopwatch()
        return _Picture(watch.time("decode", self._codec.decode, image), watch)

    def _detect(self, picture: _Picture, how: _How) -> _Picture:
        detected = picture.watch.time("detect", self._engine.detect, picture.pixels, how.quick)
        picture.detected = detected if how.embed is Embed.ALL else detected[:_NEAREST_FACES]
        return picture

    def _measure(self, picture: _Picture, how: _How) -> _Seen:
        pixels, watch = picture.pixels, picture.watch
        measured = [
            watch.time("quality", self._measure_face, pixels, face, how.thumbnails)
            for face in picture.detected
        ]
        faces = [face for face, _ in measured]
        wanted = _wanted(faces, how.embed)
        if how.liveness and self._liveness is not None and faces:
            score = watch.time("liveness", self._liveness.score, pixels, picture.detected[0])
            faces[0] = replace(faces[0], liveness=score)
        crops = [measured[index][1] for index in wanted]
        return _Seen((pixels.shape[1], pixels.shape[0]), faces, wanted, crops, watch, _brightness(pixels))

    def _or_error(
        self, stage: Callable[..., _Stage], what: bytes | _Picture, how: _How
    ) -> _Stage | ImageRejected:
        try:
            return stage(what, how)
        except ImageRejected as error:
            return error
        except Exception:
            # A batch holds pictures of several people: whatever one of them does to the libraries below
            # must not reach the others. The cause goes to the log.
            self.recoveries["poisoned_image"] += 1
            log.exception("a picture broke the pipeline: %s", _size(what))
            return BrokenImage("This picture cannot be processed. Take or send another one.")

    def _embed(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """The engine's embeddings; a batch that does not fit into memory is cut in half and tried again."""
        try:
            return self._engine.embed(crops)
        except MemoryError:
            if len(crops) < 2:
                raise
            self.recoveries["out_of_memory"] += 1
            half = len(crops) // 2
            return np.concatenate([self._embed(crops[:half]), self._embed(crops[half:])])

    def _measure_face(
        self, picture: np.ndarray, face: DetectedFace, thumbnail: bool
    ) -> tuple[AnalysedFace, np.ndarray]:
        crop = self._engine.align(picture, face)
        quality = self._engine.quality(picture, face, crop)
        image = self._codec.thumbnail(picture, face.box) if thumbnail else b""
        return AnalysedFace(face.box, face.landmarks, quality, thumbnail=image), crop


def _size(picture: bytes | _Picture) -> str:
    if isinstance(picture, bytes):
        return f"{len(picture)} bytes"
    return f"{picture.pixels.shape[1]} x {picture.pixels.shape[0]} pixels"


def _brightness(picture: np.ndarray) -> float:
    """The mean grey of a few thousand pixels: enough to tell a bright room from a dark one."""
    step = max(1, min(picture.shape[:2]) // 60)
    return float(picture[::step, ::step].mean())


def _wanted(faces: Sequence[AnalysedFace], embed: Embed) -> list[int]:
    """The places of the faces to embed."""
    if embed is Embed.ALL:
        return list(range(len(faces)))
    nearest_is_good = bool(faces) and find_issue(faces[0].quality, CHECK_IN_LIMITS) is None
    return [0] if embed is Embed.NEAREST_GOOD and nearest_is_good else []


def _nearest_embedding(analysis: FrameAnalysis) -> np.ndarray:
    if not analysis.faces:
        raise InvalidInput("No face was found in this picture. Send one that shows a face.")
    return analysis.faces[0].embedding


def _nearest_or_error(answer: FrameAnalysis | ImageRejected) -> np.ndarray | InvalidInput:
    if isinstance(answer, ImageRejected):
        return answer
    try:
        return _nearest_embedding(answer)
    except InvalidInput as error:
        return error
