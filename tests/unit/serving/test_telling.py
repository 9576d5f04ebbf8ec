"""What an actor counts of the calls that it serves, and under which request it does so."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from ray_backend.domain.answers import CheckIn
from ray_backend.domain.errors import BrokenImage, Forbidden
from ray_backend.domain.model import (
    Decision,
    DecisionKind,
    DecisionRecord,
    FrameAnalysis,
    Liveness,
    Receipt,
)
from ray_backend.domain.permissions import SYSTEM, Caller, Role
from ray_backend.observing import meters, origin
from ray_backend.serving import telling

MATCH = CheckIn(Decision(DecisionKind.MATCH))
RECEIPT = Receipt("pack", 0.5, 0.9, liveness_outcome=Liveness.SPOOF)


def count(name: str, **labels: str) -> float:
    return meters.REGISTRY.get_sample_value(name, labels) or 0.0


class Grown:
    """By how much a figure grew within the block."""

    def __init__(self, name: str, **labels: str) -> None:
        self._asked = (name, labels)

    def __enter__(self) -> Grown:
        self._before = count(self._asked[0], **self._asked[1])
        return self

    def __exit__(self, *error) -> None:
        self.by = count(self._asked[0], **self._asked[1]) - self._before


@pytest.mark.parametrize(
    ("method", "way"), [("check_in", "check_in"), ("punch_recognised", "kiosk"), ("punch_by_code", "code")]
)
def test_decisions_are_counted_by_the_way_they_came(method, way):
    calls = telling.ToldCalls(lambda *call: MATCH)
    with Grown("rollcall_decisions_total", way=way, decision="match") as grown:
        calls(SYSTEM, "check_ins", method, (), {})
    assert grown.by == 1


def test_a_kiosks_refusal_counts_with_what_the_liveness_check_said():
    record = DecisionRecord(datetime.now(UTC), "k", DecisionKind.SPOOF, "face", Liveness.SPOOF)
    calls = telling.ToldCalls(lambda *call: None)
    spoof = Grown("rollcall_liveness_total", outcome="spoof")
    with Grown("rollcall_decisions_total", way="kiosk", decision="spoof") as refused, spoof as looked:
        calls(SYSTEM, "check_ins", "note", (record,), {})
    assert (refused.by, looked.by) == (1, 1)


def test_a_recorded_visit_counts_what_the_liveness_check_said():
    calls = telling.ToldCalls(lambda *call: MATCH)
    with Grown("rollcall_liveness_total", outcome="spoof") as looked:
        calls(SYSTEM, "check_ins", "punch_recognised", ("p",), {"receipt": RECEIPT})
    assert looked.by == 1


def test_a_call_is_made_under_the_request_that_its_caller_carries():
    seen: list[str] = []
    calls = telling.ToldCalls(lambda *call: seen.append(origin.request_id()))
    calls(Caller("k", Role.KIOSK, origin="req-1"), "people", "find", (), {})
    calls(SYSTEM, "people", "find", (), {})
    assert seen == ["req-1", ""]


def test_whom_a_call_is_for_says_nothing_of_who_makes_it():
    assert Caller("k", Role.KIOSK, origin="req-1") == Caller("k", Role.KIOSK)
    assert "req-1" not in repr(Caller("k", Role.KIOSK, origin="req-1"))


def test_a_refusal_is_logged_by_its_kind_and_not_by_its_words(caplog):
    def refuse(*call):
        raise Forbidden("Ada Example may not do this.")

    with caplog.at_level(logging.INFO, "ray_backend"), pytest.raises(Forbidden):
        telling.ToldCalls(refuse)(SYSTEM, "people", "find", (), {})
    assert [one.getMessage() for one in caplog.records] == ["people.find was refused: Forbidden"]
    assert "Ada" not in caplog.text


def test_a_use_case_that_nobody_knows_makes_no_label():
    with Grown("rollcall_use_case_seconds_count", use_case="other") as grown:
        telling.ToldCalls(lambda *call: None)(SYSTEM, "nothing", "of_the_kind", (), {})
    assert grown.by == 1
    assert count("rollcall_use_case_seconds_count", use_case="nothing.of_the_kind") == 0


def test_every_picture_of_a_batch_counts_and_all_requests_are_named():
    seen: list[str] = []
    analysis = FrameAnalysis(1, 1, (), "pack", {"decode": 1.0})

    def work(images):
        seen.append(origin.request_id())
        return [analysis, BrokenImage("broken")]

    rejected = Grown("rollcall_pictures_total", outcome="rejected")
    with Grown("rollcall_pictures_total", outcome="analysed") as good, rejected as bad:
        assert telling.analysed_many("one,two", work, [b"", b""])[0] is analysis
    assert (good.by, bad.by, seen) == (1, 1, ["one,two"])
