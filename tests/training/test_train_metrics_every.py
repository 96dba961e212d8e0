"""Evaluating the training split now and then only: gaps where it was not, and nothing else changed."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

from training.config import Config, DataConfig
from training.places import Places
from training.run import run_training

TRAIN = ("train_r2", "train_variance_ratio", "train_pearson_r", "train_pred_mean")
CLOCK = ("epoch_seconds", "samples_per_second")
BASE = Config(
    run_name="run", seed=1, device="cpu", threads=1, max_epochs=6, model="mlp", hidden_size=8, warmup_steps=5,
    data=DataConfig(kind="diabetes", split="random"), standardise_target=True,
)  # fmt: skip


def rows(config: Config, folder: Path) -> list[dict[str, str]]:
    run_training(config, Places.of(config.run_name, out=folder))
    with (folder / "csv" / "run.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_rest_of_the_log_is_the_same(tmp_path: Path) -> None:
    always = rows(dataclasses.replace(BASE, train_metrics_every=1), tmp_path / "always")
    seldom = rows(dataclasses.replace(BASE, train_metrics_every=4), tmp_path / "seldom")
    assert [int(r["epoch"]) for r in seldom if r["train_r2"]] == [4, 6]
    assert all(r["train_r2"] for r in always)
    for one, other in zip(always, seldom, strict=True):
        for name in one:
            if name in CLOCK:
                continue
            assert other[name] == (one[name] if name not in TRAIN or other["train_r2"] else "")


def test_the_last_epoch_is_evaluated_whatever_ends_the_run(tmp_path: Path) -> None:
    stopped = rows(dataclasses.replace(BASE, max_epochs=40, patience=1, learning_rate=0.3), tmp_path / "stopped")
    assert len(stopped) < 25
    assert [int(r["epoch"]) for r in stopped if r["train_r2"]] == [len(stopped)]
