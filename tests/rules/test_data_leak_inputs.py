"""data.leak from the input column that the trainer found closest to the target."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from runreport.advice.give import give_advice
from runreport.analysis.engine import analyze_run
from runreport.analysis.final import final_of
from runreport.context import Context
from runreport.findings import Checked, Severity
from runreport.report.headline import headline
from runreport.rules.data_leak import LEAK
from runreport.rules.registry import all_rules
from runreport.run import Run
from runreport.settings import Settings

RULE = next(rule for rule in all_rules() if rule.id == LEAK)


def run_with(closest: object) -> Run:
    rng = np.random.default_rng(1)
    true = rng.standard_normal(100)
    frame = pl.DataFrame({"y_true": true, "y_pred": true + 0.3 * rng.standard_normal(100)})
    summary = {"leak_check": {"equal_inputs": {"train_test": 0}, "shared_groups": None, "closest_input": closest}}
    return Run(name="run", format="native", files={}, predictions=frame, split="test", summary=summary)


def context(closest: object) -> Context:
    run = run_with(closest)
    return Context(run=run, final=final_of(run, None, None, Settings()))


def test_an_input_that_is_nearly_the_target_is_named() -> None:
    given = context({"column": "lag_1", "r2": 0.93})
    outcome = RULE.check(given, RULE.limits())
    assert isinstance(outcome, Checked)
    (finding,) = outcome.findings
    assert finding.severity is Severity.WARNING
    assert "one input, lag_1, explains 0.930 of the training target's variance" in finding.message
    assert finding.evidence["column_r2"] == 0.93
    (advice, *_) = give_advice(given, outcome.findings)
    assert advice.id == "data.leave-out-input"
    assert "lag_1" in advice.text
    assert headline(analyze_run(run_with({"column": "lag_1", "r2": 0.93}))).startswith(
        "run: the input lag_1 is nearly the target"
    )


def test_the_threshold_decides() -> None:
    assert RULE.limits()["column_r2"] == 0.9
    at = RULE.check(context({"column": "a", "r2": 0.9}), RULE.limits())
    below = RULE.check(context({"column": "a", "r2": 0.89}), RULE.limits())
    raised = RULE.check(context({"column": "a", "r2": 0.9}), RULE.limits({"column_r2": 0.95}))
    assert [len(o.findings) for o in (at, below, raised) if isinstance(o, Checked)] == [1, 0, 0]


@pytest.mark.parametrize(
    "closest",
    [None, "a", {}, {"column": 3, "r2": 0.9}, {"column": "a", "r2": "0.9"}, {"column": "a", "r2": True},
     {"column": "a", "r2": float("nan")}, {"column": "a", "r2": 1.5}],
)  # fmt: skip
def test_what_is_no_share_of_a_column_is_passed_over(closest: object) -> None:
    outcome = RULE.check(context(closest), RULE.limits())
    assert isinstance(outcome, Checked)
    assert not outcome.findings


def test_a_column_name_cannot_write_into_the_page() -> None:
    outcome = RULE.check(context({"column": "a\n# **b**\x1b[31m", "r2": 0.9}), RULE.limits())
    assert isinstance(outcome, Checked)
    (finding,) = outcome.findings
    assert "\n" not in finding.message
    assert "\x1b" not in finding.message
