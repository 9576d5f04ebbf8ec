"""Room is asked for when there is work, and given up after a quiet while."""

from __future__ import annotations

import pytest

from ray_backend.serving.demand import Demand
from ray_backend.serving.pool import Limits


class Asked:
    """What was asked for, with a clock that is set by hand."""

    def __init__(self, limits: Limits) -> None:
        self.now = 0.0
        self.told: list[int] = []
        self.fails = False
        self._demand = Demand(limits, self._tell, lambda: self.now)

    def after(self, seconds: float, pictures: int) -> list[int]:
        self.now += seconds
        self._demand.look(pictures)
        return self.told

    def _tell(self, actors: int) -> None:
        if self.fails:
            raise ConnectionError("Ray is away")
        self.told.append(actors)


def test_room_grows_with_the_work_at_once_and_shrinks_after_a_quiet_while():
    asked = Asked(Limits(fewest=1))
    assert asked.after(0, 0) == [1]
    assert asked.after(1, 40) == [1, 10]
    assert asked.after(1, 12) == [1, 10]
    assert asked.after(118, 0) == [1, 10]
    assert asked.after(1, 0) == [1, 10, 3]
    assert asked.after(200, 0) == [1, 10, 3, 1]


def test_no_more_than_the_limit_is_asked_for():
    assert Asked(Limits(fewest=2, most=6)).after(0, 1000) == [6]


def test_where_all_nodes_are_filled_nothing_is_asked_for():
    assert Asked(Limits(fewest=0, most=6)).after(0, 1000) == []


def test_what_could_not_be_told_is_told_at_the_next_look():
    asked = Asked(Limits(fewest=1))
    asked.fails = True
    with pytest.raises(ConnectionError):
        asked.after(0, 40)
    asked.fails = False
    assert asked.after(1, 0) == [10]
