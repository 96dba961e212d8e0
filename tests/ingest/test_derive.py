"""Figures worked out of others, against numbers computed from samples."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runreport.history import history_of
from runreport.ingest.derive import with_derived
from runreport.run import Note, Run


def run_of(**columns: list[float | None]) -> Run:
    (length,) = {len(v) for v in columns.values()}
    return Run(name="r", format="f", files={}, history=history_of(range(1, length + 1), **columns))


def column(run: Run, name: str) -> tuple[float | None, ...]:
    assert run.history is not None
    return run.history.get(name)


RNG = np.random.default_rng(0)
TRUE = RNG.normal(5.0, 2.0, 400)
PREDS = [5.0 + k * (TRUE - 5.0) + RNG.normal(0, 0.5, 400) for k in (0.3, 0.6, 0.9)]
MSE = [float(np.mean((TRUE - p) ** 2)) for p in PREDS]
STD = [float(np.std(TRUE))] * 3
PRED_STD = [float(np.std(p)) for p in PREDS]
R2 = [1 - float(np.sum((TRUE - p) ** 2) / np.sum((TRUE - TRUE.mean()) ** 2)) for p in PREDS]


@pytest.mark.parametrize("name", ["mse", "rmse"])
def test_r2_of_an_error_and_the_spread_of_the_truth(name: str) -> None:
    errors: list[float | None] = list(MSE if name == "mse" else np.sqrt(MSE))
    run = with_derived(run_of(**{name: errors, "true_std": list(STD), "pred_std": list(PRED_STD)}))
    assert column(run, "r2") == pytest.approx(R2)
    assert [n.code for n in run.notes] == ["derived"]
    assert run.notes[0].message.startswith("R² was not logged and was worked out")


def test_r2_that_is_logged_stays() -> None:
    run = with_derived(run_of(mse=list(MSE), true_std=list(STD), r2=[0.1, 0.2, 0.3]))
    assert (column(run, "r2"), run.notes) == ((0.1, 0.2, 0.3), ())


def test_epochs_without_either_have_no_r2() -> None:
    run = with_derived(run_of(mse=[MSE[0], None, MSE[2]], true_std=[STD[0], STD[1], 0.0]))
    assert column(run, "r2") == (pytest.approx(R2[0]), None, None)


def test_an_error_in_another_unit_gives_no_r2() -> None:
    scaled: list[float | None] = [m / 100 for m in MSE]
    run = with_derived(run_of(mse=scaled, true_std=list(STD), pred_std=list(PRED_STD)))
    assert run.history is not None
    assert "r2" not in run.history.columns
    assert "of different units" in run.notes[0].message


def test_a_quotient_of_variances_is_recognised_and_mended() -> None:
    ratios = [p / t for p, t in zip(PRED_STD, STD, strict=True)]
    run = with_derived(
        run_of(variance_ratio=[round(r**2, 3) for r in ratios], pred_std=list(PRED_STD), true_std=list(STD))
    )
    assert column(run, "variance_ratio") == pytest.approx(ratios, rel=0.01)
    assert "quotients of variances" in run.notes[0].message
    assert run.notes[0].code == "derived", "elsewhere a column called so may rightly hold the quotient"


def test_a_quotient_in_a_file_whose_format_defines_the_ratio_is_a_finding() -> None:
    squared = [(p / t) ** 2 for p, t in zip(PRED_STD, STD, strict=True)]
    run = run_of(variance_ratio=list(squared), pred_std=list(PRED_STD), true_std=list(STD))
    assert with_derived(replace(run, format="native")).notes[0].code == "log.inconsistent"


@pytest.mark.parametrize(
    "columns",
    [
        {"variance_ratio": [0.5, 0.6], "pred_std": [1.0, 1.2], "true_std": [2.0, 2.0]},  # the ratio itself
        {"variance_ratio": [0.25, 0.6], "pred_std": [1.0, 1.2], "true_std": [2.0, 2.0]},  # one of each: neither
        {"variance_ratio": [0.98, 1.0], "pred_std": [1.98, 2.0], "true_std": [2.0, 2.0]},  # too near 1 to tell
        {"variance_ratio": [0.25, 0.36]},
        {"variance_ratio": [math.nan, None], "pred_std": [1.0, 1.2], "true_std": [0.0, math.nan]},
    ],
)
def test_a_ratio_that_is_not_shown_to_be_one_stays(columns: dict[str, list[float | None]]) -> None:
    before = run_of(**columns)
    assert with_derived(before) == before


def test_final_figures_too() -> None:
    run = Run(name="r", format="f", files={}, summary={"rmse": 1.0, "true_std": 2.0})
    found = with_derived(run)
    assert found.summary["r2"] == 0.75
    assert found.notes[0].code == "derived"


def test_a_cut_off_file_of_predictions_is_no_finding_about_a_training() -> None:
    cut = Note(code="log.truncated", message="the last line (line 9) is cut off and was left out")
    alone = with_derived(Run(name="r", format="f", files={"predictions": Path("p.csv")}, notes=(cut,)))
    assert [note.code for note in alone.notes] == ["predictions.truncated"]
    beside = Run(name="r", format="f", files={}, history=history_of([1], val_loss=[0.5]), notes=(cut,))
    assert with_derived(beside).notes == (cut,)
