"""The native artifacts as runs: epochs, resumes, predictions, metrics, per-epoch predictions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from runreport.errors import InputError
from runreport.ingest.load import load_runs
from runreport.ingest.reader import ReadOptions
from runreport.run import Run


def load(folder: Path, files: Mapping[str, str | bytes], columns: Mapping[str, str] | None = None) -> list[Run]:
    """The runs of a folder that holds these files; an error is raised."""
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    runs = []
    for item in load_runs([str(folder)], ReadOptions(columns=columns or {})):
        if isinstance(item, InputError):
            raise item
        runs.append(item)
    return runs


def history(folder: Path, text: str) -> tuple[dict[str, list[float | None]], list[tuple[str, str]]]:
    """The one run's history as lists, and its notes."""
    (run,) = load(folder, {"run.csv": text})
    assert run.history is not None
    return {"epoch": list(run.history.epochs)} | {k: list(v) for k, v in run.history.columns.items()}, [
        (n.code, n.message) for n in run.notes
    ]


def refused(folder: Path, name: str, content: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        load(folder, {name: content})
    return str(caught.value).removeprefix(f"{folder / name}: ")


def test_a_plain_history(tmp_path: Path) -> None:
    (run,) = load(tmp_path, {"run.csv": "epoch,val_loss,r2\n1,0.5,0.1\n2,0.4,0.2\n"})
    assert run.name == "run"
    assert run.history is not None
    assert run.history.epochs == (1, 2)
    assert run.history.columns == {"val_loss": (0.5, 0.4), "r2": (0.1, 0.2)}
    assert (run.predictions, run.split, run.notes, dict(run.columns_read)) == (None, None, (), {})


def test_without_an_epoch_column_rows_are_numbered_and_it_is_said(tmp_path: Path) -> None:
    columns, notes = history(tmp_path, "val_loss,r2\n0.5,0.1\n0.4,0.2\n")
    assert columns["epoch"] == [1.0, 2.0]
    assert notes == [("derived", "there is no epoch column: rows were numbered from 1")]


@pytest.mark.parametrize("epochs", [[0, 1, 2], [0.5, 1, 1.5], [-1, 0, 1], [10, 20, 30]])
def test_epochs_stay_as_logged(tmp_path: Path, epochs: list[float]) -> None:
    columns, notes = history(tmp_path, "epoch,val_loss\n" + "".join(f"{e},0.5\n" for e in epochs))
    assert columns["epoch"] == epochs
    assert notes == []


@pytest.mark.parametrize("cell", ["", "nan", "inf", "NA"])
def test_a_row_without_an_epoch_is_an_error(tmp_path: Path, cell: str) -> None:
    said = refused(tmp_path, "run.csv", f"epoch,val_loss\n1,0.5\n{cell},0.4\n")
    assert said == "no epoch number in column 'epoch', line 3; expected a number"


def test_epochs_that_start_again_are_another_run(tmp_path: Path) -> None:
    files = {
        "run.csv": "epoch,val_loss\n1,0.5\n2,0.4\n1,0.6\n2,0.3\n3,0.2\n",
        "predictions_run.csv": "y_true,y_pred\n1,2\n",
        "metrics_run.json": '{"r2": 0.5, "config": {"loss": "huber"}}',
    }
    first, second = load(tmp_path, files)
    assert (first.name, second.name) == ("run-part1", "run-part2")
    assert first.history is not None
    assert second.history is not None
    assert first.history.columns["val_loss"] == (0.5, 0.4)
    assert second.history.columns["val_loss"] == (0.6, 0.3, 0.2)
    assert "line 4" in second.notes[0].message
    # What was written at the end belongs to the run that ended there.
    assert (first.predictions, dict(first.summary), dict(first.config)) == (None, {}, {})
    assert second.predictions is not None
    assert (dict(second.summary), dict(second.config)) == ({"r2": 0.5}, {"loss": "huber"})


def test_a_resume_keeps_the_later_values_and_is_noted(tmp_path: Path) -> None:
    columns, notes = history(tmp_path, "epoch,val_loss\n1,0.5\n2,0.4\n3,0.35\n2,0.45\n3,0.3\n4,0.2\n")
    assert columns == {"epoch": [1.0, 2.0, 3.0, 4.0], "val_loss": [0.5, 0.45, 0.3, 0.2]}
    assert notes == [("log.restarts", "the run was resumed at epoch 2; 2 epochs logged twice, the later kept")]


def test_exact_repeats_are_dropped_silently(tmp_path: Path) -> None:
    columns, notes = history(tmp_path, "epoch,val_loss,r2\n1,0.5,nan\n1,0.5,nan\n2,0.4,0.2\n2,0.4,0.2\n")
    assert columns["val_loss"] == [0.5, 0.4]
    assert notes == []


def test_contradictions_keep_the_last_and_are_noted(tmp_path: Path) -> None:
    columns, notes = history(tmp_path, "epoch,val_loss\n1,0.5\n2,0.4\n2,0.45\n3,0.3\n")
    assert columns == {"epoch": [1.0, 2.0, 3.0], "val_loss": [0.5, 0.45, 0.3]}
    ((code, message),) = notes
    assert code == "log.duplicate-epochs"
    assert "1 epoch logged more than once with other values (2)" in message


def test_sparse_rows_of_one_epoch_complement_each_other(tmp_path: Path) -> None:
    columns, notes = history(tmp_path, "epoch,train_loss,val_loss\n0,0.5,\n0,,0.6\n1,0.4,\n1,,\n2,,0.5\n")
    assert columns["train_loss"] == [0.5, 0.4, None]
    assert columns["val_loss"] == [0.6, None, 0.5]
    assert notes == []


@pytest.mark.parametrize("order", [(2, 1, 3), (1, 3, 2), (3, 2, 1)])
def test_one_run_in_another_order_is_sorted_and_noted(tmp_path: Path, order: tuple[int, ...]) -> None:
    columns, notes = history(tmp_path, "epoch,val_loss\n" + "".join(f"{e},0.{e}\n" for e in order))
    assert columns == {"epoch": [1.0, 2.0, 3.0], "val_loss": [0.1, 0.2, 0.3]}
    assert notes == [("derived", "the rows were not in epoch order and have been sorted")]


def test_undefined_numbers_stay_data_and_missing_ones_stay_absent(tmp_path: Path) -> None:
    columns, _ = history(tmp_path, "epoch,val_loss,r2\n1,nan,NA\n2,inf,None\n3,-inf,\n")
    assert [repr(v) for v in columns["val_loss"]] == ["nan", "inf", "-inf"]
    assert columns["r2"] == [None, None, None]


def test_unknown_columns_of_numbers_are_kept_and_of_text_are_not(tmp_path: Path) -> None:
    columns, _ = history(tmp_path, "epoch,val_loss,mystery,stamp,\n1,0.5,7,12:30,x\n")
    assert columns == {"epoch": [1.0], "val_loss": [0.5], "mystery": [7.0]}


def test_what_columns_were_called_is_kept(tmp_path: Path) -> None:
    files = {
        "run.csv": "Epoch,Valid MSE,lr\n1,0.5,0.1\n",
        "predictions_run.csv": "target,prediction,flight\n1,2,a\n",
    }
    (run,) = load(tmp_path, files)
    expected = {"epoch": "Epoch", "mse": "Valid MSE", "learning_rate": "lr", "y_true": "target", "y_pred": "prediction"}
    assert dict(run.columns_read) == expected


def test_a_history_of_nothing_known_names_what_it_has(tmp_path: Path) -> None:
    said = refused(tmp_path, "run.csv", "epoch,foo,bar\n1,2,3\n")
    assert said.startswith("no column that is known among epoch, foo, bar; expected at least one of val_loss")
    assert "--column" in said


def test_text_in_a_number_names_cell_column_and_line(tmp_path: Path) -> None:
    said = refused(tmp_path, "run.csv", "epoch,val_loss\n1,0.5\n2,oops\n")
    assert said == "'oops' in column 'val_loss', line 3; expected a number"


def test_predictions_keep_keys_and_groups_as_text(tmp_path: Path) -> None:
    text = "y_true,y_pred,flight_name,local_indices\n1.5,2,a,0\n3,4,,1\n"
    (run,) = load(tmp_path, {"predictions_run.csv": text})
    assert run.predictions is not None
    assert run.predictions.rows() == [(1.5, 2.0, "a", "0"), (3.0, 4.0, "", "1")]
    assert run.split == "test"


def test_rows_without_numbers_are_left_out_and_counted(tmp_path: Path) -> None:
    (run,) = load(tmp_path, {"predictions_run.csv": "y_true,y_pred\n1,nan\n2,3\n,4\ninf,1\n5,5\n"})
    assert run.predictions is not None
    assert run.predictions.rows() == [(2.0, 3.0), (5.0, 5.0)]
    ((code, message),) = [(n.code, n.message) for n in run.notes]
    assert code == "predictions.not-finite"
    assert message.startswith("3 of 5 prediction rows")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("y_true,y_pred\n1,nan\n,2\n", "none of the 2 rows has both a finite truth and a finite prediction"),
        ("y_pred\n1\n", "no truth column (y_true)"),
        ("y_true,y_pred\n1,abc\n", "'abc' in column 'y_pred', line 2"),
        ("y_true,y_pred\n", "only a header"),
    ],
)
def test_predictions_that_cannot_be_used(tmp_path: Path, content: str, said: str) -> None:
    assert refused(tmp_path, "predictions_run.csv", content).startswith(said)


