"""Metrics against scikit-learn and scipy, and against exact rationals where floating point itself runs out."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from sklearn import metrics as sklearn_metrics

from runreport.metrics.budget import error_budget
from runreport.metrics.expressions import METRICS, metrics_by, metrics_of

Array = NDArray[np.floating]
TIGHT = 1e-10


def frame(true: Array, pred: Array) -> pl.DataFrame:
    return pl.DataFrame({"y_true": true, "y_pred": pred})


def exact_reference(true: Array, pred: Array) -> dict[str, float]:
    """Every metric from rational arithmetic on the stored values; one rounding, at the end."""
    t, p = [Fraction(float(x)) for x in true], [Fraction(float(x)) for x in pred]
    n = len(t)
    t_mean, p_mean = sum(t) / n, sum(p) / n
    t_var = sum((x - t_mean) ** 2 for x in t) / n
    p_var = sum((x - p_mean) ** 2 for x in p) / n
    cov = sum((a - t_mean) * (b - p_mean) for a, b in zip(t, p, strict=True)) / n
    e = [b - a for a, b in zip(t, p, strict=True)]
    e_mean = sum(e) / n
    mse = sum(x * x for x in e) / n
    r_squared = cov * cov / (t_var * p_var)
    t_std = math.sqrt(t_var)
    return {
        "n": n,
        "true_mean": float(t_mean),
        "true_std": t_std,
        "pred_mean": float(p_mean),
        "pred_std": math.sqrt(p_var),
        "pred_spread": float(max(p) - min(p)),
        "mae": float(sum(abs(x) for x in e) / n),
        "mse": float(mse),
        "rmse": math.sqrt(mse),
        "mape": float(100 * sum(abs(x / y) for x, y in zip(e, t, strict=True)) / n),
        "mean_error": float(e_mean),
        "std_error": math.sqrt(sum((x - e_mean) ** 2 for x in e) / n),
        "r2": float(1 - mse / t_var),
        "variance_ratio": math.sqrt(p_var / t_var),
        "pearson_r": math.copysign(math.sqrt(r_squared), cov),
        "bias": float(e_mean) / t_std,
        "calibration_slope": float(cov / p_var),
        "recalibrated_r2": float(r_squared),
        "ccc": float(2 * cov / (t_var + p_var + e_mean**2)),
    }


def samples(
    true_offset: float, pred_offset: float, true_scale: float, pred_scale: float, seed: int = 0
) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(1500)
    true = true_offset + true_scale * z
    pred = pred_offset + pred_scale * (0.6 * z + 0.8 * rng.standard_normal(1500))
    return true, pred


SCALES = {
    "ordinary": (1.0, 1.2, 0.5, 0.3),
    "tiny": (0.0, 0.0, 1e-9, 1e-9),
    "huge offset": (1e9, 1e9, 1.0, 1.0),
    "huge offset of the predictions only": (0.0, 1e9, 1.0, 1.0),
    "collapsed": (1.0, 1.0, 1.0, 1e-8),
    "negative": (-40.0, -41.0, 3.0, 2.0),
}


@pytest.mark.parametrize("case", SCALES)
def test_against_exact_rationals(case: str) -> None:
    true, pred = samples(*SCALES[case])
    found = metrics_of(frame(true, pred))
    for name, expected in exact_reference(true, pred).items():
        # Relative to the value, and for a signed one near 0 to the size of 1 that correlations and R² have.
        slack = TIGHT if name in {"pearson_r", "r2", "ccc", "recalibrated_r2"} else 0.0
        # An error of 1e9 ± 1 is itself stored to 1e-7 only, whatever is computed from it afterwards.
        lost = name == "std_error" and case == "huge offset of the predictions only"
        assert found[name] == pytest.approx(expected, rel=1e-8 if lost else TIGHT, abs=slack), name


@pytest.mark.parametrize("case", ["ordinary", "tiny", "negative"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_against_scikit_learn_and_scipy(case: str, seed: int) -> None:
    true, pred = samples(*SCALES[case], seed=seed)
    found = metrics_of(frame(true, pred))
    mse = sklearn_metrics.mean_squared_error(true, pred)
    assert found["r2"] == pytest.approx(sklearn_metrics.r2_score(true, pred), abs=TIGHT)
    assert found["mae"] == pytest.approx(sklearn_metrics.mean_absolute_error(true, pred), rel=TIGHT)
    assert found["mse"] == pytest.approx(mse, rel=TIGHT)
    assert found["rmse"] == pytest.approx(math.sqrt(mse), rel=TIGHT)
    assert found["pearson_r"] == pytest.approx(stats.pearsonr(true, pred).statistic, abs=TIGHT)
    assert found["calibration_slope"] == pytest.approx(stats.linregress(pred, true).slope, rel=TIGHT)
    assert found["true_std"] == pytest.approx(np.std(true, ddof=0), rel=TIGHT)
    assert found["pred_spread"] == np.ptp(pred)
    assert found["std_error"] == pytest.approx(np.std(pred - true, ddof=0), rel=TIGHT)
    rescaled = np.polyval(np.polyfit(pred, true, 1), pred)
    assert found["recalibrated_r2"] == pytest.approx(sklearn_metrics.r2_score(true, rescaled), abs=1e-9)


def test_mape_against_scikit_learn_and_null_at_zero() -> None:
    true, pred = samples(10.0, 10.0, 1.0, 1.0)
    expected = 100 * sklearn_metrics.mean_absolute_percentage_error(true, pred)
    assert metrics_of(frame(true, pred))["mape"] == pytest.approx(expected, rel=TIGHT)
    true[7] = 0.0
    assert metrics_of(frame(true, pred))["mape"] is None
    pred[7] = 0.0  # 0/0 is as undefined
    assert metrics_of(frame(true, pred))["mape"] is None


def test_an_outlier_a_million_deviations_away_keeps_its_digits() -> None:
    true, pred = samples(0.0, 0.0, 1.0, 1.0)
    true[0] = pred[0] = -1e6
    found = metrics_of(frame(true, pred))
    for name, expected in exact_reference(true, pred).items():
        if name != "mape":
            assert found[name] == pytest.approx(expected, rel=TIGHT), name


def test_float32_is_accumulated_in_float64() -> None:
    true, pred = samples(1000.0, 1000.5, 1.0, 0.7)
    narrow_true, narrow_pred = true.astype(np.float32), pred.astype(np.float32)
    found = metrics_of(frame(narrow_true, narrow_pred))
    for name, expected in exact_reference(narrow_true, narrow_pred).items():
        assert found[name] == pytest.approx(expected, rel=TIGHT, abs=1e-13), name


def test_integer_columns() -> None:
    found = metrics_of(pl.DataFrame({"y_true": [1, 2, 3, 4], "y_pred": [1, 3, 3, 5]}))
    assert found["mae"] == 0.5
    assert found["r2"] == pytest.approx(1 - 2 / 5, abs=1e-15)


def test_constant_predictions() -> None:
    true, _ = samples(*SCALES["ordinary"])
    pred = np.full_like(true, 0.7)
    found = metrics_of(frame(true, pred))
    assert found["r2"] == pytest.approx(sklearn_metrics.r2_score(true, pred), abs=TIGHT)
    assert (found["pred_std"], found["variance_ratio"], found["pred_spread"], found["ccc"]) == (0.0, 0.0, 0.0, 0.0)
    for name in ("pearson_r", "calibration_slope", "recalibrated_r2"):
        assert found[name] is None, name


def test_constant_truth() -> None:
    _, pred = samples(*SCALES["ordinary"])
    true = np.full_like(pred, 1e9)
    found = metrics_of(frame(true, pred))
    assert found["true_std"] == 0.0
    assert found["mae"] == pytest.approx(sklearn_metrics.mean_absolute_error(true, pred), rel=TIGHT)
    for name in ("r2", "variance_ratio", "pearson_r", "bias", "calibration_slope", "recalibrated_r2"):
        assert found[name] is None, name


def test_a_constant_predictor_of_tiny_targets_does_not_score_one() -> None:
    true, _ = samples(*SCALES["tiny"])
    found = metrics_of(frame(true, np.zeros_like(true)))
    assert found["r2"] == pytest.approx(-((np.mean(true) / np.std(true, ddof=0)) ** 2), abs=TIGHT)
    assert found["variance_ratio"] == 0.0


@pytest.mark.parametrize(
    ("dtype", "offset"), [(np.float64, 1e9), (np.float64, 0.1), (np.float32, 1e9), (np.float32, 0.1)]
)
def test_float_noise_is_not_variance(dtype: type[np.floating], offset: float) -> None:
    base = np.full(200, offset, dtype=dtype)
    one_up = np.nextafter(base, dtype(np.inf))
    noisy = np.where(np.arange(200) % 2 == 0, base, one_up).astype(dtype)
    true = np.linspace(0.0, 2.0, 200).astype(dtype)
    found = metrics_of(frame(true, noisy))
    assert found["pred_std"] == 0.0
    assert found["pearson_r"] is None
    assert metrics_of(frame(noisy, true))["r2"] is None


def test_variance_near_the_float_noise_still_counts() -> None:
    # ± 1 at 1e9 spans 17 million units in the last place of float64: real variance.
    rng = np.random.default_rng(0)
    true = 1e9 + rng.uniform(-1, 1, 500)
    found = metrics_of(frame(true, true))
    assert found["r2"] == 1.0
    assert found["pearson_r"] == pytest.approx(1.0, abs=TIGHT)
    assert found["variance_ratio"] == pytest.approx(1.0, abs=TIGHT)


def test_single_row() -> None:
    found = metrics_of(pl.DataFrame({"y_true": [2.0], "y_pred": [3.0]}))
    assert (found["n"], found["mae"], found["mse"], found["mean_error"], found["mape"]) == (1, 1.0, 1.0, 1.0, 50.0)
    assert (found["true_std"], found["pred_std"], found["std_error"]) == (0.0, 0.0, 0.0)
    for name in ("r2", "variance_ratio", "pearson_r", "bias", "calibration_slope", "recalibrated_r2", "ccc"):
        assert found[name] is None, name


def test_no_rows() -> None:
    empty = pl.DataFrame({"y_true": [], "y_pred": []}, schema={"y_true": pl.Float64, "y_pred": pl.Float64})
    unusable = pl.DataFrame({"y_true": [None, math.nan], "y_pred": [1.0, 2.0]})
    for data, dropped in ((empty, 0), (unusable, 2)):
        found = metrics_of(data)
        assert (found.pop("n"), found.pop("n_dropped")) == (0, dropped)
        assert set(found.values()) == {None}


def test_rows_that_are_not_finite_are_dropped_and_counted() -> None:
    true, pred = samples(*SCALES["ordinary"])
    expected = metrics_of(frame(true, pred))
    holes = pl.DataFrame(
        {"y_true": [math.nan, None, math.inf, 1.0, 1.0, 1.0], "y_pred": [1.0, 1.0, 1.0, math.nan, None, -math.inf]}
    )
    found = metrics_of(pl.concat([holes, frame(true, pred)]))
    assert found.pop("n_dropped") == 6
    assert expected.pop("n_dropped") == 0
    assert found == pytest.approx(expected, rel=1e-13)


def test_overflow_is_null_not_infinite() -> None:
    found = metrics_of(pl.DataFrame({"y_true": [1e300, -1e300], "y_pred": [-1e300, 1e300]}))
    assert found["mse"] is None
    assert all(value is None or math.isfinite(value) for value in found.values())


def test_groups_equal_their_parts_taken_alone() -> None:
    rng = np.random.default_rng(4)
    rows = 3000
    data = pl.DataFrame(
        {
            "run": rng.choice(["a", "b"], rows),
            "split": rng.choice(["val", "test"], rows),
            "epoch": rng.integers(1, 6, rows),
            "y_true": rng.normal(0.9, 0.5, rows),
            "y_pred": rng.normal(0.8, 0.1, rows),
        }
    )
    keys = ["run", "split", "epoch"]
    table = metrics_by(data.lazy(), keys).collect()
    assert table.columns == [*keys, *METRICS]
    assert table.height == 20
    assert table.select(keys).rows() == sorted(table.select(keys).rows())
    for row in table.iter_rows(named=True):
        part = data.filter(run=row["run"], split=row["split"], epoch=row["epoch"])
        true, pred = part["y_true"].to_numpy(), part["y_pred"].to_numpy()
        assert row["n"] == len(true)
        assert row["r2"] == pytest.approx(sklearn_metrics.r2_score(true, pred), abs=TIGHT)
        assert row["pearson_r"] == pytest.approx(stats.pearsonr(true, pred).statistic, abs=TIGHT)
        assert row["mae"] == pytest.approx(sklearn_metrics.mean_absolute_error(true, pred), rel=TIGHT)


def test_null_keys_are_a_group_of_their_own() -> None:
    data = pl.DataFrame({"n_e": [None, 1, 1, 2], "y_true": [1.0, 2.0, 3.0, 4.0], "y_pred": [1.0, 2.0, 4.0, 4.0]})
    table = metrics_by(data, ["n_e"]).collect()
    assert table["n_e"].to_list() == [None, 1, 2]
    assert table["n"].to_list() == [1, 2, 1]
    assert table["r2"].to_list() == [None, pytest.approx(-1.0), None]


def test_streaming_engine_gives_the_same_table() -> None:
    rng = np.random.default_rng(5)
    data = pl.DataFrame(
        {
            "epoch": np.repeat(np.arange(5), 4000),
            "y_true": rng.normal(1e9, 1, 20000),
            "y_pred": rng.normal(1e9, 1, 20000),
        }
    )
    lazy = metrics_by(data, ["epoch"])
    streamed, collected = lazy.collect(engine="streaming"), lazy.collect()
    for name in METRICS:
        assert streamed[name].to_list() == pytest.approx(collected[name].to_list(), rel=1e-12, abs=1e-12), name


@pytest.mark.parametrize(
    ("data", "by", "message"),
    [
        ({"y_true": [1.0], "pred": [1.0], "epoch": [1]}, ["epoch"], "no column 'y_pred'; found y_true, pred, epoch"),
        ({"y_true": [1.0], "y_pred": [1.0]}, ["epoch"], "no column 'epoch'"),
        ({"y_true": ["a"], "y_pred": [1.0], "epoch": [1]}, ["epoch"], "'y_true' must be numeric"),
        ({"y_true": [1.0], "y_pred": [1.0]}, [], "at least one column"),
    ],
)
def test_unusable_frames_are_named(data: dict[str, list[object]], by: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics_by(pl.DataFrame(data), by)


def test_nothing_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics_of(pl.DataFrame({"y_true": [0.0, 0.0], "y_pred": [0.0, 0.0]}))


@settings(deadline=None, max_examples=60)
@given(
    values=st.lists(st.tuples(st.integers(-99, 99), st.integers(-99, 99)), min_size=1, max_size=30),
    offset=st.sampled_from([0.0, 1e9]),
    scale=st.sampled_from([1.0, 2.0**-30]),
)
def test_r_alpha_and_beta_account_for_every_r2(values: list[tuple[int, int]], offset: float, scale: float) -> None:
    true, pred = offset + np.array(values, dtype=float).T
    found = metrics_of(frame(true * scale, pred * scale))
    budget = error_budget(found["pearson_r"], found["variance_ratio"], found["bias"])
    if len(set(true)) == 1:
        assert budget is None
        assert found["r2"] is None
    else:
        assert budget is not None
        r2 = found["r2"]
        assert r2 is not None
        assert budget.total == pytest.approx(1 - r2, rel=1e-12, abs=1e-12)
        assert r2 == pytest.approx(float(exact_r2(true, pred)), rel=1e-12, abs=1e-12)


def exact_r2(true: Array, pred: Array) -> Fraction:
    t, p = [Fraction(float(x)) for x in true], [Fraction(float(x)) for x in pred]
    mean = sum(t, Fraction(0)) / len(t)
    unexplained = sum(((b - a) ** 2 for a, b in zip(t, p, strict=True)), Fraction(0))
    return 1 - unexplained / sum(((a - mean) ** 2 for a in t), Fraction(0))
