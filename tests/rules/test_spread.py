"""spread.under and spread.over: fires, near miss, undefined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from runreport.analysis.final import final_of
from runreport.context import Context, history_of
from runreport.findings import Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules.base import Rule
from runreport.rules.spread import RULES
from runreport.run import Run
from runreport.settings import Settings

UNDER, OVER = RULES
Array = np.ndarray


def predicted(true: Array, pred: Array) -> Context:
    run = Run(name="run", format="native", files={}, predictions=pl.DataFrame({"y_true": true, "y_pred": pred}))
    return Context(run=run, final=final_of(run, None, None, Settings()))


def published(**summary: object) -> Context:
    run = Run(name="run", format="native", files={}, summary=summary)
    return Context(run=run, final=final_of(run, None, None, Settings()))


def pair(r: float, ratio: float, n: int = 400, seed: int = 1) -> tuple[Array, Array]:
    """Truth and predictions whose sample correlation and std ratio are exactly r and ratio."""
    rng = np.random.default_rng(seed)
    true = stats.zscore(rng.standard_normal(n))
    rest = rng.standard_normal(n)
    rest = stats.zscore(rest - true * float((rest * true).mean()))
    return true, ratio * (r * true + np.sqrt(1 - r * r) * rest)


def check(rule: Rule, context: Context) -> Outcome:
    return rule.check(context, rule.limits())


def only(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Checked)
    assert len(outcome.findings) == 1
    return outcome.findings[0]


@pytest.mark.parametrize(
    ("rule", "other", "r", "ratio", "severity"),
    [
        (UNDER, OVER, 0.9, 0.25, Severity.CRITICAL),
        # 0.30 is the estimate; at the near end of the slope's interval it is less than a quarter.
        (UNDER, OVER, 0.8, 0.25, Severity.WARNING),
        (UNDER, OVER, 0.8, 0.5, Severity.WARNING),
        (OVER, UNDER, 0.3, 1.3, Severity.CRITICAL),
        # As wide as the truth give or take sampling error: a network that knows its training set by heart is.
        (OVER, UNDER, 0.3, 1.05, Severity.WARNING),
        # Costs a quarter and more too, but some correlation would warrant a width below the truth's.
        (OVER, UNDER, 0.3, 0.9, Severity.WARNING),
        (OVER, UNDER, 0.5, 0.75, Severity.WARNING),
        (OVER, UNDER, 0.9, 0.98, Severity.INFO),
    ],
)
def test_fires_by_what_it_costs(rule: Rule, other: Rule, r: float, ratio: float, severity: Severity) -> None:
    true, pred = pair(r, ratio)
    context = predicted(true, pred)
    finding = only(check(rule, context))
    assert finding.severity is severity
    assert finding.recoverable == pytest.approx((ratio - r) ** 2, abs=1e-9)
    slope = stats.linregress(pred, true).slope
    assert finding.evidence["calibration_slope"] == pytest.approx(slope)
    assert finding.acts_on == "alpha"
    outcome = check(other, context)
    assert isinstance(outcome, Checked)
    assert not outcome.findings
    # The one test is counted once.
    fired = check(rule, context)
    assert isinstance(fired, Checked)
    assert len(fired.p_values) + len(outcome.p_values) == 1
    assert finding.p_value == fired.p_values[0]


def test_width_is_critical_only_where_the_interval_of_the_std_ratio_lies_above_one() -> None:
    context = predicted(*pair(0.3, 1.3))
    final = context.final
    assert final is not None
    for bounds, severity in (((1.001, 1.6), Severity.CRITICAL), ((1.0, 1.6), Severity.WARNING)):
        near = replace(final, intervals={**final.intervals, "variance_ratio": bounds})
        assert only(check(OVER, replace(context, final=near))).severity is severity
    # Without an interval nothing is shown of it.
    none = replace(final, intervals={k: v for k, v in final.intervals.items() if k != "variance_ratio"})
    assert only(check(OVER, replace(context, final=none))).severity is Severity.WARNING


@pytest.mark.parametrize(("r", "ratio"), [(0.5, 0.5), (0.12, 0.12), (0.5, 0.53), (0.9, 0.88)])
def test_a_range_that_fits_the_correlation_is_no_fault(r: float, ratio: float) -> None:
    context = predicted(*pair(r, ratio, n=144))
    for rule in RULES:
        outcome = check(rule, context)
        assert isinstance(outcome, Checked)
        assert not outcome.findings


def test_published_run_4_is_not_shown_to_be_wrong_in_spread() -> None:
    figures: Mapping[str, object] = {
        "r2": -0.0655,
        "variance_ratio": 0.223,
        "true_mean": 0.937,
        "true_std": 0.4827,
        "pred_mean": 0.808,
        "num_samples": 144,
    }
    context = published(**figures)
    for rule in RULES:
        outcome = check(rule, context)
        assert isinstance(outcome, Checked)
        assert not outcome.findings


def test_negative_correlation_is_mended_only_by_shrinking() -> None:
    finding = only(check(OVER, predicted(*pair(-0.3, 0.5))))
    # Shrunk to their mean the predictions have R² = 0, from 2rα - α² = -0.55.
    assert finding.recoverable == pytest.approx(0.55)
    assert "shrinking" in finding.message


def test_weak_evidence_is_information() -> None:
    finding = only(check(UNDER, predicted(*pair(0.6, 0.33, n=90, seed=5))))
    assert finding.p_value is not None
    assert 0.0027 <= finding.p_value < 0.05
    assert finding.recoverable == pytest.approx(0.27**2)
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (Context(run=Run(name="r", format="x", files={})), "no predictions and no final figures"),
        (published(r2=-0.05, variance_ratio=0.4, num_samples=144), "the summary does not give the calibration slope"),
        (predicted(np.arange(20.0), np.ones(20)), "do not vary"),
        (
            published(r2=-0.0655, variance_ratio=0.223, true_mean=0.937, true_std=0.4827, pred_mean=0.808),
            "no predictions and no sample count, so no interval",
        ),
    ],
)
def test_undefined(context: Context, reason: str) -> None:
    for rule in RULES:
        outcome = check(rule, context)
        assert isinstance(outcome, NotChecked)
        assert outcome.rule == rule.id
        assert reason in outcome.reason


def test_a_log_alone_gives_no_interval() -> None:
    history = history_of([1, 2], r2=[0.1, 0.2], variance_ratio=[0.4, 0.5], pearson_r=[0.4, 0.5])
    run = Run(name="r", format="x", files={})
    outcome = check(UNDER, Context(run=run, history=history, final=final_of(run, history, 2, Settings())))
    assert isinstance(outcome, NotChecked)
    assert outcome.reason == "no predictions and no sample count, so no interval"


def epochs(ratio: list[float], r: list[float], saved: int, *, logged: bool = True) -> Context:
    """Final predictions that are calibrated, and a log of unbiased epochs with these figures."""
    context = predicted(*pair(0.5, 0.5))
    r2 = [2 * b * a - a * a for a, b in zip(ratio, r, strict=True)]
    columns: dict[str, list[float]] = {"variance_ratio": ratio, "r2": r2} | ({"pearson_r": r} if logged else {})
    return replace(context, history=history_of(range(1, len(r) + 1), **columns), saved_epoch=saved)


@pytest.mark.parametrize("logged", [True, False])
def test_epochs_wider_than_the_truth_hide_what_they_know(logged: bool) -> None:
    context = epochs([0.4, 0.8, 1.5, 1.9, 2.0, 2.0], [0.3, 0.5, 0.7, 0.8, 0.85, 0.85], 2, logged=logged)
    finding = only(check(OVER, context))
    assert finding.severity is Severity.WARNING
    assert finding.split == "validation"
    r = finding.evidence["pearson_r"]
    # Without r the bound (R² + α²)/(2α), which is r itself where β = 0.
    assert r == pytest.approx(0.85)
    assert finding.recoverable == pytest.approx(0.85**2 - (2 * 0.5 * 0.8 - 0.8**2))
    assert finding.evidence["r_is_lower_bound"] is not logged


@pytest.mark.parametrize(
    ("ratio", "r"),
    [
        ([0.4, 0.5, 0.8, 1.0, 1.1, 1.1], [0.3, 0.5, 0.7, 0.8, 0.85, 0.85]),  # no wider than the truth, or hardly
        ([0.4, 0.5, 1.5, 1.9, 2.0, 2.0], [0.5, 0.7, 0.5, 0.4, 0.3, 0.2]),  # wide, and knows less
        ([0.4, 0.5, 0.5, 0.5, 0.5, 2.0], [0.3, 0.5, 0.5, 0.5, 0.5, 0.9]),  # one wide epoch
    ],
)
def test_epochs_that_hide_nothing(ratio: list[float], r: list[float]) -> None:
    outcome = check(OVER, epochs(ratio, r, 2))
    assert isinstance(outcome, Checked)
    assert not outcome.findings


def test_too_wide_by_less_than_is_worth_anything_is_information() -> None:
    # Shown beyond doubt at this size, and (α - r)² = 0.023 as estimated; at the near end of the interval it is below 0.02.
    small = only(check(OVER, predicted(*pair(0.80, 0.952, n=700))))
    assert small.recoverable == pytest.approx(0.0231, abs=1e-3)
    assert small.p_value is not None
    assert small.p_value < 0.0027
    assert small.evidence["wrong_spread_shown"] < 0.02  # type: ignore[operator]
    assert small.severity is Severity.INFO
    assert only(check(OVER, predicted(*pair(0.80, 0.99, n=700)))).severity is Severity.WARNING
