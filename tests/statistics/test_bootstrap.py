"""Resampling against scipy's bootstrap, known variances and hand calculation."""

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from runreport.statistics.bootstrap import (
    MAX_UNITS,
    bca_interval,
    block_length,
    bootstrap_metrics,
    bootstrap_sums,
    moving_block_sums,
    percentile_interval,
    resample_weights,
    resampling_units,
    weight_chunks,
)


def _pair(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.normal(size=n)
    return true, 0.6 * true + rng.normal(size=n)


def test_weights_are_multinomial_and_seeded() -> None:
    weights = resample_weights(12, 20_000, np.random.default_rng(0))
    assert (weights.sum(axis=1) == 12).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(12), abs=0.05)
    assert weights.var(axis=0, ddof=0) == pytest.approx(np.full(12, 11 / 12), rel=0.05)
    again = np.concatenate(list(weight_chunks(12, 50, seed=3, cells=1_000_000)))
    assert again.shape == (50, 12)
    np.testing.assert_array_equal(again, np.concatenate(list(weight_chunks(12, 50, seed=3, cells=1_000_000))))


def test_row_bootstrap_of_r_matches_scipy() -> None:
    true, pred = _pair(80)
    found = bootstrap_metrics(true, pred, ordered=False, resamples=8000, seed=1)["pearson_r"]
    expected = stats.bootstrap(
        (true, pred),
        lambda a, b: stats.pearsonr(a, b).statistic,
        paired=True,
        vectorized=False,
        n_resamples=2000,
        method="BCa",
        rng=np.random.default_rng(2),
    )
    assert found.std(ddof=0) == pytest.approx(expected.standard_error, rel=0.06)
    left_out = np.array([stats.pearsonr(np.delete(true, i), np.delete(pred, i)).statistic for i in range(80)])
    interval = bca_interval(found, stats.pearsonr(true, pred).statistic, left_out)
    assert interval == pytest.approx(tuple(expected.confidence_interval), abs=0.02)


def test_group_bootstrap_draws_whole_groups() -> None:
    true, pred = _pair(60)
    codes = np.repeat(np.arange(5), 12)
    moments_of_group = np.array([[12.0, *([0.0] * 6), ((pred - true)[codes == g] ** 2).sum()] for g in range(5)])
    sums = bootstrap_sums(moments_of_group, resamples=500, seed=4)
    possible = {round(v, 6) for v in bootstrap_metrics(true, pred, groups=codes, resamples=500, seed=4)["rmse"]}
    assert possible == {round(v, 6) for v in np.sqrt(sums[:, 7] / sums[:, 0])}


def test_many_rows_are_dealt_into_bins_with_the_same_spread() -> None:
    true, pred = _pair(20_000)
    units = resampling_units(true, pred, ordered=False)
    assert units.count == MAX_UNITS
    found = bootstrap_metrics(true, pred, ordered=False, resamples=3000, seed=5)
    # SE(bias) with σt estimated: √((1 + α² - 2rα)/n) with 1 + α² - 2rα = var(pred - true)/σt² = 1.16.
    assert found["bias"].std(ddof=0) == pytest.approx(np.sqrt(1.16 / 20_000), rel=0.06)


@pytest.mark.parametrize("length", [1, 7, 60])
def test_moving_blocks_hold_consecutive_rows(length: int) -> None:
    rows = np.zeros((60, 8))
    rows[:, 0] = 1.0
    rows[:, 1] = np.random.default_rng(6).normal(size=60)
    sums = moving_block_sums(rows, length, resamples=4000, seed=7)
    np.testing.assert_allclose(sums[:, 0], 60.0, rtol=1e-12)
    circular = np.concatenate([rows[:, 1], rows[:length, 1]])
    blocks = np.array([circular[i : i + length].sum() for i in range(60)])
    count = -(-60 // length)
    expected = 60 / length * blocks.std(ddof=0) / np.sqrt(count)
    assert sums[:, 1].std(ddof=0) == pytest.approx(expected, rel=0.05, abs=1e-9)


def test_block_length_grows_with_dependence_and_stays_within_a_sixth() -> None:
    rng = np.random.default_rng(8)
    noise = rng.normal(size=(40, 1200))
    lengths = []
    for phi in (0.0, 0.5, 0.8):
        series = lfilter([1.0], [1.0, -phi], noise, axis=-1)[:, 200:]
        lengths.append(float(np.median([block_length(row) for row in series])))
    # Politis & White's optimum for AR(1), circular blocks: (6 φ²/(1-φ²)²)^(1/3) n^(1/3) = 13.9 and 31.6 at 0.5, 0.8.
    assert lengths[0] <= 3
    assert lengths[1] == pytest.approx(13.9, rel=0.4)
    assert lengths[2] == pytest.approx(31.6, rel=0.4)
    assert block_length(np.cumsum(rng.normal(size=60))) <= 10
    assert block_length(np.ones(50)) == 1
    assert block_length(rng.normal(size=5)) == 1


def test_ordered_units_are_consecutive_blocks() -> None:
    series = np.asarray(lfilter([1.0], [1.0, -0.9], np.random.default_rng(9).normal(size=144)))
    units = resampling_units(np.zeros(144), np.stack([series, series]))
    assert units.count >= 6
    assert (np.diff(units.codes) >= 0).all()
    assert np.bincount(units.codes).min() >= 144 // units.count
    assert units.kind == f"blocks of {144 // units.count} consecutive rows"


def test_intervals_of_resampled_values() -> None:
    values = np.arange(1001.0)
    assert percentile_interval(values) == pytest.approx((25.0, 975.0))
    assert percentile_interval(np.where(values < 600, np.nan, values)) is None
    assert percentile_interval(np.array([])) is None
    # Symmetric, no acceleration: BCa is the percentile interval.
    assert bca_interval(values, 500.0, np.array([1.0, 2.0, 3.0])) == pytest.approx((25.0, 975.0), abs=1.5)
    assert bca_interval(values, -1.0, np.array([1.0, 2.0])) is None
    assert bca_interval(np.full(4, np.nan), 0.0, np.array([1.0])) is None
