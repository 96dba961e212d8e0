"""data.few, data.dependent, data.leak and data.shift: fires, near miss, undefined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from runreport.analysis.final import final_of
from runreport.context import Context, History, history_of
from runreport.findings import Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules.base import Rule
from runreport.rules.data import RULES
from runreport.run import Run
from runreport.settings import Settings

FEW, DEPENDENT, LEAK, SHIFT = RULES
Array = np.ndarray


def context_of(
    true: Array | None,
    pred: Array | None = None,
    *,
    history: History | None = None,
    saved: float | None = None,
    **summary: object,
) -> Context:
    frame = None if true is None else pl.DataFrame({"y_true": true, "y_pred": pred})
    run = Run(name="run", format="native", files={}, predictions=frame, summary=summary)
    final = final_of(run, None, saved, Settings())
    return Context(run=run, history=history, final=final, saved_epoch=saved)


def pair(r: float, n: int, seed: int = 0, memory: float = 0.0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    known, unknown = rng.standard_normal(n), rng.standard_normal(n)
    for series in (known, unknown):
        for i in range(1, n):
            series[i] = memory * series[i - 1] + np.sqrt(1 - memory**2) * series[i]
    return 5 + r * known + np.sqrt(1 - r * r) * unknown, 5 + r * known


def check(rule: Rule, context: Context) -> Outcome:
    return rule.check(context, rule.limits())


def only(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Checked)
    assert len(outcome.findings) == 1
    return outcome.findings[0]


def is_clear(outcome: Outcome) -> bool:
    return isinstance(outcome, Checked) and not outcome.findings


def test_few_states_the_n_that_could_decide() -> None:
    finding = only(check(FEW, context_of(*pair(0.3, 60))))
    assert finding.severity is Severity.INFO
    needed = finding.evidence["samples_needed"]
    assert isinstance(needed, float)
    assert needed > 60
    assert "cannot be told whether the model beats the mean" in finding.message
    assert only(check(FEW, context_of(*pair(0.9, 8)))).severity is Severity.WARNING


@pytest.mark.parametrize(("r", "n"), [(0.9, 60), (0.1, 4000)])
def test_few_near_misses(r: float, n: int) -> None:
    assert is_clear(check(FEW, context_of(*pair(r, n))))


def test_dependent_fires_on_a_slow_series() -> None:
    finding = only(check(DEPENDENT, context_of(*pair(0.7, 400, memory=0.95))))
    assert finding.severity is Severity.INFO
    share = finding.evidence["share"]
    assert isinstance(share, float)
    # AR(ρ) truth and predictions: (1 - ρ²)/(1 + ρ²) = 0.051.
    assert 0.02 < share < 0.15


@pytest.mark.parametrize("memory", [0.0, 0.5])
def test_dependent_near_misses(memory: float) -> None:
    # AR(0.5): (1 - 0.25)/(1 + 0.25) = 0.6.
    assert is_clear(check(DEPENDENT, context_of(*pair(0.7, 400, memory=memory))))


def test_leak_fires_on_a_perfect_score_and_on_equal_values() -> None:
    true, pred = pair(0.7, 200)
    finding = only(check(LEAK, context_of(true, true + 1e-5 * (pred - true))))
    assert finding.severity is Severity.CRITICAL
    assert "cannot be checked from these files" in finding.message
    copied = np.where(np.arange(200) < 150, true, pred)
    finding = only(check(LEAK, context_of(true, copied)))
    assert finding.severity is Severity.CRITICAL
    assert finding.evidence["equal_share"] == 0.75


def test_leak_near_misses() -> None:
    true, pred = pair(0.7, 200)
    assert is_clear(check(LEAK, context_of(true, true + 0.01 * (pred - true))))
    # Whole-number targets are often met exactly; a copy of a third of the rows is below the threshold.
    counts = np.round(10 * true)
    assert is_clear(check(LEAK, context_of(counts, np.where(np.arange(200) < 150, counts, counts + 1))))
    assert is_clear(check(LEAK, context_of(true, np.where(np.arange(200) < 66, true, pred))))
    assert is_clear(check(LEAK, context_of(np.array([1.5, 2.5, 3.5]), np.array([1.5, 2.5, 3.5]))))


def split_log(train: float, validation: float) -> History:
    return history_of([1, 2, 3], train_r2=[train] * 3, r2=[validation] * 3)


@pytest.mark.parametrize(
    ("train", "validation", "severity"),
    [
        (0.4, 0.9, Severity.WARNING),
        (0.3, 0.55, Severity.INFO),
        (0.5, 0.55, None),
        # Far above a training that fits worse than the mean, and worse than the mean itself: nothing was leaked.
        (-3.0, -0.1, None),
    ],
)
def test_leak_validation_above_training(train: float, validation: float, severity: Severity | None) -> None:
    # n = 144 and a calibrated R² = 0.55 have a standard error near 0.055.
    outcome = check(
        LEAK, context_of(None, history=split_log(train, validation), saved=2, splits={"val": {"n": 144}}, r2=0.5)
    )
    if severity is None:
        assert is_clear(outcome)
        return
    finding = only(outcome)
    assert finding.severity is severity
    assert finding.epoch == 2
    assert finding.evidence["difference"] == pytest.approx(validation - train)


def test_leak_a_perfect_validation_has_no_standard_error() -> None:
    history = history_of([1, 2, 3], train_r2=[0.4] * 3, r2=[1.0] * 3, variance_ratio=[1.0] * 3, pearson_r=[1.0] * 3)
    finding = only(check(LEAK, context_of(None, history=history, saved=2, splits={"val": {"n": 144}}, r2=0.5)))
    assert finding.evidence["standard_error"] == 0.0
    assert "by 0.600, and its standard error is 0" in finding.message


def test_shift_fires_where_the_training_mean_explains_the_bias() -> None:
    rng = np.random.default_rng(3)
    true = 5 + rng.standard_normal(300)
    pred = 5.8 + 0.1 * (true - 5) + 0.05 * rng.standard_normal(300)
    finding = only(check(SHIFT, context_of(true, pred, splits={"train": {"true_mean": 5.9}})))
    assert finding.severity is Severity.WARNING
    assert finding.evidence["shift"] == pytest.approx((5.9 - true.mean()) / true.std())
    assert finding.recoverable == pytest.approx(((pred.mean() - true.mean()) / true.std()) ** 2)
    assert "test mean" in finding.message


def test_shift_of_which_the_model_followed_a_part() -> None:
    # The inputs moved with the target: of a shift of -2 the model follows 1.1.
    rng = np.random.default_rng(3)
    true = 5 + rng.standard_normal(300)
    pred = true - 0.9 + 0.3 * rng.standard_normal(300)
    finding = only(check(SHIFT, context_of(true, pred, splits={"train": {"true_mean": 3.0, "n": 900}})))
    assert finding.evidence["share_of_bias"] == pytest.approx(2 / 0.9, rel=0.1)


def test_means_of_slow_series_differ_by_chance() -> None:
    # AR(0.98): 300 rows are worth three for their mean; two stretches of one process lie a third of σ apart.
    rng = np.random.default_rng(4)
    true = np.zeros(300)
    for i in range(1, 300):
        true[i] = 0.98 * true[i - 1] + rng.standard_normal()
    true /= true.std()
    pred = true - 0.4 + 0.3 * rng.standard_normal(300)
    train_mean = float(true.mean()) - 0.35
    assert is_clear(check(SHIFT, context_of(true, pred, splits={"train": {"true_mean": train_mean, "n": 900}})))


@pytest.mark.parametrize(
    ("train_mean", "pred_mean"),
    [
        (5.0, 5.8),  # a bias, but the splits agree
        (4.2, 5.8),  # a difference of the other sign
        (5.9, 5.0),  # a difference that the model does not follow
        (5.1, 5.8),  # too small a difference
    ],
)
def test_shift_near_misses(train_mean: float, pred_mean: float) -> None:
    rng = np.random.default_rng(3)
    true = 5 + rng.standard_normal(300)
    pred = pred_mean + 0.5 * (true - true.mean()) + 0.3 * rng.standard_normal(300)
    assert is_clear(check(SHIFT, context_of(true, pred, splits={"train": {"true_mean": train_mean}})))


@pytest.mark.parametrize(
    ("rule", "context", "reason"),
    [
        (FEW, context_of(None), "no predictions and no final figures"),
        (FEW, context_of(None, r2=0.1, num_samples=144), "no interval of R² at n = 144"),
        (DEPENDENT, context_of(None, r2=0.1), "no predictions, so the dependence of the samples is not known"),
        (LEAK, context_of(None), "no R² of predictions and no train_r2 column"),
        (SHIFT, context_of(*pair(0.7, 100)), "the training mean is not known (no splits in the metrics file)"),
        (
            SHIFT,
            context_of(np.ones(50), np.arange(50.0), splits={"train": {"true_mean": 1.0}}),
            "the bias cannot be computed: predictions or truth do not vary",
        ),
    ],
)
def test_undefined(rule: Rule, context: Context, reason: str) -> None:
    outcome = check(rule, context)
    assert isinstance(outcome, NotChecked)
    assert outcome.reason == reason


@pytest.mark.parametrize(("r2", "leaks"), [(94.74, False), (1.2, False), (1.0, True)])
def test_an_r2_above_one_is_no_perfect_score(r2: float, leaks: bool) -> None:
    history = history_of(range(1, 4), r2=[0.5, 0.6, r2])
    run = Run(name="run", format="native", files={})
    for final in (final_of(run, history, None, Settings()), context_of(None, r2=r2).final):
        assert final is not None
        assert final["r2"] == (r2 if leaks else None)
        assert any("exceeds 1" in caveat for caveat in final.caveats) is not leaks
        # Even where a reader lets it pass.
        kept = replace(final, estimates={"r2": r2})
        outcome = LEAK.check(Context(run=run, history=history, final=kept), LEAK.limits())
        assert isinstance(outcome, Checked)
        assert bool(outcome.findings) is leaks
