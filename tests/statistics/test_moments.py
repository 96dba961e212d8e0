"""Metrics from unit sums against scikit-learn, scipy and exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from runreport.statistics.moments import metrics_from_moments, row_moments, sum_units, unit_moments


def _data(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.gamma(2.0, size=n)
    return true, 0.4 * true + 0.7 + 0.3 * rng.normal(size=n)


@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e6])
def test_metrics_match_independent_references(scale: float) -> None:
    true, pred = (values * scale for values in _data())
    moments = row_moments(true, pred)
    found = moments.metrics(moments.total())
    line = stats.linregress(pred, true)
    assert found["r2"] == pytest.approx(r2_score(true, pred), abs=1e-12)
    assert found["mae"] == pytest.approx(mean_absolute_error(true, pred), rel=1e-12)
    assert found["rmse"] == pytest.approx(root_mean_squared_error(true, pred), rel=1e-12)
    assert found["pearson_r"] == pytest.approx(stats.pearsonr(true, pred).statistic, abs=1e-12)
    assert found["calibration_slope"] == pytest.approx(line.slope, rel=1e-11)
    assert found["variance_ratio"] == pytest.approx(np.std(pred, ddof=0) / np.std(true, ddof=0), rel=1e-12)
    assert found["bias"] == pytest.approx((pred.mean() - true.mean()) / np.std(true, ddof=0), rel=1e-12)
    assert found["mean_error"] == pytest.approx(np.mean(pred - true), rel=1e-12)
    covariance = np.cov(true, pred, ddof=0)
    expected = 2 * covariance[0, 1] / (covariance[0, 0] + covariance[1, 1] + (pred.mean() - true.mean()) ** 2)
    assert found["ccc"] == pytest.approx(expected, rel=1e-12)


def test_huge_offset_keeps_every_digit_that_float64_held() -> None:
    rng = np.random.default_rng(4)
    true, pred = (1e9 + rng.uniform(-1, 1, size=50) for _ in range(2))
    exact_true, exact_pred = [Fraction(v) for v in true], [Fraction(v) for v in pred]
    mean = sum(exact_true) / 50
    total = sum((t - mean) ** 2 for t in exact_true)
    residual = sum((t - p) ** 2 for t, p in zip(exact_true, exact_pred, strict=True))
    moments = row_moments(true, pred)
    found = moments.metrics(moments.total())
    assert found["r2"] == pytest.approx(float(1 - residual / total), abs=1e-12)
    bias = float(sum(exact_pred) / 50 - mean) / float(total / 50) ** 0.5
    assert found["bias"] == pytest.approx(bias, abs=1e-10)


def test_nearly_perfect_predictions_keep_their_error() -> None:
    true, _ = _data()
    pred = true + 1e-12 * np.cos(np.arange(60))
    moments = row_moments(true, pred)
    assert moments.metrics(moments.total())["rmse"] == pytest.approx(root_mean_squared_error(true, pred), rel=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 + 0.1, -1e-9])
def test_constants_are_undefined_not_zero(value: float) -> None:
    varied, _ = _data()
    constant = np.full(60, value)
    moments = row_moments(constant, varied)
    found = moments.metrics(moments.total())
    for name in ("r2", "variance_ratio", "pearson_r", "bias", "calibration_slope", "ccc"):
        assert np.isnan(found[name]), name
    moments = row_moments(varied, constant)
    found = moments.metrics(moments.total())
    assert found["variance_ratio"] == 0.0
    assert np.isnan(found["pearson_r"])
    assert np.isnan(found["calibration_slope"])
    assert found["r2"] == pytest.approx(r2_score(varied, constant), rel=1e-12)


def test_weights_equal_copied_rows() -> None:
    true, pred = _data()
    weights = np.random.default_rng(2).integers(0, 4, size=(3, 60))
    moments = row_moments(true, pred)
    found = moments.metrics(weights @ moments.sums)
    for index, row in enumerate(weights):
        assert found["r2"][index] == pytest.approx(r2_score(np.repeat(true, row), np.repeat(pred, row)), abs=1e-12)


def test_units_and_epochs_have_the_same_totals() -> None:
    true, pred = _data()
    epochs = np.stack([pred, 2 * pred, pred + 100])
    codes = np.random.default_rng(5).integers(0, 7, size=60)
    rows = row_moments(true, epochs)
    units = unit_moments(true, epochs, codes, 9)
    assert units.sums.shape == (3, 9, 8)
    assert not units.sums[:, 7:].any()
    np.testing.assert_allclose(units.total(), rows.total(), atol=1e-10)
    expected = [r2_score(true, epoch) for epoch in epochs]
    np.testing.assert_allclose(units.metrics(units.total())["r2"], expected, rtol=1e-12)
    left_out = sum_units(rows, codes, 9).total() - units.sums[:, 3]
    keep = codes != 3
    np.testing.assert_allclose(
        units.metrics(left_out)["r2"], [r2_score(true[keep], epoch[keep]) for epoch in epochs], rtol=1e-10
    )


def test_no_weight_at_all_is_undefined() -> None:
    assert all(np.isnan(value) for value in metrics_from_moments(np.zeros(8)).values())
