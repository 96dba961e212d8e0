"""Effective sample size: theory for AR(1), brute-force lags, groups."""

import numpy as np
import pytest
from scipy.signal import lfilter

from runreport.statistics.effective_size import (
    autocorrelation,
    correlation_time,
    effective_size,
    effective_size_of_mean,
    lag_layout,
)


def _ar(phi: float, n: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=n + 500)
    return np.asarray(lfilter([1.0], [1.0, -phi], noise)[500:])


def test_independent_rows_are_worth_about_themselves() -> None:
    rng = np.random.default_rng(0)
    found = effective_size(rng.normal(size=2000), rng.normal(size=2000))
    assert found.n == 2000
    assert 1900 < found.n_e <= 2000


def test_two_autoregressions_match_theory() -> None:
    # Σ (φ²)^k on both sides: n_e/n = (1 - φ²)/(1 + φ²) for the product, (1 - φ)/(1 + φ) for one series' mean.
    found = effective_size(_ar(0.9, 40_000, 1), _ar(0.9, 40_000, 2))
    assert found.n_e / 40_000 == pytest.approx((1 - 0.81) / (1 + 0.81), rel=0.1)
    assert effective_size_of_mean(_ar(0.9, 40_000, 3)) / 40_000 == pytest.approx(0.1 / 1.9, rel=0.15)


def test_pooled_autocorrelation_is_the_sum_over_pairs_inside_groups() -> None:
    rng = np.random.default_rng(4)
    groups = rng.permutation(np.repeat([7, 3, 9, 1], [5, 1, 5, 8]))
    values = rng.normal(size=19) + groups
    centred = values - values.mean()
    expected = np.zeros(8)
    for group in np.unique(groups):
        rows = centred[groups == group]
        for lag in range(rows.size):
            expected[lag] += (rows[: rows.size - lag] * rows[lag:]).sum()
    found = autocorrelation(values, lag_layout(19, groups))
    np.testing.assert_allclose(found, expected / expected[0], atol=1e-12)


def test_what_a_group_shares_costs_samples_and_shuffling_within_does_not() -> None:
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(400), 12)
    shared = rng.normal(size=400)[groups]
    true, pred = shared + rng.normal(size=4800), shared + rng.normal(size=4800)
    grouped = effective_size(true, pred, groups)
    # ρ = 1/2 at all 11 lags of a group: 1 + 2 · Σ (1 - k/12)/4 = 3.75 rows for one.
    assert 4800 / grouped.n_e == pytest.approx(3.75, rel=0.15)
    assert effective_size(true, pred, np.arange(4800)).n_e == 4800


def test_correlation_time_stops_at_the_first_negative_pair_and_never_rises() -> None:
    rho = np.array([1.0, 0.5, 0.3, 0.2, 0.5, 0.4, -0.3, 0.2, 0.9, 0.9])
    # Γ = 1.5, 0.5, 0.9 capped to 0.5, then negative: τ = 2(1.5 + 0.5 + 0.5) - 1 = 4.
    assert correlation_time(rho) == pytest.approx(4.0)
    assert correlation_time(np.array([1.0, -0.5])) == 1.0
    assert correlation_time(np.array([1.0])) == 1.0


def test_constant_and_short_series_are_said_to_be_so() -> None:
    constant = effective_size(np.full(50, 1e9 + 0.1), np.arange(50.0))
    assert constant.n_e == 50.0
    assert "constant" in constant.how
    short = effective_size(np.arange(3.0), np.arange(3.0))
    assert short.n_e == 3.0
    assert "fewer than 4" in short.how
    assert effective_size_of_mean(np.ones(10)) == 10.0


def test_effective_size_stays_between_one_and_n() -> None:
    line = np.arange(100.0)
    assert 1.0 <= effective_size(line, line).n_e < 5.0
    alternating = np.array([1.0, -1.0] * 50)
    assert effective_size_of_mean(alternating) == 100.0
