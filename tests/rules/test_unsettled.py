"""lr.unsettled and the rate that came to nothing: what a rate that is never, or at once, lowered leaves in the log."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from runreport.context import Context, history_of
from runreport.findings import Finding, NotChecked, Severity
from runreport.rules import learning_rate
from runreport.rules.learning_rate_unsettled import RULE
from runreport.run import Run
from runreport.selection.audit import audit

RULES = {rule.id: rule for rule in learning_rate.RULES}


def curve(jitter: float, n: int = 60, level: float = 0.6, seed: int = 0) -> list[float]:
    draw = random.Random(seed)
    return [level * min(1.0, (e + 1) / 10) + draw.gauss(0, jitter) for e in range(n)]


def context(
    r2: Sequence[float],
    *,
    selected: bool = False,
    rates: Sequence[float] | None = None,
    rows: int | None = 500,
    **columns: Sequence[float],
) -> Context:
    n = len(r2)
    columns = {"train_loss": [1.2 - v for v in r2]} | columns
    history = history_of(range(1, n + 1), r2=r2, learning_rate=rates or [1e-3] * n, **columns)
    summary: dict[str, object] = {"selected_epoch": n, "selected_by": "last"}
    if selected:
        summary["policy"] = {"monitor": "r2", "mode": "max", "patience": None}
    if rows is not None:
        summary["splits"] = {"val": {"n": rows}}
    run = Run(name="a", format="native", files={}, summary=summary)
    return Context(run=run, history=history, selection=audit(run, history), saved_epoch=n)


def check(given: Context) -> tuple[Finding, ...]:
    outcome = RULE.check(given, RULE.limits())
    assert not isinstance(outcome, NotChecked), outcome
    return outcome.findings


def test_the_last_of_many_unlike_epochs_was_kept() -> None:
    (finding,) = check(context(curve(0.03)))
    assert (finding.severity, finding.epoch, finding.acts_on) == (Severity.WARNING, 31, "r")
    assert finding.evidence["step_std"] == pytest.approx(0.03 * 2**0.5, rel=0.3)
    assert "The last epoch was kept" in finding.message


@pytest.mark.parametrize(
    "given",
    [
        context(curve(0.005)),  # hardly jumps
        context(curve(0.03), selected=True),  # the best epoch was chosen, and it is not that unlike the others
        context(curve(0.03), rates=[1e-3] * 40 + [1e-4] * 20),  # the rate was lowered
        context([0.01 * e + v for e, v in enumerate(curve(0.02, level=0.0))]),  # still rising
        context(curve(0.03), pearson_r=[0.8] * 60),  # r stands: what jumps is the scale or the mean
        context(curve(0.03), train_loss=[1.2 - v for v in curve(0.03, seed=1)]),  # validation jumps alone
    ],
    ids=["quiet", "selected", "lowered", "rising", "r stands", "alone"],
)
def test_near_misses(given: Context) -> None:
    assert check(given) == ()


def test_a_chosen_epoch_needs_more() -> None:
    (finding,) = check(context(curve(0.1), selected=True))
    assert finding.evidence["kept_last"] is False


def test_undefined() -> None:
    def reason(given: Context) -> str:
        outcome = RULE.check(given, RULE.limits())
        assert isinstance(outcome, NotChecked), outcome
        return outcome.reason

    assert "needs 20 epochs" in reason(context(curve(0.1, n=18)))
    assert "needs 50" in reason(context(curve(0.1), rows=20))
    run = Run(name="a", format="native", files={})
    bare = history_of(range(1, 31), r2=curve(0.1, n=30))
    assert "no train_loss column" in reason(Context(run=run, history=bare))
    rateless = history_of(range(1, 31), r2=curve(0.1, n=30), train_loss=[1.0] * 30)
    assert "no learning_rate column" in reason(Context(run=run, history=rateless))


def frozen(rates: Sequence[float], train: Sequence[float]) -> tuple[Finding, ...]:
    history = history_of(range(1, len(rates) + 1), learning_rate=rates, train_loss=train, val_loss=train)
    run = Run(name="a", format="native", files={}, config={"schedule": "exponential"})
    rule = RULES["lr.frozen"]
    outcome = rule.check(Context(run=run, history=history), rule.limits())
    assert not isinstance(outcome, NotChecked), outcome
    return outcome.findings


def test_a_rate_that_decays_at_once() -> None:
    rates = [0.7**e for e in range(60)]
    falling = [1.0 - 0.01 * min(e, 12) for e in range(60)]
    (finding,) = frozen(rates, falling)
    assert (finding.severity, finding.epoch) == (Severity.WARNING, 40), "a rate of a millionth is no rate"
    slower = [0.8**e for e in range(60)]
    (finding,) = frozen(slower, falling)
    assert (finding.severity, finding.epoch) == (Severity.WARNING, 22)
    assert "for the 39 epochs from epoch 22 to the end" in finding.message
    assert frozen([0.95**e for e in range(60)], falling) == ()


def test_a_rate_that_died_after_the_run_had_settled_costs_time_only() -> None:
    draw = random.Random(1)
    settled = [max(0.2, 1.0 - 0.1 * e) + draw.gauss(0, 0.002) for e in range(120)]
    rates = [1.0] * 40 + [0.5 ** (e // 2) for e in range(80)]
    (finding,) = frozen(rates, settled)
    assert finding.severity is Severity.INFO
    assert "The validation loss had stopped improving" in finding.message
    still = [1.0 * 0.97**e for e in range(120)]
    (finding,) = frozen(rates, still)
    assert finding.severity is Severity.WARNING
