"""CSV logs of Lightning, Keras, fastai and Ultralytics, written by the libraries themselves, and any other table."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.load import load_runs
from runreport.ingest.reader import ReadOptions
from runreport.run import Run

FIXTURES = Path(__file__).parent.parent / "fixtures"
HOSTILE = settings(deadline=None, max_examples=150, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def runs_in(*arguments: Path, columns: dict[str, str] | None = None) -> dict[str, Run]:
    found = list(load_runs([str(a) for a in arguments], ReadOptions(columns=columns or {})))
    assert all(isinstance(item, Run) for item in found), found
    return {run.name: run for run in found if isinstance(run, Run)}


def read(folder: Path, text: str, name: str = "log.csv", columns: dict[str, str] | None = None) -> Run:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    (run,) = runs_in(path, columns=columns).values()
    return run


def refused(folder: Path, text: str, name: str = "log.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    (error,) = load_runs([str(path)])
    assert isinstance(error, InputError)
    return str(error).removeprefix(f"{path}: ")


def values(run: Run, name: str) -> list[float | None]:
    assert run.history is not None
    return list(run.history.columns[name])


def rows_of(path: Path) -> list[dict[str, str]]:
    """The file as the standard library reads it: the reference."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def last_by_epoch(path: Path, column: str) -> list[float]:
    found = {row["epoch"]: float(row[column]) for row in rows_of(path) if row["epoch"] and row[column]}
    return list(found.values())


def test_lightning_merges_its_sparse_rows_and_keeps_the_test_row_apart() -> None:
    runs = runs_in(FIXTURES / "lightning")
    assert set(runs) == {"version_0", "version_1"}
    first, resumed = runs["version_0"], runs["version_1"]
    path = FIXTURES / "lightning" / "lightning_logs" / "version_0" / "metrics.csv"
    assert first.format == "lightning"
    assert first.history is not None
    assert first.history.epochs == (0, 1, 2, 3)  # the row of the test is at epoch 4
    assert values(first, "train_loss") == last_by_epoch(path, "train_loss_epoch")
    assert values(first, "val_loss") == last_by_epoch(path, "val_loss")
    assert values(first, "learning_rate") == [0.05] * 4  # its rows have a step and no epoch
    tested = next(float(row["test_loss"]) for row in rows_of(path) if row["test_loss"])
    assert dict(first.summary) == {"loss": tested, "split": "test"}
    assert first.split == "test"
    assert dict(first.config) == {"rate": 0.05, "width": 8}
    assert resumed.history is not None
    assert resumed.history.epochs == (4, 5)
    assert (dict(resumed.summary), resumed.split) == ({}, None)


@pytest.mark.parametrize("name", ["metrics.csv", "hparams.yaml"])
def test_any_file_of_a_lightning_run_brings_the_other(name: str) -> None:
    (run,) = runs_in(FIXTURES / "lightning" / "lightning_logs" / "version_0" / name).values()
    assert set(run.files) == {"history", "config"}


def test_lightning_figures_of_single_steps_are_taken_where_there_is_no_mean(tmp_path: Path) -> None:
    folder = tmp_path / "version_3"
    folder.mkdir()
    text = "epoch,step,train_loss_step,val_loss\n0,1,0.9,\n0,3,0.8,\n0,3,,0.7\n1,5,0.6,\n1,7,,0.5\n"
    run = read(folder, text, "metrics.csv")
    assert values(run, "train_loss") == [0.8, 0.6]
    assert any("single steps" in note.message for note in run.notes)


def test_lightning_settings_that_cannot_be_read_are_left_out_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "version_0"
    folder.mkdir()
    (folder / "hparams.yaml").write_text("!!python/object/apply:os.system ['false']\n")
    run = read(folder, "epoch,step,val_loss\n0,1,0.5\n", "metrics.csv")
    assert dict(run.config) == {}
    assert any("hparams.yaml was not used" in note.message for note in run.notes)


