"""What a training loop leaves behind, whole or interrupted."""

import csv
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from runreport.artifacts import HISTORY_COLUMNS, InputError
from runreport.logger import RunLogger, run_logger

TRUE = [1.0, 2.0, 3.0, 4.0]
PRED = [1.5, 2.0, 2.5, 4.5]


def _rows(folder: Path, run: str = "run") -> list[dict[str, str]]:
    with (folder / f"{run}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_importing_the_logger_needs_the_standard_library_only() -> None:
    root = str(Path(__file__).parents[2])
    code = (
        f"import sys; sys.path.insert(0, {root!r}); from runreport.logger import RunLogger; "
        "import runreport.logger.lightning, runreport.logger.keras, runreport.logger.transformers; "
        "log = RunLogger('run', out=sys.argv[1]); log.batch([1, 2], [1, 3]); log.epoch(1, val_loss=0.5); "
        "log.final(y_true=[1, 2], y_pred=[1, 3]); log.close(); "
        "roots = {name.split('.')[0] for name in sys.modules}; "
        "print(sorted(roots - set(sys.stdlib_module_names) - {'runreport', '__main__'}))"
    )
    # -S: site packages with .pth hooks of their own would add modules that this import did not ask for.
    folder = os.fspath(Path(__file__).parent)
    with_folder = [sys.executable, "-S", "-c", code.replace("sys.argv[1]", "__import__('tempfile').mkdtemp()")]
    output = subprocess.run(with_folder, capture_output=True, text=True, check=True, cwd=folder).stdout
    assert output.strip() == "[]"


def test_a_row_is_on_the_disk_when_epoch_returns(tmp_path: Path) -> None:
    with RunLogger("run", out=tmp_path / "logs" / "csv") as log:
        log.epoch(1, y_true=TRUE, y_pred=PRED, train_loss=0.4, val_loss=torch.tensor(0.5), lr=np.float32(0.25))
        (row,) = _rows(tmp_path / "logs" / "csv")
        assert list(row)[:8] == list(HISTORY_COLUMNS[:8])
        # By hand: errors .5 0 -.5 .5; SSE 0.75, SST 5; true mean 2.5, pred mean 2.625.
        assert float(row["r2"]) == pytest.approx(1 - 0.75 / 5)
        assert float(row["mae"]) == pytest.approx(1.5 / 4)
        assert float(row["rmse"]) == pytest.approx(math.sqrt(0.75 / 4))
        assert float(row["pred_mean"]) == 2.625
        assert float(row["true_std"]) == pytest.approx(math.sqrt(1.25))
        assert float(row["pred_range"]) == 3.0
        assert float(row["variance_ratio"]) == pytest.approx(np.std(PRED) / np.std(TRUE))
        assert float(row["pearson_r"]) == pytest.approx(np.corrcoef(TRUE, PRED)[0, 1])
        assert (row["train_loss"], row["val_loss"], row["learning_rate"]) == ("0.4", "0.5", "0.25")
        assert float(row["epoch_seconds"]) >= 0
        log.epoch(2, y_true=TRUE, y_pred=[2.0] * 4, learning_rate=0.5)
        row = _rows(tmp_path / "logs" / "csv")[1]
        assert (row["pearson_r"], row["variance_ratio"], row["val_loss"]) == ("", "0.0", "")


def test_batches_are_one_epoch(tmp_path: Path) -> None:
    with RunLogger("run", out=tmp_path) as log:
        whole = log.epoch(1, y_true=TRUE, y_pred=PRED, epoch_seconds=1.0)
        log.batch([9.0], [9.0])
        log.drop_batches()
        log.batch(torch.tensor(TRUE[:3], dtype=torch.float64), torch.tensor(PRED[:3], dtype=torch.float64))
        log.batch(TRUE[3:], PRED[3:])
        batched = log.epoch(2, epoch_seconds=1.0)
        assert {**batched, "epoch": 1} == whole
        assert log.epoch(3)["r2"] is None
        log.batch(TRUE, PRED)
        with pytest.raises(ValueError, match=r"after log\.batch"):
            log.epoch(4, y_true=TRUE, y_pred=PRED)


def test_columns_that_come_later_widen_the_history(tmp_path: Path) -> None:
    with RunLogger("run", out=tmp_path) as log:
        log.epoch(1, val_loss=0.5)
        log.epoch(2, y_true=TRUE, y_pred=PRED, val_loss=0.25, weight_norm=3)
        log.epoch(3, weight_norm=4)
    rows = _rows(tmp_path)
    assert [row["weight_norm"] for row in rows] == ["", "3", "4"]
    assert [row["val_loss"] for row in rows] == ["0.5", "0.25", ""]
    assert rows[0]["r2"] == ""
    assert _names(tmp_path) == {"run.csv"}


def test_the_final_artifacts(tmp_path: Path) -> None:
    config = {"seed": 3, "learning_rate": 1e-3, "out": Path("a/b"), "dtype": torch.float32, "betas": (0.9, 0.999)}
    with RunLogger("run", out=tmp_path, config=config) as log:
        log.epoch(1, y_true=TRUE[:3], y_pred=PRED[:3])
        groups: dict[str, Iterable[Any]] = {
            "flight_name": np.array(["a", "a", "b", "b"]),
            "local_indices": torch.tensor([0, 1, 0, 1]),
        }
        found = log.final(
            y_true=TRUE, y_pred=PRED, selected_epoch=1, groups=groups, loss=torch.tensor(0.25), policy={"monitor": "r2"}
        )
    document = json.loads((tmp_path / "metrics_run.json").read_text())
    assert document == found
    assert list(document)[:2] == ["schema_version", "run"]
    assert document["config"] == {
        "seed": 3, "learning_rate": 1e-3, "out": "a/b", "dtype": "torch.float32", "betas": [0.9, 0.999],
    }  # fmt: skip
    assert document["versions"]["torch"] == torch.__version__
    assert document["seed"] == 3
    assert document["selected_epoch"] == 1
    assert document["policy"] == {"monitor": "r2"}
    assert document["loss"] == 0.25
    assert document["epochs_run"] == 1
    assert document["splits"]["val"] == {
        "n": 3, "true_mean": 2.0, "true_std": pytest.approx(np.std([1, 2, 3])), "true_min": 1.0, "true_max": 3.0,
    }  # fmt: skip
    assert document["splits"]["test"]["n"] == document["num_samples"] == 4
    error = np.subtract(PRED, TRUE)
    assert document["mean_error"] == pytest.approx(error.mean())
    assert document["std_error"] == pytest.approx(error.std())
    assert document["mape"] == pytest.approx(100 * np.mean(np.abs(error / TRUE)))
    for percent in (5, 25, 50, 75, 95):
        assert document[f"error_{percent}_percentile"] == pytest.approx(np.percentile(error, percent))
    assert document["prediction_range"] == [1.5, 4.5]
    assert document["true_range"] == [1.0, 4.0]
    frame = pl.read_csv(tmp_path / "predictions_run.csv")
    assert frame.columns == ["y_true", "y_pred", "flight_name", "local_indices"]
    assert frame["y_pred"].to_list() == PRED
    assert frame["flight_name"].to_list() == ["a", "a", "b", "b"]
    assert "notes" not in document


def test_undefined_numbers_are_null_in_the_metrics(tmp_path: Path) -> None:
    with RunLogger("run", out=tmp_path) as log:
        log.final(y_true=[0.0, 1.0], y_pred=[0.5, 0.5], loss=math.nan)
    document = json.loads((tmp_path / "metrics_run.json").read_text())
    assert document["pearson_r"] is None
    assert document["mape"] is None
    assert document["loss"] is None
    assert document["selected_epoch"] is None


def test_configs_of_several_kinds(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Config:
        lr: float = 0.1

    for name, config in (("a", Config()), ("b", SimpleNamespace(lr=0.1)), ("c", {"lr": 0.1})):
        with RunLogger(name, out=tmp_path, config=config) as log:
            assert log.final(y_true=[0.0, 1.0], y_pred=[0.5, 0.5])["config"] == {"lr": 0.1}
    with pytest.raises(ValueError, match="config: expected a mapping"):
        RunLogger("d", out=tmp_path, config=[1])


def test_an_exception_leaves_a_readable_history_and_no_metrics(tmp_path: Path) -> None:
    def interrupted() -> None:
        with RunLogger("run", out=tmp_path, keep_predictions=True) as log:
            log.epoch(1, y_true=TRUE, y_pred=PRED)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(_rows(tmp_path)) == 1
    assert _names(tmp_path) == {"run.csv", "epoch_predictions_run.parquet"}


def test_a_killed_process_leaves_whole_rows(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    code = (
        f"import os, signal, sys; sys.path.insert(0, {root!r}); from runreport.logger import RunLogger; "
        f"log = RunLogger('run', out={str(tmp_path)!r}); "
        "[log.epoch(i, y_true=[1, 2], y_pred=[1, 3]) for i in (1, 2, 3)]; os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    assert killed.returncode == -9
    assert [row["epoch"] for row in _rows(tmp_path)] == ["1", "2", "3"]
    assert (tmp_path / "run.csv").read_bytes().endswith(b"\n")


def test_no_epoch_leaves_nothing(tmp_path: Path) -> None:
    with RunLogger("run", out=tmp_path):
        assert _names(tmp_path) == {"run.csv"}  # the name is taken from the start
    assert _names(tmp_path) == set()


@pytest.mark.parametrize(
    "name", ["run.csv", "predictions_run.csv", "metrics_run.json", "epoch_predictions_run.parquet"]
)
def test_a_run_is_never_overwritten_without_force(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(InputError, match=r"run 'run' is already there; use another name, or force=True"):
        RunLogger("run", out=tmp_path)
    assert (tmp_path / name).read_text() == "precious"
    with RunLogger("run", out=tmp_path, force=True) as log:
        log.epoch(1, val_loss=0.5)
    assert _names(tmp_path) == {"run.csv"}


def test_predictions_of_every_epoch(tmp_path: Path) -> None:
    groups: dict[str, Iterable[Any]] = {"flight_name": ["a", "a", "b", "b"], "site": [1, 1, 2, 2]}
    with RunLogger("run", out=tmp_path, keep_predictions=True, val_groups=groups) as log:
        log.epoch(1, y_true=TRUE, y_pred=PRED)
        log.epoch(2, val_loss=0.5)
        log.epoch(4, y_true=np.array(TRUE), y_pred=np.array(PRED) / 2)
        log.final(y_true=TRUE, y_pred=PRED)
    frame = pl.read_parquet(tmp_path / "epoch_predictions_run.parquet")
    assert frame.columns == ["epoch", "flight_name", "site", "y_true", "y_pred"]
    assert frame["epoch"].to_list() == [1] * 4 + [4] * 4
    assert frame["y_pred"].to_list() == [*PRED, *(x / 2 for x in PRED)]
    assert frame["y_true"].to_list() == TRUE * 2
    assert frame["site"].to_list() == [1, 1, 2, 2] * 2


def test_predictions_of_other_samples_are_not_mixed(tmp_path: Path) -> None:
    with RunLogger("run", out=tmp_path, keep_predictions=True) as log:
        log.epoch(1, y_true=TRUE, y_pred=PRED)
        with pytest.warns(UserWarning, match=r"not kept: y_true of epoch 2 differs") as caught:
            log.epoch(2, y_true=TRUE[::-1], y_pred=PRED)
        assert caught[0].filename == __file__
        log.epoch(3, y_true=TRUE, y_pred=PRED)
        assert len(log.final(y_true=TRUE, y_pred=PRED)["notes"]) == 1
    assert "epoch_predictions_run.parquet" not in _names(tmp_path)
    assert len(_rows(tmp_path)) == 3


def test_without_pyarrow_a_note_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_logger, "epoch_predictions_supported", lambda: False)
    with pytest.warns(UserWarning, match="needs pyarrow"):
        log = RunLogger("run", out=tmp_path, keep_predictions=True)
    with log:
        log.epoch(1, y_true=TRUE, y_pred=PRED)
        assert "pyarrow" in log.final(y_true=TRUE, y_pred=PRED)["notes"][0]
    assert _names(tmp_path) == {"run.csv", "predictions_run.csv", "metrics_run.json"}


def test_pairs_that_are_not_finite_are_counted_and_said(tmp_path: Path) -> None:
    broken = [math.nan, 2.0, 2.5, 4.5]
    with RunLogger("run", out=tmp_path) as log:
        log.epoch(1, y_true=TRUE, y_pred=PRED)
        with pytest.warns(UserWarning, match="epoch 2: 1 of 4 pairs are not finite") as caught:
            log.epoch(2, y_true=TRUE, y_pred=broken)
        assert caught[0].filename == __file__
        log.epoch(3, y_true=TRUE, y_pred=broken)  # said once
        with pytest.warns(UserWarning, match="test: 1 of 4 pairs"):
            document = log.final(y_true=TRUE, y_pred=broken)
    rows = _rows(tmp_path)
    assert [row["num_dropped"] for row in rows] == ["", "1", "1"]
    assert float(rows[1]["mae"]) == pytest.approx(1 / 3)
    assert (document["num_samples"], document["num_dropped"], len(document["notes"])) == (3, 1, 2)
    assert pl.read_csv(tmp_path / "predictions_run.csv").height == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epoch": 0}, "a whole number from 1, found 0; a loop from 0 passes epoch \\+ 1"),
        ({"epoch": 1.5}, "whole number"),
        ({"y_true": TRUE, "y_pred": PRED[:3]}, "y_true has 4 values, y_pred 3"),
        ({"y_true": [], "y_pred": []}, "empty"),
        ({"y_true": np.zeros((2, 2)), "y_pred": np.zeros((2, 2))}, r"y_true: expected shape \(n,\) or \(n, 1\)"),
        ({"y_true": TRUE}, "y_pred is missing"),
        ({"y_pred": TRUE}, "y_true is missing"),
        ({"lr": 0.1, "learning_rate": 0.1}, "lr and learning_rate"),
        ({"train_loss": "low"}, "train_loss: expected one number"),
        ({"y_true": TRUE, "y_pred": PRED, "r2": 0.5}, "r2 is computed from y_true and y_pred"),
    ],
)
def test_what_an_epoch_refuses(tmp_path: Path, arguments: dict[str, object], message: str) -> None:
    with RunLogger("run", out=tmp_path) as log:
        with pytest.raises(ValueError, match=message):
            log.epoch(**{"epoch": 1, **arguments})  # type: ignore[arg-type]
        assert _rows(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "expected y_true and y_pred, or batches"),
        ({"y_true": TRUE, "y_pred": PRED, "groups": {"site": [1, 2]}}, "2 values of site for 4 samples of test"),
        ({"y_true": TRUE, "y_pred": PRED, "groups": {"y_true": TRUE}}, "y_true is a column of its own"),
        ({"y_true": TRUE, "y_pred": PRED, "mae": 0.1}, "mae is computed"),
        ({"y_true": TRUE, "y_pred": PRED, "config": {}}, "config is computed or set"),
    ],
)
def test_what_final_refuses_writes_nothing(tmp_path: Path, arguments: dict[str, object], message: str) -> None:
    with RunLogger("run", out=tmp_path) as log:
        log.epoch(1, val_loss=0.5)
        with pytest.raises(ValueError, match=message):
            log.final(**arguments)  # type: ignore[arg-type]
    assert _names(tmp_path) == {"run.csv"}


