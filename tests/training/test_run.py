"""Whole runs on tiny frames: artifacts, reproducibility, refusal, kills, and metrics against scikit-learn."""

import csv
import errno
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from scipy import stats
from sklearn import metrics as sk

from runreport.artifacts import HISTORY_COLUMNS, METRICS_KEYS, metrics_path
from training.checkpoint import load_checkpoint
from training.cli import main
from training.config import Config
from training.config_file import parse_config
from training.data import load_dataset
from training.errors import ConfigError
from training.loop import predict
from training.metrics import summarise
from training.model import HeightNetwork
from training.places import check_writable
from training.run import Places, run_training

SIZE = {"frame_height": 16, "frame_width": 16, "train_samples": 41, "val_samples": 12, "test_samples": 12}

TIMED = ("epoch_seconds", "samples_per_second")  # what no two runs share


def _config(**settings: Any) -> Config:
    data = SIZE | settings.pop("data", {})
    return parse_config({"run_name": "tiny", "threads": 1, "max_epochs": 3, "data": data, "device": "cpu", **settings})


def _run(out: Path, **settings: Any) -> tuple[dict[str, Any], Places]:
    force = settings.pop("force", False)
    config = _config(**settings)
    places = Places.of(config.run_name, out=out)
    return run_training(config, places, force=force), places


