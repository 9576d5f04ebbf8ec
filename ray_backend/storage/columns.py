"""Rows of punches as columns, a batch at a time, so that they are never all there twice."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import numpy as np

from ray_backend.domain.entries import PunchColumns


def columns_of(batches: Iterable[Sequence[tuple[int, str, str, str]]]) -> PunchColumns:
    """The columns of rows of microseconds, person_id, direction and punch_id."""
    moments = [np.zeros(0, np.int64)]
    people: list[str] = []
    ways: list[str] = []
    ids: list[str] = []
    for rows in batches:
        at, own, way, punch = zip(*rows, strict=True)
        moments.append(np.array(at, np.int64))
        # Few different texts stand in many rows: one copy of each is enough.
        people += map(sys.intern, own)
        ways += map(sys.intern, way)
        ids += punch
    return PunchColumns(np.concatenate(moments), people, ways, ids)
