"""What kiosks decided, and how long it took: counted from their decisions, which hold nobody's name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd

from ray_backend.domain.model import DecisionKind
from ray_backend.domain.queries import DecisionQuery
from ray_backend.domain.requests import ReportQuery
from ray_backend.ports import Clock, Store
from ray_backend.services.policy import Policy
from ray_backend.services.report import pages

KINDS = tuple(kind.value for kind in DecisionKind)
COLUMNS = ("kiosk", *KINDS, "decisions", "median_s", "slow_s")
STEP_S = 0.25
_PAGE = 5000
# The last step holds everything that took longer.
_STEPS = 20


@dataclass(frozen=True, slots=True, eq=False)
class KioskFigures:
    """`kiosks` has the columns COLUMNS, a row for each kiosk by name: how many decisions of each kind, the
    median of the seconds to one by face and the time within which 95 of 100 were made, NaN where there was
    none. `times` has `from_s` and `decisions`: how many by face took so long, in steps of STEP_S, the last
    one and everything beyond. The dates are those of `zone`, the site's.
    """

    start: date
    end: date
    zone: str
    generated_at: datetime
    kiosks: pd.DataFrame = field(repr=False)
    times: pd.DataFrame = field(repr=False)


class KioskFiguresService:
    """Reads decisions and counts them. Changes nothing."""

    def __init__(self, store: Store, clock: Clock, policy: Policy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy

    def figures(self, start: date, end: date) -> KioskFigures:
        """Of the days from `start` to `end`. Raises InvalidInput."""
        ReportQuery(start, end).checked()
        zone = self._policy.zone
        window = DecisionQuery(
            datetime.combine(start, time.min, zone),
            datetime.combine(end + timedelta(days=1), time.min, zone),
            limit=_PAGE,
        )
        counts: Counter[tuple[str, str]] = Counter()
        seconds: dict[str, list[float]] = defaultdict(list)
        for record in pages(self._store.list_decisions, window):
            counts[record.kiosk, record.kind.value] += 1
            if record.source == "face" and record.frames:
                seconds[record.kiosk].append(record.seconds)
        return KioskFigures(
            start, end, zone.key, self._clock.now(), _by_kiosk(counts, seconds), _times(seconds)
        )


def _by_kiosk(counts: Mapping[tuple[str, str], int], seconds: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    rows = []
    for kiosk in sorted({name for name, _kind in counts}):
        kinds = [counts.get((kiosk, kind), 0) for kind in KINDS]
        took = seconds.get(kiosk)
        median, slow = np.percentile(took, [50, 95]) if took else (np.nan, np.nan)
        rows.append((kiosk, *kinds, sum(kinds), median, slow))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _times(seconds: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    every = np.array([one for took in seconds.values() for one in took])
    steps = np.minimum((every / STEP_S).astype(int), _STEPS)
    decisions = np.bincount(steps, minlength=_STEPS + 1)
    return pd.DataFrame({"from_s": np.arange(_STEPS + 1) * STEP_S, "decisions": decisions})
