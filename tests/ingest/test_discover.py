"""Finding the files of runs: folders, globs, siblings, names that collide."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import polars as pl
import pytest

from runreport.errors import InputError
from runreport.ingest.discover import discover
from runreport.ingest.load import find_runs, load_runs
from runreport.ingest.readers.native import classify
from runreport.run import Run

HISTORY = "epoch,val_loss\n1,0.5\n2,0.4\n"
PREDICTIONS = "y_true,y_pred\n1,2\n3,4\n"
METRICS = '{"r2": 0.5}'


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    write(folder / "run1.csv", HISTORY)
    write(folder / "predictions_run1.csv", PREDICTIONS)
    write(folder / "metrics_run1.json", METRICS)
    write(folder / "run2.csv", HISTORY)
    write(folder / "predictions_run3.csv", PREDICTIONS)
    write(folder / "metrics_run4.json", METRICS)
    write(folder / "notes.txt", "not a log")
    write(folder / ".hidden.csv", HISTORY)
    return folder


def names_and_kinds(*arguments: Path | str) -> dict[str, set[str]]:
    sources, errors = discover([str(a) for a in arguments])
    assert errors == []
    return {source.name: set(source.files) for source in sources}


def test_a_folder_gives_each_run_once_with_its_siblings(logs: Path) -> None:
    assert names_and_kinds(logs) == {
        "run1": {"history", "predictions", "metrics"},
        "run2": {"history"},
        "run3": {"predictions"},
        "run4": {"metrics"},
    }


@pytest.mark.parametrize("name", ["run1.csv", "predictions_run1.csv", "metrics_run1.json"])
def test_any_file_of_a_run_brings_the_others(logs: Path, name: str) -> None:
    assert names_and_kinds(logs / name) == {"run1": {"history", "predictions", "metrics"}}


def test_a_glob_that_catches_predictions_does_not_make_runs_of_them(logs: Path) -> None:
    assert set(names_and_kinds(logs / "*.csv")) == {"run1", "run2", "run3"}


def test_a_glob_passes_over_what_is_no_log(logs: Path) -> None:
    assert set(names_and_kinds(logs / "*")) == {"run1", "run2", "run3", "run4"}


def test_named_twice_is_read_once(logs: Path) -> None:
    assert set(names_and_kinds(logs, logs / "run1.csv", f"{logs}/../logs/run1.csv")) == {"run1", "run2", "run3", "run4"}


def test_the_order_is_that_of_the_arguments(logs: Path) -> None:
    assert list(names_and_kinds(logs / "run2.csv", logs / "run1.csv")) == ["run2", "run1"]


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("nothing.csv", "no such file or folder"),
        ("no*such.csv", "no log matches this pattern"),
        ("notes.txt", "no line names an epoch"),
        ("x" * 300, "cannot be looked up"),
    ],
)
def test_what_cannot_be_found_is_one_error_and_stops_nothing_else(logs: Path, argument: str, said: str) -> None:
    sources, errors = discover([str(logs / argument), str(logs / "run1.csv")])
    assert [s.name for s in sources] == ["run1"]
    assert len(errors) == 1
    assert said in str(errors[0])
    assert argument in str(errors[0])


def test_a_folder_without_runs(tmp_path: Path) -> None:
    _, errors = discover([str(tmp_path)])
    assert "no runs in this folder" in str(errors[0])
    assert "history CSVs" in str(errors[0])


def test_a_file_name_with_glob_characters_is_a_file(tmp_path: Path) -> None:
    write(tmp_path / "run[1].csv", HISTORY)
    assert names_and_kinds(tmp_path / "run[1].csv") == {"run[1]": {"history"}}


def test_loops_of_links_end_and_linked_folders_are_not_read_twice(logs: Path) -> None:
    (logs / "loop").symlink_to(logs, target_is_directory=True)
    (logs / "self").symlink_to(logs / "self")
    assert set(names_and_kinds(logs)) == {"run1", "run2", "run3", "run4"}
    assert set(names_and_kinds(logs / "loop", logs)) == {"run1", "run2", "run3", "run4"}


def test_a_broken_link_is_an_error_of_its_own(logs: Path) -> None:
    (logs / "gone.csv").symlink_to(logs / "nowhere.csv")
    found = list(load_runs([str(logs)]))
    errors = [item for item in found if isinstance(item, InputError)]
    assert len(errors) == 1
    assert "gone.csv" in str(errors[0])
    assert "no such file" in str(errors[0])
    assert len(found) == 5


def test_a_pipe_in_a_folder_is_not_waited_for(logs: Path) -> None:
    os.mkfifo(logs / "pipe.csv")
    assert "pipe" not in names_and_kinds(logs)


def test_a_folder_called_like_a_log_is_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "old.csv" / "run1.csv", HISTORY)
    assert set(names_and_kinds(tmp_path / "old.csv")) == {"run1"}
    assert set(names_and_kinds(tmp_path)) == {"run1"}


def test_the_file_that_was_named_goes_before_its_sibling_of_the_same_kind(tmp_path: Path) -> None:
    write(tmp_path / "run1.csv", HISTORY)
    other = write(tmp_path / "run1.tsv", "epoch\tval_loss\n1\t0.9\n")
    (source,), errors = discover([str(other)])
    assert errors == []
    assert source.files["history"] == other


def test_two_histories_of_one_name_in_one_folder_are_not_chosen_between(tmp_path: Path) -> None:
    write(tmp_path / "run1.csv", HISTORY)
    write(tmp_path / "run1.tsv", HISTORY.replace(",", "\t"))
    sources, errors = discover([str(tmp_path)])
    assert [s.files["history"].name for s in sources] == ["run1.csv"]
    assert "a second history of run 'run1', beside run1.csv" in str(errors[0])


def loaded_names(*arguments: Path) -> list[str]:
    return [item.name for item in load_runs([str(a) for a in arguments]) if isinstance(item, Run)]


def test_one_name_in_two_folders_is_told_apart_by_the_folder(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write(tmp_path / folder / "run1.csv", HISTORY)
    write(tmp_path / "a" / "run2.csv", HISTORY)
    assert loaded_names(tmp_path) == ["a/run1", "run2", "b/run1"]


def test_one_name_in_two_folders_of_one_name_is_told_apart_too(tmp_path: Path) -> None:
    for folder in ("x/csv", "y/csv"):
        write(tmp_path / folder / "run1.csv", HISTORY)
    assert loaded_names(tmp_path) == ["x/csv/run1", "y/csv/run1"]


def test_the_folder_worked_in_has_a_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "here" / "run1.csv", HISTORY)
    write(tmp_path / "there" / "run1.csv", HISTORY)
    monkeypatch.chdir(tmp_path / "here")
    assert loaded_names(Path("run1.csv"), Path("../there/run1.csv")) == ["here/run1", "there/run1"]


def test_two_logs_of_one_name_in_one_folder_are_told_apart_by_a_number(tmp_path: Path) -> None:
    write(tmp_path / "fit.log", "epoch 1 val_loss: 0.5\nepoch 2 val_loss: 0.4\n")
    write(tmp_path / "fit.json", '{"val_loss": [0.5, 0.4]}')
    assert loaded_names(tmp_path) == ["fit", "fit-2"]


def test_a_part_of_a_file_never_shares_its_name_with_another_run(tmp_path: Path) -> None:
    write(tmp_path / "run-part1.csv", HISTORY)
    write(tmp_path / "run.csv", "epoch,val_loss\n1,0.5\n2,0.4\n1,0.6\n2,0.5\n")
    names = loaded_names(tmp_path)
    assert len(names) == 3
    assert len(set(names)) == 3


def test_a_run_of_predictions_or_metrics_alone_is_a_run(logs: Path) -> None:
    runs = {r.name: r for r in load_runs([str(logs)]) if isinstance(r, Run)}
    assert runs["run3"].history is None
    assert runs["run3"].predictions is not None
    assert runs["run3"].predictions.rows() == [(1.0, 2.0), (3.0, 4.0)]
    assert runs["run4"].history is None
    assert runs["run4"].summary == {"r2": 0.5}


def test_names_are_looked_up_in_the_folders_in_order(tmp_path: Path) -> None:
    write(tmp_path / "first" / "run1.csv", HISTORY)
    write(tmp_path / "second" / "run1.csv", HISTORY)
    write(tmp_path / "second" / "run2.csv", HISTORY)
    folders = [tmp_path / "missing", tmp_path / "first", tmp_path / "second"]
    one, two = find_runs(["run1", "run2"], folders)
    assert isinstance(one, Run)
    assert isinstance(two, Run)
    assert one.files["history"].parent.name == "first"
    assert two.files["history"].parent.name == "second"


@pytest.mark.parametrize("asked", ["rum1", "run11", "RUN1"])
def test_an_unknown_name_suggests_near_ones(logs: Path, asked: str) -> None:
    (error,) = find_runs([asked], [logs])
    assert isinstance(error, InputError)
    assert f"{asked}: no run of this name" in str(error)
    assert "run1" in (error.expected or "")
    assert "--logs" in (error.remedy or "")


@pytest.mark.parametrize("asked", ["x" * 5000, "", " ", "\x00", "~"])
def test_no_name_is_a_traceback(logs: Path, asked: str) -> None:
    found = list(find_runs([asked], [logs]))
    assert all(isinstance(item, InputError) for item in found)


def test_a_name_where_no_folder_of_logs_exists(tmp_path: Path) -> None:
    (error,) = find_runs(["run1"], [tmp_path / "nowhere"])
    assert isinstance(error, InputError)
    assert "any log folder" in str(error)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("epoch_predictions_run4.parquet", ("epoch_predictions", "run4")),
        ("predictions_epoch_predictions_a.csv", ("predictions", "epoch_predictions_a")),
        ("metrics_.json", None),
        ("metrics_run4.json.bak", None),
        ("run4", None),
    ],
)
def test_classify(name: str, expected: tuple[str, str] | None) -> None:
    assert classify(Path(name)) == expected


LIGHTNING = "epoch,step,val_loss\n0,10,0.5\n1,20,0.4\n"


@pytest.mark.parametrize(
    ("log", "text", "predictions", "name"),
    [
        ("train.log", "epoch 1 val_loss: 0.5\nepoch 2 val_loss: 0.4\n", "predictions_train.csv", "train"),
        ("hist.json", '{"loss": [0.6, 0.5], "val_loss": [0.5, 0.4]}', "predictions_hist.csv", "hist"),
        (
            "hist.jsonl",
            '{"epoch": 1, "val_loss": 0.5}\n{"epoch": 2, "val_loss": 0.4}\n',
            "predictions_hist.tsv",
            "hist",
        ),
        ("v/version_0/metrics.csv", LIGHTNING, "v/version_0/predictions_version_0.csv", "version_0"),
        ("v/version_0/metrics.csv", LIGHTNING, "v/version_0/predictions_metrics.csv", "version_0"),
        ("v/version_0/metrics.csv", LIGHTNING, "v/predictions_version_0.csv", "version_0"),
    ],
)
@pytest.mark.parametrize("walked", [False, True])
def test_predictions_beside_any_log_are_of_its_run(
    tmp_path: Path, log: str, text: str, predictions: str, name: str, *, walked: bool
) -> None:
    write(tmp_path / log, text)
    write(tmp_path / predictions, PREDICTIONS.replace(",", "\t") if predictions.endswith(".tsv") else PREDICTIONS)
    (run,) = load_runs([str(tmp_path if walked else tmp_path / log)])
    assert isinstance(run, Run)
    assert run.name == name
    assert run.history is not None
    assert list(run.history.get("val_loss")) == [0.5, 0.4]
    assert run.predictions is not None
    assert run.predictions.rows() == [(1.0, 2.0), (3.0, 4.0)]
    assert run.files["predictions"].name == Path(predictions).name


def test_compressed_predictions_beside_a_log_are_of_its_run(tmp_path: Path) -> None:
    log = write(tmp_path / "train.log", "epoch 1 val_loss: 0.5\nepoch 2 val_loss: 0.4\n")
    (tmp_path / "predictions_train.csv.gz").write_bytes(gzip.compress(PREDICTIONS.encode()))
    for argument in (log, tmp_path):
        (run,) = load_runs([str(argument)])
        assert isinstance(run, Run)
        assert run.predictions is not None
        assert run.predictions.rows() == [(1.0, 2.0), (3.0, 4.0)]


def test_compressed_predictions_beside_a_native_history_that_was_named(tmp_path: Path) -> None:
    log = write(tmp_path / "run1.csv", HISTORY)
    (tmp_path / "predictions_run1.csv.gz").write_bytes(gzip.compress(PREDICTIONS.encode()))
    (run,) = load_runs([str(log)])
    assert isinstance(run, Run)
    assert run.predictions is not None


@pytest.mark.parametrize("walked", [False, True])
def test_every_artifact_beside_any_log_is_of_its_run(tmp_path: Path, *, walked: bool) -> None:
    log = write(tmp_path / "train.log", "epoch 1 val_loss: 0.5\nepoch 2 val_loss: 0.4\n")
    write(tmp_path / "metrics_train.json", '{"r2": 0.5, "split": "validation", "config": {"lr": 0.1}}')
    per_epoch = tmp_path / "epoch_predictions_train.parquet"
    pl.DataFrame({"epoch": [1, 2], "y_true": [0.5, 0.5], "y_pred": [0.4, 0.6]}).write_parquet(per_epoch)
    (run,) = load_runs([str(tmp_path if walked else log)])
    assert isinstance(run, Run)
    assert (run.format, run.summary["r2"], run.split, run.config) == ("printed", 0.5, "validation", {"lr": 0.1})
    assert run.epoch_predictions == per_epoch
    assert set(run.files) == {"history", "metrics", "epoch_predictions"}


@pytest.mark.parametrize("text", ["[1, 2]", "{", '{"seconds": 3}'])
def test_a_strangers_file_called_metrics_beside_a_log_is_not_used_and_that_is_said(tmp_path: Path, text: str) -> None:
    log = write(tmp_path / "train.log", "epoch 1 val_loss: 0.5\nepoch 2 val_loss: 0.4\n")
    write(tmp_path / "metrics_train.json", text)
    (run,) = load_runs([str(log)])
    assert isinstance(run, Run)
    assert run.summary == {}
    assert any(note.message.startswith("metrics_train.json was not used: ") for note in run.notes)


def test_predictions_are_not_given_to_a_log_when_a_table_of_their_name_has_them(tmp_path: Path) -> None:
    write(tmp_path / "train.log", "epoch 1 val_loss: 0.5\nepoch 2 val_loss: 0.4\n")
    write(tmp_path / "train.csv", HISTORY)
    write(tmp_path / "predictions_train.csv", PREDICTIONS)
    runs = [item for item in load_runs([str(tmp_path)]) if isinstance(item, Run)]
    assert {run.format: run.predictions is not None for run in runs} == {"native": True, "printed": False}


def test_predictions_beside_a_log_of_several_runs_are_not_used_and_that_is_said(tmp_path: Path) -> None:
    history = '{"val_loss": [0.5, 0.4]}'
    write(tmp_path / "h.json", f'{{"a": {history}, "b": {history}}}')
    write(tmp_path / "predictions_h.csv", PREDICTIONS)
    one, two = load_runs([str(tmp_path)])
    assert isinstance(one, Run)
    assert isinstance(two, Run)
    assert one.predictions is two.predictions is None
    assert "predictions_h.csv was not used: the log holds 2 runs" in [note.message for note in one.notes]


def test_predictions_beside_a_log_that_cannot_be_used_are_an_error(tmp_path: Path) -> None:
    log = write(tmp_path / "train.log", "epoch 1 val_loss: 0.5\nepoch 2 val_loss: 0.4\n")
    write(tmp_path / "predictions_train.csv", "a,b\n1,2\n")
    (error,) = load_runs([str(log)])
    assert isinstance(error, InputError)
    assert "predictions_train.csv" in str(error)


def test_folders_that_were_asked_for_go_before_a_folder_of_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "healthy" / "x.csv", HISTORY)
    kept = write(tmp_path / "logs" / "healthy.csv", HISTORY)
    monkeypatch.chdir(tmp_path)
    (run,) = find_runs(["healthy"], [Path("logs")], asked=True)
    assert isinstance(run, Run)
    assert run.files["history"].resolve() == kept
    for name, asked in (("healthy", False), ("healthy/x.csv", True)):
        (run,) = find_runs([name], [Path("logs")], asked=asked)
        assert isinstance(run, Run)
        assert run.name == "x"


def test_a_pipe_that_was_named_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.csv")
    (error,) = load_runs([str(tmp_path / "p.csv")])
    assert isinstance(error, InputError)
    assert "a pipe or a device, not a file" in str(error)
    assert "read it with -" in str(error)


def test_the_output_of_another_command_is_read_as_standard_input_is() -> None:
    reading, writing = os.pipe()
    os.write(writing, HISTORY.encode())
    os.close(writing)
    try:
        (run,) = load_runs([f"/dev/fd/{reading}"])
    finally:
        os.close(reading)
    assert isinstance(run, Run)
    assert run.history is not None
    assert list(run.history.get("val_loss")) == [0.5, 0.4]
    (error,) = load_runs(["/dev/fd/999999"])
    assert isinstance(error, InputError)
    assert "cannot be read" in str(error)