def test_given_columns_reach_the_predictions_too(tmp_path: Path) -> None:
    files = {"predictions_run.csv": "y_true,label,y_pred\n9,1,2\n"}
    (run,) = load(tmp_path, files, {"y_true": "label"})
    assert run.predictions is not None
    assert run.predictions.rows() == [(1.0, 2.0)]


def test_one_unusable_file_refuses_its_run_but_not_the_next(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("epoch,val_loss\n1,0.5\n")
    (tmp_path / "metrics_a.json").write_text("{")
    (tmp_path / "b.csv").write_text("epoch,val_loss\n1,0.5\n")
    error, run = load_runs([str(tmp_path)])
    assert isinstance(error, InputError)
    assert isinstance(run, Run)
    assert run.name == "b"


def test_metrics_and_config_are_apart_and_undefined_numbers_are_none(tmp_path: Path) -> None:
    text = '{"r2": NaN, "mae": Infinity, "rmse": 1e999, "mse": %s, "loss": 0.5, "config": {"lr": -Infinity}}' % (
        "9" * 400
    )
    (run,) = load(tmp_path, {"metrics_run.json": text})
    assert dict(run.summary) == {"r2": None, "mae": None, "rmse": None, "mse": None, "loss": 0.5}
    assert dict(run.config) == {"lr": None}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_metrics_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    (run,) = load(tmp_path, {"metrics_run.json": '{"r2": 0.5}'.encode(encoding)})
    assert run.summary["r2"] == 0.5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "an empty file; expected a JSON object of metrics"),
        ("[1]", "a JSON list; expected a JSON object of metrics"),
        ("null", "a JSON null"),
        ('"r2"', "a JSON text"),
        ("3", "a JSON number"),
        ("true", "a JSON truth value"),
        ('{"r2": 0.5', "not JSON (Expecting ',' delimiter at line 1)"),
        ("[" * 100_000, "not JSON (nested too deeply)"),
        ('{"a":' * 100_000, "not JSON (nested too deeply)"),
        (b'{"r2": "\xff"}', "not JSON (bytes that are not UTF-8)"),
        ('{"r2": "high"}', "'high' under 'r2'; expected a number or null"),
        ('{"mae": true}', "True under 'mae'; expected a number or null"),
        ('{"num_samples": [144]}', "[144] under 'num_samples'; expected a number or null"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
    ],
)
def test_metrics_that_cannot_be_used(tmp_path: Path, content: str | bytes, said: str) -> None:
    assert refused(tmp_path, "metrics_run.json", content).startswith(said)


