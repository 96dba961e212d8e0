"""Standard errors against brute force, scipy's DCT and known variances."""

import numpy as np
import pytest
from scipy import fft, stats
from scipy.signal import lfilter
from sklearn.metrics import r2_score

from runreport.statistics.moments import row_moments, unit_moments
from runreport.statistics.standard_error import (
    StandardError,
    _cosine_coefficients,
    corrected_series_error,
    effective_error,
    jackknife_error,
    quantiles,
    series_error,
    widest,
)


def test_group_jackknife_is_the_one_made_by_deleting_rows() -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(size=90)
    pred = 0.5 * true + rng.normal(size=90)
    codes = rng.permutation(np.repeat(np.arange(9), [2, 4, 6, 8, 10, 12, 14, 16, 18]))
    full = -np.log(1 - r2_score(true, pred))
    left_out = [-np.log(1 - r2_score(true[codes != g], pred[codes != g])) for g in range(9)]
    found = jackknife_error(unit_moments(true, pred, codes, 9))["r2"]
    assert found.se == pytest.approx(np.sqrt(8 / 9 * sum((value - full) ** 2 for value in left_out)), rel=1e-9)
    sizes = np.bincount(codes)
    assert found.df == pytest.approx(90**2 / (sizes**2).sum() - 1)


def test_row_jackknife_matches_a_known_standard_error() -> None:
    # With a huge constant truth spread fixed by design, the jackknife of a mean is exactly scipy's sem.
    rng = np.random.default_rng(2)
    error = rng.normal(size=50)
    moments = row_moments(np.zeros(50), 1000.0 + error)
    found = jackknife_error(moments)["mae"]
    assert found.se * np.mean(1000.0 + error) == pytest.approx(stats.sem(error), rel=1e-3)
    assert found.df == pytest.approx(49.0)


def test_a_metric_that_one_unit_defines_has_no_error() -> None:
    true = np.array([0.0, 0.0, 0.0, 1.0, 0.0])
    found = jackknife_error(row_moments(true, np.arange(5.0)))
    assert np.isnan(found["r2"].se)
    assert np.isfinite(found["mae"].se)
    assert np.isnan(corrected_series_error(np.arange(5.0) - 2.0, found["r2"]).se)


@pytest.mark.parametrize("m", [7, 8, 143])
def test_cosine_coefficients_match_scipys_dct(m: int) -> None:
    series = np.random.default_rng(m).normal(size=(3, m))
    expected = fft.dct(series, type=2, norm="ortho", axis=-1)[:, 1:5]
    np.testing.assert_allclose(_cosine_coefficients(series, 4), expected, atol=1e-12)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_series_error_finds_the_long_run_variance(phi: float) -> None:
    n, trials = 2000, 60
    noise = np.random.default_rng(3).normal(size=(trials, n + 300))
    series = lfilter([1.0], [1.0, -phi], noise, axis=-1)[:, 300:]
    found = series_error(series - series.mean(axis=-1, keepdims=True))
    # The mean of an AR(1) with unit innovations has variance 1/(1-φ)²/n.
    assert np.sqrt((found.se**2).mean()) == pytest.approx(1 / (1 - phi) / np.sqrt(n), rel=0.1)
    assert (found.df >= 2).all()
    assert (found.df <= n / 8).all()


def test_effective_error_of_independent_rows_is_the_plain_one() -> None:
    values = np.random.default_rng(4).normal(size=5000)
    found = effective_error(values)
    assert found.se == pytest.approx(stats.sem(values), rel=0.05)
    assert found.df <= 4999


def test_constant_series_has_no_error() -> None:
    assert np.isnan(series_error(np.zeros(20)).se)


def test_quantiles_and_widest_work_elementwise() -> None:
    degrees = np.array([[2.0, 10.0], [np.nan, 0.0]])
    found = quantiles(0.975, degrees)
    np.testing.assert_allclose(found[0], stats.t.ppf(0.975, degrees[0]), rtol=1e-9)
    assert np.isnan(found[1]).all()
    first = StandardError(se=np.array([1.0, 1.0, np.nan]), df=np.array([2.0, 100.0, 5.0]))
    second = StandardError(se=np.array([1.5, 1.5, 1.0]), df=np.array([100.0, 100.0, 9.0]))
    best = widest([first, second], 0.95)
    # t(2) = 4.30 beats 1.5 × 1.98; with equal degrees the larger error wins; an undefined one is passed over.
    assert best.se.tolist() == [1.0, 1.5, 1.0]
    assert best.df.tolist() == [2.0, 100.0, 9.0]
