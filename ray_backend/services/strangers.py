"""What a kiosk hands to the inbox of unknown faces: one picture of a visit that matched nobody.

Nobody waits for it: a thread of the process makes the small picture and sends it, a few may wait, and what
comes beyond that is dropped and counted.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np

from ray_backend.domain.answers import CheckIn
from ray_backend.domain.errors import RollcallError
from ray_backend.domain.kiosk.tracker import overlap
from ray_backend.domain.kiosk.words import SeenFace, SeenFrame, Verdict
from ray_backend.domain.model import AnalysedFace, Box, DecisionKind, FrameAnalysis, Liveness
from ray_backend.domain.unknown import Sighting
from ray_backend.ports import Clock
from ray_backend.services.faces import Embed

log = logging.getLogger(__name__)

_MOST_WAITING = 8
# The best picture of a vote is one of its last two seconds, at up to 15 pictures a second.
_MOST_PICTURES = 30
_LEAST_OVERLAP = 0.5


class Handover:
    """Runs small jobs one after the other, off the way of whoever stands at a kiosk. `dropped` counts
    those that came while too many waited, and those that failed."""

    def __init__(self, most_waiting: int = _MOST_WAITING) -> None:
        self._room = threading.BoundedSemaphore(most_waiting)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="strangers")
        self.dropped = 0

    def give(self, job: Callable[[], None]) -> None:
        """Returns at once."""
        if not self._room.acquire(blocking=False):
            self.dropped += 1
            return
        self._worker.submit(self._run, job)

    def wait(self) -> None:
        """Returns when everything that was given is done."""
        self._worker.submit(lambda: None).result()

    def _run(self, job: Callable[[], None]) -> None:
        try:
            job()
        except RollcallError as error:
            self.dropped += 1
            log.warning("an unknown face was not kept: %s", error.message)
        finally:
            self._room.release()


@cache
def handover() -> Handover:
    """The one of this process, for all its kiosks."""
    return Handover()


class Strangers:
    """One kiosk's part. Where the site keeps no strangers' faces it remembers and computes nothing.

    Pictures of a visit are forgotten with its verdict, and when nobody is seen any more.
    """

    def __init__(
        self,
        kiosk: str,
        analyse: Callable[..., FrameAnalysis],
        note: Callable[[Sighting], None],
        *,
        clock: Clock,
        hand_over: Handover,
    ) -> None:
        """`analyse` as in `FaceService`, `note` as in `UnknownService`; both may stand for actors."""
        self._kiosk = kiosk
        self._analyse = analyse
        self._note = note
        self._clock = clock
        self._hand_over = hand_over
        self._pictures: deque[tuple[SeenFace, bytes]] = deque(maxlen=_MOST_PICTURES)
        self._handed: np.ndarray | None = None
        self._wanted = False

    def want(self, wanted: bool) -> None:
        """Whether the site keeps strangers' faces."""
        self._wanted = wanted
        if not wanted:
            self._forget()

    def see(self, picture: bytes, frame: SeenFrame) -> None:
        """Takes note of a frame before it is judged."""
        if not frame.faces:
            self._forget()
        elif self._wanted and frame.faces[0].embedding is not None:
            self._pictures.append((frame.faces[0], picture))

    def decided(self, verdict: Verdict, pack_id: str) -> None:
        """Hands over the best picture of somebody living whom nobody knows; once a visit."""
        picture = next((picture for face, picture in self._pictures if face is verdict.face), None)
        self._pictures.clear()
        unknown = verdict.decision.kind is DecisionKind.UNKNOWN and verdict.liveness is not Liveness.SPOOF
        if not unknown or picture is None or self._is_the_same(verdict):
            return
        self._handed = verdict.face.embedding
        at = self._clock.now()

        def send() -> None:
            analysis = self._analyse(picture, Embed.NOTHING, thumbnails=True)
            found = _nearest(analysis.faces, verdict.face.box)
            if found is not None:
                face = verdict.face
                self._note(Sighting(at, self._kiosk, pack_id, face.embedding, face.quality, found.thumbnail))

        self._hand_over.give(send)

    def _is_the_same(self, verdict: Verdict) -> bool:
        if self._handed is None:
            return False
        return float(self._handed @ verdict.face.embedding) >= verdict.threshold

    def _forget(self) -> None:
        self._pictures.clear()
        self._handed = None


def hand_over_photo(
    answer: CheckIn,
    analysis: FrameAnalysis,
    kiosk: str,
    note: Callable[[Sighting], None],
    clock: Clock,
    hand_over: Handover | None = None,
) -> None:
    """The same for a check-in by a single photo, which was analysed with thumbnails."""
    if answer.decision.kind is not DecisionKind.UNKNOWN:
        return
    face = next((one for one in analysis.faces if one.embedding is not None), None)
    if face is None or answer.face_box is None:
        return
    sighting = Sighting(clock.now(), kiosk, analysis.pack_id, face.embedding, face.quality, face.thumbnail)
    (hand_over or handover()).give(lambda: note(sighting))


def _nearest(faces: tuple[AnalysedFace, ...], box: Box) -> AnalysedFace | None:
    """The face that lies where the box is."""
    best = max(faces, key=lambda face: overlap(face.box, box), default=None)
    return best if best is not None and overlap(best.box, box) >= _LEAST_OVERLAP else None