def test_a_number_of_thousands_of_digits_is_undefined(tmp_path: Path) -> None:
    (run,) = load(tmp_path, {"metrics_run.json": '{"r2": 0.5, "seed": %s}' % ("9" * 5000)})
    assert run.summary["seed"] is None


def test_per_epoch_predictions_are_checked_but_not_read(tmp_path: Path) -> None:
    pl.DataFrame({"epoch": [1], "y_true": [1.0], "y_pred": [2.0]}).write_parquet(
        tmp_path / "epoch_predictions_a.parquet"
    )
    (run,) = load(tmp_path, {})
    assert run.epoch_predictions == tmp_path / "epoch_predictions_a.parquet"


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"epoch": [1], "y_true": [1.0]}, "no column 'y_pred' among epoch, y_true; expected epoch, y_true and y_pred"),
        ({"epoch": ["a"], "y_true": [1.0], "y_pred": [1.0]}, "column 'epoch' of type String; expected numbers"),
        ({"epoch": [1], "y_true": [1.0], "y_pred": [[1.0]]}, "column 'y_pred' of type List(Float64); expected numbers"),
    ],
)
def test_per_epoch_predictions_of_other_columns(tmp_path: Path, columns: dict[str, list[object]], said: str) -> None:
    pl.DataFrame(columns).write_parquet(tmp_path / "epoch_predictions_a.parquet")
    with pytest.raises(InputError) as caught:
        load(tmp_path, {})
    assert str(caught.value).endswith(said)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1", b"epoch,y_true\n1,2\n"])
