"""How sure a measured error rate is: exact intervals, and thresholds that claim no more than the trials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ray_backend.domain.accuracy import THRESHOLDS, Counts

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """`errors` in `trials`; the true rate lies between `low` and `high` in 19 of 20 such measurements.

    Both may be fractions: what several trials of one person share counts as one. Without trials the rate
    is NaN and the interval says nothing: 0 to 1.
    """

    errors: float
    trials: float
    low: float
    high: float

    @property
    def rate(self) -> float:
        """The measured share."""
        return self.errors / self.trials if self.trials else float("nan")


@dataclass(frozen=True, slots=True)
class Choice:
    """The threshold for an error rate. `measured` reaches the rate in this measurement; the true one lies
    between `low` and `safe` (19 of 20), and `safe` is the one to set."""

    rate: float
    measured: float
    low: float
    safe: float


def interval(errors: float, trials: float) -> Estimate:
    """The exact interval of Clopper and Pearson (Biometrika 26, 1934), two-sided, 95 %."""
    if trials <= 0:
        return Estimate(0.0, 0.0, 0.0, 1.0)
    low, high = bounds(np.array([errors / trials]), trials)
    return Estimate(float(errors), float(trials), float(low[0]), float(high[0]))


def bounds(shares: np.ndarray, trials: float) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the upper bound of each measured share of this many trials; same shape."""
    # Here, because most processes never ask and it costs a quarter of a second.
    from scipy.special import betaincinv

    tail = (1 - CONFIDENCE) / 2
    errors = np.clip(np.asarray(shares, np.float64), 0.0, 1.0) * trials
    none, all_of_them = errors <= 0, errors >= trials
    inner = np.where(
        none | all_of_them, trials / 2, errors
    )  # where betaincinv is not asked outside its range
    low = np.where(all_of_them, tail ** (1 / trials), betaincinv(inner, trials - inner + 1, tail))
    high = np.where(none, 1 - tail ** (1 / trials), betaincinv(inner + 1, trials - inner, 1 - tail))
    return np.where(none, 0.0, low), np.where(all_of_them, 1.0, high)


def lowest_supported(trials: float) -> float:
    """The lowest error rate that this many trials without any error can vouch for; about 3.7 / trials."""
    return interval(0.0, trials).high


def threshold_for(impostor: Counts, trials: float, rate: float) -> Choice | None:
    """The threshold at which at most this share of the trials is a false match.

    `trials` is how many of those counted tell something new. None when they cannot support the rate: even
    without a single error among them it could be higher.
    """
    if trials <= 0 or lowest_supported(trials) > rate:
        return None
    shares = impostor.at_or_above()
    low, high = bounds(shares, trials)
    safe = _first(high <= rate)
    return None if safe is None else Choice(rate, _first(shares <= rate), _first(low <= rate), safe)


def _first(good: np.ndarray) -> float | None:
    """The lowest threshold from which on it is good; None when it is not even at the highest."""
    bad = np.flatnonzero(~good)
    place = bad[-1] + 1 if len(bad) else 0
    return float(THRESHOLDS[place]) if place < len(THRESHOLDS) else None
