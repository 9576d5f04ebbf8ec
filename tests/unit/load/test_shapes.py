"""Each shape has its most users where it should, and ends when it should."""

from __future__ import annotations

import pytest

from bench.load.shapes import USUAL_S, Shape, users_at

PEAK, LENGTH = 40, 100.0


def course(shape):
    return [users_at(shape, second, PEAK, LENGTH) for second in range(int(LENGTH))]


@pytest.mark.parametrize("shape", Shape)
def test_every_shape_reaches_the_peak_and_never_more_and_ends(shape):
    users = course(shape)

    assert max(users) == PEAK
    assert min(users) >= 1
    assert users_at(shape, LENGTH, PEAK, LENGTH) is None
    assert USUAL_S[shape] > 0


def test_a_ramp_only_grows():
    users = course(Shape.RAMP)

    assert users == sorted(users)
    assert users[0] == 1
    assert users[45] == PEAK // 2


@pytest.mark.parametrize("shape", [Shape.STEADY, Shape.SOAK])
def test_steady_loads_stay_at_the_peak(shape):
    assert set(course(shape)[10:]) == {PEAK}


def test_a_soak_does_not_take_minutes_to_begin():
    assert users_at(Shape.SOAK, 30.0, PEAK, 3600.0) == PEAK


def test_a_spike_is_in_the_middle():
    users = course(Shape.SPIKE)

    assert users[10] == users[90] == PEAK // 4
    assert users[40] == users[59] == PEAK
