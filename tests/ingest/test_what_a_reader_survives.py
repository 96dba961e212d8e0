"""What logs do that a reader must survive, from the file to the findings: one test for each that no other file has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.ingest.load import load_runs
from runreport.report.charts import history_chart
from runreport.run import Run

COURSE = range(1, 31)


def read(folder: Path, name: str, text: str) -> Run:
    (folder / name).write_text(text, encoding="utf-8")
    (run,) = load_runs([str(folder / name)])
    assert isinstance(run, Run), str(run)
    return run


def epochs_of(run: Run) -> list[float]:
    assert run.history is not None
    return list(run.history.epochs)


@pytest.mark.parametrize(
    ("header", "row", "epochs", "said"),
    [
        ("epoch,step,val_loss", "0,{}0,0.{}", [10, 20, 30, 40], "the rows were numbered by their steps"),
        ("epoch,val_loss", "0,0.{1}", [1, 2, 3, 4], "the rows were numbered from 1"),
        ("epoch,step,val_loss", "0,7,0.{1}", [1, 2, 3, 4], "the rows were numbered from 1"),
    ],
)  # fmt: skip
def test_an_epoch_that_never_counts_is_no_axis(
    tmp_path: Path, header: str, row: str, epochs: list[int], said: str
) -> None:
    run = read(tmp_path, "log.csv", header + "\n" + "".join(row.format(i, i) + "\n" for i in (1, 2, 3, 4)))
    assert epochs_of(run) == epochs
    assert f"epoch is the same in every row: {said}" in [note.message for note in run.notes]


def test_rows_of_training_and_validation_of_a_single_epoch_are_one(tmp_path: Path) -> None:
    run = read(tmp_path, "log.csv", "epoch,step,train_loss,val_loss\n0,9,0.5,\n0,9,,0.6\n")
    assert epochs_of(run) == [0]


@pytest.mark.parametrize("axis", ["iter", "iteration", "step", "global_step", "Round", "training_iteration", "Epochs"])
def test_what_else_an_axis_is_called(tmp_path: Path, axis: str) -> None:
    run = read(tmp_path, "log.csv", f"{axis},val_loss\n10,0.5\n20,0.4\n")
    assert epochs_of(run) == [10, 20]


@pytest.mark.parametrize(
    "header", ["Valid MSE", "val_mse", "valid_mse", "eval_mse", "val/mse", "validation mse", "test_mse"]
)
def test_prefixes_of_validation(tmp_path: Path, header: str) -> None:
    run = read(tmp_path, "log.csv", f"epoch,loss,{header},rho,spearman\n1,0.5,0.25,0.9,0.8\n2,0.4,0.2,0.9,0.8\n")
    assert run.history is not None
    assert list(run.history.get("mse")) == [0.25, 0.2]
    assert list(run.history.get("train_loss")) == [0.5, 0.4]
    assert not run.history.has("r2"), "rank correlations are no R²"


def analysed(folder: Path, rates: list[str], val: list[float]) -> Analysis:
    rows = "".join(f'{e},{v + 0.1},{v},"{r}"\n' for e, v, r in zip(COURSE, val, rates, strict=True))
    return analyze_run(read(folder, "log.csv", "epoch,train_loss,val_loss,lr\n" + rows))


def test_a_rate_in_single_precision_or_in_a_list_is_one_rate(tmp_path: Path) -> None:
    rates = ["0.001", "0.0010000000474974513", "[0.001]", "[0.001, 0.001]", "1e-3"] * 6
    analysis = analysed(tmp_path, rates, [1 / e for e in COURSE])
    assert analysis.run.history is not None
    assert analysis.run.history.get("learning_rate") == pytest.approx([0.001] * 30, rel=1e-6)
    assert [f.rule for f in analysis.findings if f.rule.startswith("lr.")] == [], (
        "nothing about a rate that never changed"
    )


def test_negative_losses_have_no_logarithm_and_no_share_of_the_best(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, ["0.001"] * 30, [-float(e) for e in COURSE])
    chart = history_chart(analysis)
    assert chart is not None
    assert '"log"' not in json.dumps(chart.to_dict())
    assert not [f.rule for f in analysis.findings if f.rule in ("loss.divergence", "loss.spike", "loss.nan")]


def test_a_loss_over_fifteen_decades_is_drawn_in_decades(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, ["0.001"] * 30, [10.0 ** (3 - e / 2) for e in COURSE])
    chart = history_chart(analysis)
    assert chart is not None
    assert '"log"' in json.dumps(chart.to_dict())


def test_validation_below_training_is_no_finding(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, ["0.001"] * 30, [1 / e for e in COURSE])  # training lies 0.1 above throughout
    assert not [f for f in analysis.findings if "below" in f.message and "train" in f.message]
