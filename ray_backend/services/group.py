"""The group photo: one picture of a class or a crew records everybody on it as present."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from ray_backend.domain import attendance
from ray_backend.domain.answers import CheckIn
from ray_backend.domain.model import Candidate, Decision, DecisionKind, Person, Punch
from ray_backend.ports import Clock, Store
from ray_backend.services.audit import Auditor
from ray_backend.services.check_in import CheckInService
from ray_backend.services.policy import Policy
from ray_backend.services.punch_memory import later_of
from ray_backend.services.roster import Roster

SOURCE = "group"
KIOSK = "group photo"


class GroupService:
    """Records presence, and presence only: a group photo never sends anybody home."""

    def __init__(
        self, store: Store, roster: Roster, check_ins: CheckInService, clock: Clock, policy: Policy
    ) -> None:
        self._store = store
        self._roster = roster
        self._check_ins = check_ins
        self._clock = clock
        self._policy = policy
        self._audit = Auditor(store, clock)

    def record_present(self, person_ids: Sequence[str], *, picture_sha256: str, actor: str) -> list[CheckIn]:
        """One answer for each different person, in order; `repeated` where nothing had to be recorded.

        That is so for whoever has a punch of today already (a second one would say that they went), or
        one within the cooldown. The same picture records nobody twice, however late it comes again.
        Raises PersonNotFound before anything is recorded.
        """
        people = [self._roster.get(person_id) for person_id in dict.fromkeys(person_ids)]
        different = {person.person_id: person for person in people}
        answers = [self._present(person, picture_sha256) for person in different.values()]
        recorded = sum(not answer.repeated for answer in answers)
        self._audit.record(
            actor, "group.recorded", picture_sha256, recorded=recorded, repeated=len(answers) - recorded
        )
        return answers

    def _present(self, person: Person, picture_sha256: str) -> CheckIn:
        key = f"group/{picture_sha256}/{person.person_id}"
        earlier = self._store.find_punch(key) or self._todays_punch(person)
        if earlier is not None:
            return self._answer(person, earlier, repeated=True)
        punch = self._check_ins.record(person.person_id, kiosk=KIOSK, source=SOURCE, idempotency_key=key)
        return self._answer(person, punch, repeated=punch.idempotency_key != key)

    def _todays_punch(self, person: Person) -> Punch | None:
        punches = (self._store.last_punch(one) for one in self._roster.ids_of(person.person_id))
        last = reduce(later_of, punches, None)
        if last is None:
            return None
        today = attendance.local_day(self._clock.now(), self._policy.zone)
        return last if attendance.local_day(last.at, self._policy.zone) == today else None

    def _answer(self, person: Person, punch: Punch, *, repeated: bool) -> CheckIn:
        # It was decided before, by the picture's faces and by whoever ticked them.
        decision = Decision(DecisionKind.MATCH, Candidate(person.person_id, 1.0))
        local_time = punch.at.astimezone(self._policy.zone)
        return CheckIn(decision, person=person, punch=punch, local_time=local_time, repeated=repeated)
