"""Estimates over seeds, against scipy and by hand; and how often they call a change where there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from runreport.compare.design import Estimate, Place
from runreport.compare.effects import adjusted, rank_slope
from runreport.compare.over_seeds import summary, weighted

Floats = NDArray[np.float64]
RNG = np.random.default_rng(11)
DIFFERENCE = {0: -1.0, 1: 1.0}


def one_factor(
    columns: Sequence[Sequence[float] | Floats] | Floats, seeds: Sequence[Sequence[str | None]]
) -> tuple[dict[str, float], dict[str, Place]]:
    """Values [level][run] with their seeds as runs of one factor."""
    values, places = {}, {}
    for level, (column, names) in enumerate(zip(columns, seeds, strict=True)):
        for i, (value, seed) in enumerate(zip(column, names, strict=True)):
            values[f"{level}/{i}"] = float(value)
            places[f"{level}/{i}"] = Place(levels=(level,), replicate=seed)
    return values, places


def interval(e: Estimate) -> tuple[float, float]:
    assert e.interval is not None, e.reason
    return e.interval


def test_the_same_seeds_are_paired_as_by_scipy() -> None:
    a, b = RNG.normal(0.3, 0.1, 5), RNG.normal(0.4, 0.1, 5)
    names = ["1", "2", "3", "4", "5"]
    values, places = one_factor([a, b[::-1]], [names, names[::-1]])
    e = weighted("r2", values, places, 0, DIFFERENCE)
    reference = stats.ttest_rel(b, a)
    bounds = reference.confidence_interval(0.95)
    assert e.paired
    assert (e.n, e.df) == (5, 4)
    assert e.estimate == pytest.approx((b - a).mean(), abs=1e-14)
    assert interval(e) == pytest.approx((bounds.low, bounds.high), abs=1e-9)
    assert e.p_value == pytest.approx(reference.pvalue, abs=1e-10)
    assert math.fsum(w * values[name] for name, w in e.weights.items()) == pytest.approx(e.estimate, abs=1e-14)


@pytest.mark.parametrize("named", [True, False])
def test_other_seeds_are_compared_as_by_welch(named: bool) -> None:
    a, b = RNG.normal(0.3, 0.1, 4), RNG.normal(0.4, 0.3, 7)
    seeds = [[str(i) if named else None for i in range(start, start + n)] for start, n in ((0, 4), (10, 7))]
    values, places = one_factor([a, b], seeds)
    e = weighted("r2", values, places, 0, DIFFERENCE)
    reference = stats.ttest_ind(b, a, equal_var=False)
    bounds = reference.confidence_interval(0.95)
    assert not e.paired
    assert e.n == 4
    assert e.df == pytest.approx(reference.df, abs=1e-9)
    assert interval(e) == pytest.approx((bounds.low, bounds.high), abs=1e-9)
    assert e.p_value == pytest.approx(reference.pvalue, abs=1e-10)


def test_few_common_seeds_are_not_worth_pairing() -> None:
    values, places = one_factor([RNG.normal(size=8), RNG.normal(size=8)], [list("abcdefgh"), list("fghijklm")])
    assert not weighted("r2", values, places, 0, DIFFERENCE).paired
    values, places = one_factor([RNG.normal(size=8), RNG.normal(size=3)], [list("abcdefgh"), list("abc")])
    e = weighted("r2", values, places, 0, DIFFERENCE)
    assert (e.paired, e.n) == (True, 3)


def test_another_factor_is_held_fixed() -> None:
    """The other factor adds 5; unbalanced over the levels, it must not leak into the difference."""
    values: dict[str, float] = {}
    places: dict[str, Place] = {}
    effect, seeds = RNG.normal(0.2, 0.05, (2, 4)), RNG.normal(0.0, 1.0, 4)
    for block in (0, 1):
        for level in (0, 1):
            for seed in range(4):
                name = f"{block}{level}{seed}"
                values[name] = 5.0 * block + seeds[seed] + level * effect[block, seed]
                places[name] = Place(levels=(level, block), replicate=str(seed))
    e = weighted("r2", values, places, 0, DIFFERENCE)
    per_seed = effect.mean(axis=0)
    reference = stats.ttest_1samp(per_seed, 0.0)
    assert (e.paired, e.n, e.df) == (True, 4, 3)
    assert e.estimate == pytest.approx(per_seed.mean(), abs=1e-12)
    assert e.p_value == pytest.approx(reference.pvalue, abs=1e-9)
    for name in ("100", "101", "102", "103"):  # level 0 of block 1 is gone: block 1 compares nothing
        del values[name]
    e = weighted("r2", values, places, 0, DIFFERENCE)
    assert e.estimate == pytest.approx(effect[0].mean(), abs=1e-12)


def test_blocks_of_other_seeds_add_up_as_by_hand() -> None:
    values: dict[str, float] = {}
    places: dict[str, Place] = {}
    data = {(b, k): RNG.normal(b + 0.3 * k, 0.1 + 0.1 * k, 3 + b) for b in (0, 1) for k in (0, 1)}
    for (block, level), column in data.items():
        for i, value in enumerate(column):
            values[f"{block}{level}{i}"] = float(value)
            places[f"{block}{level}{i}"] = Place(levels=(level, block), replicate=f"{block}{level}{i}")
    e = weighted("r2", values, places, 0, DIFFERENCE)
    parts = {key: column.var(ddof=1) / column.size / 4 for key, column in data.items()}
    total = sum(parts.values())
    df = total**2 / sum(p**2 / (data[key].size - 1) for key, p in parts.items())
    mean = np.mean([data[b, 1].mean() - data[b, 0].mean() for b in (0, 1)])
    half = stats.t.ppf(0.975, df) * math.sqrt(total)
    assert interval(e) == pytest.approx((mean - half, mean + half), abs=1e-9)


def test_a_trend_is_the_mean_of_each_seeds_regression_slope() -> None:
    table = RNG.normal(0.0, 0.1, (6, 5)) + 0.05 * np.arange(6)[:, None]
    values, places = one_factor(table, [list("abcde")] * 6)
    e = weighted("r2", values, places, 0, rank_slope(6))
    slopes = [stats.linregress(np.arange(6), table[:, s]).slope for s in range(5)]
    reference = stats.ttest_1samp(slopes, 0.0)
    assert e.estimate == pytest.approx(np.mean(slopes), abs=1e-12)
    assert e.p_value == pytest.approx(reference.pvalue, abs=1e-9)


@pytest.mark.parametrize("count", [1, 2])
def test_few_seeds_give_a_difference_and_no_interval(count: int) -> None:
    values, places = one_factor([[0.1] * count, [0.3] * count], [list("ab")[:count]] * 2)
    e = weighted("r2", values, places, 0, DIFFERENCE)
    assert e.estimate == pytest.approx(0.2)
    assert (e.interval, e.p_value, e.n) == (None, None, count)
    assert e.reason is not None
    assert "fewer than 3" in e.reason
    unpaired = weighted("r2", *one_factor([[0.1, 0.2], [0.3, 0.4]], [list("ab"), list("cd")]), 0, DIFFERENCE)
    assert unpaired.interval is None
    assert unpaired.estimate == pytest.approx(0.2)


def test_no_spread_is_no_proof() -> None:
    values, places = one_factor([[0.1, 0.2, 0.4], [0.3, 0.4, 0.6]], [list("abc")] * 2)
    e = weighted("r2", values, places, 0, DIFFERENCE)
    assert e.p_value is None
    assert e.reason is not None
    assert "same for every seed" in e.reason
    same = weighted("r2", *one_factor([[0.1] * 3, [0.3] * 3], [list("abc"), list("def")]), 0, DIFFERENCE)
    assert same.p_value is None


def test_levels_that_never_meet_give_nothing() -> None:
    places = {
        "a": Place(levels=(0, 0), replicate="1"),
        "b": Place(levels=(1, 1), replicate="1"),
        "c": Place(levels=(1, 2), replicate="2"),
    }
    e = weighted("r2", dict.fromkeys(places, 0.1), places, 0, DIFFERENCE)
    assert e.estimate is None
    assert e.reason is not None
    assert "other settings equal" in e.reason


def test_a_levels_summary_is_over_seeds() -> None:
    places = {f"{s}{b}": Place(levels=(0, b), replicate=str(s)) for s in range(3) for b in (0, 1)}
    values = {name: float(v) for name, v in zip(places, RNG.normal(size=6), strict=True)}
    means = np.array(list(values.values())).reshape(3, 2).mean(axis=1)
    s = summary("r2", values, places, tuple(places))
    assert s is not None
    assert s.n == 3
    assert s.mean == pytest.approx(means.mean())
    assert s.std == pytest.approx(means.std(ddof=1))
    low, high = stats.t.interval(0.95, 2, means.mean(), means.std(ddof=1) / math.sqrt(3))
    assert s.interval == pytest.approx((low, high), abs=1e-9)
    assert (s.lowest, s.highest) == (min(values.values()), max(values.values()))
    assert summary("r2", {}, places, tuple(places)) is None


def false_alarms(levels: int, seeds: int, *, paired: bool, simulations: int) -> int:
    """Simulated sweeps without any effect in which some level is called different (Holm, 5 %)."""
    rng = np.random.default_rng(2024 + levels + seeds)
    names = [[f"{0 if paired else k}-{s}" for s in range(seeds)] for k in range(levels)]
    called = 0
    for _ in range(simulations):
        own = rng.normal(
            0.0, 0.1, seeds if paired else (levels, seeds)
        )  # what a seed brings to every level it is run at
        values, places = one_factor(rng.normal(0.0, 0.05, (levels, seeds)) + own, names)
        found = [weighted("r2", values, places, 0, {0: -1.0, k: 1.0}) for k in range(1, levels)]
        called += any(e.told for e in adjusted(found))
    return called


@pytest.mark.parametrize(("levels", "seeds", "paired"), [(2, 3, True), (6, 5, True), (3, 5, False)])
def test_where_nothing_changed_a_change_is_rarely_called(levels: int, seeds: int, paired: bool) -> None:
    simulations = 400
    # 20 expected; above 33 falls a binomial of 5 % three times in a thousand.
    most = int(stats.binom.ppf(0.997, simulations, 0.05))
    assert false_alarms(levels, seeds, paired=paired, simulations=simulations) <= most
    assert most < 0.09 * simulations
