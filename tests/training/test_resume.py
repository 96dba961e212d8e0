"""A run that was killed goes on to the numbers that an uninterrupted one has."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

import training.recorder
from training.cli import main
from training.config import Config
from training.config_file import parse_config
from training.errors import ConfigError
from training.resume import RunState, load_state, state_path
from training.run import Places, run_training

ROOT = Path(__file__).parents[2]
SIZE = {"frame_height": 16, "frame_width": 16, "train_samples": 41, "val_samples": 12, "test_samples": 12}
TIMED = ("epoch_seconds", "samples_per_second")
# Everything that carries state from one epoch to the next: order, mirroring, dropout, optimizer, plateau, hard samples.
STATEFUL: dict[str, Any] = {
    "augment": True,
    "dropout": 0.2,
    "hard_sample_k": 5,
    "hard_sample_factor": 3.0,
    "variance_lambda": 0.5,
    "learning_rate": 0.01,
    "warmup_steps": 4,
    "plateau_patience": 0,
}


def _config(**settings: Any) -> Config:
    return parse_config(
        {"run_name": "tiny", "threads": 1, "max_epochs": 7, "data": SIZE, "device": "cpu", **STATEFUL, **settings}
    )


def _tables(out: Path) -> tuple[list[dict[str, str]], list[Any], dict[str, Any]]:
    """History without its clocks, test predictions, metrics; the per-epoch predictions ride along with the history."""
    with (out / "csv" / "tiny.csv").open(newline="") as file:
        rows = [{key: value for key, value in row.items() if key not in TIMED} for row in csv.DictReader(file)]
    frame = pl.read_parquet(out / "csv" / "epoch_predictions_tiny.parquet")
    predictions = [*pl.read_csv(out / "csv" / "predictions_tiny.csv").rows(), *frame.rows()]
    return rows, predictions, json.loads((out / "csv" / "metrics_tiny.json").read_text())


class _Killed(BaseException):
    """Stands for a kill: nothing but the test catches it."""


def _cut_off(monkeypatch: pytest.MonkeyPatch, where: str, epoch: int, config: Config, out: Path) -> None:
    """Trains until the given step of the given epoch, then ends as if killed."""
    original = getattr(training.recorder, where)

    def dying(*arguments: Any, **settings: Any) -> Any:
        state = arguments[-1] if where == "save_state" else None
        count = state.epoch if isinstance(state, RunState) else settings.get("epoch")
        if count == epoch:
            raise _Killed
        return original(*arguments, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(training.recorder, where, dying)
        with pytest.raises(_Killed):
            run_training(config, Places.of("tiny", out=out))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"schedule": "cosine", "warmup_unit": "epoch", "warmup_steps": 2, "early_stopping": "smoothed"},
        {"precision": "fp16"},
    ],
)
def test_resumed_between_row_and_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    """Cut off when the history already holds epoch 4 but the state only 3: epoch 4 is trained again, to the same row."""
    config = _config(**settings)
    run_training(config, Places.of("tiny", out=tmp_path / "whole"))
    _cut_off(monkeypatch, "save_state", 4, config, tmp_path / "cut")
    with (tmp_path / "cut" / "csv" / "tiny.csv").open() as file:
        assert sum(1 for _ in file) == 5
    torch.manual_seed(12345)  # whatever another process has drawn before
    places = Places.of("tiny", out=tmp_path / "cut")
    run_training(config, places, resume=True)
    assert _tables(tmp_path / "cut") == _tables(tmp_path / "whole")
    assert not places.state.exists()


def test_resumed_after_the_last_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All epochs trained, the artifacts not yet written: nothing is trained again."""
    config = _config(patience=2, min_delta=100.0)
    run_training(config, Places.of("tiny", out=tmp_path / "whole"))
    with monkeypatch.context() as patch:
        patch.setattr("runreport.logger.run_logger.write_predictions", lambda *a, **k: (_ for _ in ()).throw(_Killed()))
        with pytest.raises(_Killed):
            run_training(config, Places.of("tiny", out=tmp_path / "cut"))
    with monkeypatch.context() as patch:
        patch.setattr("training.loop.Trainer.train_epoch", lambda *a: pytest.fail("trained again"))
        run_training(config, Places.of("tiny", out=tmp_path / "cut"), resume=True)
    assert _tables(tmp_path / "cut") == _tables(tmp_path / "whole")
    assert _tables(tmp_path / "cut")[2]["stopped_because"] == "patience"


def test_nothing_to_resume_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off in the first epoch there is no state: the remains go and the run begins."""
    config = _config(max_epochs=2)
    run_training(config, Places.of("tiny", out=tmp_path / "whole"))
    _cut_off(monkeypatch, "save_checkpoint", 1, config, tmp_path / "cut")
    run_training(config, Places.of("tiny", out=tmp_path / "cut"), resume=True)
    assert _tables(tmp_path / "cut") == _tables(tmp_path / "whole")


def test_what_cannot_be_resumed_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places.of("tiny", out=tmp_path)
    _cut_off(monkeypatch, "save_state", 2, _config(), tmp_path)
    with pytest.raises(ConfigError, match=r"learning_rate was 0\.01 and is 0\.02 now"):
        run_training(_config(learning_rate=0.02), places, resume=True)
    with pytest.raises(ConfigError, match=r"data\.noise was 2\.0 and is 3\.0 now"):
        run_training(_config(data=SIZE | {"noise": 3.0}), places, resume=True)
    places.state.write_bytes(places.state.read_bytes()[:100])
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        run_training(_config(), places, resume=True)
    assert "\n" not in str(caught.value)
    run_training(_config(), places, force=True)
    with pytest.raises(ConfigError, match="is complete; there is nothing to resume"):
        run_training(_config(), places, resume=True)


def test_a_state_never_runs_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "ran",))

    path = state_path(tmp_path / "tiny.pt")
    torch.save({"version": 1, "rows": [Evil()]}, path)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_state(path, _config(), device=torch.device("cpu"))
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_killed_within_an_epoch(tmp_path: Path) -> None:
    """SIGKILL at whatever moment an epoch is in, then --resume in a new process."""
    # Bigger frames than the other tests': most of the time is spent in steps, so most kills land there.
    config = _config(max_epochs=10, data=SIZE | {"frame_height": 48, "frame_width": 48, "train_samples": 160})
    path = tmp_path / "tiny.yaml"
    path.write_text(json.dumps(config.to_dict()))
    run_training(config, Places.of("tiny", out=tmp_path / "whole"))
    out = tmp_path / "cut"
    command = [sys.executable, "-m", "training", "run", str(path), "--out", str(out)]
    history = out / "csv" / "tiny.csv"
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=ROOT)
    try:
        for _ in range(6000):
            if history.exists() and history.read_bytes().count(b"\n") > 3:
                break
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not (out / "csv" / "metrics_tiny.json").exists()
    assert main(["run", str(path), "--out", str(out), "--resume"]) == 0
    assert _tables(out) == _tables(tmp_path / "whole")
