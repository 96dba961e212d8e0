"""penalty.dominates by the training rows, where the held-out ones do not show it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from runreport.advice.give import give_advice
from runreport.analysis.final import final_of
from runreport.analysis.record import Analysis
from runreport.context import Context, history_of
from runreport.findings import Checked, Finding, Severity
from runreport.report.headline import headline
from runreport.rules.penalty import RULES
from runreport.run import Run
from runreport.settings import Settings

DOMINATES = RULES[0]


def context(
    *,
    train_ratio: float = 1.0,
    train_r: float = 0.55,
    train_r2: float = 0.05,
    gradient: float = 60.0,
    rows: int | None = 90,
    weight: float = 150.0,
) -> Context:
    """40 test rows of r = 0.4 and ratio 0.6, whose slope may well be 1, and a log of 20 epochs."""
    rng = np.random.default_rng(11)
    true = rng.standard_normal(40)
    rest = rng.standard_normal(40)
    frame = pl.DataFrame({"y_true": true, "y_pred": 0.6 * (0.4 * true + 0.84**0.5 * rest)})
    n = 20
    history = history_of(
        range(1, n + 1),
        r2=[0.1] * n,
        train_r2=[train_r2 - 0.01 * (n - i) for i in range(1, n + 1)],
        train_variance_ratio=[train_ratio] * n,
        train_pearson_r=[train_r] * n,
        grad_norm_base=[1.0] * n,
        grad_norm_penalty=[gradient] * n,
        variance_lambda=[weight] * n,
    )
    summary: dict[str, object] = {} if rows is None else {"splits": {"train": {"n": rows}}}
    run = Run(
        name="a", format="native", files={}, predictions=frame, split="test", summary=summary,
        config={"variance_lambda": weight, "loss": "mse"},
    )  # fmt: skip
    return Context(run=run, history=history, saved_epoch=n, final=final_of(run, history, n, Settings()))


def findings(given: Context) -> tuple[Finding, ...]:
    outcome = DOMINATES.check(given, DOMINATES.limits())
    assert isinstance(outcome, Checked)
    return outcome.findings


def test_the_training_rows_are_held_wide() -> None:
    (finding,) = findings(context())
    assert (finding.severity, finding.split, finding.acts_on) == (Severity.WARNING, "train", "alpha")
    assert finding.evidence["train_slope"] == pytest.approx(0.55)
    assert finding.recoverable == pytest.approx(0.45**2)
    assert "a std ratio of 100 % at a correlation of 0.55" in finding.message
    # The error of the slope: √((1 - r²)/(n - 2))/α in large samples of normal values.
    assert finding.evidence["train_slope_error"] == pytest.approx(((1 - 0.55**2) / 88) ** 0.5, rel=0.15)


@pytest.mark.parametrize(
    "given",
    [
        context(gradient=0.3),  # the penalty hardly pulls
        context(train_ratio=0.56, train_r2=0.3),  # as wide as warranted
        context(train_ratio=0.65, train_r2=0.3, rows=20),  # within three standard errors
        context(rows=None, train_r2=0.3),
        context(weight=0.0),
    ],
    ids=["no pull", "warranted", "few rows", "rows unknown", "off"],
)
def test_near_misses(given: Context) -> None:
    assert findings(given) == ()


def test_a_penalty_under_which_nothing_was_learned() -> None:
    given = context(train_ratio=0.04, train_r=0.02, train_r2=-4.0)
    (finding,) = findings(given)
    assert (finding.recoverable, finding.acts_on) == (None, "r")
    assert "R² on the training rows never exceeds -4.000 (epoch 20)" in finding.message
    assert "60 times the base loss's (threshold 10.0): the steps followed the penalty" in finding.message
    assert findings(context(train_ratio=0.04, train_r=0.02, train_r2=-4.0, gradient=9.0)) == ()
    (advice, *_) = give_advice(given, (finding,))
    assert (advice.id, advice.acts_on, advice.expected) == ("penalty.remove", "r", None)
    assert advice.config_patch == {"variance_lambda": 0.0}
    assert advice.refuted_if == "R² on the training rows does not rise without it"
    analysis = Analysis(
        context=given, findings=(finding,), not_checked=(), clear=(), disabled=(), criteria=(), advice=(),
        tests_made=0, thresholds_changed=(),
    )  # fmt: skip
    assert headline(analysis).startswith("a: a spread penalty kept the model from learning")
