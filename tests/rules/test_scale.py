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
    assert f"of the {r * r:.3f} that any shift and scale can reach" in finding.message
    assert finding.evidence["factor"] == pytest.approx(1 / scale, rel=0.02)
    mended = finding.evidence["mended_r2"]
    assert isinstance(mended, float)
    true, pred = (context.predictions[name].to_numpy() for name in ("y_true", "y_pred"))
    factor = float((true * pred).mean() / (pred * pred).mean())
    assert mended == pytest.approx(1 - float(((true - factor * pred) ** 2).mean()) / float(true.var()), abs=1e-9)


def test_still_off_at_the_saved_epoch_is_critical() -> None:
    finding = only(check(logged(means([1.0] * 10), saved=8)))
    assert finding.severity is Severity.CRITICAL
    assert finding.recoverable == pytest.approx(16.0)
    assert "At the saved epoch 8" in finding.message


def test_a_way_to_the_scale_is_information_once_it_is_reached() -> None:
    slow = only(check(logged(means([0.5 * i for i in range(10)] + [5.0] * 10), saved=20)))
    assert slow.severity is Severity.INFO
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


def in_training_units(*, mean: float = 10.0, std: float = 2.0, r: float = 0.8, n: int = 200) -> Context:
    """Calibrated predictions left in standard units of training targets."""
    rng = np.random.default_rng(3)
    known = rng.normal(0, 1, n)
    true = mean + std * (r * known + np.sqrt(1 - r * r) * rng.normal(0, 1, n))
    frame = pl.DataFrame({"y_true": true, "y_pred": r * known})
    summary = {"splits": {"train": {"n": 1000, "true_mean": mean, "true_std": std}}}
    run = Run(name="run", format="native", files={}, predictions=frame, summary=summary)
    return Context(run=run, final=final_of(run, None, None, Settings()))


@pytest.mark.parametrize("std", [0.4, 1.0, 2.0, 300.0])
def test_predictions_left_in_standard_units_are_critical(std: float) -> None:
    finding = only(check(in_training_units(mean=5 * std, std=std)))
    assert finding.severity is Severity.CRITICAL
    assert finding.evidence["conversion"] == "standard units"
    assert "left in standard deviations of the training targets" in finding.message


def test_a_target_that_is_standardised_itself_is_clear() -> None:
    assert is_clear(check(in_training_units(mean=0.0, std=1.0)))


def test_an_offset_is_no_unit_however_large() -> None:
    # |β| = 4 at a calibrated slope: bias.dominates says so.
    assert is_clear(check(predicted(1.0, 1200.0)))


def test_a_stretch_is_no_unit() -> None:
    context = predicted(1.0)
    assert context.predictions is not None
    frame = context.predictions.with_columns(y_pred=3 * (pl.col("y_pred") - pl.col("y_pred").mean()) + 1500.0)
    run = Run(name="run", format="native", files={}, predictions=frame)
    assert is_clear(check(Context(run=run, final=final_of(run, None, None, Settings()))))


def unlearnt(pred_mean: list[float]) -> Context:
    """Outputs near 0 that follow nothing, on a target of mean 20 and std 2, with the log of their mean."""
    rng = np.random.default_rng(5)
    true = rng.normal(20, 2, 100)
    frame = pl.DataFrame({"y_true": true, "y_pred": pred_mean[-1] + rng.normal(0, 0.3, 100)})
    n = len(pred_mean)
    history = history_of(
        range(1, n + 1), pred_mean=pred_mean, true_mean=[20.0] * n, true_std=[2.0] * n, variance_ratio=[0.15] * n
    )
    run = Run(name="run", format="native", files={}, predictions=frame)
    return Context(run=run, history=history, final=final_of(run, history, n, Settings()), saved_epoch=n)


def test_an_output_that_never_moved_is_a_warning_and_one_on_its_way_information() -> None:
    stuck = only(check(unlearnt([0.1] * 10)))
    assert stuck.severity is Severity.WARNING
    assert "not shown to follow the truth" in stuck.message
    moving = only(check(unlearnt([0.1 + i for i in range(10)])))
    assert moving.severity is Severity.INFO
    assert "still on its way" in moving.message


def test_a_saved_epoch_that_knows_nothing_is_judged_by_the_one_that_knows_most() -> None:
    context = in_training_units()
    # The saved epoch's own predictions are noise about 0; the log's later epochs follow the truth in standard units.
    rng = np.random.default_rng(6)
    frame = pl.DataFrame({"y_true": context.run.predictions["y_true"], "y_pred": rng.normal(0, 0.2, 200)})  # type: ignore[index]
    history = history_of(
        range(1, 6),
        pred_mean=[0.0] * 5,
        true_mean=[10.0] * 5,
        true_std=[2.0] * 5,
        variance_ratio=[0.1, 0.2, 0.3, 0.4, 0.4],
        pearson_r=[0.0, 0.4, 0.6, 0.8, 0.8],
    )
    splits = {
        "train": {"n": 1000, "true_mean": 10.0, "true_std": 2.0},
        "val": {"n": 300, "true_mean": 10.0, "true_std": 2.0},
    }
    run = Run(name="run", format="native", files={}, predictions=frame, summary={"splits": splits})
    saved = Context(run=run, history=history, final=final_of(run, history, 1, Settings()), saved_epoch=1)
    finding = only(check(saved))
    assert finding.severity is Severity.CRITICAL
    assert "On the validation set, epoch 4," in finding.message


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
