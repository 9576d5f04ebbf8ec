"""Records that stand beside people and punches: corrections, leave, files, deliveries, filters, feeds, and
exports with their runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from ray_backend.domain.model import new_id

CORRECTION, LEAVE, FILE, DELIVERY, FILTER = "correction", "leave", "file", "delivery", "filter"
FEED, EXPORT, EXPORT_RUN = "feed", "export", "export_run"
# Whatever is not named here is not copied with the site.
KINDS = (CORRECTION, LEAVE, FILE, DELIVERY, FILTER, FEED, EXPORT, EXPORT_RUN)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record. `kind` says of what, `body` is JSON-like and belongs to whoever writes that kind.

    `at` is the moment that it is about, `subject` the `person_id` or whatever else it is about, `state` a
    word that it is found by and that changes.
    """

    kind: str
    at: datetime
    body: dict[str, Any]
    subject: str = ""
    state: str = ""
    entry_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class EntryQuery:
    """Which entries of a kind: `start <= at < end` in UTC, oldest first. None means no bound."""

    kind: str
    start: datetime | None = None
    end: datetime | None = None
    subjects: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None
    cursor: str | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True, eq=False)
class PunchColumns:
    """Many punches as columns, ordered by time: reports over months read them so.

    `at_us`: (N,) int64 microseconds since 1970 in UTC. The lists hold N texts each.
    """

    at_us: np.ndarray
    person_ids: list[str]
    directions: list[str]
    punch_ids: list[str]

    def __len__(self) -> int:
        return len(self.person_ids)
