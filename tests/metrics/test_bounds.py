"""Bounds from R² and α alone: the published figures, and that they always hold the truth."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runreport.metrics.bounds import bias_bounds, from_summary, r2_at, r_lower_bound, required_r


def test_run_4_epoch_1() -> None:
    bounds = bias_bounds(-4.38, 0.462)
    assert bounds is not None
    low, high = bounds
    assert low == pytest.approx(1.80, abs=0.005)
    assert high == pytest.approx(2.26, abs=0.005)
    assert r_lower_bound(-4.38, 0.462) == -1.0


def test_run_4_test_set_from_its_summary() -> None:
    r, bias = from_summary(-0.0655, 0.223, 0.937, 0.4827, 0.808)
    assert r == pytest.approx(0.125, abs=5e-4)
    assert bias == pytest.approx(-0.267, abs=5e-4)


def test_needed_correlations_of_the_criteria() -> None:
    assert required_r(0.0, 0.6) == pytest.approx(0.30, abs=1e-12)
    assert required_r(0.3, 0.8) == pytest.approx(0.59, abs=0.005)
    assert required_r(0.0, 0.7) == pytest.approx(0.35, abs=1e-12)
    # R² > 0 needs r > α/2 + β²/(2α)
    assert required_r(0.0, 0.5, 0.4) == pytest.approx(0.25 + 0.16, abs=1e-12)


def test_pushing_the_ratio_to_0_7_at_run_4s_correlation() -> None:
    assert r2_at(0.125, 0.7, -0.267) == pytest.approx(-0.39, abs=0.005)
    # -0.315 with r as published, to three digits: it is printed as -0.32.
    assert r2_at(0.125, 0.7, 0.0) == pytest.approx(-0.315, abs=1e-12)


@given(r=st.floats(-1, 1), ratio=st.floats(1e-3, 10), bias=st.floats(-10, 10))
def test_bounds_hold_the_truth(r: float, ratio: float, bias: float) -> None:
    r2 = 2 * r * ratio - ratio**2 - bias**2
    bounds = bias_bounds(r2, ratio)
    assert bounds is not None
    # A square root turns rounding of the square near 0 into its root.
    slack = 1e-5
    assert bounds[0] - slack <= abs(bias) <= bounds[1] + slack
    lower = r_lower_bound(r2, ratio)
    assert lower is not None
    assert lower <= r + 1e-9
    recovered, recovered_bias = from_summary(r2, ratio, 5.0, 2.0, 5.0 + 2.0 * bias)
    assert recovered_bias == pytest.approx(bias, abs=1e-12)
    assert recovered == pytest.approx(r, abs=1e-9)


@given(
    r=st.floats(-1, 1),
    ratio=st.floats(0.01, 3),
    bias=st.floats(-3, 3),
    digits=st.integers(1, 4),
)
def test_bounds_with_tolerance_hold_the_truth_behind_rounded_figures(
    r: float, ratio: float, bias: float, digits: int
) -> None:
    r2 = 2 * r * ratio - ratio**2 - bias**2
    half_unit = 0.5 * 10**-digits * (1 + 1e-9)
    logged_r2, logged_ratio = round(r2, digits), round(ratio, digits)
    bounds = bias_bounds(logged_r2, logged_ratio, r2_tolerance=half_unit, ratio_tolerance=half_unit)
    assert bounds is not None
    assert bounds[0] - 1e-6 <= abs(bias) <= bounds[1] + 1e-6
    assume(logged_ratio > 0)
    lower = r_lower_bound(logged_r2, logged_ratio, r2_tolerance=half_unit, ratio_tolerance=half_unit)
    assert lower is not None
    assert lower <= r + 1e-9


def test_figures_that_contradict_the_identity() -> None:
    # R² = 0.5 needs 2α - α² ≥ 0.5, that is α ≥ 1 - √½ = 0.2929
    assert bias_bounds(0.5, 0.29) is None
    assert r_lower_bound(0.5, 0.29) is None
    assert bias_bounds(0.5, 0.2930) is not None
    # ... unless the ratio was rounded by enough.
    assert bias_bounds(0.5, 0.29, ratio_tolerance=0.005) is not None
    assert r_lower_bound(0.5, 0.29, ratio_tolerance=0.005) is not None
    assert from_summary(0.5, 0.29, 0.0, 1.0, 0.1) == (None, 0.1)
    # A loss of R² that no allowed correlation explains at the published means.
    assert from_summary(-5.0, 0.2, 0.0, 1.0, 0.0) == (None, 0.0)


def test_perfect_and_constant_predictions() -> None:
    assert bias_bounds(1.0, 1.0) == (0.0, 0.0)
    assert bias_bounds(1.0 - 2**-53, 1.0 - 2**-53) is not None
    assert r_lower_bound(1.0, 1.0) == 1.0
    # Constant predictions: R² = -β² exactly, and r is undefined.
    assert bias_bounds(-0.25, 0.0) == (0.5, 0.5)
    assert r_lower_bound(-0.25, 0.0) is None
    assert from_summary(-0.25, 0.0, 1.0, 2.0, 2.0) == (None, 0.5)
    with pytest.raises(ValueError, match="> 0"):
        required_r(0.0, 0.0)


def test_constant_predictions_rounded_to_zero_ratio() -> None:
    assert r_lower_bound(-0.01, 0.004, ratio_tolerance=0.005) == -1.0
    assert r_lower_bound(0.0, 0.004, ratio_tolerance=0.005) == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_not_finite_is_unknown(bad: float) -> None:
    assert bias_bounds(bad, 0.5) is None
    assert bias_bounds(0.5, bad) is None
    assert r_lower_bound(bad, 0.5) is None
    assert from_summary(0.1, 0.5, bad, 1.0, 0.0) == (None, None)
    assert from_summary(bad, 0.5, 0.0, 1.0, 0.5) == (None, 0.5)


def test_negative_ratio_and_constant_truth_are_unknown() -> None:
    assert bias_bounds(0.0, -0.1) is None
    assert from_summary(0.0, 0.5, 1.0, 0.0, 1.0) == (None, None)


@given(st.floats(-10, 1.2), st.floats(0, 3))
def test_no_tolerance_is_a_tolerance_too_small_to_matter(r2: float, ratio: float) -> None:
    assume(r2 == 0 or abs(r2) > 1e-200)
    least = {"r2_tolerance": 5e-324}  # leaves R² as it is, and takes the way that tolerances take
    with_one, without = bias_bounds(r2, ratio, **least), bias_bounds(r2, ratio)
    assert without == (with_one if with_one is None else pytest.approx(with_one, rel=0, abs=1e-300))
    assert r_lower_bound(r2, ratio) == r_lower_bound(r2, ratio, **least)
