"""One kiosk's conversation: frames in, at most one punch for each person who stands there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ray_backend.domain.answers import CheckIn, KioskAnswer
from ray_backend.domain.errors import Unavailable
from ray_backend.domain.kiosk.words import Phase, Scene, SeenFace, SeenFrame, Terms, Verdict
from ray_backend.domain.model import (
    AnalysedFace,
    Candidate,
    DecisionKind,
    DecisionRecord,
    FrameAnalysis,
    Receipt,
    new_id,
)
from ray_backend.observing import meters
from ray_backend.ports import Clock
from ray_backend.services.faces import Embed

if TYPE_CHECKING:
    from ray_backend.domain.kiosk.session import Session
    from ray_backend.services.strangers import Strangers

# Somebody who gets no result for this long is offered the other way.
OFFER_CODE_AFTER_S = 4.0
_NEAREST_PEOPLE = 3
_LOOK_ALIKES_EVERY_S = 60.0
_TERMS_EVERY_S = 2.0


class Faces(Protocol):
    """What a session needs of `FaceService`."""

    def analyse(
        self, image: bytes, embed: Embed = ..., thumbnails: bool = ..., liveness: bool = ...
    ) -> FrameAnalysis: ...


class CheckIns(Protocol):
    """What a session needs of `CheckInService`."""

    def find_similar(self, embeddings: np.ndarray, limit: int = 5) -> list[list[Candidate]]: ...

    def punch_recognised(
        self, person_id: str, *, kiosk: str, idempotency_key: str, receipt: Receipt
    ) -> CheckIn: ...

    def punch_by_code(self, code: str, *, kiosk: str, idempotency_key: str) -> CheckIn: ...

    def dispute(self, punch_id: str, *, kiosk: str) -> None: ...

    def note(self, record: DecisionRecord) -> None: ...


class KioskSession:
    """Serves whoever stands before one kiosk. One call at a time.

    Every method may raise StoreUnavailable and BackendUnavailable. A decision that could not be recorded
    is recorded with the next frame, under the same key, so that it makes one punch.
    """

    def __init__(
        self,
        kiosk: str,
        rules: Session,
        faces: Faces,
        check_ins: CheckIns,
        *,
        pack_id: str,
        clock: Clock,
        terms: Callable[[], Terms] | None = None,
        strangers: Strangers | None = None,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`terms` says what the site decides by now; it is asked every other second and may raise
        Unavailable. None: `rules` stay as they are. `strangers` keeps the faces that nobody matched."""
        self._kiosk = kiosk
        self._rules = rules
        self._faces = faces
        self._check_ins = check_ins
        self._pack_id = pack_id
        self._terms = terms
        self._terms_at_s = elapsed_s()
        self._strangers = strangers
        self._clock = clock
        self._elapsed_s = elapsed_s
        self._visit = new_id()
        self._unsettled: Verdict | None = None
        self._result: CheckIn | None = None

    def frame(self, image: bytes) -> KioskAnswer:
        """What to show after this picture of the camera. Raises ImageRejected."""
        self._settle()
        self._look_at_terms()
        wanted = self._rules.wanted()
        embed = Embed.NEAREST_GOOD if wanted.embedding else Embed.NOTHING
        analysis = self._faces.analyse(image, embed, liveness=wanted.liveness)
        seen = self._seen(analysis)
        if self._strangers is not None:
            self._strangers.see(image, seen)
        with meters.stage("decide"):
            scene, verdict = self._rules.observe(seen)
        if scene.phase is not Phase.DECIDED:
            self._result = None
        if verdict is not None:
            self._unsettled = verdict
            if self._strangers is not None:
                self._strangers.decided(verdict, self._pack_id)
            self._settle()
        return KioskAnswer(
            scene,
            (analysis.width, analysis.height),
            self._result,
            offer_code=scene.locked or scene.waiting_s > OFFER_CODE_AFTER_S or _is_failure(self._result),
        )

    def code(self, digits: str, request_id: str) -> KioskAnswer:
        """The punch of the person with this code; the same `request_id` gives the same punch, also from a
        process that was started meanwhile.

        Raises WrongCredentials and TooManyAttempts.
        """
        key = f"{self._kiosk}/code/{request_id}"
        answer = self._check_ins.punch_by_code(digits, kiosk=self._kiosk, idempotency_key=key)
        made_by_this = answer.punch is not None and answer.punch.idempotency_key == key
        self._result = replace(answer, repeated=answer.repeated and not made_by_this)
        return KioskAnswer(Scene(Phase.DECIDED), check_in=self._result)

    def not_me(self, punch_id: str) -> None:
        """Somebody says that this punch is not theirs: it is marked for whoever corrects punches."""
        self._check_ins.dispute(punch_id, kiosk=self._kiosk)

    def _look_at_terms(self) -> None:
        if self._terms is None or self._elapsed_s() - self._terms_at_s < _TERMS_EVERY_S:
            return
        self._terms_at_s = self._elapsed_s()
        with suppress(Unavailable):
            self._rules.adopt(self._terms())

    def _seen(self, analysis: FrameAnalysis) -> SeenFrame:
        candidates = self._candidates(analysis.faces)
        faces = tuple(
            SeenFace(
                face.box,
                face.landmarks,
                face.quality,
                face.embedding,
                candidates.get(index, ()),
                face.liveness,
            )
            for index, face in enumerate(analysis.faces)
        )
        return SeenFrame(self._elapsed_s(), analysis.width, analysis.height, faces)

    def _candidates(self, faces: Sequence[AnalysedFace]) -> dict[int, tuple[Candidate, ...]]:
        places = [index for index, face in enumerate(faces) if face.embedding is not None]
        if not places:
            return {}
        found = self._check_ins.find_similar(
            np.stack([faces[index].embedding for index in places]), _NEAREST_PEOPLE
        )
        return {index: tuple(row) for index, row in zip(places, found, strict=True)}

    def _settle(self) -> None:
        """Records what was decided. When that fails, the verdict stays for the next time."""
        verdict = self._unsettled
        if verdict is None:
            return
        if verdict.decision.kind is DecisionKind.MATCH:
            answer = self._check_ins.punch_recognised(
                verdict.decision.best.person_id,
                kiosk=self._kiosk,
                idempotency_key=f"{self._kiosk}/{self._visit}/{verdict.track_id}",
                receipt=self._receipt(verdict),
            )
            self._result = replace(answer, face_box=verdict.face.box)
        else:
            self._check_ins.note(self._record(verdict))
            self._result = CheckIn(verdict.decision, verdict.face.box)
        self._unsettled = None

    def _receipt(self, verdict: Verdict) -> Receipt:
        second = verdict.decision.second
        return Receipt(
            pack_id=self._pack_id,
            threshold=verdict.threshold,
            similarity=verdict.decision.best.similarity,
            runner_up_similarity=second.similarity if second else None,
            frames=verdict.frames,
            liveness=verdict.liveness_score,
            latency_ms=round(1000 * verdict.seconds, 1),
            liveness_outcome=verdict.liveness,
        )

    def _record(self, verdict: Verdict) -> DecisionRecord:
        best = verdict.decision.best
        return DecisionRecord(
            at=self._clock.now(),
            kiosk=self._kiosk,
            kind=verdict.decision.kind,
            source="face",
            liveness=verdict.liveness,
            liveness_score=verdict.liveness_score,
            similarity=best.similarity if best else None,
            frames=verdict.frames,
            seconds=verdict.seconds,
        )


class KnownLookAlikes:
    """Who looks like whom, read again every minute: a kiosk's session lasts for days."""

    def __init__(
        self,
        read: Callable[[], Mapping[str, frozenset[str]]],
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read` may raise Unavailable later on; what was known before then stays."""
        self._read = read
        self._elapsed_s = elapsed_s
        self._known = read()
        self._read_at = elapsed_s()

    def __call__(self, person_id: str) -> frozenset[str]:
        """The people who were noted as looking like this one at their enrolment."""
        if self._elapsed_s() - self._read_at > _LOOK_ALIKES_EVERY_S:
            self._read_at = self._elapsed_s()
            with suppress(Unavailable):
                self._known = self._read()
        return self._known.get(person_id, frozenset())


def _is_failure(result: CheckIn | None) -> bool:
    return result is not None and result.decision.kind is not DecisionKind.MATCH
