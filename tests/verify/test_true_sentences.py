"""True and false sentences about the runs of ``example_logs/csv``, in the words people and language models use.

No true sentence may be called contradicted: that would be the worst that this command can do. Every page names all of the
runs, so that each can refute a "best". Most sentences are on a page about run 4.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.ingest.load import load_runs
from runreport.run import Run
from runreport.verify.engine import verify
from runreport.verify.record import Claim, Verdict

PAGE = "# Run {number}\n\n{text}\n\nThe other runs are healthy, run1, run2, run3, run4, run5a, run5b and run5c.\n"

AT_THE_SAVED_EPOCH = """
The R² of run4's best epoch is -0.43.
R² at the saved epoch is -0.43
MAE at its best epoch was 0.39
std ratio at the saved epoch is 61.8 %
validation R² of the selected epoch of run4 is -0.432
best epoch reached -0.43 in R²
The best epoch of run4 had 501 samples
The best epoch of run4 had 501 training samples.
At its best epoch, run4 reaches an R² of -0.43.
In its best epoch the model has an MAE of 0.392.
The saved epoch has an RMSE of 0.479.
The best epoch's R² is -0.432.
Run 4's saved epoch is 6.
Best epoch: 6
The best epoch (6) has an R² of -0.43.
R² in the best epoch was -0.43, with an MAE of 0.392.
R² from the saved epoch: -0.43
Its saved epoch had a val loss of 0.306.
The best epoch, 6, has a std ratio of 0.618.
The best epoch was 37.5 % of the way through training.
The selected epoch is epoch 6.
The best epoch scores 0.392 on MAE.
Validation MAE of the kept epoch: 0.392
""".strip().splitlines()
OWN_BEST = """
On the validation set run4's best R² was -0.43.
Run 4's highest R² was -0.432
On validation, the best R² of run 4 is -0.432
The best R² of run1 is reached at its saved epoch
run1's best R² on validation is 0.446
Its best R² was -0.432.
The best R² that run 4 reached was -0.432.
Run 4 reached its highest R² early, at epoch 6.
Run 3 had its best R² in the last epoch.
Run 1 has the highest R² in its last epoch.
Run 4's lowest MAE, 0.392, came at epoch 6.
The highest validation R² in run3 was 0.538.
Of all runs, run3 trained longest, and its best R² is 0.538.
In most runs, as in run4, the best R² came before the last epoch.
run2's best R² is higher than run4's first R².
""".strip().splitlines()
SUBSETS = """
Among the numbered runs, run3 has the highest R²
Run 4 has the best R² of the two collapsed runs
run4's MAE is the lowest of the run4 and run5 series
Run 4 has the highest R² of the run5 series.
Of these runs, run3 has the best R².
Run 3 has the best R² of all runs without dropout.
Run 3 has the best R² of all runs but healthy.
After healthy, run3 has the highest R².
Apart from healthy, run 3 has the best R² of all runs.
Run 3 has the second best R² of all runs.
Run 3 has the lowest MAE of the five runs above.
Of runs 1-4, run3 has the lowest MAE.
Run 1 has the best R² for its size.
On validation, run3 has the highest R² of the numbered runs.
Excluding the healthy run, the highest R² is run3's.
""".strip().splitlines()
UNITS = """
run4's RMSE is 1.36 σ
MAE is 1.2 σ
MAE is 120 % of the true std
MAE is 62 % of the mean truth
mean error is 0.66 σ
RMSE is 1.36 sd of the truth.
The MAE of run4 is 1.2 times the true std.
The MAE is 322 % of healthy's.
The RMSE is 2.85x that of healthy.
Run 4's MAE is 3.2 times that of healthy.
Run 4's MAE is more than half of run4's RMSE.
Compared with healthy, R² is low at -0.84.
Compared to healthy, the MAE is high: 0.572.
Relative to healthy, the MAE is 3.2.
RMSE = 1.36 × σ
MAE is 62 %.
The MAE is 0.88 of the RMSE.
""".strip().splitlines()
NUMBERS = """
Run 4 has an MAE of 0.573
MAE: 0.57
Run 4 ends with an R² of -0.842.
Run 4 has a test R² of −0.8424.
Run 1 has a test R² of 0.58. run4 trained for 16 epochs and has a test R² of -0.84.
Run 1 has a test R² of 0.58. healthy has a test R² of 0.77.
In its final epoch, R² was -0.787.
In its final epoch run4 has a validation R² of -0.79.
By epoch 12 run4 had passed its best R² of -0.43.
R² low: -4.40, R² high: -0.10
Run 4's predictions have a std of 0.29, that is 61 % of the truth's.
Run 4 stopped after 16 epochs, with epoch 6 as the saved one.
The mean error of run 4 is 0.314.
With R² = -0.84, run4 is worse than a constant.
Run 2 collapsed: its std ratio on the test set is 0.7 %.
Although the loss fell, run2's MAE went from 0.31 to 0.32.
Run 2 collapsed: its std ratio went from 0.008 to 0.0088 over the last epochs.
Run 4 has a higher R² than run5a.
Run 4's final validation R² (-0.79) is worse than the saved one (-0.43).
- **R² (test):** -0.842
- Test set: R² = -0.84, MAE = 0.57, RMSE = 0.65
Our model attains R²=-0.84 and MAE=0.57 on the held-out test set (n=144).
Key finding: **Run 4 has a negative R² of -0.84** on test data.
MAE = 0.24 (run1), 0.57 (run4)
Run 4 had its lowest val loss at epoch 16.
The correlation is -0.03, so the predictions carry no information.
""".strip().splitlines()
NEIGHBOURS = """
After epoch 6 the R² fell to -0.79.
Test MAE: 0.572 (vs. 0.178 for healthy)
The highest R² of all runs is 0.77.
The best of the runs has an R² of 0.77.
The best epoch is 1 of only 16.
R² is 1.6 lower.
R² is negative 0.84.
Two runs collapsed. Of the runs, run4 has the best R².
Healthy is fine. The R² is 0.77.
Best R² (run4): -0.43
Highest R²: -0.43 (run4)
The best epoch comes 10 epochs before the end.
MAE is 3.2 as high as healthy's.
Its R² is 1.6 lower than healthy's.
R² is -0.84 at n = 144, and the MAE 0.57.
With bias removed, R² is -0.41.
Run 4 has the highest R² of the last two runs.
Run 4: best R² -0.43, final R² -0.84, best MAE 0.39.
The first epoch's R² was -6.43.
Unlike healthy (R² 0.77), run4 has R² -0.84.
The healthy run did well. Its R² is 0.77.
healthy is the reference. Its R² is the best of all runs.
Run 1 is fine: its R² is 0.58. It has an MAE of 0.24.
The biggest R² change of run 4 came at epoch 2.
The largest MAE jump is at epoch 2.
healthy's highest training R² is at epoch 38.
The best R² of all epochs was at epoch 6.
Run 4 has the highest R² of all its epochs at epoch 6.
Run 4's MAE of 0.57 is half of what a random model would have.
The R² of -0.84 is relative to the test set's own mean.
Run 4's RMSE (0.65) is about twice that of run1 (0.31).
Run 3 wins on test R² with 0.60 against 0.58 for run1.
The R² stays below zero: -0.43 at best, -0.84 on test.
Epoch 6 is run4's best epoch.
The winner among the numbered runs is run3 with R² = 0.60.
At the saved epoch, R² is -0.43 and MAE is 0.39.
Run 4 peaked at R² -0.43.
Early stopping kept epoch 6, where validation R² was -0.43 and val loss 0.306.
The model's best validation R² (-0.432) is still negative.
Run 4's R² never got above -0.43 on validation.
On the training set, the saved epoch of run 4 has an R² of -0.56.
Run 4's best train R² was -0.56.
run5c's test R² equals run4's: -0.842.
Run 1's final R² is higher than run4's best R².
The std ratio grew to 85 % at epoch 16.
Run 5a's lowest validation MAE was 0.439, at epoch 10.
Run 2's std ratio of 0.7 % is the lowest of all runs.
Run 4 has a lower std ratio than run 3 on test: 0.609 against 0.612.
Compared with run1, run4 has a lower R².
Run 4's validation MAE is lower than run1's test MAE times 2.
healthy has the best R² and the lowest MAE.
""".strip().splitlines()
ON_OTHER_PAGES = [
    (1, "Run 1's R² is 0.5824, its MAE 0.24."),
    (1, "The best epoch was the last, epoch 50."),
    (1, "With 0.58, run1's R² is 75 % of healthy's."),
    (1, "R² is 75 % of healthy's."),
    (2, "R² at the best epoch is -0.006"),
    (2, "run2's best R² over training is at epoch 22"),
    (3, "The saved epoch has an R² of 0.534, three epochs before the best one (0.538)."),
    (3, "Run 3's best epoch by R² is 50."),
    (3, "R² rose to 0.538 at epoch 50."),
    (3, "R² climbs from 0.534 at the saved epoch to 0.538 at the end of training."),
]
ACROSS_PARAGRAPHS = ["The healthy run is fine.\n\nIts R² is 0.77."]
TRUE = [
    (4, s) for s in [*AT_THE_SAVED_EPOCH, *OWN_BEST, *SUBSETS, *UNITS, *NUMBERS, *NEIGHBOURS, *ACROSS_PARAGRAPHS]
] + ON_OTHER_PAGES
TABLES = [
    "| epoch | note |\n|---|---|\n| 9 | selected by smoothed_r2 |\n| 16 | best epoch (val loss) |",
    "| run | R² 95 % CI |\n|---|---|\n| run4 | 0.40 |",
    "| run | R² | R² lower | R² upper |\n|---|---|---|---|\n| run4 | -0.842 | -4.40 | -0.10 |",
    "| run | R² | R² low | R² high |\n|---|---|---|---|\n| run4 | -0.842 | -4.40 | -0.10 |",
    "| run | R² | R² (min) | R² (max) |\n|---|---|---|---|\n| run4 | -0.842 | -4.40 | -0.10 |",
    "| run | R² | R² 2.5 % | R² 97.5 % |\n|---|---|---|---|\n| run4 | -0.842 | -4.40 | -0.10 |",
    "| run | R² | R² 95 % CI low | R² 95 % CI high |\n|---|---|---|---|\n| run4 | -0.842 | -4.40 | -0.10 |",
    "| run | R² | lower R² | higher R² |\n|---|---|---|---|\n| run4 | -0.842 | -4.40 | -0.10 |",
    "| metric | value |\n|---|---|\n| R² | -0.842 |\n| R² lower | -4.40 |\n| R² upper | -0.10 |",
    "| metric | value | low | high |\n|---|---|---|---|\n| R² | -0.842 | -4.40 | -0.10 |",
]
FALSE = [
    (4, "Run 4's test R² is 0.3"),
    (4, "Run 4's best epoch is 11."),
    (4, "The saved epoch is 12."),
    (4, "R² at the saved epoch is 0.43"),
    (4, "MAE at its best epoch was 0.19"),
    (4, "The best epoch reached 0.43 in R²."),
    (4, "Run 4 has the best R² of all runs."),
    (4, "run4 has the highest R²."),
    (4, "Highest R²: run4"),
    (4, "Of all runs, run4 has the lowest MAE."),
    (4, "Run 4 has an MAE of 0.574"),
    (4, "Run 4 has an MAE of 0.563"),
    (4, "Run 1 has a test R² of 0.68. run4 trained for 16 epochs."),
    (4, "Run 4's RMSE is 0.46."),
    (4, "The std ratio of run4 is 31 %."),
    (4, "Run 4 has a higher R² than healthy."),
    (4, "The lowest val loss was at epoch 6."),
    (4, "Validation R² at epoch 6 was 0.53."),
    (4, "| run | R² | MAE |\n|---|---|---|\n| run4 | 0.842 | 0.57 |"),
    (1, "Run 1's R² is 0.8524."),
    (3, "The lowest R² is run3's."),
    (2, "Run 2's test std ratio is 12 %."),
]


@pytest.fixture(scope="module")
def analyses(repository: Path) -> list[Analysis]:
    loaded = load_runs([str(repository / "example_logs" / "csv")])
    return [analyze_run(r) for r in loaded if isinstance(r, Run)]


def contradicted(number: int, text: str, analyses: list[Analysis]) -> list[Claim]:
    found = verify(PAGE.format(number=number, text=text), analyses).claims
    return [c for c in found if c.verdict is Verdict.CONTRADICTED]


@pytest.mark.parametrize(("number", "text"), TRUE)
def test_a_true_sentence_is_not_contradicted(number: int, text: str, analyses: list[Analysis]) -> None:
    assert contradicted(number, text, analyses) == []


@pytest.mark.parametrize("text", TABLES)
def test_a_true_table_is_not_contradicted(text: str, analyses: list[Analysis]) -> None:
    assert contradicted(4, text, analyses) == []


@pytest.mark.parametrize(("number", "text"), FALSE)
def test_a_plainly_false_sentence_is_contradicted(number: int, text: str, analyses: list[Analysis]) -> None:
    assert contradicted(number, text, analyses)
