"""selection.stopped-short: a patience, or a least improvement, that ends a rising curve; and the curves that it leaves alone."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from runreport.context import Context, history_of
from runreport.findings import Finding, NotChecked, Severity
from runreport.rules.selection_patience import STOPPED_SHORT
from runreport.run import Run
from runreport.selection.audit import audit

RISE = [0.05, 0.11, 0.16, 0.19, 0.26, 0.29, 0.36, 0.40, 0.46, 0.44, 0.45]
"""About 0.04 an epoch with a jitter of 0.02; the best epoch is the ninth of eleven."""


def context(
    r2: Sequence[float],
    *,
    patience: int | None = 2,
    why: str = "patience",
    saved: int | None = None,
    min_delta: float = 0.0,
    train: Sequence[float] | None = None,
    rates: Sequence[float] | None = None,
) -> Context:
    n = len(r2)
    history = history_of(
        range(1, n + 1),
        r2=r2,
        val_loss=[1 - v for v in r2],
        train_loss=train or [1 - v for v in r2],
        learning_rate=rates or [1e-3] * n,
    )
    best = max(range(n), key=lambda i: r2[i]) + 1
    summary: dict[str, object] = {
        "selected_epoch": saved or best,
        "stopped_because": why,
        "policy": {"monitor": "r2", "mode": "max", "patience": patience, "min_delta": min_delta},
    }
    run = Run(name="a", format="native", files={}, summary=summary, config={"max_epochs": 60})
    return Context(run=run, history=history, selection=audit(run, history), saved_epoch=saved or best)


def check(given: Context) -> tuple[Finding, ...]:
    outcome = STOPPED_SHORT.check(given, STOPPED_SHORT.limits())
    assert not isinstance(outcome, NotChecked), outcome
    return outcome.findings


def test_a_patience_shorter_than_the_jitter() -> None:
    (finding,) = check(context(RISE))
    assert (finding.severity, finding.epoch, finding.acts_on) == (Severity.WARNING, 11, "r")
    assert finding.evidence["kind"] == "patience"
    assert 0.02 < finding.evidence["r2_ahead"] < 0.2  # type: ignore[operator]
    assert "at epoch 11 of 60" in finding.message
    assert "The patience is 2." in finding.message


@pytest.mark.parametrize(
    "given",
    [
        context(RISE, rates=[1e-3] * 10 + [1e-5]),  # annealed: ended by plan
        context(RISE, train=[0.5] * 11),  # the training set is learned no further
        context([0.30 + 0.004 * i for i in range(9)] + [0.33, 0.33]),  # a rise that is worth nothing
        context([0.4, 0.41, 0.39, 0.4, 0.42, 0.4, 0.39, 0.41, 0.43, 0.4, 0.41]),  # no rise
        context(
            [0.1 * i for i in range(8)] + [0.69, 0.68, 0.67]
        ),  # steady, then turned: no curve that rises explains that
    ],
    ids=["annealed", "train stands", "small", "flat", "settled"],
)
def test_near_misses(given: Context) -> None:
    assert check(given) == ()


def test_a_least_improvement_that_hides_the_improvements() -> None:
    r2 = [-2.0, -0.1, 0.47, 0.60]
    (finding,) = check(context(r2, patience=1, saved=3, min_delta=0.17))
    assert finding.evidence["kind"] == "least_improvement"
    assert "from 0.470 at the saved epoch 3 to 0.600 at the last" in finding.message
    # The same end under a least improvement that counts it was no stop of the policy's.
    assert check(context(r2, patience=1, saved=3, min_delta=0.05)) == ()


def test_a_few_epochs_that_all_improve() -> None:
    (finding,) = check(context([-2.0, -1.2, 0.17, 0.55], why="max_epochs"))
    assert finding.evidence["kind"] == "all_improve"
    assert finding.evidence["r2_ahead"] == pytest.approx(0.45 / 2)
    assert check(context([-2.0, 0.2, 0.17, 0.55], why="max_epochs")) == ()
    assert check(context([0.1 * i for i in range(10)], why="max_epochs")) == (), "loss.still-falling judges these"


def test_undefined() -> None:
    def reason(given: Context) -> str:
        outcome = STOPPED_SHORT.check(given, STOPPED_SHORT.limits())
        assert isinstance(outcome, NotChecked), outcome
        return outcome.reason

    assert "needs 4 epochs" in reason(context(RISE[:3]))
    bare = Run(name="a", format="native", files={})
    history = history_of(range(1, 12), r2=RISE, train_loss=[1 - v for v in RISE])
    assert "why the run ended is not known" in reason(Context(run=bare, history=history))
    assert "no history" in reason(Context(run=bare))


def test_converged_runs_that_a_short_patience_ended_are_left_alone() -> None:
    """Saturating curves with jitter, ended by a patience of 1 to 8: flagged where there is something left, hardly where not."""
    converged, short = [], []
    for seed in range(250):
        draw = random.Random(seed)
        tau, jitter = math.exp(draw.uniform(0.7, 4)), math.exp(draw.uniform(-6, -3))
        top, patience = draw.uniform(0.3, 0.9), draw.choice([1, 2, 3, 5, 8])
        curve = [top * (1 - math.exp(-e / tau)) + draw.gauss(0, jitter) for e in range(1, 100)]
        stop = next(
            (
                i
                for i in range(max(4, patience), 99)
                if max(curve[: i + 1 - patience]) > max(curve[i + 1 - patience : i + 1])
            ),
            98,
        )
        left = top * math.exp(-(stop + 1) / tau) * -math.expm1(-(stop + 1) / 2 / tau)
        if left < 0.02 or left > 0.05:
            flagged = bool(check(context(curve[: stop + 1], patience=patience)))
            (converged if left < 0.02 else short).append(flagged)
    assert min(len(converged), len(short)) > 30
    assert sum(converged) <= 0.03 * len(converged)
    assert sum(short) >= 0.3 * len(short)
