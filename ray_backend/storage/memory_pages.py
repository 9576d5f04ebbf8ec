"""Pages of sorted rows in memory."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ray_backend.domain.entries import EntryQuery
from ray_backend.domain.queries import DecisionQuery, Page, PunchQuery
from ray_backend.storage import records
from ray_backend.storage.paging import checked_limit, decode_cursor, page_of

R = TypeVar("R")


def page_between(
    rows: Sequence[R], query: PunchQuery | DecisionQuery | EntryQuery, key: Callable[[R], Any]
) -> Page[R]:
    """The page of rows, which are sorted by the key, that lies between start and end of the query."""
    first, end = 0, len(rows)
    if query.start is not None:
        first = bisect_left(rows, records.utc(query.start), key=lambda row: row.at)
    if query.end is not None:
        end = bisect_left(rows, records.utc(query.end), key=lambda row: row.at)
    start = first
    if query.cursor is not None:
        start = max(first, bisect_right(rows, decode_cursor(query.cursor, (int, str)), key=key))
    return page(rows[:end], start, query.limit, max(0, end - first), key)


def page(rows: Sequence[R], start: int, limit: int, total: int, key: Callable[[R], Any]) -> Page[R]:
    """The page of rows that begins at this place."""
    return page_of(rows[start : start + checked_limit(limit) + 1], limit, total, key)
