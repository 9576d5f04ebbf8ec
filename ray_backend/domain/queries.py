"""What lists are asked for, and the pages that they come in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a long list. `next_cursor` is None on the last page. `total` counts all pages."""

    items: tuple[T, ...]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, slots=True)
class PeopleQuery:
    """Which people. `text` is found in employee id or name, ignoring case; None means any.

    `departments` is a bound: only people of these. `without_photos` leaves only those who have no template,
    nor has anybody who was merged into them. `merged_into` is empty for people of their own, a
    `person_id` for those that were merged into that person, None for both.
    """

    text: str = ""
    department: str | None = None
    departments: tuple[str, ...] | None = None
    active: bool | None = None
    merged_into: str | None = ""
    cursor: str | None = None
    limit: int = 50
    without_photos: bool = False


@dataclass(frozen=True, slots=True)
class PunchQuery:
    """Which punches: `start <= at < end` in UTC, oldest first, of `people` (by `person_id`). None means
    no bound."""

    start: datetime | None = None
    end: datetime | None = None
    people: tuple[str, ...] | None = None
    cursor: str | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class DecisionQuery:
    """Which decisions: `start <= at < end` in UTC, oldest first. None means no bound."""

    start: datetime | None = None
    end: datetime | None = None
    kiosk: str | None = None
    cursor: str | None = None
    limit: int = 1000


class DecisionCount(NamedTuple):
    """`number` decisions of a kiosk that are alike. `by_face`: over at least one frame of a face; those took
    `hundredths` of a second and less than one more. It is 0 for all others."""

    kiosk: str
    kind: str
    by_face: bool
    hundredths: int
    number: int


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which audit entries: `start <= at < end` in UTC, newest first. None means any.

    `action` is a beginning, such as `person.` for everything about people.
    """

    start: datetime | None = None
    end: datetime | None = None
    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    cursor: str | None = None
    limit: int = 100