def _history(places: Places) -> list[dict[str, str]]:
    with (places.folder / "tiny.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_artifacts_of_a_run(tmp_path: Path) -> None:
    document, places = _run(tmp_path, variance_lambda=0.5, overweight_factor=2.0, overweight_flight="flight_a")
    assert sorted(path.name for path in places.folder.iterdir()) == [
        "epoch_predictions_tiny.parquet",
        "metrics_tiny.json",
        "predictions_tiny.csv",
        "tiny.csv",
    ]
    rows = _history(places)
    assert tuple(rows[0]) == HISTORY_COLUMNS
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    for row in rows:
        assert float(row["val_loss"]) == pytest.approx(float(row["base_loss"]) + 0.5 * float(row["penalty_loss"]))
        assert float(row["grad_norm_penalty"]) > 0

    read = json.loads((places.folder / "metrics_tiny.json").read_text())
    assert tuple(read) == METRICS_KEYS
    assert read == json.loads(json.dumps(document))
    assert parse_config(read["config"]) == _config(
        variance_lambda=0.5, overweight_factor=2.0, overweight_flight="flight_a"
    )
    assert (read["stopped_because"], read["epochs_run"], read["selected_by"]) == ("max_epochs", 3, "r2")
    assert read["splits"]["train"]["n"] == 41

    predictions = pl.read_csv(places.folder / "predictions_tiny.csv")
    assert predictions.columns == ["y_true", "y_pred", "local_indices", "flight_name"]
    assert predictions["local_indices"].to_list() == list(range(12))
    y_true, y_pred = predictions["y_true"].to_numpy(), predictions["y_pred"].to_numpy()
    assert read["r2"] == pytest.approx(sk.r2_score(y_true, y_pred))
    assert read["pearson_r"] == pytest.approx(stats.pearsonr(y_true, y_pred).statistic)
    assert read["mape"] == pytest.approx(100 * sk.mean_absolute_percentage_error(y_true, y_pred))
    assert read["variance_ratio"] == pytest.approx(np.std(y_pred) / np.std(y_true))
    for percent in (5, 25, 50, 75, 95):
        assert read[f"error_{percent}_percentile"] == pytest.approx(np.percentile(y_pred - y_true, percent))
    assert read["std_error"] == pytest.approx(np.std(y_pred - y_true))
    # In single precision, as the loss itself was computed.
    huber = sk.mean_squared_error(y_true, y_pred) / 2 if np.abs(y_true - y_pred).max() <= 1 else None
    if huber is not None:
        assert read["loss"] == pytest.approx(huber + 0.5 * (1 - np.var(y_pred) / np.var(y_true)) ** 2, rel=1e-4)


def test_epoch_predictions_give_the_history(tmp_path: Path) -> None:
    _, places = _run(tmp_path)
    frame = pl.read_parquet(places.folder / "epoch_predictions_tiny.parquet")
    for row in _history(places):
        epoch = frame.filter(pl.col("epoch") == int(row["epoch"]))
        y_true, y_pred = epoch["y_true"].to_numpy(), epoch["y_pred"].to_numpy()
        assert len(epoch) == 12
        assert float(row["r2"]) == pytest.approx(sk.r2_score(y_true, y_pred), abs=1e-5)
        assert float(row["mae"]) == pytest.approx(sk.mean_absolute_error(y_true, y_pred), rel=1e-5)
        assert row["penalty_loss"] == row["grad_norm_penalty"] == ""
        assert float(row["variance_lambda"]) == 0.0


def test_same_seed_same_run_other_seed_other_run(tmp_path: Path) -> None:
    runs = [
        _run(tmp_path / name, seed=seed, augment=True, dropout=0.1)[1] for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    histories = [
        [{key: value for key, value in row.items() if key not in TIMED} for row in _history(places)] for places in runs
    ]
    assert histories[0] == histories[1]
    assert histories[0] != histories[2]
    predictions = [(places.folder / "predictions_tiny.csv").read_bytes() for places in runs]
    assert predictions[0] == predictions[1]


def test_the_selected_epoch_is_what_was_evaluated(tmp_path: Path) -> None:
    """Far too high a rate, so that the last epoch is not the best: the checkpoint's weights give the predictions."""
    document, places = _run(tmp_path, learning_rate=0.3, warmup_steps=0, max_epochs=6, gradient_clip=None)
    rows = _history(places)
    best = max(range(6), key=lambda index: float(rows[index]["r2"]))
    assert document["selected_epoch"] == best + 1
    config = _config(learning_rate=0.3, warmup_steps=0, max_epochs=6, gradient_clip=None)
    model = HeightNetwork(config, output_bias=0.0)
    saved = load_checkpoint(places.checkpoint, model, device=torch.device("cpu"))
    assert saved["epoch"] == document["selected_epoch"]
    y_pred = predict(model, load_dataset(config, torch.device("cpu")).test)
    written = pl.read_csv(places.folder / "predictions_tiny.csv")["y_pred"].to_numpy()
    np.testing.assert_allclose(y_pred.numpy(), written, atol=1e-6)


def test_patience_and_emergency_stop_are_named(tmp_path: Path) -> None:
    document, _ = _run(tmp_path / "a", patience=1, min_delta=100.0, max_epochs=9)
    assert (document["stopped_because"], document["epochs_run"], document["selected_epoch"]) == ("patience", 2, 1)
    document, _ = _run(
        tmp_path / "b", emergency_stop_ratio=0.5, emergency_stop_after=1, output_init_std=0.0, learning_rate=1e-6
    )
    assert (document["stopped_because"], document["epochs_run"]) == ("emergency_stop", 2)


def test_a_diverged_run_ends_with_nulls_not_with_nan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Squares of 3e38 are beyond single precision: the first step already leaves the numbers.
    document, places = _run(tmp_path, loss="mse", warmup_steps=0, gradient_clip=None, output_init_bias=3e38)
    assert document["stopped_because"] == "not_finite"
    assert document["selected_epoch"] is None
    assert document["r2"] is None
    assert (document["num_samples"], document["num_dropped"]) == (0, 12)
    assert document["notes"] == ["test: 12 of 12 pairs are not finite; the metrics are of the others"]
    assert document["splits"]["test"]["n"] == 12
    assert "warning: tiny: test: 12 of 12 pairs are not finite" in capsys.readouterr().err
    text = (places.folder / "metrics_tiny.json").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text


def test_a_run_is_not_overwritten_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, places = _run(tmp_path)
    before = {path: path.read_bytes() for path in places.folder.iterdir()}
    with pytest.raises(ConfigError, match="run 'tiny' is already there; use --force"):
        _run(tmp_path)
    assert {path: path.read_bytes() for path in places.folder.iterdir()} == before
    document, _ = _run(tmp_path, force=True, max_epochs=1)
    assert document["epochs_run"] == 1
    assert len(_history(places)) == 1


def _yaml(folder: Path, **settings: Any) -> Path:
    path = folder / "tiny.yaml"
    path.write_text(json.dumps(_config(**settings).to_dict()))  # JSON is YAML
    return path


def test_the_command_trains_and_prints_the_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = _yaml(tmp_path)
    arguments = ["run", str(config), "--out", str(tmp_path / "o"), "--device", "cpu", "--set", "max_epochs=1"]
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("tiny: epoch 1 by r2 (1 run, max_epochs); test n 12, R² ")
    assert captured.err.startswith("tiny  epoch 1/1  train ")
    assert main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_cuda_without_a_device_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here, so asking for it is no error")
    assert main(["run", str(_yaml(tmp_path)), "--out", str(tmp_path / "o"), "--device", "cuda"]) == 2
    assert "torch sees no CUDA device" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_unwritable_output_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    taken, file = tmp_path / "file" / "csv", tmp_path / "file"
    for arguments, line in (
        (["--out", str(file)], f"error: {taken}: {file} is not a folder; choose another with --out\n"),
        (
            ["--out", str(tmp_path / "o"), "--checkpoint-dir", str(file)],
            f"error: {file}: this is not a folder; choose another with --checkpoint-dir\n",
        ),
    ):
        assert main(["run", str(_yaml(tmp_path)), *arguments]) == 2
        assert capsys.readouterr().err == line
    assert not (tmp_path / "o").exists()


def test_a_place_without_room_or_right_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    monkeypatch.setattr("training.places.tempfile.TemporaryFile", full)
    with pytest.raises(
        ConfigError, match=r"a: cannot be written \(No space left on device\); choose another folder with --x"
    ):
        check_writable(tmp_path / "a", "--x")
    assert not (tmp_path / "a").exists()


def test_an_earlier_run_survives_a_place_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--force takes the old files away only where new ones can come."""
    places = Places.of("tiny", out=tmp_path)
    places.folder.mkdir()
    metrics_path(places.folder, "tiny").write_text("{}")

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("training.places.tempfile.TemporaryFile", refused)
    with pytest.raises(ConfigError, match="Permission denied"):
        places.prepare("tiny", force=True)
    assert metrics_path(places.folder, "tiny").exists()


@pytest.mark.slow
def test_a_killed_run_is_readable_up_to_its_last_epoch(tmp_path: Path) -> None:
    config = _yaml(tmp_path, max_epochs=10_000, patience=10_000)
    command = [sys.executable, "-m", "training", "run", str(config), "--out", str(tmp_path / "o")]
    history = tmp_path / "o" / "csv" / "tiny.csv"
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[2])
    try:
        for _ in range(1200):
            if history.exists() and history.read_bytes().count(b"\n") > 3:
                break
            time.sleep(0.1)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    text = history.read_text()
    assert text.endswith("\n")
    frame = pl.read_csv(history)
    assert frame["epoch"].to_list() == list(range(1, len(frame) + 1))
    assert len(frame) >= 3
    assert sorted(path.name for path in history.parent.iterdir()) == ["tiny.csv"]


def test_metrics_of_degenerate_predictions() -> None:
    truth = np.array([0.1, 0.2, 0.4])
    constant = summarise(truth, np.full(3, 0.1 + 0.2))
    assert (constant.pearson_r, constant.pred_std, constant.variance_ratio) == (None, 0.0, 0.0)
    assert constant.r2 == pytest.approx(sk.r2_score(truth, np.full(3, 0.1 + 0.2)))
    flat = summarise(np.full(3, 0.3), truth)
    assert (flat.r2, flat.variance_ratio, flat.pearson_r) == (None, None, None)
    broken = summarise(truth, np.array([0.1, math.nan, 0.3]))
    assert (broken.r2, broken.mae, broken.pred_mean) == (None, None, None)
    assert broken.true_mean == pytest.approx(0.7 / 3)


@pytest.mark.gpu
def test_a_run_on_cuda(tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device: the GPU path of training is not exercised here")
    document, _ = _run(tmp_path, device="cuda")
    assert document["device"] == "cuda"
