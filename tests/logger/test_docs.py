"""The examples of docs/logger.md run as they stand."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runreport.analysis.engine import analyze_run
from runreport.ingest.load import load_runs
from runreport.run import Run


def test_the_examples_leave_runs_that_can_be_read(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (repository / "docs" / "logger.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 2
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x_val, x_test = rng.normal(size=(2, 40))
    y_val, y_test = x_val + 0.1, x_test + 0.1
    world: dict[str, Any] = {
        "config": {"learning_rate": 1e-3}, "epochs": 3, "rate": 1e-3, "model": None, "y_val": y_val, "y_test": y_test,
        "x_test": x_test, "train_one_epoch": lambda model: 0.5, "predict": lambda model, x: 0.8 * x,
        "validate": lambda model: (0.25, 0.8 * x_val), "val_batches": [(x_val[:30], y_val[:30]), (x_val[30:], y_val[30:])],
    }  # fmt: skip
    for block in blocks:
        exec(compile(block, "docs/logger.md", "exec"), world)
    first, second = sorted((r for r in load_runs(["logs/csv"]) if isinstance(r, Run)), key=lambda r: r.name)
    assert (first.name, set(first.files)) == ("run5", {"history", "predictions", "metrics"})
    assert (second.name, set(second.files)) == ("run6", {"history"})
    logged = [analyze_run(run).context.history for run in (first, second)]
    # The same predictions, handed over whole and in batches.
    r2 = 1 - np.mean((0.8 * x_val - y_val) ** 2) / np.var(y_val, ddof=0)
    scores = [history.get("r2") for history in logged if history is not None]
    assert scores[0] == pytest.approx([r2] * 3, rel=1e-12)
    assert scores[1] == scores[0]
    assert first.summary["selected_epoch"] == 3


def test_every_artifact_and_column_named_is_written(repository: Path) -> None:
    from runreport.artifacts import HISTORY_COLUMNS
    from runreport.logger.run_logger import FROM_PREDICTIONS

    text = (repository / "docs" / "logger.md").read_text()
    (named,) = re.findall(r"the columns given, and `([^`]*)`", text)
    assert set(named.split(", ")) == {*FROM_PREDICTIONS, "epoch_seconds"}
    assert set(named.split(", ")) <= set(HISTORY_COLUMNS)
