"""Theil-Sen and robust z against scipy."""

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from runreport.statistics.trend import has_interval, robust_z, theil_sen


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("decimals", [0, 6])
def test_theil_sen_matches_scipy_with_and_without_ties(seed: int, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.arange(1.0, 21.0) if seed % 2 else rng.integers(0, 12, size=20).astype(float)
    y = np.round(0.3 * x + rng.normal(size=20), decimals)
    expected = stats.theilslopes(y, x, alpha=0.95)
    found = theil_sen(list(x), list(y))
    assert found is not None
    assert (found.slope, found.intercept, found.lo, found.hi) == pytest.approx(tuple(expected), abs=1e-12)


def test_too_few_points_have_no_interval() -> None:
    # Four points are all in order by chance with 2/4! = 8 %, so no 95 % interval exists; five with 2/5! = 1.7 %.
    assert theil_sen([1, 2, 3, 4], [1.0, 2.0, 3.0, 4.0]) is None
    assert theil_sen([1, 2, 3, 4], [1.0, 2.0, 3.0, 4.0], level=0.9) is not None
    assert theil_sen([1, 2, 3, 4, 5], [1.0, 2.0, 3.0, 4.0, 5.0]) is not None
    assert theil_sen([1, 1, 1, 2, 2, 2], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) is None


def test_non_finite_points_are_dropped_and_long_sequences_thinned() -> None:
    x = list(range(1000))
    y = [2.0 * v for v in x]
    y[3] = math.nan
    y[500] = math.inf
    found = theil_sen(x, y)
    assert found is not None
    assert found.n == 200
    assert (found.slope, found.lo, found.hi) == (2.0, 2.0, 2.0)


def test_robust_z_matches_scipy() -> None:
    values = np.random.default_rng(3).standard_t(2, size=31)
    scale = stats.median_abs_deviation(values, scale="normal")
    assert robust_z(list(values)) == pytest.approx((values - np.median(values)) / scale, rel=1e-9)


def test_robust_z_of_mostly_equal_and_constant_values() -> None:
    # MAD 0: the mean absolute deviation 3/7 times √(π/2) takes its place.
    z = robust_z([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 4.0])
    assert z[6] == pytest.approx(3.0 / (math.sqrt(math.pi / 2) * 3.0 / 7.0))
    assert robust_z([2.0, 2.0]) == [None, None]
    assert robust_z([1.0, math.nan, 3.0])[1] is None
    assert robust_z([math.nan]) == [None]
    assert robust_z([]) == []


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(-1e6, 1e6)), min_size=5, max_size=30))
def test_the_slopes_are_those_of_all_pairs(points: list[tuple[int, float]]) -> None:
    x, y = [float(a) for a, _ in points], [b for _, b in points]
    found = theil_sen(x, y)
    assert (found is not None) == has_interval(x)
    if found is None:
        return
    pairs = itertools.combinations(zip(x, y, strict=True), 2)
    slopes = sorted((b1 - b2) / (a1 - a2) for (a1, b1), (a2, b2) in pairs if a1 != a2)
    assert found.slope == statistics.median(slopes)
    assert {found.lo, found.hi} <= set(slopes)
