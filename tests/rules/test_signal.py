"""signal.limited: fires, near miss, undefined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from runreport.analysis.final import final_of
from runreport.context import Context, history_of
from runreport.findings import Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules.signal import RULES
from runreport.run import Run
from runreport.settings import Settings

LIMITED, INVERTED = RULES
Array = np.ndarray


def context_of(r: float, ratio: float, n: int = 144) -> Context:
    """Predictions with exactly this sample correlation and std ratio."""
    rng = np.random.default_rng(7)
    true = stats.zscore(rng.standard_normal(n))
    rest = rng.standard_normal(n)
    rest = stats.zscore(rest - true * float((rest * true).mean()))
    pred = ratio * (r * true + np.sqrt(1 - r * r) * rest)
    run = Run(name="run", format="native", files={}, predictions=pl.DataFrame({"y_true": true, "y_pred": pred}))
    return Context(run=run, final=final_of(run, None, None, Settings()))


def published(**figures: object) -> Context:
    run = Run(name="run", format="native", files={}, summary=figures)
    return Context(run=run, final=final_of(run, None, None, Settings()))


def check(context: Context, **limits: float) -> Outcome:
    return LIMITED.check(context, LIMITED.limits(limits))


def only(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Checked)
    assert len(outcome.findings) == 1
    return outcome.findings[0]


def test_fires_on_published_run_4() -> None:
    context = published(
        r2=-0.0655, variance_ratio=0.223, true_mean=0.937, true_std=0.4827, pred_mean=0.808, num_samples=144
    )
    finding = only(check(context))
    assert finding.severity is Severity.INFO
    # Fisher: tanh(atanh(0.125) ± 1.96/√141).
    assert finding.evidence["pearson_r_interval"] == pytest.approx([-0.0395, 0.2824], abs=1e-3)
    assert "0.12 [-0.04, 0.28]: at n = 144 it cannot be told from none" in finding.message
    assert finding.evidence["ceiling_r2_upper"] == pytest.approx(0.2824**2, abs=1e-3)
    assert finding.acts_on == "r"


def test_fires_where_the_spread_is_wrong_but_costs_next_to_nothing() -> None:
    finding = only(check(context_of(0.0, 0.1, n=1000)))
    assert "is not shown to cost more than 0.001 R²" in finding.message


@pytest.mark.parametrize(("r", "ratio", "n"), [(0.3, 0.3, 144), (0.0, 0.6, 144), (0.12, 0.12, 2000), (-0.5, 0.5, 144)])
def test_near_misses(r: float, ratio: float, n: int) -> None:
    outcome = check(context_of(r, ratio, n))
    assert isinstance(outcome, Checked)
    assert not outcome.findings
    assert len(outcome.p_values) == 1


def test_less_than_is_asked() -> None:
    context = context_of(0.3, 0.3, n=400)
    finding = only(check(context, asked_r2=0.5))
    assert "R² = 0.50 is asked" in finding.message
    outcome = check(context, asked_r2=0.1)
    assert isinstance(outcome, Checked)
    assert not outcome.findings


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (Context(run=Run(name="r", format="x", files={})), "no predictions and no final figures"),
        (published(r2=-0.05, variance_ratio=0.4, num_samples=144), "does not give the correlation"),
    ],
)
def test_undefined(context: Context, reason: str) -> None:
    outcome = check(context)
    assert isinstance(outcome, NotChecked)
    assert reason in outcome.reason


def test_constant_predictions_have_no_correlation() -> None:
    frame = pl.DataFrame({"y_true": np.arange(30.0), "y_pred": np.ones(30)})
    run = Run(name="run", format="native", files={}, predictions=frame)
    outcome = check(Context(run=run, final=final_of(run, None, None, Settings())))
    assert isinstance(outcome, NotChecked)
    assert "do not vary" in outcome.reason


def test_inverted_predictions_are_said_to_run_against_the_truth() -> None:
    outcome = INVERTED.check(context_of(-0.8, 0.8), INVERTED.limits())
    finding = only(outcome)
    assert finding.severity is Severity.CRITICAL
    assert "run against the truth" in finding.message
    # Mirrored at their mean: R² = 2·0.8·0.8 - 0.8² = 0.64; as they are -1.92.
    assert finding.evidence["mirrored_r2"] == pytest.approx(0.64)
    assert finding.recoverable == pytest.approx(4 * 0.8 * 0.8)
    assert only(INVERTED.check(context_of(-0.4, 0.4), INVERTED.limits())).severity is Severity.WARNING


@pytest.mark.parametrize("r", [-0.2, 0.0, 0.8])
def test_inversion_within_chance_is_none(r: float) -> None:
    """r = -0.2 at n = 144: p = 0.016, no warning."""
    outcome = INVERTED.check(context_of(r, 0.5), INVERTED.limits())
    assert isinstance(outcome, Checked)
    assert outcome.findings == ()


def test_noise_is_not_called_inverted() -> None:
    """Unrelated AR(0.9) series of 144 rows: at most 1 % (nominal 0.13 %, one-sided)."""
    rng = np.random.default_rng(11)
    fired = 0
    for _ in range(500):
        draws = rng.standard_normal((2, 144))
        for i in range(1, 144):
            draws[:, i] = 0.9 * draws[:, i - 1] + np.sqrt(0.19) * draws[:, i]
        frame = pl.DataFrame({"y_true": draws[0], "y_pred": 0.3 * draws[1]})
        run = Run(name="run", format="native", files={}, predictions=frame)
        outcome = INVERTED.check(Context(run=run, final=final_of(run, None, None, Settings())), INVERTED.limits())
        assert isinstance(outcome, Checked)
        fired += bool(outcome.findings)
    assert fired <= 5


def with_log(r: list[float], n: int = 300) -> Context:
    """A saved epoch whose predictions are noise, and the validation correlation of every epoch."""
    context = context_of(0.0, 0.3)
    history = history_of(range(1, len(r) + 1), pearson_r=r, variance_ratio=[0.3] * len(r))
    run = replace(context.run, summary={"splits": {"val": {"n": n}}})
    return replace(context, run=run, history=history, saved_epoch=1)


def test_a_sign_that_only_the_later_epochs_show() -> None:
    finding = only(INVERTED.check(with_log([0.05, -0.3, -0.6, -0.8]), INVERTED.limits()))
    assert finding.severity is Severity.CRITICAL
    assert finding.epoch == 4
    assert "from 0.05 at epoch 1 to -0.80 at epoch 4" in finding.message


@pytest.mark.parametrize(
    "r",
    [
        [0.05, -0.8],  # two epochs
        [-0.4, -0.4, -0.41, -0.4],  # never moved: that of the initial weights
        [0.2, 0.1, 0.0, -0.2],  # -0.2 of 300 rows is more than chance, but its interval at p = 0.0027 reaches -0.03
    ],
)
def test_a_log_that_does_not_show_it(r: list[float]) -> None:
    outcome = INVERTED.check(with_log(r), INVERTED.limits())
    assert isinstance(outcome, Checked)
    assert not outcome.findings


def test_an_output_that_hardly_varies_is_not_inverted() -> None:
    # r = -0.5 at α = 0.03: mirroring gives 0.03, which initial weights give as well.
    outcome = INVERTED.check(context_of(-0.5, 0.03), INVERTED.limits())
    assert isinstance(outcome, Checked)
    assert not outcome.findings


def test_offsets_of_groups_do_not_hide_the_signal_inside_them() -> None:
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(8), 30)
    known = rng.standard_normal(240)
    true = 0.8 * known + 0.6 * rng.standard_normal(240)
    frame = pl.DataFrame(
        {"y_true": true, "y_pred": 0.8 * known, "flight_name": [f"f{g}" for g in groups]},
    )
    off = frame.with_columns(y_true=pl.Series(true - 4.0 * (groups >= 6)))
    run = Run(name="run", format="native", files={}, predictions=off)
    final = final_of(run, None, None, Settings())
    assert final is not None
    # Whole groups are resampled: with two of eight off the interval of r holds 0, and the groups alone tell.
    wide = replace(final, intervals={**final.intervals, "pearson_r": (-0.2, 0.7)})
    outcome = check(Context(run=run, final=wide))
    assert isinstance(outcome, Checked)
    assert not outcome.findings
    noise = off.with_columns(y_pred=pl.Series(0.8 * rng.standard_normal(240)))
    assert only(check(Context(run=replace(run, predictions=noise), final=replace(wide)))).rule == "signal.limited"


def test_inverted_undefined() -> None:
    outcome = INVERTED.check(Context(run=Run(name="run", format="x", files={})), INVERTED.limits())
    assert isinstance(outcome, NotChecked)
