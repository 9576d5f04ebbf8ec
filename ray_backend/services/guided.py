"""One guided enrolment: frames of the desk's camera in, photos of one new person out. Stores nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ray_backend.domain.answers import GuideAnswer, GuidedShot
from ray_backend.domain.enrolment.words import Shot, Target
from ray_backend.domain.model import FrameAnalysis
from ray_backend.services.faces import Embed

if TYPE_CHECKING:
    from ray_backend.domain.enrolment.guide import Guide


class Faces(Protocol):
    """What a guided enrolment needs of `FaceService`."""

    def analyse(
        self, image: bytes, embed: Embed = ..., thumbnails: bool = ..., liveness: bool = ...
    ) -> FrameAnalysis: ...


class GuidedEnrolment:
    """Safe to call from several threads: the camera's and the page's."""

    def __init__(
        self, faces: Faces, guide: Guide, *, elapsed_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._faces = faces
        self._guide = guide
        self._elapsed_s = elapsed_s
        self._lock = threading.Lock()

    def frame(self, image: bytes) -> GuideAnswer:
        """What to show after this picture of the camera. Raises ImageRejected and BackendUnavailable."""
        analysis = self._faces.analyse(image, Embed.NEAREST_GOOD, thumbnails=True)
        with self._lock:
            state = self._guide.observe(self._elapsed_s(), analysis, image)
            shots = tuple(map(_as_taken, self._guide.shots.values()))
            skipped = tuple(sorted(self._guide.skipped))
            return GuideAnswer(state, (analysis.width, analysis.height), shots, skipped)

    def skip(self) -> None:
        """Leaves the present target out, if it may be."""
        with self._lock:
            self._guide.skip()

    def retake(self, target: Target) -> None:
        """Takes the photo of this target anew."""
        with self._lock:
            self._guide.retake(target)

    def restart(self) -> None:
        """Begins anew, with whoever stands there."""
        with self._lock:
            self._guide.restart()

    def photos(self) -> tuple[GuidedShot, ...]:
        """The photos so far, in the order in which they were taken."""
        with self._lock:
            return tuple(map(_as_taken, self._guide.shots.values()))

    @property
    def finished(self) -> bool:
        """Whether no target is left."""
        return self._guide.target is None


def _as_taken(shot: Shot) -> GuidedShot:
    return GuidedShot(shot.target, shot.image, shot.face.thumbnail)