def test_test_tube_logs_of_old_lightning(tmp_path: Path) -> None:
    folder = tmp_path / "version_0"
    folder.mkdir()
    (folder / "meta_tags.csv").write_text("key,value\nlr,0.01\nmodel,mlp\n")
    text = "train_loss,epoch,created_at\n0.9,0,2020-02-04 10:00:00.5\n0.8,1,2020-02-04 10:00:01.5\n"
    run = read(folder, text, "metrics.csv")
    assert values(run, "train_loss") == [0.9, 0.8]
    assert dict(run.config) == {"lr": 0.01, "model": "mlp"}
    assert run.notes == ()


@pytest.mark.parametrize("name", ["training", "frame"])
def test_a_bare_figure_of_keras_is_of_training_beside_its_twin(name: str) -> None:
    (run,) = runs_in(FIXTURES / "keras_csv" / f"{name}.csv").values()
    rows = rows_of(FIXTURES / "keras_csv" / f"{name}.csv")
    assert run.format == "keras-csv"
    assert run.history is not None
    assert run.history.epochs == (0, 1, 2, 3, 4)
    pairs = {
        "train_loss": "loss",
        "val_loss": "val_loss",
        "train_r2": "r2_score",
        "r2": "val_r2_score",
        "mae": "val_mae",
    }
    for known, theirs in pairs.items():
        assert values(run, known) == [float(row[theirs]) for row in rows]


def test_a_second_fit_appended_by_keras_is_a_run_of_its_own() -> None:
    runs = runs_in(FIXTURES / "keras_csv" / "appended.csv")
    assert [len(run.history or ()) for run in runs.values()] == [5, 3]
    assert all(any(note.code == "log.restarts" for note in run.notes) for run in runs.values())


def test_fastai_repeats_its_header_and_writes_the_time_as_text() -> None:
    runs = runs_in(FIXTURES / "fastai" / "history.csv")
    assert list(runs) == ["fastai-part1", "fastai-part2"]
    first, second = runs.values()
    assert first.format == "fastai"
    rows = [row for row in rows_of(FIXTURES / "fastai" / "history.csv") if row["epoch"] != "epoch"]
    assert values(first, "r2") == [float(row["r2_score"]) for row in rows[:4]]
    assert values(second, "val_loss") == [float(row["valid_loss"]) for row in rows[4:]]
    assert values(second, "rmse") == [float(row["_rmse"]) for row in rows[4:]]


def test_fastai_times_are_seconds(tmp_path: Path) -> None:
    run = read(tmp_path, "epoch,train_loss,valid_loss,time\n0,0.9,0.8,01:12\n1,0.7,None,1:00:01\n", "history.csv")
    assert run.name == tmp_path.name
    assert values(run, "epoch_seconds") == [72.0, 3601.0]
    assert values(run, "val_loss") == [0.8, None]


def test_ultralytics_losses_are_summed_and_it_is_said() -> None:
    (run,) = runs_in(FIXTURES / "ultralytics").values()
    rows = rows_of(FIXTURES / "ultralytics" / "results.csv")
    parts = [f"{p}_loss" for p in ("box", "cls", "dfl")]
    assert (run.name, run.format) == ("ultralytics", "ultralytics")
    for known, prefix in (("train_loss", "train"), ("val_loss", "val")):
        expected = [sum(float(row[f"{prefix}/{part}"]) for part in parts) for row in rows]
        assert values(run, known) == pytest.approx(expected)
    assert values(run, "learning_rate") == [float(row["lr/pg0"]) for row in rows]
    assert run.history is not None
    assert "epoch_seconds" not in run.history.columns  # `time` is what has passed since the training began
    assert any("train_loss is the sum of" in note.message for note in run.notes)


def test_ultralytics_pads_its_headers_in_old_versions(tmp_path: Path) -> None:
    text = "   epoch,  train/box_loss,  train/cls_loss,  metrics/mAP50(B),  val/box_loss,  val/cls_loss,  lr/pg0\n"
    text += "       0,             1.5,             0.5,               0.1,           1.0,           1.0,     0.1\n"
    run = read(tmp_path, text, "results.csv")
    assert (run.format, values(run, "train_loss"), values(run, "val_loss")) == ("ultralytics", [2.0], [2.0])


