"""Summary-only standard errors: published figures, scipy, and simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from runreport.statistics import analytic


def test_ratio_at_144_samples_is_known_to_sixteen_percent() -> None:
    se = analytic.se_log_ratio(0.125, 144)
    assert se is not None
    assert math.exp(1.959964 * se) - 1 == pytest.approx(0.177, abs=0.001)
    assert 1 - math.exp(-1.959964 * se) == pytest.approx(0.150, abs=0.001)


@pytest.mark.parametrize(("r", "n"), [(0.125, 144), (-0.6, 20), (0.95, 1000)])
def test_fisher_interval_matches_scipy(r: float, n: int) -> None:
    # Two orthonormal, centred columns mix to a sample correlation of exactly r.
    basis, _ = np.linalg.qr(np.column_stack([np.ones(n), np.random.default_rng(n).normal(size=(n, 2))]))
    sample = stats.pearsonr(basis[:, 1], r * basis[:, 1] + math.sqrt(1 - r * r) * basis[:, 2])
    assert sample.statistic == pytest.approx(r, abs=1e-12)
    expected = sample.confidence_interval(0.95)
    assert analytic.fisher_interval(r, n) == pytest.approx(tuple(expected), rel=1e-9)


@pytest.mark.parametrize(("r", "ratio", "bias"), [(0.5, 0.6, 0.2), (0.125, 0.223, -0.267), (0.9, 1.1, 0.0)])
def test_standard_errors_match_simulation(r: float, ratio: float, bias: float) -> None:
    rng = np.random.default_rng(11)
    n, trials = 200, 4000
    true = rng.standard_normal((trials, n))
    pred = ratio * (r * true + math.sqrt(1 - r * r) * rng.standard_normal((trials, n))) + bias
    true_std, pred_std = true.std(axis=1, ddof=0), pred.std(axis=1, ddof=0)
    beta = (pred.mean(axis=1) - true.mean(axis=1)) / true_std
    covariance = ((true - true.mean(axis=1, keepdims=True)) * (pred - pred.mean(axis=1, keepdims=True))).mean(axis=1)
    r2 = 1 - ((pred - true) ** 2).mean(axis=1) / true_std**2
    # 4,000 trials know a standard deviation to 1.1 %; large-sample formulas at n = 200 are off by as much again.
    assert analytic.se_log_ratio(r, n) == pytest.approx(np.log(pred_std / true_std).std(ddof=0), rel=0.05)
    assert analytic.se_slope(r, ratio, n) == pytest.approx((covariance / pred_std**2).std(ddof=0), rel=0.05)
    assert analytic.se_bias(r, ratio, n, bias) == pytest.approx(beta.std(ddof=0), rel=0.05)
    assert analytic.se_r2(r, ratio, bias, n) == pytest.approx(r2.std(ddof=0), rel=0.06)


def test_intervals_of_the_published_run() -> None:
    found = analytic.analytic_intervals(r=0.125, variance_ratio=0.223, bias=-0.267, n_e=144)
    assert found["pearson_r"] == pytest.approx((-0.0395, 0.2827), abs=1e-3)
    lo, hi = found["calibration_slope"] or (math.nan, math.nan)
    assert lo < 0 < 1 < hi
    lo, hi = found["r2"] or (math.nan, math.nan)
    assert lo < -0.0653 < hi < 0.05
    p_values = analytic.analytic_p_values(r=0.125, variance_ratio=0.223, bias=-0.267, n_e=144)
    assert p_values["pearson_r"] == pytest.approx(2 * stats.norm.sf(math.atanh(0.125) * math.sqrt(141)), rel=1e-9)
    assert p_values["bias"] == pytest.approx(
        2 * stats.norm.sf(0.267 / math.sqrt((1 + 0.223**2 - 0.05575) / 143)), rel=1e-3
    )


def test_nothing_is_given_where_nothing_can_be() -> None:
    assert analytic.fisher_interval(0.5, 3) is None
    assert analytic.fisher_interval(1.0, 100) is None
    assert analytic.se_log_ratio(0.5, 1) is None
    assert analytic.se_slope(0.5, 0.0, 100) is None
    assert analytic.se_bias(0.5, 0.5, 1) is None
    assert analytic.se_r2(0.5, 0.5, 0.0, 1) is None
    assert set(analytic.analytic_intervals(r=0.5, variance_ratio=0.5, bias=0.0, n_e=1).values()) == {None}
    assert set(analytic.analytic_p_values(r=0.5, variance_ratio=0.0, bias=0.0, n_e=1).values()) == {None}
    with pytest.raises(ValueError, match="level"):
        analytic.fisher_interval(0.5, 100, level=95)


def test_samples_to_resolve_and_detectable_distance_agree() -> None:
    # At the n that resolves a distance, the detectable distance is that distance.
    needed = analytic.samples_to_resolve(0.1, 0.08, 144)
    assert needed is not None
    assert analytic.detectable_distance(0.08 * math.sqrt(144 / needed)) == pytest.approx(0.1)
    assert analytic.samples_to_resolve(0.0, 0.08, 144) is None
    assert analytic.samples_to_resolve(10.0, 0.01, 144) == 1.0
