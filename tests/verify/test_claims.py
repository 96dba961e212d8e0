"""Single sentences and tables against a run whose figures are written here."""

from __future__ import annotations

import pytest

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.history import history_of
from runreport.run import Run
from runreport.verify.engine import verify
from runreport.verify.record import Claim, Verdict

RATIOS = [0.90, 0.50, 0.15, 0.30, 0.35]
R2 = [-2.0, -0.5, -0.25, 0.125, 0.0625]


def run(name: str, r2: float, mae: float, ratio: float = 0.4) -> Run:
    summary = {
        "split": "test", "num_samples": 200, "selected_epoch": 4, "epochs_run": 5, "r2": r2, "mae": mae, "rmse": 0.9,
        "variance_ratio": ratio, "pred_mean": 1.0, "pred_std": 0.2, "true_mean": 1.1, "true_std": 0.5,
    }  # fmt: skip
    history = history_of(
        [1, 2, 3, 4, 5],
        r2=R2,
        variance_ratio=RATIOS,
        val_loss=[5.0, 3.0, 2.5, 2.25, 2.375],
        train_r2=[0.104, 0.204, 0.304, 0.406, 0.501],
    )
    return Run(
        name=name, format="native", files={}, history=history, summary=summary, split="test", config={"lr": 0.01}
    )


@pytest.fixture(scope="module")
def runs() -> list[Analysis]:
    return [analyze_run(run("run1", 0.1875, 0.75)), analyze_run(run("run2", 0.3125, 0.5, 0.6))]


def claims(text: str, runs: list[Analysis], subject: str | None = "run1") -> tuple[Claim, ...]:
    return verify(text, runs, run=subject).claims


def only(text: str, runs: list[Analysis]) -> Claim:
    (claim,) = claims(text, runs)
    return claim


SUPPORTED = [
    "R²: 0.19",
    "R² = 18.8 %",
    "Test R² is 0.1875.",
    "The final R² was about 0.2.",
    "R² = 0.18",  # cut off, not rounded
    "Validation R² at epoch 3 was -0.25.",
    "Epoch 1 had 90% variance ratio.",
    "std ratio 0.16",  # its square: this page's "ratio" is one of variances
    "At epoch 2, val_loss = 3.0.",
    "Train R² at epoch 5: 0.5",
    "Pred: mean=1.0, std=0.20",
    "MAE of run2 is 0.5.",
    "Best R² of the run: 0.125",
    "The variance ratio collapsed during training from 90 % → 15 % → 35 %.",
    "R² is highest at epoch 4.",
    "The lowest val loss was at epoch 4.",
    "Run 2 has the best R² of all runs.",
    "0.5 × 0.85 = 0.43",
    "R²: –0.25 at epoch 3",
]
CONTRADICTED = [
    ("R²: 0.25", 0.1875),
    ("Test R² is 0.3.", 0.1875),
    ("Validation R² at epoch 3 was -0.4.", -0.25),
    ("Epoch 1 had 46% variance ratio.", 0.90),
    ("Train R² at epoch 5: 0.7", 0.501),
    ("MAE of run2 is 0.75.", 0.5),
    ("The variance ratio collapsed during training from 90 % → 6 % → 35 %.", 0.15),
    ("R² is highest at epoch 5.", 4.0),
    ("Run 1 has the best R² of all runs; run 2 was trained for as long.", 0.3125),
    ("0.5 × 0.85 = 0.53", 0.425),
]
NOT_CHECKABLE = [
    "The baseline reaches R² = 0.3.",
    "With recalibration R² would be 0.4.",
    "The R² of the linear model is 0.12.",
    "R² improved by 0.2.",
    "R² is not 0.3.",
    "R² = 0.31 on the second flight.",
    "R² should stay above 0.6.",
    "R² > 0.6",
    "Mean R²: 0.3",
    "MAE: 750 m",
    "r = 8",
    "R² 0.3 [1].",
    "A good R² is 0.9.",
    "At epoch 9 R² was 0.3.",
    "Train correlation: 0.5",  # not logged
    "Bias: 0.7",
    "Run 7 has R² = 0.9.",
    "R² at epoch 3 was -0.5, if counted from 0.",
    "Variance ratio is best at epoch 1.",  # a std ratio has no best
    "Run 1 is the best of all runs.",
]


@pytest.mark.parametrize("text", SUPPORTED)
def test_supported(text: str, runs: list[Analysis]) -> None:
    verdicts = {c.verdict for c in claims(text, runs)}
    assert verdicts == {Verdict.SUPPORTED}, claims(text, runs)


@pytest.mark.parametrize(("text", "right"), CONTRADICTED)
def test_contradicted_with_the_right_value(text: str, right: float, runs: list[Analysis]) -> None:
    wrong = [c for c in claims(text, runs) if c.verdict is Verdict.CONTRADICTED]
    assert [c.right for c in wrong] == [pytest.approx(right)], claims(text, runs)


