"""What kiosks decided, and how long it took: counted in the database. Decisions hold nobody's name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd

from ray_backend.domain.model import DecisionKind
from ray_backend.domain.queries import DecisionCount, DecisionQuery
from ray_backend.domain.requests import ReportQuery
from ray_backend.ports import Clock, Store
from ray_backend.services.policy import Policy

KINDS = tuple(kind.value for kind in DecisionKind)
COLUMNS = ("kiosk", *KINDS, "decisions", "median_s", "slow_s")
STEP_S = 0.25
# The last step holds everything that took longer.
_STEPS = 20


@dataclass(frozen=True, slots=True, eq=False)
class KioskFigures:
    """`kiosks` has the columns COLUMNS, a row for each kiosk by name: how many decisions of each kind, the
    median of the seconds to one by face and the time within which 95 of 100 were made, NaN where there was
    none, both to the hundredth. `times` has `from_s` and `decisions`: how many by face took so long, in steps
    of STEP_S, the last one and everything beyond. The dates are those of `zone`, the site's.
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
        )
        counts = self._store.count_decisions(window)
        return KioskFigures(start, end, zone.key, self._clock.now(), _by_kiosk(counts), _times(counts))


def _by_kiosk(counts: Sequence[DecisionCount]) -> pd.DataFrame:
    kinds: Counter[tuple[str, str]] = Counter()
    for one in counts:
        kinds[one.kiosk, one.kind] += one.number
    rows = []
    for kiosk in sorted({one.kiosk for one in counts}):
        own = [kinds[kiosk, kind] for kind in KINDS]
        took = _seconds([one for one in counts if one.kiosk == kiosk])
        median, slow = np.percentile(took, [50, 95]) if len(took) else (np.nan, np.nan)
        rows.append((kiosk, *own, sum(own), median, slow))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _times(counts: Sequence[DecisionCount]) -> pd.DataFrame:
    steps = np.minimum((_seconds(counts) / STEP_S).astype(int), _STEPS)
    decisions = np.bincount(steps, minlength=_STEPS + 1)
    return pd.DataFrame({"from_s": np.arange(_STEPS + 1) * STEP_S, "decisions": decisions})


def _seconds(counts: Sequence[DecisionCount]) -> np.ndarray:
    """(N,) of each decision by face, to the hundredth below."""
    own = [(one.hundredths, one.number) for one in counts if one.by_face]
    hundredths, number = np.array(own, np.int64).reshape(-1, 2).T
    return np.repeat(hundredths, number) / 100