def test_a_parquet_file_that_is_none(tmp_path: Path, content: bytes) -> None:
    said = refused(tmp_path, "epoch_predictions_a.parquet", content)
    assert said.startswith("cannot be read as parquet")
    assert "\n" not in said


def test_nothing_is_filled_in_between_epochs(tmp_path: Path) -> None:
    columns, _ = history(tmp_path, "epoch,val_loss,r2\n1,0.5,0.1\n2,,\n5,0.4,nan\n")
    assert columns["epoch"] == [1.0, 2.0, 5.0]
    assert columns["val_loss"] == [0.5, None, 0.4]
    assert columns["r2"][1] is None
    last = columns["r2"][2]
    assert last is not None
    assert math.isnan(last)


def test_numbers_whose_squares_overflow_are_infinite_and_said(tmp_path: Path) -> None:
    columns, notes = history(tmp_path, "epoch,val_loss,r2\n1,1e200,-1e300\n2,1e-300,0.5\n3,inf,1e70\n")
    assert columns["val_loss"] == [math.inf, 0.0, math.inf]
    assert columns["r2"] == [-math.inf, 0.5, 1e70]
    assert notes == [("derived", "2 values are beyond ±1e+75 and read as infinite")]


@pytest.mark.parametrize("epoch", ["1e300", "-1e17"])
def test_an_epoch_that_cannot_be_counted_to(tmp_path: Path, epoch: str) -> None:
    said = refused(tmp_path, "run.csv", f"epoch,val_loss\n{epoch},0.5\n")
    assert said.startswith("no epoch number in column 'epoch', line 2")


@pytest.mark.parametrize(("rows", "shown"), [("1e300,1\n2e300,2\n", "2e+300"), ("1e-300,1\n2e-300,2\n", "2e-300")])
def test_predictions_in_a_unit_that_no_square_fits(tmp_path: Path, rows: str, shown: str) -> None:
    said = refused(tmp_path, "predictions_run.csv", "y_true,y_pred\n" + rows)
    assert said.startswith(f"values up to {shown} in column 'y_true'; expected a largest value between")
    assert said.endswith("use another unit")


