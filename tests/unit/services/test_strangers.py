"""What a kiosk hands to the inbox of unknown faces, and that nobody at the kiosk waits for it."""

from __future__ import annotations

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image

from ray_backend.domain.errors import BackendUnavailable, StoreUnavailable
from ray_backend.domain.kiosk.session import KioskRules, Session, Terms
from ray_backend.domain.kiosk.words import LivenessMode
from ray_backend.domain.model import DecisionKind
from ray_backend.services.faces import Embed, FaceService
from ray_backend.services.kiosk import KioskSession
from ray_backend.services.strangers import Handover, Strangers
from ray_backend.vision.images import PillowCodec
from tests.fakes import FAKE_PACK, FakeEngine, SetClock, photo
from tests.unit.services.test_kiosk import ADA, ALAN, FRAME_S, STRANGER, Records, Score

OTHER = 77


class Kiosk:
    """A kiosk with the fake engine, whose inbox is a list."""

    def __init__(self, *, keeps: bool = True, score: float | None = None, note=None) -> None:
        codec = PillowCodec(max_bytes=1_000_000, max_pixels=1_000_000)
        self.faces = FaceService(FakeEngine(), codec, None if score is None else Score(score))
        self.records = Records({f"p{who}": self.faces.compute_embedding(photo(who)) for who in (ADA, ALAN)})
        self.noted, self.analysed = [], []
        self.handover = Handover(most_waiting=2)
        self.strangers = Strangers(
            "door", self._analyse, note or self.noted.append, clock=SetClock(), hand_over=self.handover
        )
        self.strangers.want(keeps)
        liveness = LivenessMode.OFF if score is None else LivenessMode.OBSERVE
        self.at_s = 100.0
        self.session = KioskSession(
            "door",
            Session(KioskRules(), Terms(FAKE_PACK.threshold, FAKE_PACK.margin, liveness)),
            self.faces,
            self.records,
            pack_id=FAKE_PACK.pack_id,
            clock=SetClock(),
            strangers=self.strangers,
            elapsed_s=lambda: self.at_s,
        )

    def _analyse(self, image, embed, **options):
        self.analysed.append((embed, options))
        return self.faces.analyse(image, embed, **options)

    def sees(self, *who: int, for_s: float):
        """The last answer after so many seconds of this picture."""
        jpeg = photo(*who)
        for _ in range(round(for_s / FRAME_S)):
            answer = self.session.frame(jpeg)
            self.at_s += FRAME_S
        return answer

    def faces_kept(self):
        self.handover.wait()
        return self.noted


def test_a_stranger_is_handed_over_once_a_visit_with_a_picture():
    kiosk = Kiosk()
    kiosk.sees(STRANGER, for_s=20)
    (sighting,) = kiosk.faces_kept()
    assert sighting.kiosk == "door"
    assert sighting.pack_id == FAKE_PACK.pack_id
    assert sighting.embedding @ kiosk.faces.compute_embedding(photo(STRANGER)) == pytest.approx(1, abs=1e-3)
    assert sighting.quality.size_px == pytest.approx(150)
    assert sighting.thumbnail[:2] == b"\xff\xd8"
    assert kiosk.analysed == [(Embed.NOTHING, {"thumbnails": True})]
    assert len([note for note in kiosk.records.notes if note.kind is DecisionKind.UNKNOWN]) > 1


def test_who_comes_back_and_who_comes_next_are_handed_over_too():
    kiosk = Kiosk()
    kiosk.sees(STRANGER, for_s=3)
    kiosk.sees(for_s=2)
    kiosk.sees(STRANGER, for_s=3)
    kiosk.sees(OTHER, for_s=6)
    assert len(kiosk.faces_kept()) == 3


def test_nobody_who_is_recognised_is_handed_over():
    kiosk = Kiosk()
    kiosk.sees(ADA, for_s=3)
    kiosk.sees(ALAN, for_s=6)
    assert kiosk.faces_kept() == []


def test_of_two_people_it_is_the_strangers_picture_not_that_of_whoever_stands_behind():
    kiosk = Kiosk()
    kiosk.sees(STRANGER, ADA, for_s=3)
    (sighting,) = kiosk.faces_kept()
    (alone,) = kiosk.faces.analyse(photo(STRANGER), Embed.NOTHING, thumbnails=True).faces
    assert _mean_colour(sighting.thumbnail) == pytest.approx(_mean_colour(alone.thumbnail), abs=6)


def _mean_colour(jpeg: bytes):
    side = np.asarray(Image.open(io.BytesIO(jpeg)))
    return side[60:100, 60:100].mean(axis=(0, 1))


def test_a_picture_held_up_is_not_handed_over_a_living_stranger_is():
    held_up, living = Kiosk(score=0.1), Kiosk(score=0.9)
    held_up.sees(STRANGER, for_s=4)
    living.sees(STRANGER, for_s=4)
    assert held_up.records.notes[0].kind is DecisionKind.UNKNOWN
    assert held_up.faces_kept() == []
    assert len(living.faces_kept()) == 1


def test_where_no_strangers_are_kept_nothing_is_remembered_or_computed():
    kiosk = Kiosk(keeps=False)
    kiosk.sees(STRANGER, for_s=1)
    assert len(kiosk.strangers._pictures) == 0
    kiosk.sees(STRANGER, for_s=5)
    assert kiosk.faces_kept() == []
    assert kiosk.analysed == []


def test_pictures_are_forgotten_with_the_verdict_with_the_visit_and_when_it_is_switched_off():
    kiosk = Kiosk()
    kiosk.sees(STRANGER, for_s=1)
    assert 0 < len(kiosk.strangers._pictures) <= 30
    kiosk.sees(for_s=0.2)
    assert len(kiosk.strangers._pictures) == 0
    kiosk.sees(STRANGER, for_s=1)
    kiosk.strangers.want(False)
    assert len(kiosk.strangers._pictures) == 0
    kiosk = Kiosk()
    while kiosk.sees(ADA, for_s=FRAME_S).check_in is None:
        assert len(kiosk.strangers._pictures) > 0
    assert len(kiosk.strangers._pictures) == 0


def test_a_slow_or_dead_inbox_holds_nobody_up_and_drops_what_is_too_much():
    gate = threading.Event()

    def hang(_sighting) -> None:
        gate.wait(10)

    kiosk = Kiosk(note=hang)
    started = time.monotonic()
    for who in (120, 77, 33, 150):
        answer = kiosk.sees(who, for_s=3)
        assert answer.check_in.decision.kind is DecisionKind.UNKNOWN
        kiosk.sees(for_s=2)
    assert time.monotonic() - started < 8
    assert kiosk.handover.dropped == 2
    gate.set()
    kiosk.handover.wait()


@pytest.mark.parametrize("error", [StoreUnavailable("away"), BackendUnavailable("away")])
def test_what_cannot_be_kept_is_counted_and_the_next_one_is_tried(error):
    def refuse(_sighting) -> None:
        raise error

    kiosk = Kiosk(note=refuse)
    for who in (120, 77):
        kiosk.sees(who, for_s=3)
        kiosk.sees(for_s=2)
        kiosk.handover.wait()
    assert kiosk.handover.dropped == 2
