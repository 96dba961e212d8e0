"""loss.other-target: an asymmetric loss by name and a bias beyond noise."""

from __future__ import annotations

import pytest

from runreport.context import Context, Final, history_of
from runreport.findings import Finding, NotChecked, Severity
from runreport.rules.loss_target import RULE
from runreport.run import Run


def context(beta: float = -0.4, error: float = 0.05, trained: float | None = None, **config: object) -> Context:
    final = Final(
        split="test",
        basis="predictions",
        estimates={"bias": beta, "r2": 0.4},
        intervals={"bias": (beta - 1.96 * error, beta + 1.96 * error)},
        standard_errors={"bias": error},
        n=400,
    )
    history = None if trained is None else history_of([1, 2], train_pred_mean=[0.0, 10 + 2 * trained])
    summary = {"splits": {"train": {"true_mean": 10.0, "true_std": 2.0}}}
    run = Run(name="a", format="native", files={}, config=config, summary=summary)
    return Context(run=run, history=history, final=final)


def check(given: Context) -> tuple[Finding, ...]:
    outcome = RULE.check(given, RULE.limits())
    assert not isinstance(outcome, NotChecked), outcome
    return outcome.findings


def test_fires_and_says_what_the_loss_asks_for() -> None:
    (finding,) = check(context(loss="quantile", quantile=0.1, trained=-0.3))
    assert (finding.severity, finding.acts_on) == (Severity.WARNING, "beta")
    assert finding.recoverable == pytest.approx(0.16)
    assert "'quantile' at a level of 0.1" in finding.message or "quantile at a level of 0.1" in finding.message
    assert "On the training set it is -0.30" in finding.message


@pytest.mark.parametrize(
    "given",
    [
        context(loss="mse"),
        context(loss="quantile", quantile=0.5),  # the median: both signs weigh alike
        context(loss="PinballLoss", beta=-0.1),  # costs 0.01
        context(loss="pinball", error=0.2),  # within noise
        context(loss="quantile", trained=0.0),  # the training set is not off: the split is
    ],
    ids=["mse", "median", "small", "noise", "split"],
)
def test_near_misses(given: Context) -> None:
    assert check(given) == ()


def test_undefined() -> None:
    outcome = RULE.check(context(), RULE.limits())
    assert isinstance(outcome, NotChecked)
    assert "names no loss" in outcome.reason
    run = Run(name="a", format="native", files={}, config={"loss": "quantile"})
    assert isinstance(RULE.check(Context(run=run), RULE.limits()), NotChecked)
