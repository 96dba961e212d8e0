"""Influence values against finite differences of independently computed, weighted metrics."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from runreport.statistics.influence import from_scale, influence_values, scale_slope, to_scale
from runreport.statistics.moments import METRICS, row_moments, unit_moments

Weighted = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def _covariance(t: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    return np.cov(t, p, aweights=w, ddof=0)


REFERENCES: dict[str, Weighted] = {
    "r2": lambda t, p, w: -np.log(1 - r2_score(t, p, sample_weight=w)),
    "variance_ratio": lambda t, p, w: 0.5 * np.log(_covariance(t, p, w)[1, 1] / _covariance(t, p, w)[0, 0]),
    "pearson_r": lambda t, p, w: np.arctanh(
        _covariance(t, p, w)[0, 1] / np.sqrt(_covariance(t, p, w)[0, 0] * _covariance(t, p, w)[1, 1])
    ),
    "bias": lambda t, p, w: np.average(p - t, weights=w) / np.sqrt(_covariance(t, p, w)[0, 0]),
    "calibration_slope": lambda t, p, w: _covariance(t, p, w)[0, 1] / _covariance(t, p, w)[1, 1],
    "mae": lambda t, p, w: np.log(mean_absolute_error(t, p, sample_weight=w)),
    "rmse": lambda t, p, w: np.log(root_mean_squared_error(t, p, sample_weight=w)),
}


@pytest.mark.parametrize("metric", METRICS)
def test_influence_is_the_derivative_by_row_weight(metric: str) -> None:
    rng = np.random.default_rng(7)
    true = rng.gamma(2.0, size=30)
    pred = 0.5 * true + rng.normal(size=30) + 5.0
    found = influence_values(row_moments(true, pred))[metric]
    step = 1e-4
    for row in range(30):
        up, down = np.ones(30), np.ones(30)
        up[row] += step
        down[row] -= step
        slope = (REFERENCES[metric](true, pred, up) - REFERENCES[metric](true, pred, down)) / (2 * step)
        assert found[row] == pytest.approx(30 * slope, abs=1e-5)
    assert found.sum() == pytest.approx(0.0, abs=1e-9)


def test_unit_influences_are_sums_of_row_influences() -> None:
    rng = np.random.default_rng(8)
    true, pred = rng.normal(size=(2, 40))
    codes = rng.integers(0, 5, size=40)
    rows = influence_values(row_moments(true, pred))
    units = influence_values(unit_moments(true, pred, codes, 5))
    for metric in METRICS:
        np.testing.assert_allclose(units[metric], np.bincount(codes, weights=rows[metric], minlength=5), atol=1e-10)


@pytest.mark.parametrize("metric", METRICS)
def test_scales_invert_and_slopes_match(metric: str) -> None:
    values = np.array([0.1, 0.4, 0.9])
    there = to_scale(metric, values)
    np.testing.assert_allclose(from_scale(metric, there), values, rtol=1e-12)
    assert (np.diff(there) > 0).all()
    numeric = (from_scale(metric, there + 1e-6) - from_scale(metric, there - 1e-6)) / 2e-6
    np.testing.assert_allclose(scale_slope(metric, values), numeric, rtol=1e-6)


def test_scale_ends_are_undefined() -> None:
    assert np.isnan(to_scale("r2", np.array(1.0)))
    assert np.isnan(to_scale("pearson_r", np.array(-1.0)))
    assert np.isnan(to_scale("variance_ratio", np.array(0.0)))
    values = influence_values(row_moments(np.arange(5.0), np.zeros(5)))
    assert np.isnan(values["variance_ratio"]).all()
    assert np.isfinite(values["r2"]).all()
