"""The logger's metrics are those of the report, which polars computes, and those of scikit-learn and scipy."""

import math

import numpy as np
import polars as pl
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from runreport.logger.moments import CONSTANT_UNITS_IN_LAST_PLACE, NAMES, join, metrics, pairs, percentile
from runreport.metrics import expressions


def _agree(mine: dict[str, float | int | None], theirs: dict[str, float | int | None], scale: float = 1.0) -> None:
    assert mine.keys() == theirs.keys()
    for name, value in theirs.items():
        if value is None:
            assert mine[name] is None, name
        else:
            assert mine[name] == pytest.approx(value, rel=1e-12, abs=1e-12 * scale), name


def test_names_are_those_of_the_report() -> None:
    assert ("n", "n_dropped", *NAMES) == expressions.METRICS
    assert CONSTANT_UNITS_IN_LAST_PLACE == expressions.CONSTANT_UNITS_IN_LAST_PLACE


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("offset", "scale"), [(0.0, 1.0), (0.937, 0.48), (1e4, 1.0), (0.0, 1e-9), (-3.0, 1e6)])
def test_equal_to_the_reports_metrics(dtype: type, offset: float, scale: float) -> None:
    rng = np.random.default_rng(5)
    true: np.ndarray = (offset + scale * rng.normal(size=144)).astype(dtype)
    pred: np.ndarray = (offset + scale * (0.3 * rng.normal(size=144) + 0.1)).astype(dtype)
    theirs = expressions.metrics_of(pl.DataFrame({"y_true": true, "y_pred": pred}))
    _agree(metrics(pairs(true, pred)), theirs, scale=max(scale, abs(offset)))


floats = st.floats(-1e6, 1e6, allow_subnormal=False, width=32)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(floats, floats), min_size=2, max_size=30))
def test_equal_on_whatever_numbers(rows: list[tuple[float, float]]) -> None:
    true, pred = [t for t, _ in rows], [p for _, p in rows]
    mine = metrics(pairs(true, pred))
    theirs = expressions.metrics_of(pl.DataFrame({"y_true": true, "y_pred": pred}))
    nulls = {name for name, value in theirs.items() if value is None}
    assert nulls == {name for name, value in mine.items() if value is None}
    size = max(map(abs, [*true, *pred]))
    for name in ("true_mean", "true_std", "pred_mean", "pred_std", "mae", "mean_error", "pred_spread"):
        assert mine[name] == pytest.approx(theirs[name], rel=1e-9, abs=1e-9 * size)


def test_equal_to_scikit_learn_and_scipy() -> None:
    rng = np.random.default_rng(7)
    true = 0.937 + 0.4827 * rng.normal(size=144)
    pred = 0.808 + 0.05 * (true - 0.937) + 0.1 * rng.normal(size=144)
    found = metrics(pairs(true, pred))
    assert found["r2"] == pytest.approx(sklearn.metrics.r2_score(true, pred), rel=1e-12)
    assert found["mae"] == pytest.approx(sklearn.metrics.mean_absolute_error(true, pred), rel=1e-12)
    assert found["rmse"] == pytest.approx(sklearn.metrics.root_mean_squared_error(true, pred), rel=1e-12)
    assert found["pearson_r"] == pytest.approx(scipy.stats.pearsonr(true, pred).statistic, rel=1e-12)
    assert found["variance_ratio"] == pytest.approx(np.std(pred, ddof=0) / np.std(true, ddof=0), rel=1e-12)
    # The identity that the report rests on: R² = 2rα - α² - β².
    r, ratio, bias = (found[name] for name in ("pearson_r", "variance_ratio", "bias"))
    assert r is not None
    assert ratio is not None
    assert bias is not None
    assert found["r2"] == pytest.approx(2 * r * ratio - ratio**2 - bias**2, abs=1e-12)


@pytest.mark.parametrize(
    ("true", "pred"),
    [
        ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]),
        ([1.0, 2.0, 3.0], [2.0, 2.0, 2.0]),
        ([1.0, 1.0], [1.0, 1.0]),
        ([5.0], [4.0]),
        ([0.0, 1.0], [0.5, 1.0]),
        ([1.0, math.nan, 3.0, 4.0], [1.5, 2.0, math.inf, 3.0]),
        ([math.nan, 1.0], [1.0, math.nan]),
        ([1e308, -1e308, 1.0], [-1e308, 1e308, 2.0]),
        ([1e200, -1e200, 3e200], [1.0, 2.0, 3.0]),
    ],
)
def test_equal_where_something_is_undefined(true: list[float], pred: list[float]) -> None:
    _agree(metrics(pairs(true, pred)), expressions.metrics_of(pl.DataFrame({"y_true": true, "y_pred": pred})))


def test_float_noise_of_a_constant_float32_prediction_is_no_variance() -> None:
    pred = np.full(50, 0.1, dtype=np.float32)
    pred[::7] = np.nextafter(pred[0], np.float32(1))
    true = np.linspace(0, 1, 50, dtype=np.float32)
    found = metrics(pairs(true, pred))
    assert found["pred_std"] == 0
    assert found["pearson_r"] is None
    assert metrics(pairs(true, pred.astype(np.float64)))["pearson_r"] is not None


def test_an_offset_of_a_billion_costs_no_digits() -> None:
    rng = np.random.default_rng(3)
    true, pred = np.round(rng.normal(size=200), 3), np.round(rng.normal(size=200), 3)
    far = metrics(pairs(true + 1e9, pred + 1e9))
    # The numbers that 1e9 + x rounds to, brought back exactly: what the result should be.
    near = metrics(pairs((true + 1e9) - 1e9, (pred + 1e9) - 1e9))
    for name in ("r2", "variance_ratio", "pearson_r", "mae", "rmse", "true_std"):
        assert far[name] == pytest.approx(near[name], rel=1e-12)


def test_batches_joined_are_one_call_to_the_last_digit() -> None:
    rng = np.random.default_rng(2)
    true, pred = rng.normal(size=101).astype(np.float32), rng.normal(size=101).astype(np.float32)
    parts = [pairs(true[i : i + 20], pred[i : i + 20]) for i in range(0, 101, 20)]
    assert metrics(join(parts)) == metrics(pairs(true, pred))


def test_lengths_and_emptiness() -> None:
    with pytest.raises(ValueError, match="y_true has 2 values, y_pred 3"):
        pairs([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="empty"):
        pairs([], np.zeros(0))


@pytest.mark.parametrize("n", [1, 2, 5, 144])
@pytest.mark.parametrize("percent", [0, 5, 25, 50, 75, 95, 100])
def test_percentiles_are_numpys(n: int, percent: int) -> None:
    values = np.random.default_rng(n).normal(size=n)
    assert percentile(sorted(values.tolist()), percent) == pytest.approx(np.percentile(values, percent), rel=1e-12)
