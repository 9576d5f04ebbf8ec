"""A load test can fail: at each limit, and when nothing was tested."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.load.verdict import Limits, Totals, misses

LIMITS = Limits(max_p95_ms=500, max_error_rate=0.01, max_busy_rate=0.1, max_wrong=0)
GOOD = Totals(requests=1000, errors=10, busy=100, wrong=0, recognised=800, p95_ms={"check in": 500})


def test_on_its_limits_a_run_passes():
    assert list(misses(GOOD, LIMITS)) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"errors": 11}, "errors"),
        ({"busy": 101}, "busy"),
        ({"wrong": 1}, "wrong"),
        ({"recognised": 0}, "nobody"),
        ({"p95_ms": {"check in": 100, "recognise": 501}}, "recognise"),
    ],
)
def test_each_limit_can_be_missed(change, word):
    (missed,) = misses(replace(GOOD, **change), LIMITS)

    assert word in missed


def test_a_run_without_a_request_has_shown_nothing():
    assert list(misses(Totals(0, 0, 0, 0, 0, {}), LIMITS)) == ["nobody was recognised"]
