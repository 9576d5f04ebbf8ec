"""Pages by key: a cursor holds the sort key of the last row seen, so rows may come and go meanwhile."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from ray_backend.domain.errors import InvalidInput
from ray_backend.domain.queries import Page

T = TypeVar("T")
Key = tuple[str | int, ...]
# What the databases hold in an integer; beyond it they raise errors of their own.
_LARGEST = 2**63 - 1


def encode_cursor(key: Key) -> str:
    """An opaque text for a sort key, safe in a URL."""
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode()


def decode_cursor(cursor: str, kinds: tuple[type, ...]) -> Key:
    """The key inside a cursor whose parts have these types. Raises InvalidInput for anything else."""
    try:
        key = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("This page cursor is not valid. Start again from the first page.") from error
    fits = isinstance(key, list) and tuple(map(type, key)) == kinds
    if not fits or any(isinstance(part, int) and abs(part) > _LARGEST for part in key):
        raise InvalidInput("This page cursor is not valid. Start again from the first page.")
    return tuple(key)


def checked_limit(limit: int) -> int:
    """The page length. Raises InvalidInput when it is below 1."""
    if limit < 1:
        raise InvalidInput("A page holds at least one row. Ask for a limit of 1 or more.")
    return limit


def page_of(rows: Sequence[T], limit: int, total: int, key: Callable[[T], Key]) -> Page[T]:
    """A page of `limit` from rows that were read with `limit + 1`: one too many tells there is more."""
    items = tuple(rows[:limit])
    return Page(items, encode_cursor(key(items[-1])) if len(rows) > limit else None, total)
