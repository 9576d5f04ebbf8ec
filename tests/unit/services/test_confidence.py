"""Intervals against scipy's own, and thresholds that the trials support."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from ray_backend.domain.accuracy import Counts
from ray_backend.services.confidence import bounds, interval, lowest_supported, threshold_for


@given(st.integers(1, 5000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_an_interval_is_that_of_clopper_and_pearson_and_contains_the_estimate(case):
    errors, trials = case
    estimate = interval(errors, trials)
    theirs = binomtest(errors, trials).proportion_ci(0.95, method="exact")

    assert (estimate.low, estimate.high) == pytest.approx((theirs.low, theirs.high), abs=1e-7)
    assert estimate.low <= estimate.rate <= estimate.high


@given(st.floats(0, 1), st.floats(0.5, 1e7))
def test_fractions_of_a_trial_have_an_interval_around_them_too(share, trials):
    estimate = interval(share * trials, trials)

    assert 0 <= estimate.low <= share + 1e-9
    assert share - 1e-9 <= estimate.high <= 1


def test_without_trials_nothing_is_known():
    estimate = interval(0, 0)

    assert (estimate.low, estimate.high) == (0, 1)
    assert np.isnan(estimate.rate)


def test_no_error_in_n_trials_is_no_proof_of_none():
    assert lowest_supported(1000) == pytest.approx(3.69 / 1000, rel=0.01)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30).map(sorted), st.integers(1, 10_000))
def test_more_errors_never_lower_a_bound(shares, trials):
    low, high = bounds(np.array(shares), trials)

    assert (np.diff(low) >= -1e-9).all()
    assert (np.diff(high) >= -1e-9).all()


def test_the_threshold_is_safe_and_its_interval_holds_the_measured_one():
    similarities = np.random.default_rng(3).normal(0.1, 0.1, 100_000)
    choice = threshold_for(Counts.of(similarities), len(similarities), 0.001)

    assert choice.low <= choice.measured <= choice.safe
    assert (
        (similarities >= choice.measured).mean() <= 0.001 < (similarities >= choice.measured - 0.001).mean()
    )
    assert interval((similarities >= choice.safe).sum(), len(similarities)).high <= 0.001
    assert choice.measured == pytest.approx(0.1 + 0.1 * 3.09, abs=0.02)


def test_the_safe_threshold_keeps_its_promise_in_19_of_20_measurements():
    """The true rate at it is at most the one asked for in 97.5 % of measurements: one side of 95 %."""
    from statistics import NormalDist

    random, truth = np.random.default_rng(4), NormalDist(0.1, 0.1)
    kept = 0
    for _ in range(200):
        choice = threshold_for(Counts.of(random.normal(0.1, 0.1, 2000)), 2000, 0.01)
        kept += 1 - truth.cdf(choice.safe) <= 0.01
    assert kept >= 188


@pytest.mark.parametrize("trials", [0, 1, 100, 367])
def test_a_rate_below_what_the_trials_support_gets_no_threshold(trials):
    assert threshold_for(Counts.of(np.zeros(max(1, trials))), trials, 0.01) is None


def test_from_the_trials_that_support_it_on_there_is_one():
    choice = threshold_for(Counts.of(np.zeros(368)), 368, 0.01)

    assert choice.safe == pytest.approx(0.0005)


def test_people_who_look_the_same_at_every_threshold_leave_none():
    similarities = np.concatenate([np.zeros(5000), np.ones(500)])

    assert threshold_for(Counts.of(similarities), 5500, 0.01) is None


def test_trials_that_tell_nothing_new_widen_the_interval():
    counts = Counts.of(np.random.default_rng(5).normal(0.1, 0.1, 10_000))

    assert threshold_for(counts, 1000, 0.01).safe > threshold_for(counts, 10_000, 0.01).safe
