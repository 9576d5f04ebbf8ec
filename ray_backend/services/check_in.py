"""The check-in: from an analysed frame, a kiosk's verdict or a typed code to one recorded punch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from ray_backend.domain import attendance
from ray_backend.domain.answers import CheckIn, Recognition
from ray_backend.domain.errors import (
    DuplicatePunch,
    ImageRejected,
    NotFound,
    PersonNotFound,
    StoreUnavailable,
)
from ray_backend.domain.model import (
    AnalysedFace,
    AuditEntry,
    Candidate,
    Decision,
    DecisionKind,
    DecisionRecord,
    FrameAnalysis,
    Liveness,
    Person,
    Punch,
    Receipt,
)
from ray_backend.observing import meters
from ray_backend.ports import Clock, GalleryIndex, Store
from ray_backend.services.codes import Codes
from ray_backend.services.deciding import Decider
from ray_backend.services.directions import Directions
from ray_backend.services.look_alikes import LookAlikes
from ray_backend.services.note_log import NoteLog
from ray_backend.services.policy import Policy
from ray_backend.services.punch_log import PunchLog
from ray_backend.services.punch_memory import later_of
from ray_backend.services.reach import Reach
from ray_backend.services.roster import Roster

# "This is not me" is offered for some seconds; the rest is for a slow network.
DISPUTABLE = timedelta(minutes=1)
BY_FACE, BY_CODE = "face", "pin"


class CheckInService:
    """Decides who stands before the camera and records the punch exactly once.

    What it acknowledges is durable: in the database or, while that is away, in this machine's journal.
    `notes_dropped` counts decisions that were not kept because the database was away.
    """

    def __init__(
        self,
        store: Store,
        reach: Reach,
        gallery: GalleryIndex,
        clock: Clock,
        policy: Policy,
        *,
        punches: PunchLog,
        roster: Roster,
        codes: Codes,
        look_alikes: LookAlikes,
        notes: NoteLog,
        directions: Directions,
    ) -> None:
        self._store = store
        self._reach = reach
        self._gallery = gallery
        self._clock = clock
        self._policy = policy
        self._punches = punches
        self._roster = roster
        self._codes = codes
        self._decider = Decider(gallery, roster, policy)
        self._look_alikes = look_alikes
        self._notes = notes
        self._directions = directions
        self.notes_dropped = 0

    def check_in(self, analysis: FrameAnalysis, *, kiosk: str, idempotency_key: str) -> CheckIn:
        """Serves the nearest face of the frame.

        The same `idempotency_key` gives the same punch again, and so may be retried after a lost
        answer. Raises StoreUnavailable when neither the database nor the journal takes the punch.
        """
        answer = self._serve(analysis, kiosk, idempotency_key)
        return replace(answer, picture_size=(analysis.width, analysis.height))

    def _serve(self, analysis: FrameAnalysis, kiosk: str, key: str) -> CheckIn:
        earlier = self._punches.find(key)
        if earlier is not None:
            return self._repeat(earlier)
        if not analysis.faces:
            return CheckIn(Decision(DecisionKind.NO_FACE))
        face = analysis.faces[0]
        decision = self._decider.decide(face)
        if decision.kind is not DecisionKind.MATCH:
            return CheckIn(decision, face.box)
        person = self._decider.enrolled(decision.best.person_id)
        if person is None:
            return CheckIn(Decision(DecisionKind.UNKNOWN), face.box)
        receipt = self._receipt(decision, face, analysis)
        answer = self._punch(decision, person, kiosk, key, receipt, BY_FACE)
        return replace(answer, face_box=face.box)

    def punch_recognised(
        self, person_id: str, *, kiosk: str, idempotency_key: str, receipt: Receipt
    ) -> CheckIn:
        """Records the person whom a kiosk's vote came to; as `check_in` in everything else.

        The decision is UNKNOWN when the person was erased or deactivated meanwhile.
        """
        earlier = self._punches.find(idempotency_key)
        if earlier is not None:
            return self._repeat(earlier)
        person = self._decider.enrolled(person_id)
        if person is None:
            return CheckIn(Decision(DecisionKind.UNKNOWN))
        decision = Decision(DecisionKind.MATCH, Candidate(person.person_id, receipt.similarity))
        return self._punch(decision, person, kiosk, idempotency_key, receipt, BY_FACE)

    def punch_by_code(self, code: str, *, kiosk: str, idempotency_key: str) -> CheckIn:
        """Records the person who has this PIN or badge number; as `check_in` in everything else.

        Raises WrongCredentials when nobody has it, and TooManyAttempts after several of those.
        """
        person = self._codes.owner(code, kiosk=kiosk)
        earlier = self._punches.find(idempotency_key)
        if earlier is not None:
            return self._repeat(earlier)
        decision = Decision(DecisionKind.MATCH, Candidate(person.person_id, 1.0))
        return self._punch(decision, person, kiosk, idempotency_key, None, BY_CODE)

    def dispute(self, punch_id: str, *, kiosk: str) -> None:
        """Notes for an admin that somebody said "This is not me" to a punch of this kiosk.

        Kept on this machine's disk while the database is away. Raises NotFound when this kiosk made no such
        punch within the last minute, and StoreUnavailable: a note that cannot be kept, or is about a punch
        that only the database knows, is not acknowledged. The punch stays; may be repeated.
        """
        now = self._clock.now()
        punch = self._punches.recent(punch_id, now - DISPUTABLE)
        if punch is None or punch.kiosk != kiosk:
            raise NotFound("This punch is not one that this kiosk made within the last minute.")
        entry = AuditEntry(
            now,
            f"kiosk {kiosk}",
            "punch.disputed",
            punch_id,
            _facts(punch),
            uuid5(NAMESPACE_OID, f"punch.disputed/{punch_id}").hex,
        )
        self._notes.add(entry)

    def note(self, record: DecisionRecord) -> None:
        """Keeps a decision for the statistics; drops it, counted, while the database is away."""
        try:
            self._reach.ask(lambda: self._store.add_decision(record))
        except StoreUnavailable:
            self.notes_dropped += 1

    def look_alikes(self) -> dict[str, frozenset[str]]:
        """For each person who has any, the ids of those whom a camera may mistake for that person."""
        return self._look_alikes.all()

    def recognise(
        self, answers: Sequence[FrameAnalysis | ImageRejected], departments: Sequence[str | None] = ()
    ) -> list[Recognition | ImageRejected]:
        """Who is in each picture, in order, without recording anything. All faces are searched at once.

        `departments` names for each picture the department to look in, None all of them; empty: all of
        them for every picture. Faces that the pipeline did not embed, or that are too poor, come back as
        poor quality; what is no analysis but the error of a bad picture is handed through.
        """
        return self._decider.recognise(answers, departments)

    def find_similar(self, embeddings: np.ndarray, limit: int = 5) -> list[list[Candidate]]:
        """The nearest people to each row of (N, D) float32, best first."""
        with meters.stage("search"):
            return self._gallery.search(embeddings, limit)

    def record(self, person_id: str, *, kiosk: str, source: str, idempotency_key: str) -> Punch:
        """Records a punch of a known person, unless it repeats an earlier one, which is returned.

        Leaves a decision for the statistics like every other punch. Raises PersonNotFound.
        """
        person = self._roster.get(person_id)
        punch, repeated = self._record(person, kiosk, idempotency_key, None, source)
        if not repeated:
            self.note(_record_of(punch))
        return punch

    def _receipt(self, decision: Decision, face: AnalysedFace, analysis: FrameAnalysis) -> Receipt:
        return Receipt(
            pack_id=analysis.pack_id,
            threshold=self._policy.threshold,
            similarity=decision.best.similarity,
            runner_up_similarity=decision.second.similarity if decision.second else None,
            liveness=face.liveness,
            latency_ms=round(sum(analysis.timings_ms.values()), 2),
        )

    def _punch(
        self, decision: Decision, person: Person, kiosk: str, key: str, receipt: Receipt | None, source: str
    ) -> CheckIn:
        punch, repeated = self._record(person, kiosk, key, receipt, source)
        if not repeated:
            self.note(_record_of(punch))
        return self._answer(decision, person, punch, repeated)

    def _record(
        self, person: Person, kiosk: str, key: str, receipt: Receipt | None, source: str
    ) -> tuple[Punch, bool]:
        """The punch, and whether it was there already."""
        now = self._clock.now()
        last = self._last(person)
        if attendance.same_visit(last, now, self._policy.cooldown_s):
            return last, True
        punch = Punch(
            person_id=person.person_id,
            at=now,
            direction=self._directions.of(person, last, now, kiosk),
            kiosk=kiosk,
            source=source,
            idempotency_key=key,
            cooldown_slots=attendance.cooldown_slots(
                person.person_id, now, self._policy.cooldown_s, unless=key
            ),
            receipt=receipt,
        )
        try:
            with meters.stage("record"):
                self._punches.add(punch)
        except DuplicatePunch:
            # Somebody recorded the same visit between our look and our write.
            winner = self._punches.find(key) or self._last(person)
            if winner is None:
                raise
            return winner, True
        return punch, False

    def _last(self, person: Person) -> Punch | None:
        """The latest punch of the person, under whatever record it was made."""
        punches = (self._punches.last(one) for one in self._roster.ids_of(person.person_id))
        return reduce(later_of, punches, None)

    def _repeat(self, punch: Punch) -> CheckIn:
        try:
            person = self._roster.get(punch.person_id)
        except PersonNotFound:
            return CheckIn(Decision(DecisionKind.UNKNOWN))
        similarity = punch.receipt.similarity if punch.receipt else 1.0
        decision = Decision(DecisionKind.MATCH, Candidate(person.person_id, similarity))
        return self._answer(decision, person, punch, repeated=True)

    def _answer(self, decision: Decision, person: Person, punch: Punch, repeated: bool) -> CheckIn:
        return CheckIn(
            decision=decision,
            person=person,
            punch=punch,
            local_time=punch.at.astimezone(self._policy.zone),
            repeated=repeated,
            delivered=self._punches.is_delivered(punch),
        )


def _record_of(punch: Punch) -> DecisionRecord:
    receipt = punch.receipt
    return DecisionRecord(
        at=punch.at,
        kiosk=punch.kiosk,
        kind=DecisionKind.MATCH,
        source=punch.source,
        liveness=receipt.liveness_outcome if receipt else Liveness.NOT_CHECKED,
        liveness_score=receipt.liveness if receipt else None,
        similarity=receipt.similarity if receipt else None,
        frames=receipt.frames if receipt else 0,
        seconds=(receipt.latency_ms or 0.0) / 1000 if receipt else 0.0,
        punch_id=punch.punch_id,
    )


def _facts(punch: Punch) -> dict:
    """What the punch rested on, for whoever looks into a dispute; nobody's name."""
    facts = {"kiosk": punch.kiosk, "source": punch.source, "at": punch.at.isoformat()}
    receipt = punch.receipt
    if receipt is None:
        return facts
    return facts | {
        "pack": receipt.pack_id,
        "threshold": receipt.threshold,
        "similarity": receipt.similarity,
        "runner_up_similarity": receipt.runner_up_similarity,
        "frames": receipt.frames,
        "liveness": receipt.liveness_outcome.value,
        "liveness_score": receipt.liveness,
    }
