"""Error rates on distributions whose rates are known."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ray_backend.domain import accuracy
from ray_backend.domain.accuracy import STEP, THRESHOLDS, Counts

SIMILARITIES = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=60).map(np.array)
STRANGERS, OWNERS = NormalDist(0.1, 0.1), NormalDist(0.6, 0.1)


def spread(distribution: NormalDist, number: int = 40_000) -> np.ndarray:
    """Its quantiles: a sample without chance."""
    return np.array([distribution.inv_cdf((place + 0.5) / number) for place in range(number)])


@pytest.mark.parametrize("threshold", [0.3, 0.35, 0.4])
def test_rates_come_out_as_the_distributions_have_them(threshold):
    curve = accuracy.curve(Counts.of(spread(OWNERS)), Counts.of(spread(STRANGERS)))
    place = accuracy.nearest(threshold)

    assert curve.fmr[place] == pytest.approx(1 - STRANGERS.cdf(threshold), rel=0.05)
    assert curve.fnmr[place] == pytest.approx(OWNERS.cdf(threshold), rel=0.05)


def test_the_rates_meet_half_way_between_like_distributions():
    curve = accuracy.curve(Counts.of(spread(OWNERS)), Counts.of(spread(STRANGERS)))
    threshold, rate = curve.equal_error()

    assert threshold == pytest.approx(0.35, abs=0.005)
    assert rate == pytest.approx(OWNERS.cdf(0.35), rel=0.05)


@given(SIMILARITIES, SIMILARITIES)
def test_false_matches_fall_and_false_non_matches_rise(genuine, impostor):
    curve = accuracy.curve(Counts.of(genuine), Counts.of(impostor))

    assert (np.diff(curve.fmr) <= 1e-12).all()
    assert (np.diff(curve.fnmr) >= -1e-12).all()
    assert curve.fmr[0] == pytest.approx(1)
    assert curve.fnmr[0] == pytest.approx(0)


@given(SIMILARITIES, st.integers(0, len(THRESHOLDS) - 1))
def test_a_share_is_what_counting_gives_within_one_step(similarities, place):
    threshold = THRESHOLDS[place]
    share = Counts.of(similarities).share_at_or_above(threshold)

    assert (similarities >= threshold + STEP).mean() - 1e-9 <= share
    assert share <= (similarities >= threshold - STEP).mean() + 1e-9


@given(SIMILARITIES, SIMILARITIES)
def test_counting_in_pieces_is_counting_at_once(first, second):
    together = Counts.of(np.concatenate([first, second]))

    assert (Counts.of(first) + Counts.of(second)).weights == pytest.approx(together.weights)


@pytest.mark.parametrize("value", [0.45, 0.9405, -1.0, 1.0, 0.0])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_similarity_on_the_threshold_reaches_it(value, kind):
    assert Counts.of(np.array([value], kind)).share_at_or_above(value) == 1.0


def test_somebody_with_many_photos_does_not_count_for_more():
    counts = Counts.of(np.array([0.2, 0.2, 0.2, 0.8]), np.array([1 / 3, 1 / 3, 1 / 3, 1]))

    assert counts.total == pytest.approx(2)
    assert counts.share_below(0.5) == pytest.approx(0.5)


def test_nothing_counted_has_no_errors():
    assert Counts.none().share_at_or_above(0.5) == 0
    assert Counts.none().share_below(0.5) == 0


def test_a_quantile_leaves_no_more_than_its_share_above():
    counts = Counts.of(np.linspace(0, 1, 1001))

    assert counts.quantile(0.1) == pytest.approx(0.9, abs=0.002)
    assert counts.quantile(0.0) == pytest.approx(1.0)


def test_a_large_gallery_makes_small_rates_large():
    assert accuracy.wrong_in_attempt(0.001, 1000) == pytest.approx(1 - 0.999**1000)
    assert accuracy.wrong_in_attempt(1e-12, 1000) == pytest.approx(1e-9)
    assert accuracy.wrong_in_attempt(0.1, 0) == 0
    assert accuracy.wrong_in_attempt(1.0, 5) == 1


@given(st.floats(1e-9, 0.99), st.integers(1, 100_000))
def test_from_the_attempt_back_to_the_comparison(rate, gallery):
    fmr = accuracy.fmr_for_attempt(rate, gallery)

    assert accuracy.wrong_in_attempt(fmr, gallery) == pytest.approx(rate, rel=1e-6)


def test_when_everybody_tries_half_of_the_attempts_repeat_the_others():
    assert accuracy.separate_attempts(100, 100) == pytest.approx(50)
    assert accuracy.separate_attempts(1, 100) == pytest.approx(1)
    assert accuracy.separate_attempts(1000, 50_000) == pytest.approx(990, abs=1)
    assert accuracy.separate_attempts(1, 1) == 0
