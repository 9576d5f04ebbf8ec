"""How many users there are at each moment of a load test."""

from __future__ import annotations

from enum import StrEnum


class Shape(StrEnum):
    """ramp: ever more, to see where it gets slow. steady: as on a usual morning. spike: a quarter, for a
    moment all, a quarter again, to see whether it recovers. soak: steady for long, to see what piles up."""

    RAMP = "ramp"
    STEADY = "steady"
    SPIKE = "spike"
    SOAK = "soak"


USUAL_S = {Shape.RAMP: 300.0, Shape.STEADY: 120.0, Shape.SPIKE: 180.0, Shape.SOAK: 3600.0}
_WARM_UP = 0.1  # of the duration, but no longer than this:
_LONGEST_WARM_UP_S = 30.0
_SPIKE = (0.4, 0.6)
_SPIKE_BASE = 0.25


def users_at(shape: Shape, at_s: float, peak: int, duration_s: float) -> int | None:
    """Users `at_s` seconds after the start, at least one; None when the test is over."""
    if at_s >= duration_s:
        return None
    return max(1, round(peak * _share(shape, at_s, duration_s)))


def _share(shape: Shape, at_s: float, duration_s: float) -> float:
    match shape:
        case Shape.RAMP:
            return min(1.0, at_s / (0.9 * duration_s))
        case Shape.SPIKE:
            begin, end = _SPIKE
            return 1.0 if begin <= at_s / duration_s < end else _SPIKE_BASE
        case _:
            return min(1.0, at_s / min(_WARM_UP * duration_s, _LONGEST_WARM_UP_S))
