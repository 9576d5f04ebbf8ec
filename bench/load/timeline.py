"""What happened when: one row for each request, kept small enough for an hour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

BUSY, ERROR, OTHER = "503 busy", "error", "other"


class Row(NamedTuple):
    """One request. `decision` is what the API decided, a fault's name, BUSY, ERROR, or OTHER for requests
    that recognise nobody; `awaited` says that a person stands there and waits for it."""

    at: float
    latency_ms: float
    decision: str
    awaited: bool


@dataclass
class Timeline:
    """All rows; times are Unix times."""

    rows: list[Row] = field(default_factory=list)

    def add(self, at: float, latency_ms: float, decision: str, awaited: bool) -> None:
        self.rows.append(Row(at, latency_ms, decision, awaited))

    def taken(self) -> list[Row]:
        """All rows; none are left. For a worker that hands them on."""
        rows, self.rows = self.rows, []
        return rows

    def extend(self, rows: list[tuple]) -> None:
        """Takes what a worker handed on."""
        self.rows += [Row(*row) for row in rows]

    def frame(self) -> pd.DataFrame:
        """One row for each request, with `second` since the first one, the last begun second left out."""
        frame = pd.DataFrame(self.rows, columns=Row._fields)
        frame["second"] = (frame["at"] - frame["at"].min()).astype(int) if len(frame) else []
        return frame[frame["second"] < frame["second"].max()] if len(frame) else frame
