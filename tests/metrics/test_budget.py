"""The error budget against the published figures, numpy on samples, and the identity as a property."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runreport.metrics.budget import budget_from_moments, budget_from_summary, error_budget


@given(
    r=st.floats(-1, 1),
    ratio=st.floats(1e-6, 10),
    bias=st.floats(-10, 10),
)
def test_parts_sum_to_one_minus_r2(r: float, ratio: float, bias: float) -> None:
    budget = error_budget(r, ratio, bias)
    assert budget is not None
    scale = 1 + ratio**2 + bias**2
    parts = math.fsum([budget.missing_information, budget.wrong_spread, budget.wrong_mean])
    assert abs(parts - (1 - budget.r2)) <= 1e-12 * scale
    assert abs(budget.total - parts) <= 1e-12 * scale
    assert min(budget.missing_information, budget.wrong_spread, budget.wrong_mean) >= 0


@given(
    values=st.lists(
        st.tuples(st.integers(-1000, 1000), st.integers(-1000, 1000)),
        min_size=2,
        max_size=40,
    ).filter(lambda pairs: len({t for t, _ in pairs}) > 1)
)
def test_budget_of_samples_is_their_normalised_squared_error(values: list[tuple[int, int]]) -> None:
    true, pred = np.array(values, dtype=float).T
    budget = budget_from_moments(
        true_variance=float(true.var(ddof=0)),
        pred_variance=float(pred.var(ddof=0)),
        covariance=float(np.cov(true, pred, ddof=0)[0, 1]),
        mean_error=float((pred - true).mean()),
    )
    assert budget is not None
    # 1 - R² by its definition over the samples, which knows nothing of r, α and β.
    expected = float(((pred - true) ** 2).sum() / ((true - true.mean()) ** 2).sum())
    assert budget.total == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert budget.r2 == pytest.approx(1 - expected, rel=1e-12, abs=1e-12 * (1 + expected))
    assert budget.exact


def test_run_4_as_published() -> None:
    budget = error_budget(0.125, 0.223, -0.267)
    assert budget is not None
    assert budget.total == pytest.approx(1.0655, abs=5e-4)
    assert budget.missing_information == pytest.approx(0.984, abs=5e-4)
    assert budget.wrong_spread == pytest.approx(0.010, abs=5e-4)
    assert budget.wrong_mean == pytest.approx(0.071, abs=5e-4)
    assert budget.error_shares is not None
    assert budget.error_shares[0] == pytest.approx(0.92, abs=0.005)
    assert budget.error_shares[1] == pytest.approx(0.009, abs=0.0005)
    assert budget.ceiling_r2 == pytest.approx(0.016, abs=5e-4)
    assert budget.recoverable == pytest.approx(0.081, abs=5e-4)
    assert budget.shortfall_shares is not None
    assert budget.shortfall_shares[1] == pytest.approx(0.88, abs=0.005)
    assert budget.shortfall_shares[0] == pytest.approx(0.12, abs=0.005)


def test_run_4_recovered_from_the_summary_is_not_exact() -> None:
    budget = budget_from_summary(r2=-0.0655, ratio=0.223, true_mean=0.937, true_std=0.4827, pred_mean=0.808)
    assert budget is not None
    assert not budget.exact
    assert budget.r2 == pytest.approx(-0.0655, abs=1e-12)
    assert budget.total == pytest.approx(1.0655, abs=1e-12)


def test_constant_predictions_carry_no_information() -> None:
    budget = error_budget(None, 0.0, -0.5)
    assert budget is not None
    assert (budget.missing_information, budget.wrong_spread, budget.wrong_mean) == (1.0, 0.0, 0.25)
    assert budget.r2 == -0.25
    assert budget.total == 1.25
    from_moments = budget_from_moments(true_variance=4.0, pred_variance=0.0, covariance=0.0, mean_error=-1.0)
    assert from_moments == budget


def test_perfect_predictions_have_nothing_to_share() -> None:
    budget = error_budget(1.0, 1.0, 0.0)
    assert budget is not None
    assert budget.total == 0.0
    assert budget.r2 == 1.0
    assert budget.error_shares is None
    assert budget.shortfall_shares is None


@pytest.mark.parametrize(
    ("r", "ratio", "bias"),
    [
        (None, 0.5, 0.1),
        (0.5, None, 0.1),
        (0.5, 0.5, None),
        (math.nan, 0.5, 0.1),
        (0.5, math.inf, 0.1),
        (0.5, 0.5, math.nan),
    ],
)
def test_undefined_is_none(r: float | None, ratio: float | None, bias: float | None) -> None:
    assert error_budget(r, ratio, bias) is None


def test_constant_truth_has_no_budget() -> None:
    assert budget_from_moments(true_variance=0.0, pred_variance=1.0, covariance=0.0, mean_error=0.1) is None


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        error_budget(1.1, 0.5, 0.0)
    with pytest.raises(ValueError, match=">= 0"):
        error_budget(0.1, -0.5, 0.0)
    with pytest.raises(ValueError, match=">= 0"):
        budget_from_moments(true_variance=-1.0, pred_variance=1.0, covariance=0.0, mean_error=0.0)
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        budget_from_moments(true_variance=1.0, pred_variance=1.0, covariance=2.0, mean_error=0.0)


def test_contradicting_summary_has_no_budget() -> None:
    assert budget_from_summary(r2=0.9, ratio=0.1, true_mean=0.0, true_std=1.0, pred_mean=0.0) is None


def test_budget_is_frozen() -> None:
    budget = error_budget(0.5, 0.5, 0.0)
    assert budget is not None
    with pytest.raises(dataclasses.FrozenInstanceError):
        budget.r2 = 0.0  # type: ignore[misc]


def test_budget_and_bounds_load_neither_numpy_nor_polars() -> None:
    code = (
        "import sys, runreport.metrics.budget, runreport.metrics.bounds;"
        "print(sorted({'numpy', 'polars', 'scipy'} & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