@pytest.mark.parametrize("text", NOT_CHECKABLE)
def test_not_held_against_the_logs(text: str, runs: list[Analysis]) -> None:
    found = claims(text, runs)
    assert found
    assert not any(c.verdict is Verdict.CONTRADICTED for c in found), found
    assert any(c.verdict is Verdict.NOT_CHECKABLE for c in found), found
    assert all(c.reason for c in found)


def test_an_epoch_that_the_next_number_has_may_be_counted_from_zero(runs: list[Analysis]) -> None:
    claim = only("Validation R² at epoch 2 was -0.25.", runs)
    assert claim.verdict is Verdict.NOT_CHECKABLE
    assert "counts epochs from another number" in claim.reason


def table(text: str, runs: list[Analysis], subject: str | None = "run1") -> list[tuple[str, Verdict]]:
    return [(c.written, c.verdict) for c in claims(text, runs, subject)]


def test_a_table_of_runs(runs: list[Analysis]) -> None:
    text = (
        "| Run | Config | R² | MAE (m) |\n|---|---|---|---|\n| 1 | big | 0.19 | 0.75 |\n| run2 | small | 0.35 | 0.5 |\n"
    )
    assert table(text, runs, None) == [
        ("0.19", Verdict.SUPPORTED), ("0.75", Verdict.SUPPORTED), ("0.35", Verdict.CONTRADICTED), ("0.5", Verdict.SUPPORTED),
    ]  # fmt: skip


def test_a_table_of_epochs_and_what_its_words_say(runs: list[Analysis]) -> None:
    text = (
        "| epoch | std ratio (%) | R² | note |\n|---|---|---|---|\n| 3 | 15 | -0.25 | lowest ratio |\n"
        "| **4** | **32** | 0.125 | saved, best R² |\n| 5 | 35 | 0.06 | highest R² |\n"
    )
    assert [v for _, v in table(text, runs)] == [
        *[Verdict.SUPPORTED] * 3, Verdict.CONTRADICTED, *[Verdict.SUPPORTED] * 5, Verdict.CONTRADICTED,
    ]  # fmt: skip


def test_a_table_of_metrics_and_splits(runs: list[Analysis]) -> None:
    text = "| Metric | Train | Val | Test |\n|---|---|---|---|\n| R² | 0.41 | 0.125 | 0.9 |\n"
    assert table(text, runs) == [
        ("0.41", Verdict.SUPPORTED), ("0.125", Verdict.SUPPORTED), ("0.9", Verdict.CONTRADICTED),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "| Model | R² |\n|---|---|\n| ours | 0.3 |\n",
        "| Fold | R² |\n|---|---|\n| 1 | 0.3 |\n| 2 | 0.4 |\n",
        "| λ | R² |\n|---|---|\n| 0.5 | 0.1 |\n| 2 | 0.9 |\n",
        "| Run | R² (mean ± std) |\n|---|---|\n| 1 | 0.3 ± 0.1 |\n",
        "| Run | R² |\n|---|---|\n| 1 | 0.3 |\n| 1 | 0.4 |\n",
        "| Run | R² after recalibration |\n|---|---|\n| 1 | 0.3 |\n",
        "## Success criteria\n\n- R²: 0.3\n",
        "```python\nr2 = 0.3\n```\n\nR²: 0.1875\n",
    ],
)
def test_tables_that_are_of_something_else(text: str, runs: list[Analysis]) -> None:
    assert not any(c.verdict is Verdict.CONTRADICTED for c in claims(text, runs)), claims(text, runs)


def test_better_than_another_run_is_by_a_metric(runs: list[Analysis]) -> None:
    assert only("It has a lower R² than run 2.", runs).verdict is Verdict.SUPPORTED
    assert only("It has a higher R² than run 2.", runs).verdict is Verdict.CONTRADICTED


def test_a_run_that_the_page_leaves_out_refutes_no_best(runs: list[Analysis]) -> None:
    claim = only("R² is the best of all runs.", runs)
    assert claim.verdict is Verdict.NOT_CHECKABLE
    assert "which the page does not name" in claim.reason


def test_a_page_that_names_no_run_among_several_is_not_judged(runs: list[Analysis]) -> None:
    assert {c.verdict for c in claims("R²: 0.9\n", runs, None)} == {Verdict.NOT_CHECKABLE}


def test_the_title_names_the_run(runs: list[Analysis]) -> None:
    assert [c.verdict for c in claims("# Analysis of Run 2\n\nR²: 0.3125\n", runs, None)] == [Verdict.SUPPORTED]
    assert {c.verdict for c in claims("# Run 9\n\nR²: 0.3125\n", runs, None)} == {Verdict.NOT_CHECKABLE}
