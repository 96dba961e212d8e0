"""How large a log may be: what is beyond is one line that says how much it is and how much may be."""

from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path

import polars as pl
import pytest

from runreport.errors import InputError
from runreport.ingest import (
    discover,
    documents,
    json_shapes,
    long_tables,
    prediction_stacks,
    prediction_tables,
    predictions,
    table,
)
from runreport.ingest.load import load_runs
from runreport.ingest.readers import printed, yaml_history
from runreport.run import Run

HISTORY = "epoch,val_loss\n1,0.5\n2,0.4\n"


def refused(path: Path) -> str:
    (item,) = load_runs([str(path)])
    assert isinstance(item, InputError), "within the limit"
    assert "\n" not in str(item)
    return str(item)


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_text_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "log.csv", HISTORY)
    monkeypatch.setattr(table, "MAX_BYTES", len(HISTORY) - 1)
    assert "GiB of text; expected at most 2 GiB; write it as parquet" in refused(path)


def test_what_a_compressed_file_expands_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = HISTORY + "3,0.3\n" * 10_000
    path = written(tmp_path / "log.csv.gz", gzip.compress(text.encode()))
    monkeypatch.setattr(table, "MAX_BYTES", 10_000)
    assert path.stat().st_size < 10_000
    assert "more than 2 GiB of text once expanded; expected at most 2 GiB" in refused(path)


@pytest.mark.parametrize(
    ("name", "said"), [("log.json", "MiB of JSON; expected at most"), ("log.yaml", "KiB of YAML; expected at most")]
)
def test_a_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str) -> None:
    text = json.dumps({"val_loss": [0.5] * 3_000})
    path = written(tmp_path / name, text if name.endswith("json") else "val_loss:\n" + "- 0.5\n" * 300)
    monkeypatch.setattr(documents, "MAX_JSON_BYTES", 1000)
    monkeypatch.setattr(yaml_history, "MAX_BYTES", 1000)
    assert said in refused(path)


def test_a_printed_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "train.log", "epoch 1 val_loss: 0.5\nepoch 2 val_loss: 0.4\n")
    monkeypatch.setattr(printed, "MAX_PRINTED_BYTES", 10)
    assert "MiB of text; expected at most 256 MiB" in refused(path)


def test_files_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        written(tmp_path / f"{name}.csv", HISTORY)
    monkeypatch.setattr(discover, "MAX_FILES", 2)
    assert "more than 2 files; name the folder that holds the logs" in refused(tmp_path)


def test_rows_of_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "predictions.parquet"
    pl.DataFrame({"y_true": [1.0, 2.0, 3.0], "y_pred": [1.0, 2.0, 2.5]}).write_parquet(path)
    monkeypatch.setattr(prediction_tables, "MAX_ROWS", 2)
    assert "3 rows; expected at most 2" in refused(path)


def test_models_and_targets_of_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"{m},{i},{i + 0.5}\n" for m in "abc" for i in range(4))
    path = written(tmp_path / "test_predictions.csv", "model,y_true,y_pred\n" + rows)
    monkeypatch.setattr(prediction_stacks, "MOST_MODELS", 2)
    assert "3 models in column 'model'; expected at most 2" in refused(path)
    names = [f"y_{what}_{i}" for i in range(3) for what in ("true", "pred")]
    path = written(tmp_path / "targets.csv", ",".join(names) + "\n" + "1,2,3,4,5,6\n" * 3)
    monkeypatch.setattr(predictions, "MOST_TARGETS", 2)
    assert "3 targets; expected at most 2" in refused(path)


def test_runs_of_one_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "runs.json", json.dumps({n: {"val_loss": [2, 1]} for n in "abc"}))
    monkeypatch.setattr(json_shapes, "MOST_RUNS", 2)
    assert "3 runs; expected at most 2" in refused(path)


def test_a_table_of_more_runs_than_are_taken_is_not_taken_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(
        tmp_path / "log.csv", "epoch,fold,val_loss\n" + "".join(f"{e},{f},{e + f}\n" for f in (1, 2, 3) for e in (1, 2))
    )
    assert len(list(load_runs([str(path)]))) == 3
    monkeypatch.setattr(long_tables, "MOST_RUNS", 2)
    runs = [item for item in load_runs([str(path)]) if isinstance(item, Run)]
    assert all("[fold" not in run.name for run in runs)


class Armed:
    """What a pickle does when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('a pickle was loaded')",))


@pytest.mark.parametrize(
    "name", ["log.pkl", "log.csv", "log.json", "log.log", "log", "predictions_a.csv", "metrics_a.json", "log.db"]
)
def test_a_pickle_is_never_loaded_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, pickle.dumps(Armed()))
    with pytest.raises(SystemExit):
        pickle.loads(path.read_bytes())  # it is armed
    assert str(path) in refused(path)


@pytest.mark.parametrize(
    "name", ["../../x", "/etc/x", "a\\..\\b", "<b>x</b>", "| a | b |", "[x](http://y)", "x\x1b[31m", ""]
)
def test_a_name_from_a_log_makes_no_path(tmp_path: Path, name: str) -> None:
    from runreport.analysis.engine import analyze_run
    from runreport.report.write import file_names, write_report

    rows = "".join(f'{e},"{n}",{e}\n' for n in (name, "other") for e in (1, 2, 3))
    path = written(tmp_path / "log.csv", "epoch,model,val_loss\n" + rows)
    out = tmp_path / "out"
    runs = [item for item in load_runs([str(path)]) if isinstance(item, Run)]
    assert runs
    for run, stem in zip(runs, file_names([run.name for run in runs]), strict=True):
        write_report(analyze_run(run), None, out / "inner", stem, charts=False)
    assert {file.parent for file in tmp_path.rglob("*") if file.is_file()} <= {tmp_path, out / "inner"}
