"""The artifact contract: what is written can be read back by others' readers, and half a file never looks whole."""

import csv
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from runreport.artifacts import (
    EPOCH_PREDICTION_COLUMNS,
    EpochPredictions,
    HistoryWriter,
    InputError,
    artifact_paths,
    is_run_name,
    metrics_path,
    replacing,
    write_json,
    write_predictions,
)


def test_importing_the_contract_needs_the_standard_library_only() -> None:
    code = (
        "import sys, runreport.artifacts; roots = {name.split('.')[0] for name in sys.modules}; "
        "print(sorted(roots - set(sys.stdlib_module_names) - {'runreport', '__main__'}))"
    )
    # -S: site packages with .pth hooks of their own would add modules that this import did not ask for.
    root = str(Path(__file__).parents[2])
    code = f"import sys; sys.path.insert(0, {root!r}); " + code
    output = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def test_history_reads_back_exactly(tmp_path: Path) -> None:
    rows: list[dict[str, float | None]] = [
        {"epoch": 1, "val_loss": 0.1 + 0.2, "r2": None},
        {"epoch": 2, "val_loss": 1e-17, "r2": -4.38},
        {"epoch": 3, "val_loss": math.nan, "r2": math.inf},
    ]
    with HistoryWriter(tmp_path / "run.csv") as history:
        for row in rows:
            history.write(row)
    with (tmp_path / "run.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["epoch"] for row in read] == ["1", "2", "3"]
    assert [float(row["val_loss"]) for row in read[:2]] == [0.1 + 0.2, 1e-17]
    assert [row["r2"] for row in read] == ["", "-4.38", "inf"]
    assert read[2]["val_loss"] == "nan"


def test_each_row_is_on_the_disk_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    history = HistoryWriter(path)
    history.write({"epoch": 1, "r2": 0.5})
    assert path.read_text() == "epoch,r2\n1,0.5\n"
    history.write({"r2": np.float64(0.25), "epoch": 2})
    assert path.read_text() == "epoch,r2\n1,0.5\n2,0.25\n"
    history.close()


def test_history_refuses_other_columns_and_an_existing_file(tmp_path: Path) -> None:
    with HistoryWriter(tmp_path / "run.csv") as history:
        history.write({"epoch": 1, "r2": 0.5})
        with pytest.raises(InputError, match="differs in mae, r2"):
            history.write({"epoch": 2, "mae": 0.5})
    with pytest.raises(InputError, match="already there"):
        HistoryWriter(tmp_path / "run.csv")


def test_json_is_strict(tmp_path: Path) -> None:
    document = {"b": math.nan, "a": [math.inf, 0.1, None], "nested": {"range": (1.0, -math.inf)}, "name": "Flug ä"}
    write_json(tmp_path / "metrics.json", document)
    text = (tmp_path / "metrics.json").read_text(encoding="utf-8")

    def refuse(word: str) -> float:
        raise AssertionError(word)

    read = json.loads(text, parse_constant=refuse)
    assert read == {"b": None, "a": [None, 0.1, None], "nested": {"range": [1.0, None]}, "name": "Flug ä"}
    assert list(read) == ["b", "a", "nested", "name"]


def test_an_error_while_writing_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text("old")

    def write_half() -> None:
        with replacing(path) as part:
            part.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_predictions_read_back_with_their_keys(tmp_path: Path) -> None:
    write_predictions(
        tmp_path / "p.csv",
        y_true=[0.1, 0.2],
        y_pred=[0.3, 1 / 3],
        keys={"local_indices": [0, 1], "flight_name": ["a,b", 'say "c"']},
    )
    frame = pl.read_csv(tmp_path / "p.csv")
    assert frame.columns == ["y_true", "y_pred", "local_indices", "flight_name"]
    assert frame["y_pred"].to_list() == [0.3, 1 / 3]
    assert frame["flight_name"].to_list() == ["a,b", 'say "c"']


def test_predictions_of_unequal_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="zip"):
        write_predictions(tmp_path / "p.csv", y_true=[0.1, 0.2], y_pred=[0.3])
    assert not (tmp_path / "p.csv").exists()


def test_epoch_predictions_are_compact_and_ordered(tmp_path: Path) -> None:
    collected = EpochPredictions(y_true=[0.5, 1.5], local_indices=[0, 1], flight_name=["e", "e"])
    collected.add(1, [0.25, 0.75])
    collected.add(2, [1.25, 1.75])
    with pytest.raises(ValueError, match="1 predictions for 2 samples"):
        collected.add(3, [0.0])
    collected.write(tmp_path / "e.parquet")
    frame = pl.read_parquet(tmp_path / "e.parquet")
    assert tuple(frame.columns) == EPOCH_PREDICTION_COLUMNS
    assert frame.schema["epoch"] == pl.Int32
    assert frame.schema["y_pred"] == pl.Float32
    assert frame["epoch"].to_list() == [1, 1, 2, 2]
    assert frame["y_pred"].to_list() == [0.25, 0.75, 1.25, 1.75]
    assert frame["y_true"].to_list() == [0.5, 1.5, 0.5, 1.5]
    assert frame["flight_name"].cast(pl.String).to_list() == ["e"] * 4


def test_the_metrics_go_first_when_a_run_is_removed(tmp_path: Path) -> None:
    paths = artifact_paths(tmp_path, "run")
    assert paths[0] == metrics_path(tmp_path, "run")
    assert len(set(paths)) == 4


@pytest.mark.parametrize("name", ["..", "a/b", "a\\b", "metrics_x", "epoch_predictions_x", "-x", ".x", "x\n", "é"])
def test_unsafe_run_names(name: str) -> None:
    assert not is_run_name(name)
