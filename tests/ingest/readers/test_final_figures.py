"""Final figures without a history."""

from __future__ import annotations

import json
from pathlib import Path

from runreport.ingest.load import load_runs
from runreport.run import Run


def test_json_and_metric_value(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text(json.dumps({"test": {"rmse": 0.5, "r2": 0.8}, "train": {"r2": 0.9}}))
    (tmp_path / "scores.csv").write_text("metric,value\nRMSE,0.5\nR2,0.8\n")
    for name, split in (("metrics.json", "test"), ("scores.csv", "evaluation")):
        (run,) = load_runs([str(tmp_path / name)])
        assert isinstance(run, Run), str(run)
        assert (run.summary["r2"], run.summary["rmse"], run.split) == (0.8, 0.5, split)


def test_a_run_a_model(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text(json.dumps({"forest": {"r2": 0.7}, "boost": {"r2": 0.8}}))
    runs = list(load_runs([str(path)]))
    assert [item.name for item in runs if isinstance(item, Run)] == ["models[forest]", "models[boost]"]


def test_a_folder_is_not_searched_for_them(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text(json.dumps({"r2": 0.8}))
    (tmp_path / "run.csv").write_text("epoch,val_loss\n1,0.5\n2,0.4\n")
    (run,) = load_runs([str(tmp_path)])
    assert isinstance(run, Run)
    assert run.name == "run"