@pytest.mark.parametrize(
    "text", ["{}", '{"r2": null}', '{"config": {"lr": 0.1}, "run": "a", "prediction_range": [0, 1]}']
)
def test_metrics_without_a_figure_are_no_run(tmp_path: Path, text: str) -> None:
    said = refused(tmp_path, "metrics_run.json", text)
    assert said == "no figures, and the run has no other file; expected r2, variance_ratio, mae or rmse"
    (tmp_path / "run.csv").write_text("epoch,val_loss\n1,0.5\n")
    assert len(load(tmp_path, {})) == 1


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"epoch": [], "y_true": [], "y_pred": []}, "no rows; expected a row for each epoch and sample"),
        ({"epoch": [1.0, None], "y_true": [1.0, 1.0], "y_pred": [1.0, 1.0]}, "1 rows without an epoch"),
        ({"epoch": [1.0, math.nan], "y_true": [1.0, 1.0], "y_pred": [1.0, 1.0]}, "1 rows without an epoch"),
    ],
)
def test_per_epoch_predictions_without_rows_or_epochs(
    tmp_path: Path, columns: dict[str, list[float | None]], said: str
) -> None:
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Float64))
    frame.write_parquet(tmp_path / "epoch_predictions_a.parquet")
    with pytest.raises(InputError) as caught:
        load(tmp_path, {})
    assert f"epoch_predictions_a.parquet: {said}" in str(caught.value)


def test_a_parquet_file_damaged_behind_its_footer(tmp_path: Path) -> None:
    path = tmp_path / "epoch_predictions_a.parquet"
    values = [float(i % 97) for i in range(20_000)]
    pl.DataFrame({"epoch": [1.0] * 20_000, "y_true": values, "y_pred": values[::-1]}).write_parquet(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[8:middle] = bytes(middle - 8)
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as parquet"):
        load(tmp_path, {})


def test_a_parquet_file_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    frame = pl.DataFrame({"epoch": [1], "y_true": [1.0], "y_pred": [2.0]})
    frame.write_parquet(tmp_path / "epoch_predictions_run[1].parquet")
    (run,) = load(tmp_path, {})
    assert run.name == "run[1]"


def test_a_step_that_differs_is_no_contradiction(tmp_path: Path) -> None:
    text = "train_loss,epoch,step,val_loss\n0.5,0,49,\n,0,99,0.6\n0.4,1,149,\n,1,199,0.5\n"
    columns, notes = history(tmp_path, text)
    assert columns["train_loss"] == [0.5, 0.4]
    assert columns["val_loss"] == [0.6, 0.5]
    assert columns["step"] == [99.0, 199.0]
    assert notes == []


def test_predictions_by_another_name_are_recognised(tmp_path: Path) -> None:
    (run,) = load(tmp_path, {"test_results.csv": "id,target,prediction\na,1,2\n"})
    assert run.format == "predictions"
    assert run.predictions is not None
    assert run.predictions.rows() == [("a", 1.0, 2.0)]


def test_predictions_that_were_cut_off_say_nothing_about_the_training(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i + 0.5}\n" for i in range(9))
    (run,) = load(tmp_path, {"run.csv": "epoch,val_loss\n1,0.5\n", "predictions_run.csv": f"y_true,y_pred\n{rows}9,"})
    assert [note.code for note in run.notes] == ["predictions.truncated"]


@pytest.mark.parametrize("byte", [0x15, 0x7D])
def test_damage_that_would_end_the_process_is_a_line(tmp_path: Path, byte: int) -> None:
    path = tmp_path / "epoch_predictions_a.parquet"
    values = {"y_true": [1.0, 2.0, 3.0], "y_pred": [1.5, 2.0, 2.5], "epoch": [1.0, 1.0, 2.0]}
    pl.DataFrame(values).write_parquet(path, compression="uncompressed")
    content = bytearray(path.read_bytes())
    content[135] = byte  # polars 2.1 aborts on it, and this process with it
    path.write_bytes(content)
    (error,) = load_runs([str(path)])
    assert isinstance(error, InputError)
    assert error.found.startswith("damaged Parquet")
