"""The least that a saturating curve has still to gain: against scipy's fit, and how often the bound holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import curve_fit
from scipy.stats import f as f_distribution

from runreport.statistics.saturation import F_95, least_gain, quantile


def curve(n: int, tau: float, top: float = 0.8) -> np.ndarray:
    return top * (1 - np.exp(-np.arange(1, n + 1) / tau))


def test_a_noiseless_curve_has_the_gain_that_it_has() -> None:
    values = curve(20, 15)
    truth = 0.8 * math.exp(-20 / 15) * -math.expm1(-10 / 15)
    shape, _ = curve_fit(lambda t, a, b, c: a - b * np.exp(-t / c), np.arange(1, 21), values, p0=(1, 1, 10))
    assert shape[2] == pytest.approx(15, rel=1e-3)
    # The time constants that are tried are 4 % apart.
    assert least_gain(list(values), 10) == pytest.approx(truth, rel=0.05)


@pytest.mark.parametrize(("n", "tau", "sigma"), [(12, 8, 0.02), (30, 20, 0.03), (60, 30, 0.05)])
def test_the_bound_lies_below_the_truth_in_nearly_all_samples(n: int, tau: float, sigma: float) -> None:
    rng = np.random.default_rng(n)
    truth = 0.8 * math.exp(-n / tau) * -math.expm1(-n / 2 / tau)
    bounds = [least_gain(list(curve(n, tau) + rng.normal(0, sigma, n)), n / 2) for _ in range(120)]
    assert np.mean([b is not None and b <= truth for b in bounds]) >= 0.93, "95 % less what 120 samples leave open"


def test_the_quantiles_are_those_of_f() -> None:
    for i, value in enumerate(F_95):
        assert value == pytest.approx(f_distribution.ppf(0.95, 1, i + 3), abs=0.006)
    for freedom in (11, 20, 60, 200):
        assert quantile(freedom) == pytest.approx(f_distribution.ppf(0.95, 1, freedom), rel=0.002)


def test_a_long_curve_is_thinned() -> None:
    assert least_gain(list(curve(1000, 800)), 500) == pytest.approx(least_gain(list(curve(200, 160)), 100), rel=0.05)


def test_undefined() -> None:
    assert least_gain([0.1, 0.2, 0.3, 0.4, 0.5], 3) is None
    assert least_gain([0.1, 0.2, 0.3, math.nan, 0.5, 0.6], 3) is None
    assert least_gain([0.5] * 10, 5) == pytest.approx(0)
