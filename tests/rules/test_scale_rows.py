"""scale.mismatch by the predictions of the same weights on other rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from runreport.analysis.final import final_of
from runreport.context import Context, history_of
from runreport.findings import Checked, Finding, Severity
from runreport.rules.registry import all_rules
from runreport.rules.scale import MISMATCH
from runreport.rules.scale_rows import compared
from runreport.run import Run
from runreport.settings import Settings

RULE = next(rule for rule in all_rules() if rule.id == MISMATCH)
MEAN, STD = 20.0, 4.0
N = 40
"""So few rows that no conversion can be told from the final figures alone."""


def context(
    change: object = None,
    *,
    r: float = 0.5,
    test_mean: float = MEAN,
    test_std: float = STD,
    val: tuple[float, float] | None = (MEAN, 2.0),
    train: tuple[float, float] | None = None,
) -> Context:
    """Test predictions of correlation r put through ``change``; mean and std of those on validation and training rows."""
    rng = np.random.default_rng(5)
    true = rng.standard_normal(N)
    true = (true - true.mean()) / true.std()
    rest = rng.standard_normal(N)
    rest -= true * (rest * true).mean() + rest.mean()
    rest /= rest.std()
    sound = MEAN + STD * r * (r * true + (1 - r * r) ** 0.5 * rest)
    y_true = test_mean + test_std * true
    y_pred = change(sound) if callable(change) else sound
    columns: dict[str, list[float]] = {"r2": [0.2]}
    if val is not None:
        columns |= {"pred_mean": [val[0]], "pred_std": [val[1]], "true_mean": [MEAN], "true_std": [STD]}
    if train is not None:
        columns |= {"train_pred_mean": [train[0]], "train_variance_ratio": [train[1] / STD], "train_r2": [0.3]}
    history = history_of([7], **columns)
    summary: dict[str, object] = {"splits": {"train": {"n": 80, "true_mean": MEAN, "true_std": STD}}}
    frame = pl.DataFrame({"y_true": y_true, "y_pred": y_pred})
    run = Run(name="a", format="native", files={}, predictions=frame, split="test", summary=summary)
    return Context(run=run, history=history, saved_epoch=7, final=final_of(run, history, 7, Settings()))


def only(given: Context) -> Finding:
    outcome = RULE.check(given, RULE.limits())
    assert isinstance(outcome, Checked)
    (finding,) = outcome.findings
    return finding


@pytest.mark.parametrize(
    ("change", "conversion", "factor"),
    [
        (lambda y: (y - MEAN) / STD, "standard units", None),
        (lambda y: y / 100, "factor", 100.0),
        (lambda y: y * 2.54, "factor", 1 / 2.54),
        (lambda y: y * 0.3048, "factor", 1 / 0.3048),
    ],
)
def test_a_conversion_that_only_the_test_file_lacks(change: object, conversion: str, factor: float | None) -> None:
    finding = only(context(change))
    assert finding.severity is Severity.CRITICAL
    assert finding.evidence["conversion"] == conversion
    if factor is not None:
        assert finding.evidence["factor"] == pytest.approx(factor, rel=0.05)
    # r = 0.5 and calibrated before the change: scaled back, R² is 0.25 again, but for the few per cent between the stds.
    assert finding.evidence["mended_r2"] == pytest.approx(0.25, abs=0.03)
    assert "the same weights predicted the validation rows at epoch 7 with mean 20.0 and std 2.00" in finding.message


def test_the_training_rows_tell_where_validation_has_the_same_fault() -> None:
    given = context(lambda y: y / 100, val=(0.2, 0.02), train=(MEAN, 2.5))
    broken = replace(given.history, columns=given.history.columns | {"r2": (-24.0,)})  # type: ignore[type-var, union-attr]
    finding = only(replace(given, history=broken))
    assert "the training rows at epoch 7" in finding.message
    assert finding.evidence["conversion"] == "factor"


@pytest.mark.parametrize(
    "change",
    [
        None,
        lambda y: y + 10,
        lambda y: MEAN + 2.5 * (y - MEAN),
        lambda y: MEAN + 0.3 * (y - MEAN),
        lambda y: 2 * MEAN - y,
    ],
    ids=["sound", "offset", "stretched", "shrunk", "turned"],
)
def test_what_is_no_conversion(change: object) -> None:
    outcome = RULE.check(context(change), RULE.limits())
    assert isinstance(outcome, Checked)
    assert not [f for f in outcome.findings if f.evidence.get("conversion")]


def test_rows_of_another_population_say_nothing() -> None:
    # The truth of the test rows is in the other unit as well: their predictions belong to it.
    assert compared(context(lambda y: y / 100, test_mean=MEAN / 100, test_std=STD / 100), RULE.limits()) is None
    assert compared(context(val=None), RULE.limits()) is None


def test_an_equal_scale_overrules_a_conversion_that_chance_suggests() -> None:
    found = compared(context(lambda y: y + 10), RULE.limits())
    assert found is not None
    assert found.verdict == "same"
