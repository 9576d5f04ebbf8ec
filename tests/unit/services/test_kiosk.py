"""A kiosk's conversation over the real rules, the fake engine and a stand-in for the records."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from ray_backend.domain.answers import CheckIn
from ray_backend.domain.errors import BrokenImage, StoreUnavailable
from ray_backend.domain.kiosk.session import KioskRules, Session, Terms
from ray_backend.domain.kiosk.words import LivenessMode, Phase
from ray_backend.domain.model import Candidate, Decision, DecisionKind, Direction, Liveness, Punch
from ray_backend.services.faces import FaceService
from ray_backend.services.kiosk import KioskSession, KnownLookAlikes
from ray_backend.vision.images import PillowCodec
from tests.fakes import FAKE_PACK, FakeEngine, SetClock, photo

ADA, ALAN, STRANGER = 1, 50, 120
FRAME_S = 0.1


@dataclass
class Records:
    """Knows the first embedding of everybody in `known`, and writes down what it is told."""

    known: dict[str, object]
    away: bool = False
    punches: list[tuple[str, str]] = field(default_factory=list)
    receipts: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    disputed: list[tuple[str, str]] = field(default_factory=list)

    def find_similar(self, embeddings, limit=5):
        rows = []
        for embedding in embeddings:
            found = [Candidate(name, float(vector @ embedding)) for name, vector in self.known.items()]
            rows.append(sorted(found, key=lambda one: -one.similarity)[:limit])
        return rows

    def punch_recognised(self, person_id, *, kiosk, idempotency_key, receipt):
        if self.away:
            raise StoreUnavailable("away")
        if (person_id, idempotency_key) not in self.punches:
            self.punches.append((person_id, idempotency_key))
            self.receipts.append(receipt)
        return CheckIn(Decision(DecisionKind.MATCH, Candidate(person_id, receipt.similarity)))

    def punch_by_code(self, code, *, kiosk, idempotency_key):
        self.punches.append((code, idempotency_key))
        first = next(key for person, key in self.punches if person == code)
        punch = Punch(code, SetClock().now(), Direction.IN, kiosk, "pin", first, ("a", "b"))
        decision = Decision(DecisionKind.MATCH, Candidate(code, 1.0))
        return CheckIn(decision, punch=punch, repeated=len(self.punches) > 1)

    def dispute(self, punch_id, *, kiosk):
        self.disputed.append((punch_id, kiosk))

    def note(self, record):
        if self.away:
            raise StoreUnavailable("away")
        self.notes.append(record)


class Kiosk:
    """The session under test, with a camera that takes ten pictures a second."""

    def __init__(self, liveness_model=None, liveness=LivenessMode.OFF) -> None:
        codec = PillowCodec(max_bytes=1_000_000, max_pixels=1_000_000)
        faces = FaceService(FakeEngine(), codec, liveness_model)
        known = {f"p{who}": faces.compute_embedding(photo(who)) for who in (ADA, ALAN)}
        self.records = Records(known)
        self.at_s = 100.0
        rules = Session(KioskRules(), Terms(FAKE_PACK.threshold, 0.05, liveness))
        self.session = KioskSession(
            "door",
            rules,
            faces,
            self.records,
            pack_id=FAKE_PACK.pack_id,
            clock=SetClock(),
            elapsed_s=lambda: self.at_s,
        )

    def sees(self, *who: int, for_s: float):
        """The last answer after so many seconds of this picture."""
        jpeg = photo(*who)
        for _ in range(round(for_s / FRAME_S)):
            answer = self.session.frame(jpeg)
            self.at_s += FRAME_S
        return answer


@pytest.fixture
def kiosk() -> Kiosk:
    return Kiosk()


def test_nobody_is_nobody(kiosk):
    answer = kiosk.sees(for_s=1)
    assert answer.scene.phase is Phase.IDLE
    assert answer.check_in is None
    assert not answer.offer_code
    assert (kiosk.records.punches, kiosk.records.notes) == ([], [])


def test_who_stays_is_recorded_once_and_told_as_long_as_they_stay(kiosk):
    answer = kiosk.sees(ADA, for_s=5)
    assert answer.scene.phase is Phase.DECIDED
    assert answer.check_in.decision.best.person_id == f"p{ADA}"
    assert [person for person, _ in kiosk.records.punches] == [f"p{ADA}"]
    assert kiosk.sees(for_s=3).check_in is None


def test_the_receipt_says_what_the_decision_rested_on(kiosk):
    kiosk.sees(ADA, for_s=2)
    (receipt,) = kiosk.records.receipts
    assert receipt.pack_id == FAKE_PACK.pack_id
    assert receipt.threshold == FAKE_PACK.threshold
    assert receipt.similarity == pytest.approx(1.0, abs=1e-3)
    assert receipt.frames >= KioskRules().min_frames
    assert receipt.liveness_outcome is Liveness.NOT_CHECKED
    assert 0 < receipt.latency_ms < 2000


def test_two_people_one_after_the_other_are_two_punches_with_keys_of_their_own(kiosk):
    kiosk.sees(ADA, for_s=2)
    kiosk.sees(for_s=2)
    kiosk.sees(ALAN, for_s=2)
    people, keys = zip(*kiosk.records.punches, strict=True)
    assert people == (f"p{ADA}", f"p{ALAN}")
    assert len(set(keys)) == 2


def test_a_stranger_is_noted_and_offered_the_code_but_not_recorded(kiosk):
    answer = kiosk.sees(STRANGER, for_s=3)
    assert answer.check_in.decision.kind is DecisionKind.UNKNOWN
    assert answer.offer_code
    assert kiosk.records.punches == []
    assert [note.kind for note in kiosk.records.notes] == [DecisionKind.UNKNOWN]
    assert kiosk.records.notes[0].kiosk == "door"


def test_a_decision_that_could_not_be_recorded_is_recorded_later_under_its_key(kiosk):
    kiosk.records.away = True
    with pytest.raises(StoreUnavailable):
        kiosk.sees(ADA, for_s=3)
    with pytest.raises(StoreUnavailable):
        kiosk.sees(ADA, for_s=0.1)
    kiosk.records.away = False
    answer = kiosk.sees(ADA, for_s=1)
    assert answer.check_in.decision.kind is DecisionKind.MATCH
    assert len(kiosk.records.punches) == 1


def test_who_went_while_the_database_was_away_is_recorded_when_it_is_back(kiosk):
    kiosk.records.away = True
    with pytest.raises(StoreUnavailable):
        kiosk.sees(ADA, for_s=3)
    kiosk.records.away = False
    assert kiosk.sees(for_s=2).check_in is None
    assert [person for person, _ in kiosk.records.punches] == [f"p{ADA}"]


def test_a_damaged_picture_is_an_error_and_changes_nothing(kiosk):
    with pytest.raises(BrokenImage):
        kiosk.session.frame(photo(ADA)[:200])
    assert kiosk.sees(ADA, for_s=2).check_in is not None


def test_a_typed_code_is_a_result_like_another_and_the_same_request_has_the_same_key(kiosk):
    kiosk.sees(STRANGER, for_s=3)
    first = kiosk.session.code("4711", "request-1")
    kiosk.session.code("4711", "request-1")
    assert first.scene.phase is Phase.DECIDED
    assert first.check_in.decision.kind is DecisionKind.MATCH
    assert len(set(kiosk.records.punches)) == 1


def test_a_code_that_is_sent_again_after_a_restart_has_the_same_key_and_is_news_again(kiosk):
    before = kiosk.session.code("4711", "page-1/request-1")
    restarted = Kiosk()
    restarted.records.punches = kiosk.records.punches
    again = restarted.session.code("4711", "page-1/request-1")
    another = restarted.session.code("4711", "page-1/request-2")
    keys = [key for _, key in kiosk.records.punches]
    assert (keys[0] == keys[1], keys[1] == keys[2]) == (True, False)
    assert (before.check_in.repeated, again.check_in.repeated) == (False, False)
    assert another.check_in.repeated


def test_this_is_not_me_is_passed_on_with_the_kiosk(kiosk):
    kiosk.session.not_me("punch-1")
    assert kiosk.records.disputed == [("punch-1", "door")]


class Score:
    """A liveness model with one opinion."""

    model_id = "score"

    def __init__(self, score: float) -> None:
        self._score = score

    def score(self, image_bgr, face) -> float:
        return self._score


def test_a_picture_held_up_is_refused_where_liveness_is_required():
    kiosk = Kiosk(Score(0.1), LivenessMode.REQUIRE)
    answer = kiosk.sees(ADA, for_s=3)
    assert answer.check_in.decision.kind is DecisionKind.SPOOF
    assert kiosk.records.punches == []
    assert kiosk.records.notes[0].liveness is Liveness.SPOOF
    assert kiosk.records.notes[0].liveness_score == pytest.approx(0.1)


@pytest.mark.parametrize(("score", "outcome"), [(0.9, Liveness.LIVE), (0.1, Liveness.SPOOF)])
def test_where_liveness_is_observed_the_outcome_goes_with_the_punch(score, outcome):
    kiosk = Kiosk(Score(score), LivenessMode.OBSERVE)
    kiosk.sees(ADA, for_s=3)
    (receipt,) = kiosk.records.receipts
    assert receipt.liveness_outcome is outcome
    assert receipt.liveness == pytest.approx(score)


def test_look_alikes_are_read_again_and_kept_while_nobody_answers():
    now, answers = [0.0], [{"a": frozenset("b")}]

    def read():
        if not answers:
            raise StoreUnavailable("away")
        return answers[0]

    known = KnownLookAlikes(read, lambda: now[0])
    assert known("a") == {"b"}
    assert known("c") == frozenset()
    answers[0] = {"c": frozenset("d")}
    assert known("c") == frozenset()
    now[0] = 61.0
    assert known("c") == {"d"}
    answers.clear()
    now[0] = 200.0
    assert known("c") == {"d"}
