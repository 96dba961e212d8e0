"""penalty.dominates and penalty.batch-bias: fires, near miss, undefined; the formulas by simulation."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import optimize, stats

from runreport.analysis.final import final_of
from runreport.context import Context, history_of
from runreport.findings import Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules.base import Rule
from runreport.rules.penalty import RULES
from runreport.rules.penalty_optimum import batch_optimum, equilibrium_ratio, penalty_weight
from runreport.run import Run
from runreport.settings import Settings

DOMINATES, BATCH_BIAS = RULES


def context_of(
    config: dict[str, object] | None, r: float = 0.3, ratio: float = 0.9, train_rows: int | None = None, n: int = 300
) -> Context:
    """Predictions of a truth with std 1, with exactly this sample correlation and std ratio."""
    rng = np.random.default_rng(7)
    true = stats.zscore(rng.standard_normal(n))
    rest = rng.standard_normal(n)
    rest = stats.zscore(rest - true * float((rest * true).mean()))
    frame = pl.DataFrame({"y_true": true, "y_pred": ratio * (r * true + np.sqrt(1 - r * r) * rest)})
    summary = {} if train_rows is None else {"splits": {"train": {"n": train_rows}}}
    run = Run(name="run", format="native", files={}, predictions=frame, config=config or {}, summary=summary)
    return Context(run=run, final=final_of(run, None, None, Settings()))


def check(rule: Rule, context: Context) -> Outcome:
    return rule.check(context, rule.limits())


def only(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Checked)
    assert len(outcome.findings) == 1
    return outcome.findings[0]


def is_clear(outcome: Outcome) -> bool:
    return isinstance(outcome, Checked) and not outcome.findings


def test_dominates_fires() -> None:
    finding = only(check(DOMINATES, context_of({"variance_lambda": 2.0})))
    assert finding.severity is Severity.CRITICAL
    assert finding.recoverable == pytest.approx(0.36)
    assert finding.evidence["penalty_weight"] == 2.0
    # scipy's root of σt²(α - r) = 4λα(1 - α²) with σt = 1, r = 0.3, λ = 2.
    root = optimize.brentq(lambda a: (a - 0.3) - 8 * a * (1 - a * a), 0.5, 1.0)
    assert finding.evidence["equilibrium_ratio"] == pytest.approx(root, abs=1e-6)
    assert "With ½MSE as base loss" in finding.message


def test_dominates_that_costs_next_to_nothing_is_information() -> None:
    finding = only(check(DOMINATES, context_of({"variance_lambda": 2.0}, r=0.9, ratio=0.98)))
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    "context",
    [
        context_of({"variance_lambda": 0.0}),
        context_of({"variance_lambda": None}),
        context_of({"variance_lambda": 2.0}, r=0.5, ratio=0.5),
        context_of({"variance_lambda": 0.001}),  # pulls from 0.300 to 0.301: not the cause of 0.9
    ],
)
def test_dominates_near_misses(context: Context) -> None:
    assert is_clear(check(DOMINATES, context))


def test_batch_bias_fires_on_small_batches_and_short_last_ones() -> None:
    finding = only(check(BATCH_BIAS, context_of({"variance_lambda": 0.5, "batch_size": 20}, train_rows=501)))
    assert finding.severity is Severity.WARNING
    assert finding.evidence["last_batch"] == 1
    assert finding.evidence["optimum_ratio_unrelated"] == pytest.approx((15 / 21) ** 0.5)
    finding = only(check(BATCH_BIAS, context_of({"variance_lambda": 0.5, "batch_size": 64}, train_rows=64 * 5 + 3)))
    assert "the last batch of an epoch has 3 of 64 samples" in finding.message
    assert "taken over batches" not in finding.message


@pytest.mark.parametrize(
    ("config", "rows"),
    [
        ({"variance_lambda": 0.0, "batch_size": 8}, 501),
        ({"variance_lambda": 0.5, "batch_size": 32}, 320),
        ({"variance_lambda": 0.5, "batch_size": 64}, 64 * 5 + 6),
        ({"variance_lambda": 0.5, "batch_size": 64, "drop_last": True}, 64 * 5 + 3),
    ],
)
def test_batch_bias_near_misses(config: dict[str, object], rows: int) -> None:
    assert is_clear(check(BATCH_BIAS, context_of(config, train_rows=rows)))


def test_undefined() -> None:
    for rule in RULES:
        outcome = check(rule, context_of({}))
        assert isinstance(outcome, NotChecked)
        assert outcome.reason == "neither config nor log says whether a spread penalty is on"
    outcome = check(BATCH_BIAS, context_of({"variance_lambda": 1.0}))
    assert isinstance(outcome, NotChecked)
    assert outcome.reason == "no batch_size in the config"
    run = Run(name="r", format="x", files={}, config={"variance_lambda": 1.0})
    outcome = check(DOMINATES, Context(run=run))
    assert isinstance(outcome, NotChecked)
    assert outcome.reason == "no predictions and no final figures"


def test_where_the_weight_is_found() -> None:
    run = Run(name="r", format="x", files={}, config={"penalty": {"kind": "std", "weight": 3.0}})
    assert penalty_weight(Context(run=run)) == 3.0
    run = Run(name="r", format="x", files={})
    assert penalty_weight(Context(run=run)) is None
    assert penalty_weight(Context(run=run, history=history_of([1, 2], variance_lambda=[0.0, 0.5]))) == 0.5
    run = Run(name="r", format="x", files={}, config={"penalty": "none"})
    assert penalty_weight(Context(run=run)) == 0.0


@pytest.mark.parametrize(("batch", "r"), [(12, 0.0), (20, 0.0), (20, 0.5), (31, 0.8), (64, 0.3)])
def test_batch_optimum_by_simulation(batch: int, r: float) -> None:
    rng = np.random.default_rng(batch)
    true = rng.standard_normal((60_000, batch))
    pred = r * true + np.sqrt(1 - r * r) * rng.standard_normal((60_000, batch))
    ratio = pred.var(axis=1, ddof=1) / true.var(axis=1, ddof=1)
    # Σ(1 - α²W)² is least at α² = mean(W)/mean(W²).
    assert batch_optimum(batch, r) ** 2 == pytest.approx(ratio.mean() / (ratio**2).mean(), rel=0.02)


@pytest.mark.parametrize(
    ("r", "weight", "std"), [(0.125, 0.5, 0.4827), (0.6, 0.01, 1.0), (0.0, 1.0, 1.0), (-0.3, 5.0, 1.0)]
)
def test_equilibrium_minimises_the_loss(r: float, weight: float, std: float) -> None:
    ratio = equilibrium_ratio(r=r, weight=weight, true_std=std)
    assert ratio is not None

    def loss(a: float) -> float:
        return 0.5 * std**2 * (1 - 2 * r * a + a * a) + weight * (1 - a * a) ** 2

    best = optimize.minimize_scalar(
        loss, bounds=(max(0.0, ratio - 0.2), 1.0), method="bounded", options={"xatol": 1e-9}
    )
    assert ratio == pytest.approx(best.x, abs=1e-4)


def test_equilibrium_edges() -> None:
    assert equilibrium_ratio(r=-0.5, weight=0.1, true_std=1.0) == 0.0
    assert equilibrium_ratio(r=-0.9, weight=0.4, true_std=1.0) == 0.0
    assert equilibrium_ratio(r=float("nan"), weight=1.0, true_std=1.0) is None
    assert equilibrium_ratio(r=0.5, weight=1.0, true_std=0.0) is None
    assert equilibrium_ratio(r=1.0, weight=1.0, true_std=1.0) == 1.0
