"""A member's files beside those of the same run trained alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest
import torch

from runreport.artifacts import epoch_predictions_path, history_path, metrics_path, predictions_path
from training.config import Config, DataConfig
from training.data import load_dataset
from training.ensemble import Member, train_together
from training.ensemble.artifacts import write_artifacts
from training.places import Places
from training.run import run_training

CONFIG = Config(
    run_name="one", seed=3, device="cpu", threads=1, max_epochs=4, model="mlp", hidden_size=8, recalibrate="report",
    data=DataConfig(kind="diabetes", split="random"), standardise_target=True, learning_rate=2e-3, warmup_steps=20,
)  # fmt: skip


def table(path: Path) -> list[list[str]]:
    with path.open() as file:
        return list(csv.reader(file))


@pytest.mark.slow
def test_the_files_are_those_of_the_run_alone(tmp_path: Path) -> None:
    alone, ensemble = tmp_path / "alone", tmp_path / "ensemble"
    run_training(CONFIG, Places.of("one", out=alone))
    (trained,) = train_together([Member(config=CONFIG, dataset=load_dataset(CONFIG, torch.device("cpu")))])
    given = write_artifacts(trained, Places.of("one", out=ensemble))
    one, two = alone / "csv", ensemble / "csv"
    assert sorted(p.name for p in one.iterdir()) == sorted(p.name for p in two.iterdir())

    documents = [json.loads(metrics_path(folder, "one").read_text()) for folder in (one, two)]
    assert list(documents[0]) == list(documents[1])
    assert list(documents[1]) == list(given)
    for key in ("config", "policy", "splits", "selected_epoch", "stopped_because", "leak_check", "inputs", "versions"):
        assert documents[0][key] == documents[1][key], key
    assert documents[1]["r2"] == pytest.approx(documents[0]["r2"], abs=1e-4)
    assert list(documents[0]["recalibration"]) == list(documents[1]["recalibration"])

    histories = [table(history_path(folder, "one")) for folder in (one, two)]
    assert histories[0][0] == histories[1][0]
    assert [len(h) for h in histories] == [5, 5]
    # Cells that are empty in one are empty in the other: a column that nobody filled would be seen here.
    assert [[bool(cell) for cell in row] for row in histories[0]] == [[bool(c) for c in row] for row in histories[1]]
    predictions = [table(predictions_path(folder, "one")) for folder in (one, two)]
    assert predictions[0][0] == predictions[1][0]
    assert [row[0] for row in predictions[0]] == [row[0] for row in predictions[1]]
    frames = [pl.read_parquet(epoch_predictions_path(folder, "one")) for folder in (one, two)]
    assert frames[0].schema == frames[1].schema
    assert frames[0].drop("y_pred").equals(frames[1].drop("y_pred"))


def test_epoch_predictions_may_be_left_out(tmp_path: Path) -> None:
    (trained,) = train_together([Member(config=CONFIG, dataset=load_dataset(CONFIG, torch.device("cpu")))])
    write_artifacts(trained, Places.of("one", out=tmp_path), epoch_predictions=False)
    assert not epoch_predictions_path(tmp_path / "csv", "one").exists()
    assert predictions_path(tmp_path / "csv", "one").exists()