PLAIN = "step,training_loss,validation_loss\n1,0.5,0.6\n2,0.4,0.5\n3,0.3,0.4\n"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["log.csv", "log.tsv", "log.txt"])
def test_any_separator_and_ending(tmp_path: Path, separator: str, name: str) -> None:
    run = read(tmp_path, PLAIN.replace(",", separator), name)
    assert (run.format, values(run, "train_loss"), values(run, "val_loss")) == (
        "table",
        [0.5, 0.4, 0.3],
        [0.6, 0.5, 0.4],
    )


@pytest.mark.parametrize("index", ["", "Unnamed: 0", "index"])
def test_the_numbers_of_rows_are_no_figure(tmp_path: Path, index: str) -> None:
    run = read(tmp_path, f"{index},train_loss,valid_loss\n0,0.5,0.6\n1,0.4,0.5\n")
    assert run.history is not None
    assert run.history.epochs == (0, 1)
    assert set(run.history.columns) == {"train_loss", "val_loss"}
    beside = read(tmp_path, f"{index},epoch,train_loss\n0,10,0.5\n1,20,0.4\n", "other.csv")
    assert beside.history is not None
    assert beside.history.epochs == (10, 20)
    assert set(beside.history.columns) == {"train_loss"}


def test_cells_that_are_numbers_in_disguise(tmp_path: Path) -> None:
    text = "epoch,loss,lr\n"
    text += '1,"tensor(0.5, device=\'cuda:0\', grad_fn=<MseLossBackward0>)","[0.001, 0.001]"\n'
    text += "2,np.float64(0.25),[0.001]\n3,Infinity,None\n4,nan,NA\n"
    run = read(tmp_path, text)
    assert [repr(v) for v in values(run, "train_loss")] == ["0.5", "0.25", "inf", "nan"]
    assert values(run, "learning_rate") == [0.001, 0.001, None, None]
    assert run.notes == ()


def test_a_few_cells_of_text_are_not_logged_and_said(tmp_path: Path) -> None:
    rows = "".join(f"{i},{1 / i},{2 / i}\n" for i in range(1, 20))
    run = read(tmp_path, f"epoch,loss,valid_loss\n{rows}20,oops,0.1\n")
    assert values(run, "train_loss")[-1] is None
    assert values(run, "val_loss")[-1] == 0.1
    (note,) = run.notes
    assert note.message == "1 cell of column 'loss' that is no number read as not logged (first: 'oops', line 21)"


def test_a_known_column_of_text_is_left_out_and_said(tmp_path: Path) -> None:
    run = read(tmp_path, "epoch,loss,valid_loss\n1,low,0.5\n2,lower,0.4\n")
    assert run.history is not None
    assert "train_loss" not in run.history.columns
    assert [note.message for note in run.notes] == ["left out, as what stands there are no numbers: loss"]


def test_a_column_that_was_asked_for_and_is_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("epoch,mine,loss\n1,low,0.5\n2,lower,0.4\n")
    (error,) = load_runs([str(path)], ReadOptions(columns={"val_loss": "mine"}))
    assert str(error).endswith("'low' in column 'mine'; expected numbers")


def test_few_ragged_rows_are_left_out_whole_and_said(tmp_path: Path) -> None:
    rows = [f"{i},{1 / i},{2 / i}" for i in range(1, 31)]
    rows[4] = "5,0.2"
    rows[9] = "10,0.1,0.2,0.3"
    run = read(tmp_path, "epoch,loss,valid_loss\n" + "\n".join(rows) + "\n")
    assert run.history is not None
    assert run.history.epochs == tuple(i for i in range(1, 31) if i not in (5, 10))
    assert [n.message for n in run.notes] == [
        "2 rows with another number of cells than the header left out (line 6, 11)"
    ]


def test_many_ragged_rows_are_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, "epoch,loss,valid_loss\n1,0.5\n2,0.4,0.3\n3,0.2\n4,0.1,0.1\n")
    assert said == "2 cells on line 2, and another number than the header on 1 more line; expected 3 as in the header"


def test_separators_at_the_ends_of_lines_are_no_columns(tmp_path: Path) -> None:
    run = read(tmp_path, "epoch,loss,valid_loss,,\n1,0.5,0.6,,\n2,0.4,0.5,,\n")
    assert values(run, "val_loss") == [0.6, 0.5]
    assert values(read(tmp_path, "epoch,loss\n1,0.5,\n2,0.4,\n"), "train_loss") == [0.5, 0.4]


