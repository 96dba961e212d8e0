"""Two processes under torchrun come to the numbers of one."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from torch import nn

from training.config_file import parse_config
from training.distributed import ALONE, World
from training.run import Places, run_training

ROOT = Path(__file__).parents[2]
SIZE = {"frame_height": 16, "frame_width": 16, "train_samples": 41, "val_samples": 12, "test_samples": 12}


def test_every_sample_has_one_rank() -> None:
    for count in (0, 1, 2, 7, 20):
        for size in (1, 2, 3, 8):
            bounds = [World(rank=rank, size=size).bounds(count) for rank in range(size)]
            covered = [index for start, end in bounds for index in range(start, end)]
            assert covered == list(range(count))
            lengths = [end - start for start, end in bounds]
            assert max(lengths) - min(lengths) <= 1


def test_alone_nothing_is_sent() -> None:
    """No process group exists here: any collective would raise."""
    values = torch.arange(3.0, requires_grad=True)
    parameter = nn.Parameter(torch.ones(2))
    parameter.grad = torch.tensor([1.0, 2.0])
    ALONE.sum_gradients([parameter])
    ALONE.share_weights(nn.Linear(1, 1))
    ALONE.wait()
    assert ALONE.gather(values, 3) is values
    assert ALONE.sum(values) is values
    assert ALONE.first_says("a") == "a"
    assert parameter.grad.tolist() == [1.0, 2.0]


def _torchrun(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.run(
        [*command, "-m", "training", "run", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


def _tables(out: Path) -> tuple[list[dict[str, str]], pl.DataFrame, dict[str, Any]]:
    with (out / "csv" / "tiny.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    metrics = json.loads((out / "csv" / "metrics_tiny.json").read_text())
    return rows, pl.read_csv(out / "csv" / "predictions_tiny.csv"), metrics


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    """41 samples in batches of 20: each epoch ends with a batch of one, where a rank has no sample at all.

    The penalty is on the variance of the batch, which no average over shards gives. Only the order of sums differs.
    """
    values = {
        "run_name": "tiny", "threads": 1, "max_epochs": 4, "data": SIZE, "device": "cpu", "variance_lambda": 1.0,
        "output_init_std": 0.5, "learning_rate": 0.002, "warmup_steps": 2, "augment": True, "gradient_every": 1,
        "hard_sample_k": 5, "hard_sample_factor": 3.0,
    }  # fmt: skip
    run_training(parse_config(values), Places.of("tiny", out=tmp_path / "one"))
    config = tmp_path / "tiny.yaml"
    config.write_text(json.dumps(values))
    done = _torchrun(str(config), "--out", str(tmp_path / "two"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("tiny: epoch ") == 1  # one of the two speaks
    assert sorted(path.name for path in (tmp_path / "two" / "csv").iterdir()) == sorted(
        path.name for path in (tmp_path / "one" / "csv").iterdir()
    )
    rows, predictions, metrics = _tables(tmp_path / "one")
    rows_of_two, predictions_of_two, metrics_of_two = _tables(tmp_path / "two")
    assert len(rows) == len(rows_of_two) == 4
    for row, other in zip(rows, rows_of_two, strict=True):
        for name, value in row.items():
            if name not in ("epoch_seconds", "samples_per_second"):
                # A thousandth of what an epoch changes; sums in another order move the fifth digit at most.
                expected = value and pytest.approx(float(value), rel=1e-3, abs=1e-4)
                assert (other[name] and float(other[name])) == expected, (row["epoch"], name)
    difference = (predictions["y_pred"] - predictions_of_two["y_pred"]).abs().max()
    assert float(difference) < 1e-3  # type: ignore[arg-type]
    assert metrics["selected_epoch"] == metrics_of_two["selected_epoch"]
    assert metrics["r2"] == pytest.approx(metrics_of_two["r2"], rel=1e-3)

    again = _torchrun(str(config), "--out", str(tmp_path / "two"))
    assert again.returncode != 0
    assert "run 'tiny' is already there" in again.stderr
