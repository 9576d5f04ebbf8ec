"""How busy a site was, over the last minutes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """A few seconds that end `at`. Per second: `pictures` analysed and `decisions` by kind.

    Half of all answers took at most `p50_s` seconds and 95 of 100 at most `p95_s`; None: there were none.
    `waiting` pictures stood in queues, `refused` requests a second got a 503. What the API and the pages
    count comes up to five seconds after what the actors count.
    """

    at: datetime
    pictures: float
    p50_s: float | None
    p95_s: float | None
    decisions: Mapping[str, float]
    waiting: int
    refused: float
