"""bias.dominates: fires, near miss, undefined; from final figures and from the log."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from runreport.analysis.final import final_of, validation_of
from runreport.context import Context, EpochPredictions, History, history_of
from runreport.findings import Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules.bias import RULES
from runreport.rules.bias_epochs import epoch_facts, epoch_ranges
from runreport.run import Run
from runreport.settings import Settings

(DOMINATES,) = RULES

PUBLISHED = history_of(
    [1, 10, 20, 30, 37, 47],
    variance_ratio=[0.462, 0.204, 0.296, 0.257, 0.081, 0.141],
    r2=[-4.38, -0.86, -1.83, -0.10, -0.0513, -0.0748],
)


def check(context: Context) -> Outcome:
    return DOMINATES.check(context, DOMINATES.limits())


def only(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Checked)
    assert len(outcome.findings) == 1
    return outcome.findings[0]


def predicted(shift: float, n: int = 400, seed: int = 0) -> Context:
    rng = np.random.default_rng(seed)
    known = rng.standard_normal(n)
    true = 0.7 * known + np.sqrt(0.51) * rng.standard_normal(n)
    frame = pl.DataFrame({"y_true": 50 + 10 * true, "y_pred": 50 + 10 * (0.7 * known + shift)})
    run = Run(name="run", format="native", files={}, predictions=frame)
    return Context(run=run, final=final_of(run, None, None, Settings()))


def logged(history: History | None, saved: float | None) -> Context:
    return Context(run=Run(name="run", format="native", files={}), history=history, saved_epoch=saved)


@pytest.mark.parametrize(("shift", "severity"), [(-0.4, Severity.WARNING), (0.9, Severity.CRITICAL)])
def test_final_fires_by_what_it_costs(shift: float, severity: Severity) -> None:
    context = predicted(shift)
    finding = only(check(context))
    frame = context.predictions
    assert frame is not None
    true, pred = frame["y_true"].to_numpy(), frame["y_pred"].to_numpy()
    beta = (pred.mean() - true.mean()) / true.std()
    assert finding.recoverable == pytest.approx(beta**2)
    assert finding.severity is severity
    assert ("too low" in finding.message) == (shift < 0)
    assert finding.acts_on == "beta"


def test_published_run_4_final_and_epochs() -> None:
    run = Run(
        name="run4",
        format="native",
        files={},
        summary={
            "r2": -0.0655,
            "variance_ratio": 0.223,
            "true_mean": 0.937,
            "true_std": 0.4827,
            "pred_mean": 0.808,
            "num_samples": 144,
        },
    )
    outcome = check(Context(run=run, history=PUBLISHED, saved_epoch=37, final=final_of(run, PUBLISHED, 37, Settings())))
    assert isinstance(outcome, Checked)
    final, epochs = outcome.findings
    assert final.severity is Severity.WARNING
    assert final.recoverable == pytest.approx((0.129 / 0.4827) ** 2)
    assert final.evidence["share_of_shortfall"] == pytest.approx(0.88, abs=0.005)
    assert "takes the samples for independent" in final.message
    assert epochs.severity is Severity.INFO
    assert "epochs 1, 10 and 20" in epochs.message
    assert epochs.evidence["worst_wrong_mean"] == pytest.approx(1.80**2, abs=0.02)


@pytest.mark.parametrize(("shift", "n"), [(0.0, 400), (0.2, 400), (0.5, 20)])
def test_final_near_misses(shift: float, n: int) -> None:
    outcome = check(predicted(shift, n=n))
    assert isinstance(outcome, Checked)
    assert not outcome.findings
    assert len(outcome.p_values) == 1


def with_bias(beta: list[float]) -> History:
    r, ratio = 0.6, 0.6
    return history_of(
        range(1, len(beta) + 1), variance_ratio=[ratio] * len(beta), r2=[2 * r * ratio - ratio**2 - b * b for b in beta]
    )


def test_epochs_lasting_to_the_saved_one_are_a_warning() -> None:
    # α = 0.6: the bound is β² ≥ -1.2 - 0.36 - R² = β² - 1.92.
    finding = only(check(logged(with_bias([0.0] * 5 + [2.0] * 5), 8)))
    assert finding.severity is Severity.WARNING
    assert finding.recoverable == pytest.approx(2.0**2 - 1.92)
    assert "epochs 6-10" in finding.message
    assert "at least" in finding.message


def test_a_bias_that_dependent_rows_give_by_chance_is_information() -> None:
    """At least 0.8 σ: three standard errors at 10 effective rows are 3·√(1.36/9) = 1.17; at 144/19 of them 1.37."""
    finding = only(check(logged(with_bias([0.0] * 5 + [1.6] * 5), 8)))
    assert (finding.severity, finding.recoverable) == (Severity.INFO, None)
    assert "are up to 1.2 if the rows are worth 10" in finding.message
    context = logged(with_bias([0.0] * 5 + [2.0] * 5), 8)
    few = Run(name="run", format="native", files={}, summary={"splits": {"val": {"n": 144}}})
    # β² ≥ 2.08: 1.44 σ against 1.37.
    assert only(check(replace(context, run=few))).severity is Severity.WARNING
    fewer = Run(name="run", format="native", files={}, summary={"splits": {"val": {"n": 100}}})
    assert only(check(replace(context, run=fewer))).severity is Severity.INFO


def series(phi: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """A stationary AR(φ) series of unit variance."""
    x = rng.standard_normal(n)
    for i in range(1, n):
        x[i] = phi * x[i - 1] + np.sqrt(1 - phi * phi) * x[i]
    return x


def of_epochs(true: np.ndarray, pred: np.ndarray) -> Context:
    """Twenty epochs with the same validation predictions, the last one saved."""
    epochs = tuple(range(1, 21))
    matrix = EpochPredictions(epochs=epochs, y_true=true, y_pred=np.tile(pred, (20, 1)))
    history = history_of(
        epochs,
        pred_mean=[float(pred.mean())] * 20,
        true_mean=[float(true.mean())] * 20,
        true_std=[float(true.std())] * 20,
    )
    return Context(
        run=Run(name="run", format="native", files={}),
        history=history,
        epoch_predictions=matrix,
        validation=validation_of(matrix, 20),
        saved_epoch=20,
    )


def test_unbiased_models_on_strongly_autocorrelated_epochs_are_not_warned_of() -> None:
    """AR(0.9), n = 144: half a σ off is common by chance; of 250 unbiased models at most 4 may be warned of (0.3 % expected)."""
    rng = np.random.default_rng(3)
    off = warned = 0
    for _ in range(250):
        known, rest = series(0.9, 144, rng), series(0.9, 144, rng)
        outcome = check(of_epochs(0.3 * known + np.sqrt(0.91) * rest, 0.3 * known))
        assert isinstance(outcome, Checked)
        off += bool(outcome.findings)
        warned += any(f.severity is not Severity.INFO for f in outcome.findings)
    assert off > 15
    assert warned <= 4


def test_a_truly_biased_model_is_still_found_on_such_epochs() -> None:
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(40):
        known, rest = series(0.5, 144, rng), series(0.5, 144, rng)
        outcome = check(of_epochs(0.7 * known + np.sqrt(0.51) * rest, 0.7 * known + 0.8))
        assert isinstance(outcome, Checked)
        found += any(f.severity is Severity.WARNING for f in outcome.findings)
    assert found >= 36


def test_final_figures_of_one_short_series_need_a_smaller_p() -> None:
    """The same null for the final figures: nominal 0.27 %, 1.2 % before the tail was allowed for."""
    rng = np.random.default_rng(5)
    fired = 0
    for _ in range(600):
        known, rest = series(0.9, 144, rng), series(0.9, 144, rng)
        frame = pl.DataFrame({"y_true": known, "y_pred": 0.5 * known + 0.5 * rest})
        run = Run(name="run", format="native", files={}, predictions=frame)
        outcome = check(Context(run=run, final=final_of(run, None, None, Settings())))
        assert isinstance(outcome, Checked)
        fired += bool(outcome.findings)
    assert fired <= 5


def test_epochs_exact_from_logged_means() -> None:
    history = history_of(
        range(1, 11),
        pred_mean=[2.0] * 4 + [1.1] * 6,
        true_mean=[1.0] * 10,
        true_std=[0.5] * 10,
        variance_ratio=[0.5] * 10,
        r2=[0.25 - 4] * 4 + [0.25 - 0.04] * 6,
    )
    finding = only(check(logged(history, 10)))
    assert finding.severity is Severity.INFO
    assert finding.evidence["exact"] is True
    assert finding.evidence["worst_wrong_mean"] == pytest.approx(4.0)
    facts = epoch_facts(logged(history, 10))
    assert facts[-1].bias == pytest.approx(0.2)
    assert facts[-1].r == pytest.approx(0.5)


def test_epochs_near_misses() -> None:
    # One epoch off at the start, and a bias below the bound's reach.
    for beta in ([3.0] + [0.1] * 20, [1.4] * 20):
        outcome = check(logged(with_bias(beta), 18))
        assert isinstance(outcome, Checked)
        assert not outcome.findings


@pytest.mark.parametrize(
    "history",
    [None, history_of([1, 2], val_loss=[1.0, 0.5]), history_of([1], r2=[math.nan], variance_ratio=[math.inf])],
)
def test_undefined(history: History | None) -> None:
    outcome = check(logged(history, None))
    assert isinstance(outcome, NotChecked)
    assert "no epoch logs R² with the std ratio, or the means" in outcome.reason


def test_contradictory_figures_are_left_to_the_log_rules() -> None:
    # R² = 0.9 at α = 0.1 is impossible (2α - α² = 0.19): no bound, so nothing to judge.
    outcome = check(logged(history_of([1, 2], r2=[0.9, 0.9], variance_ratio=[0.1, 0.1]), None))
    assert isinstance(outcome, NotChecked)


def test_epoch_ranges() -> None:
    assert epoch_ranges([2, 3, 4, 9], tuple(range(1, 11))) == "2-4 and 9"
    assert epoch_ranges([1, 10, 20], (1, 10, 20, 30)) == "1, 10 and 20"


def test_a_bias_that_stands_on_the_training_rows_needs_no_proof_by_the_test_rows() -> None:
    # n = 40: β of a quarter is two standard errors from 0.
    context = predicted(0.3, n=40, seed=4)
    final = context.final
    assert final is not None
    p = final.p_values["bias"]
    assert 0.0027 < p < 0.05
    assert isinstance(outcome := check(context), Checked)
    assert not outcome.findings
    splits = {"splits": {"train": {"n": 200, "true_mean": 50.0, "true_std": 10.0}}}
    for train_mean, fires in ((52.5, True), (52.0, False), (47.0, False)):
        history = history_of([1, 2], train_pred_mean=[train_mean] * 2)
        run = replace(context.run, summary=splits)
        told = DOMINATES.check(replace(context, run=run, history=history, saved_epoch=2), DOMINATES.limits())
        assert isinstance(told, Checked)
        assert bool(told.findings) is fires


def test_what_is_no_correlation_and_no_ratio_is_not_reckoned_with() -> None:
    """A log may hold what no predictions give; it is named by log.inconsistent, and nothing is worked out from it."""
    odd = history_of([1, 2], variance_ratio=[0.5, -0.5], pearson_r=[1.5, 1 + 1e-7], r2=[0.1, 0.2], bias=[2.0, 2.0])
    facts = epoch_facts(Context(run=Run(name="a", format="native", files={}), history=odd))
    assert [(fact.ratio, fact.r) for fact in facts[1:]] == [(None, 1.0)]
    assert facts[0].r is None or abs(facts[0].r) <= 1
