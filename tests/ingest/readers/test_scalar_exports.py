"""Charts downloaded as CSV."""

from __future__ import annotations

from pathlib import Path

from runreport.ingest.load import load_runs
from runreport.run import Run


def test_tensorboard_joins_the_charts_of_a_run(tmp_path: Path) -> None:
    for tag, first in (("Loss_train", 5), ("Loss_val", 6)):
        rows = "".join(f"{1.6e9 + i},{i},{first - i}\n" for i in range(3))
        (tmp_path / f"run-exp1-tag-{tag}.csv").write_text("Wall time,Step,Value\n" + rows)
    (run,) = load_runs([str(tmp_path)])
    assert isinstance(run, Run), str(run)
    assert (run.name, run.format) == ("exp1", "chart-csv")
    assert run.history is not None
    assert list(run.history.get("train_loss")) == [5, 4, 3]
    assert list(run.history.get("val_loss")) == [6, 5, 4]


def test_wandb_has_a_column_a_run(tmp_path: Path) -> None:
    path = tmp_path / "wandb_export.csv"
    names = [f"{run} - val_loss{end}" for run in ("sun-3", "moon-4") for end in ("", "__MIN", "__MAX")]
    rows = "".join(f'"{i}",' + ",".join(f'"{i + k}"' for k in (1, 0, 9, 2, 0, 9)) + "\n" for i in range(3))
    path.write_text('"Step",' + ",".join(f'"{n}"' for n in names) + "\n" + rows)
    first, second = load_runs([str(path)])
    assert isinstance(first, Run), str(first)
    assert isinstance(second, Run), str(second)
    assert (first.name, second.name) == ("wandb_export[sun-3]", "wandb_export[moon-4]")
    assert first.history is not None
    assert second.history is not None
    assert list(first.history.get("val_loss")) == [1, 2, 3]
    assert list(second.history.get("val_loss")) == [2, 3, 4]
