"""Tables whose columns stand under each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from runreport.ingest.load import load_runs
from runreport.run import Run

WIDTHS = (
    "Using cuda\n====\n Epoch   TrainLoss    ValLoss         LR\n"
    "-----------------\n     1      0.5000     0.6000   1.00e-03\n     2      0.4000     0.5000   1.00e-03 *\nDone.\n"
)
SAVETXT = "# epoch train_loss val_loss\n1.0e+00 5.0e-01 6.0e-01\n2.0e+00 4.0e-01 5.0e-01\n"
BOX = (
    "+-------+------------+----------+\n| Epoch | Train Loss | Val Loss |\n+-------+------------+----------+\n"
    "|   1   |    0.5     |   0.6    |\n|   2   |    0.4     |   0.5    |\n+-------+------------+----------+\n"
)
DEEPMD = (
    "#  step      rmse_val    rmse_trn         lr\n# If there is no available reference data, rmse_*_{val,trn} will print nan\n"
    "      0      6.00e-01    5.00e-01    1.0e-03\n    100      5.00e-01    4.00e-01    1.0e-03\n"
)
CARD = (
    "# A model\n\n| Training Loss | Epoch | Step | Validation Loss |\n|:---:|:---:|:---:|:---:|\n"
    "| No log | 1.0 | 10 | 0.6 |\n| 0.4 | 2.0 | 20 | 0.5 |\n"
)


def read(path: Path, text: str) -> Run:
    path.write_text(text, encoding="utf-8")
    (run,) = load_runs([str(path)])
    assert isinstance(run, Run), str(run)
    return run


@pytest.mark.parametrize("text", [WIDTHS, SAVETXT, BOX], ids=["widths", "savetxt", "box"])
def test_the_columns_under_their_names(tmp_path: Path, text: str) -> None:
    run = read(tmp_path / "train.log", text)
    assert run.format == "aligned"
    assert run.history is not None
    assert list(run.history.epochs) == [1, 2]
    assert list(run.history.get("train_loss")) == [0.5, 0.4]
    assert list(run.history.get("val_loss")) == [0.6, 0.5]


def test_deepmd(tmp_path: Path) -> None:
    run = read(tmp_path / "lcurve.out", DEEPMD)
    assert run.history is not None
    assert list(run.history.get("rmse")) == [0.6, 0.5]
    assert list(run.history.get("train_rmse")) == [0.5, 0.4]


def test_a_model_card_is_read_where_it_is_named_only(tmp_path: Path) -> None:
    run = read(tmp_path / "README.md", CARD)
    assert run.history is not None
    assert list(run.history.get("train_loss")) == [None, 0.4]
    assert list(run.history.get("val_loss")) == [0.6, 0.5]
    (item,) = load_runs([str(tmp_path)])
    assert not isinstance(item, Run)


def test_lines_that_are_no_rows_are_counted(tmp_path: Path) -> None:
    run = read(tmp_path / "train.log", WIDTHS)
    assert any("1 line after the header that is no row" in note.message for note in run.notes)
