"""True sentences about the example runs, in the words that people use: none may be called wrong. And plain false ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.ingest.load import load_runs
from runreport.run import Run
from runreport.verify.engine import verify
from runreport.verify.record import Verdict

LOGS = Path(__file__).resolve().parents[2] / "example_logs" / "csv"
TRUE = [
    # A figure at an epoch is not the epoch.
    "The R² of run4's best epoch is -0.43.",
    "run4's R² at the saved epoch is -0.43.",
    "The MAE of run4 at its best epoch was 0.39.",
    "The std ratio of run4 at the saved epoch is 61.8 %.",
    "The validation R² of the selected epoch of run4 is -0.432.",
    "run4's best epoch reached -0.43 in R².",
    "The best epoch of run4 had 501 samples.",
    # The best of its own epochs is not the best of all runs.
    "On the validation set run4's best R² was -0.43. healthy is another run.",
    "Run 4's highest R² was -0.432, healthy's is another matter.",
    "On validation, the best R² of run 4 is -0.432. Then there is healthy.",
    "The best R² of run1 is reached at its saved epoch. Then there is healthy.",
    "run1's best R² on validation is 0.446. Then there is healthy.",
    # The best of some is not the best of all.
    "Among the numbered runs, run3 has the highest R². healthy has no number.",
    "Run 4 has the best R² of the two collapsed runs. healthy is sound.",
    "run4's MAE is the lowest of the run4 and run5 series. healthy is no part of it.",
    # Fewer than all, whichever they are.
    "Run 3 has the highest R² of all seven runs. healthy is another.",
    "Run 3 has the highest R² of all 7 runs. healthy is another.",
    "Run 3 has the highest R² of all eight runs with a number. healthy is another.",
    # Other units.
    "run4's RMSE is 1.36 σ.",
    "run4's MAE is 1.2 σ.",
    "run4's MAE is 120 % of the true std.",
    "run4's MAE is 62 % of the mean truth.",
    "run4's mean error is 0.66 σ.",
    # Rounded from what the report shows.
    "Run 4 has an MAE of 0.573.",
    "| run | R² | R² lower | R² upper |\n|---|---|---|---|\n| run4 | -0.842 | -4.40 | 0.006 |",
]
FALSE = [
    "Run 4 has the highest R². Another run is healthy.",
    "Highest R²: run4. Another run is healthy.",
    "Run 4 has an MAE of 0.48.",
    "run1 has the lowest MAE of all runs. Another run is healthy.",
    "run1 has the lowest MAE of all eight runs. Another run is healthy.",
    "Of all 8 runs, run1 has the lowest MAE. Another run is healthy.",
    "The lowest MAE of all the eight runs is run1's. Another run is healthy.",
]


@pytest.fixture(scope="module")
def runs() -> list[Analysis]:
    loaded = load_runs([str(LOGS)])
    return [analyze_run(run) for run in loaded if isinstance(run, Run)]


@pytest.mark.parametrize("text", TRUE)
def test_a_true_sentence_is_not_called_wrong(text: str, runs: list[Analysis]) -> None:
    wrong = [claim for claim in verify(text, runs, run=None).claims if claim.verdict is Verdict.CONTRADICTED]
    assert wrong == []


@pytest.mark.parametrize("text", FALSE)
def test_a_plain_false_sentence_is(text: str, runs: list[Analysis]) -> None:
    assert any(claim.verdict is Verdict.CONTRADICTED for claim in verify(text, runs, run=None).claims)
