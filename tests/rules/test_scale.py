"""scale.mismatch: fires, near miss, undefined."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from runreport.analysis.final import final_of
from runreport.context import Context, History, history_of
from runreport.findings import Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules.scale import RULES
from runreport.run import Run
from runreport.settings import Settings

(MISMATCH,) = RULES


def check(context: Context) -> Outcome:
    return MISMATCH.check(context, MISMATCH.limits())


def only(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Checked)
    assert len(outcome.findings) == 1
    return outcome.findings[0]


def is_clear(outcome: Outcome) -> bool:
    return isinstance(outcome, Checked) and not outcome.findings


def logged(history: History | None, saved: float | None = None) -> Context:
    return Context(run=Run(name="run", format="native", files={}), history=history, saved_epoch=saved)


def predicted(scale: float, offset: float = 0.0) -> Context:
    """Predictions of r = 0.95 or so, multiplied and shifted."""
    rng = np.random.default_rng(0)
    true = rng.normal(1500.0, 300.0, 200)
    pred = (true + rng.normal(0, 100.0, 200)) * scale + offset
    frame = pl.DataFrame({"y_true": true, "y_pred": pred})
    run = Run(name="run", format="native", files={}, predictions=frame)
    return Context(run=run, final=final_of(run, None, None, Settings()))


def published(**figures: object) -> Context:
    run = Run(name="run", format="native", files={}, summary=figures)
    return Context(run=run, final=final_of(run, None, None, Settings()))


def means(pred_mean: list[float], ratio: float = 0.5) -> History:
    """Truth of mean 5 and std 1."""
    n = len(pred_mean)
    return history_of(
        range(1, n + 1),
        pred_mean=pred_mean,
        true_mean=[5.0] * n,
        true_std=[1.0] * n,
        variance_ratio=[ratio] * n,
    )


@pytest.mark.parametrize("scale", [1e-3, 1000.0])
def test_other_units_are_critical(scale: float) -> None:
    context = predicted(scale)
    finding = only(check(context))
    assert finding.severity is Severity.CRITICAL
    assert context.predictions is not None
    r = np.corrcoef(context.predictions["y_true"], context.predictions["y_pred"])[0, 1]
    assert "not on the target's scale" in finding.message
    assert f"shifting and rescaling would reach R² = {r * r:.3f}" in finding.message


def test_still_off_at_the_saved_epoch_is_critical() -> None:
    finding = only(check(logged(means([1.0] * 10), saved=8)))
    assert finding.severity is Severity.CRITICAL
    assert finding.recoverable == pytest.approx(16.0)
    assert "At the saved epoch 8" in finding.message


def test_a_slow_way_to_the_scale_is_a_warning_and_a_quick_one_information() -> None:
    slow = only(check(logged(means([0.5 * i for i in range(10)] + [5.0] * 10), saved=20)))
    assert slow.severity is Severity.WARNING
    # |β| = 1 is reached with 4.0, at row 9: eight epochs before it.
    assert slow.evidence["settled_epoch"] == 9
    assert slow.evidence["epochs_unsettled"] == 8
    quick = only(check(logged(means([0.0, 3.0] + [5.0] * 18), saved=20)))
    assert quick.severity is Severity.INFO
    assert quick.evidence["share_of_epochs"] == pytest.approx(0.1)


def test_bounds_from_r2_and_ratio() -> None:
    # α = 0.5, R² = -20: β² ≥ 20 - 1 - 0.25.
    history = history_of(range(1, 21), r2=[-20.0] + [0.2] * 19, variance_ratio=[0.5] * 20)
    finding = only(check(logged(history, saved=20)))
    assert finding.severity is Severity.INFO
    assert finding.evidence["first_bias"] == pytest.approx(math.sqrt(18.75))
    assert "at least 4.33" in finding.message


@pytest.mark.parametrize(
    "context",
    [
        predicted(1.0),
        predicted(1.0, 600.0),
        logged(means([2.5] + [5.0] * 10)),
        # All but constant near the mean is another rule's: nothing is off the scale.
        logged(means([5.1] * 10, ratio=0.005)),
        logged(history_of(range(3), variance_ratio=[0.005, 0.4, 0.5], r2=[0.0, 0.2, 0.3])),
        # Published R² and ratio alone: |β| ≤ √(2α - α² - R²) = 0.83.
        published(r2=-0.0457, variance_ratio=0.4),
    ],
)
def test_near_misses(context: Context) -> None:
    assert is_clear(check(context))


@pytest.mark.parametrize(
    "history", [None, history_of([1, 2], val_loss=[1.0, 0.5]), history_of([1], r2=[math.nan], variance_ratio=[None])]
)
def test_undefined(history: History | None) -> None:
    outcome = check(logged(history))
    assert isinstance(outcome, NotChecked)
    assert outcome.reason.startswith("no bias and no std ratio")


def test_a_ratio_alone_does_not_tell_the_mean() -> None:
    outcome = check(logged(history_of(range(3), variance_ratio=[0.3, 0.4, 0.5])))
    assert isinstance(outcome, NotChecked)
    assert "neither the bias nor R²" in outcome.reason
    finding = only(check(published(r2=-30.0, variance_ratio=0.5)))
    # β² ≥ 30 - 1 - 0.25.
    assert finding.evidence["bias"] == pytest.approx(28.75**0.5)
    assert finding.evidence["bias_is_lower_bound"] is True


def test_fifteen_decades() -> None:
    history = history_of(range(1, 6), r2=[-1e30, -1e12, -1e3, 0.1, 0.2], variance_ratio=[1e15, 1e6, 30.0, 0.5, 0.5])
    finding = only(check(logged(history, saved=5)))
    assert finding.severity is Severity.INFO
    assert finding.evidence["first_ratio"] == 1e15
