"""How often a threshold errs: counts of similarities, error rates, and what they mean at a gallery's size.

Two errors, as ISO/IEC 19795 names them: a *false match* takes two people for one, a *false non-match*
fails to see that two pictures show one person. FMR and FNMR are their shares of comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEP = 0.0005
# Every similarity that is told apart: a threshold between two of these is moved to the nearer one.
THRESHOLDS = np.round(np.linspace(-1.0, 1.0, 4001), 4)
_ROUNDING = 1e-3  # of a step: float32 puts 0.45 a little below 0.45


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Similarities counted in steps, so that a thousand million of them need no more room than ten.

    `weights`: (4001,) float64, not negative; entry i counts similarities from `THRESHOLDS[i]` up to the
    next one. A trial may weigh less than 1, so that somebody with many photos does not count for more.
    """

    weights: np.ndarray

    @classmethod
    def of(cls, similarities: np.ndarray, weight: float | np.ndarray = 1.0) -> Counts:
        """Counts cosine similarities of any shape; `weight` is one number or one for each of them."""
        places = bins(similarities).ravel()
        weights = np.broadcast_to(np.asarray(weight, np.float64), np.shape(similarities)).ravel()
        return cls(np.bincount(places, weights, minlength=len(THRESHOLDS)))

    @classmethod
    def none(cls) -> Counts:
        """Nothing counted yet."""
        return cls(np.zeros(len(THRESHOLDS)))

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.weights + other.weights)

    @property
    def total(self) -> float:
        """The weight of all trials together."""
        return float(self.weights.sum())

    def at_or_above(self) -> np.ndarray:
        """(4001,): the share of trials that reach each threshold, falling from 1. Zeros without trials."""
        reached = np.cumsum(self.weights[::-1])[::-1]
        return np.clip(reached / reached[0], 0.0, 1.0) if reached[0] > 0 else np.zeros_like(reached)

    def share_at_or_above(self, threshold: float) -> float:
        """The share of trials that reach this threshold."""
        return float(self.at_or_above()[nearest(threshold)])

    def share_below(self, threshold: float) -> float:
        """The share of trials that do not reach this threshold; 0 without trials."""
        return 1.0 - self.share_at_or_above(threshold) if self.total else 0.0

    def quantile(self, share: float) -> float:
        """The lowest similarity, in steps, that leaves at most this share of the trials above it."""
        above = np.append(self.at_or_above()[1:], 0.0)
        return float(THRESHOLDS[int(np.argmax(above <= share))])


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Both error rates for every threshold, each (4001,): `fmr` falls, `fnmr` rises."""

    thresholds: np.ndarray
    fmr: np.ndarray
    fnmr: np.ndarray

    def equal_error(self) -> tuple[float, float]:
        """The threshold where the two rates come closest, and their mean there."""
        place = int(np.argmin(np.abs(self.fmr - self.fnmr)))
        return float(self.thresholds[place]), float(self.fmr[place] + self.fnmr[place]) / 2


def curve(genuine: Counts, impostor: Counts) -> Curve:
    """`genuine`: pairs of pictures of one person; `impostor`: of two people. Neither may be empty."""
    return Curve(THRESHOLDS, impostor.at_or_above(), 1.0 - genuine.at_or_above())


def bins(similarities: np.ndarray) -> np.ndarray:
    """The place in `THRESHOLDS` of the step that each similarity lies in; int64, same shape."""
    steps = (np.asarray(similarities, np.float64) + 1.0) / STEP + _ROUNDING
    return np.clip(steps, 0, len(THRESHOLDS) - 1).astype(np.int64)


def nearest(threshold: float) -> int:
    """The place in `THRESHOLDS` of the one nearest to this."""
    return round((min(1.0, max(-1.0, threshold)) + 1.0) / STEP)


def wrong_in_attempt(fmr: float, gallery: int) -> float:
    """The chance that somebody who is not in a gallery of so many people is taken for one of them.

    `1 - (1 - fmr) ** gallery`: as if each comparison erred by itself, which makes it too high rather than
    too low where the same stranger resembles several people.
    """
    if fmr >= 1.0:
        return 1.0 if gallery else 0.0
    return float(-np.expm1(gallery * np.log1p(-fmr)))


def fmr_for_attempt(rate: float, gallery: int) -> float:
    """The share of comparisons that may err so that `wrong_in_attempt` comes to this rate."""
    if rate >= 1.0:
        return 1.0
    return float(-np.expm1(np.log1p(-rate) / max(1, gallery)))


def separate_attempts(attempts: float, people: int) -> float:
    """How many of the attempts can be counted as trials of their own.

    When all people try in turn against all others, each pair of people is compared twice with nearly the
    same outcome, so half of the attempts tell nothing new; when few of many people try, almost all do.
    """
    if people < 2:
        return 0.0
    pairs = attempts * (people - 1) - attempts * (attempts - 1) / 2
    return float(pairs / (people - 1))
