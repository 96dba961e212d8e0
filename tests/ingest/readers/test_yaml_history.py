"""YAML histories."""

from __future__ import annotations

from pathlib import Path

import pytest

from runreport.errors import InputError
from runreport.ingest.load import load_runs
from runreport.run import Run

COLUMNS = "train_loss: [0.5, 0.4]\nval_loss:\n- 0.6\n- 0.5\n"
ROWS = "- epoch: 1\n  train_loss: 0.5\n  val_loss: 0.6\n- epoch: 2\n  train_loss: 0.4\n  val_loss: 0.5\n"
PREFIXED = (
    "my_model_epoch: [1, 2]\nmy_model_train_loss: [0.5, 0.4]\nmy_model_val_loss: [0.6, 0.5]\nmy_model_emissions: 0.1\n"
)


def load(path: Path, text: str) -> Run | InputError:
    path.write_text(text, encoding="utf-8")
    (item,) = load_runs([str(path)])
    return item


@pytest.mark.parametrize("text", [COLUMNS, ROWS, PREFIXED], ids=["columns", "rows", "prefixed"])
def test_shapes(tmp_path: Path, text: str) -> None:
    run = load(tmp_path / "history.yaml", text)
    assert isinstance(run, Run), str(run)
    assert run.history is not None
    assert list(run.history.get("train_loss")) == [0.5, 0.4]
    assert list(run.history.get("val_loss")) == [0.6, 0.5]


def test_scores_of_folds_are_no_history(tmp_path: Path) -> None:
    item = load(tmp_path / "score.yaml", "loss: [1, 2, 3]\nmin_loss: [1, 2, 3]\nmax_loss: [1, 2, 3]\n")
    assert isinstance(item, InputError)
    assert "3 fits" in str(item)


def test_settings_are_no_history(tmp_path: Path) -> None:
    item = load(tmp_path / "hparams.yaml", "lr: 0.1\nloss: huber\nlayers: [1, 2]\n")
    assert isinstance(item, InputError)
    assert "YAML without a list" in str(item)


def test_objects_and_bombs_are_refused(tmp_path: Path) -> None:
    item = load(tmp_path / "a.yaml", "val_loss: [1, 2]\nx: !!python/object/apply:os.system ['true']\n")
    assert isinstance(item, InputError)
    bomb = "val_loss: [1, 2]\na0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    item = load(tmp_path / "b.yaml", bomb)
    assert isinstance(item, InputError)
    assert "unfolds" in str(item)