def test_order_of_calls(tmp_path: Path) -> None:
    with RunLogger("run", out=tmp_path) as log:
        log.epoch(2, val_loss=0.5, r2=0.25)  # no predictions: a figure of one's own is taken
        with pytest.raises(ValueError, match="epoch: 2 after 2"):
            log.epoch(2, val_loss=0.5)
        log.close()
        with pytest.raises(ValueError, match="closed"):
            log.epoch(3, val_loss=0.5)
        log.final(y_true=TRUE, y_pred=PRED)
        assert log.is_complete
        with pytest.raises(ValueError, match="complete"):
            log.epoch(3, val_loss=0.5)
        with pytest.raises(ValueError, match="complete"):
            log.final(y_true=TRUE, y_pred=PRED)
    assert _rows(tmp_path)[0]["r2"] == "0.25"
    with pytest.raises(ValueError, match="cannot name files"):
        RunLogger("../run", out=tmp_path)


def test_groups_of_another_length_than_the_validation_split(tmp_path: Path) -> None:
    with (
        RunLogger("run", out=tmp_path, keep_predictions=True, val_groups={"site": [1, 2]}) as log,
        pytest.raises(ValueError, match="2 values of site for 4 samples of validation"),
    ):
        log.epoch(1, y_true=TRUE, y_pred=PRED)


def test_rows_written_again_are_the_same_bytes(tmp_path: Path) -> None:
    with RunLogger("run", out=tmp_path) as log:
        rows = [
            log.epoch(1, y_true=TRUE, y_pred=PRED, train_loss=0.1 + 0.2, lr=1e-3, grad_norm_penalty=None),
            log.epoch(2, y_true=TRUE, y_pred=[2.0] * 4, train_loss=math.nan, lr=1e-3, grad_norm_penalty=0.5),
        ]
    before = (tmp_path / "run.csv").read_bytes()
    with RunLogger("run", out=tmp_path, force=True) as log:
        for row in rows:
            log.epoch(**row)  # type: ignore[arg-type]
        assert (tmp_path / "run.csv").read_bytes() == before
        log.epoch(3, y_true=TRUE, y_pred=PRED)
    assert [row["epoch"] for row in _rows(tmp_path)] == ["1", "2", "3"]
