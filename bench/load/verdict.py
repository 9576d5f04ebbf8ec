"""Whether a load test was passed: stated limits against what was counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What is still good. Rates are shares of all requests, 0 to 1."""

    max_p95_ms: float
    max_error_rate: float
    max_busy_rate: float
    max_wrong: int


@dataclass(frozen=True)
class Totals:
    """What was counted. `errors` holds neither the busy nor the wrong; `recognised` are the people who
    were rightly recognised; `p95_ms` is that of each kind of request that somebody waits for."""

    requests: int
    errors: int
    busy: int
    wrong: int
    recognised: int
    p95_ms: dict[str, float]


def misses(totals: Totals, limits: Limits) -> Iterator[str]:
    """Each limit that was missed, in words. A test in which nobody was recognised has shown nothing."""
    if not totals.recognised:
        yield "nobody was recognised"
    if totals.wrong > limits.max_wrong:
        yield f"{totals.wrong} wrong answers, {limits.max_wrong} are allowed"
    for name, p95_ms in totals.p95_ms.items():
        if p95_ms > limits.max_p95_ms:
            yield f"p95 of {name} is {p95_ms:.0f} ms, {limits.max_p95_ms:.0f} ms are allowed"
    for what, number, limit in (
        ("errors", totals.errors, limits.max_error_rate),
        ("turned away as busy", totals.busy, limits.max_busy_rate),
    ):
        rate = number / max(1, totals.requests)
        if rate > limit:
            yield f"{what}: {number} of {totals.requests} requests, {limit:.2%} are allowed"