def test_figures_of_a_test_split_in_every_epoch_watched_the_training(tmp_path: Path) -> None:
    run = read(tmp_path, "epoch,train_loss,test_loss,test_r2\n1,0.5,0.6,0.1\n2,0.4,0.5,0.2\n")
    assert values(run, "val_loss") == [0.6, 0.5]
    assert values(run, "r2") == [0.1, 0.2]
    assert dict(run.columns_read) == {"val_loss": "test_loss", "r2": "test_r2"}
    assert any("read as of validation" in note.message for note in run.notes)


def test_a_test_split_beside_validation_stays_one(tmp_path: Path) -> None:
    run = read(tmp_path, "epoch,loss,val_loss,test_loss\n1,0.5,0.6,0.9\n2,0.4,0.5,0.8\n")
    assert values(run, "val_loss") == [0.6, 0.5]
    assert values(run, "test_loss") == [0.9, 0.8]


def test_a_last_row_of_test_figures_is_the_summary(tmp_path: Path) -> None:
    run = read(tmp_path, "epoch,loss,val_loss,test_r2,test_mse\n1,0.5,0.6,,\n2,0.4,0.5,,\n3,,,0.7,0.25\n")
    assert run.history is not None
    assert run.history.epochs == (1, 2)
    assert dict(run.summary) == {"r2": 0.7, "mse": 0.25, "rmse": 0.5, "split": "test"}


def test_unknown_columns_are_named_what_looks_like_a_figure_first(tmp_path: Path) -> None:
    run = read(tmp_path, "epoch,loss,a,b,c,d,e,huber_loss,time\n1,0.5,1,1,1,1,1,0.3,9\n2,0.4,1,1,1,1,1,0.2,9\n")
    (note,) = run.notes
    assert note.message.startswith("not recognised and not used: huber_loss, a, b, c, d and 1 more; ")


def test_classification_logs_are_read_for_what_they_share(tmp_path: Path) -> None:
    run = read(tmp_path, "epoch,loss,accuracy,val_loss,val_accuracy\n0,0.9,0.6,0.8,0.65\n1,0.7,0.7,0.75,0.68\n")
    assert values(run, "val_loss") == [0.8, 0.75]
    assert run.history is not None
    assert "r2" not in run.history.columns
    assert [(note.code, note.message) for note in run.notes] == [
        (
            "classification",
            "accuracy, val_accuracy: scores of a classifier; what can be judged are its losses, learning rate and selection",
        )
    ]


CELL = st.one_of(
    st.sampled_from(["", "1", "2", "nan", "tensor(", "[1,", "[0.1]", "00:12", "oops", "-", '"', "1e999", "\x1b[0m"]),
    st.floats().map(repr),
    st.text(max_size=5),
)
HEADER = st.sampled_from(
    [
        "epoch",
        "step",
        "loss",
        "val_loss",
        "train_loss_step",
        "train_loss_epoch",
        "test_loss",
        "time",
        "",
        "lr-Adam",
        "x",
        "train/box_loss",
        "train/cls_loss",
        "val/box_loss",
        "lr/pg0",
        "metrics/m",
        "valid_loss",
        "train_loss",
        "r2",
    ]
)
TABLE = st.builds(
    lambda header, rows, separator: (
        separator.join(header) + "\n" + "".join(separator.join(row) + "\n" for row in rows)
    ).encode("utf-8", "replace"),
    st.lists(HEADER, min_size=1, max_size=7),
    st.lists(st.lists(CELL, max_size=8), max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
)


@HOSTILE
@given(
    st.one_of(TABLE, st.binary(max_size=300)), st.sampled_from(["metrics.csv", "results.csv", "history.csv", "a.tsv"])
)
def test_any_table_is_runs_or_one_line(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "version_0" / name
        path.parent.mkdir()
        path.write_bytes(content)
        found = list(load_runs([str(path)]))
    assert found
    for item in found:
        if isinstance(item, InputError):
            assert str(item).isprintable()
            continue
        assert item.name.isprintable()
        if item.history is not None:
            assert list(item.history.epochs) == sorted(set(item.history.epochs))
            assert all(len(column) == len(item.history) for column in item.history.columns.values())
