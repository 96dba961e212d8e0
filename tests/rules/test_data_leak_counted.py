"""data.leak from the rows that the trainer counted in two splits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from runreport.analysis.final import final_of
from runreport.context import Context
from runreport.findings import Checked, Severity
from runreport.rules.data_leak import LEAK
from runreport.rules.registry import all_rules
from runreport.run import Run
from runreport.settings import Settings

RULE = next(rule for rule in all_rules() if rule.id == LEAK)


def context(leak_check: object) -> Context:
    rng = np.random.default_rng(1)
    true = rng.standard_normal(100)
    frame = pl.DataFrame({"y_true": true, "y_pred": true + rng.standard_normal(100)})
    run = Run(
        name="run", format="native", files={}, predictions=frame, split="test", summary={"leak_check": leak_check}
    )
    return Context(run=run, final=final_of(run, None, None, Settings()))


def counts(**pairs: object) -> dict[str, object]:
    return {"equal_inputs": {"train_val": 0, "train_test": 0, "val_test": 0} | pairs, "shared_groups": None}


@pytest.mark.parametrize(
    ("pairs", "severity", "said"),
    [
        ({"train_test": 5}, Severity.CRITICAL, "5 test rows of 100 (5.0 %; threshold 5 %)"),
        ({"train_test": 4}, Severity.WARNING, "4 test rows of 100"),
        ({"train_val": 60}, Severity.WARNING, "60 validation rows whose inputs"),
    ],
)
def test_shared_rows_are_found(pairs: dict[str, object], severity: Severity, said: str) -> None:
    outcome = RULE.check(context(counts(**pairs)), RULE.limits())
    assert isinstance(outcome, Checked)
    (finding,) = outcome.findings
    assert finding.severity is severity
    assert said in finding.message


@pytest.mark.parametrize(
    "leak_check", [counts(), counts(val_test=9), None, "yes", {"equal_inputs": [1]}, counts(train_test=True)]
)
def test_nothing_is_found_where_none_are_shared_or_nothing_was_counted(leak_check: object) -> None:
    outcome = RULE.check(context(leak_check), RULE.limits())
    assert isinstance(outcome, Checked)
    assert not outcome.findings


@pytest.mark.parametrize(("shared", "severity"), [(12, Severity.INFO), (40, Severity.CRITICAL)])
def test_rows_that_coarse_inputs_make_equal_are_no_leak(shared: int, severity: Severity) -> None:
    # Validation (50 rows) and test share 4: of 100 training rows 8 are to be expected, and up to 17 by chance.
    sizes = {"train": {"n": 100}, "val": {"n": 50}}
    whole = context(counts(train_test=shared, val_test=4))
    run = replace(whole.run, summary={**whole.run.summary, "splits": sizes})
    outcome = RULE.check(replace(whole, run=run), RULE.limits())
    assert isinstance(outcome, Checked)
    (finding,) = outcome.findings
    assert finding.severity is severity
    assert finding.evidence.get("equal_by_chance") == (8.0 if severity is Severity.INFO else None)
