"""CatBoost's training folder; fixtures written by the library itself."""

from __future__ import annotations

import csv
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.reader import Head, ReadOptions
from runreport.ingest.readers.catboost import READER
from runreport.ingest.registry import READERS
from tests.ingest.readers.stores import FIXTURES, damaged_copies, read_all, sources, survives

ONE, TWO = FIXTURES / "catboost" / "one_set", FIXTURES / "catboost" / "two_sets"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_the_folder_is_one_run_with_learn_as_train_and_test_as_validation() -> None:
    (run,) = read_all(READER, ONE)
    learn, test = rows(ONE / "learn_error.tsv"), rows(ONE / "test_error.tsv")
    assert run.name == "one_set"
    assert run.history is not None
    assert run.history.epochs == tuple(range(12))
    assert run.history.columns["train_loss"] == tuple(float(r["RMSE"]) for r in learn)
    assert run.history.columns["val_loss"] == tuple(float(r["RMSE"]) for r in test)
    assert run.history.columns["r2"] == tuple(float(r["R2"]) for r in test)
    assert run.history.columns["mae"] == tuple(float(r["MAE"]) for r in test)
    assert run.columns_read["r2"] == "test R2"
    assert run.config == {"iterations": 12}


def test_of_several_evaluation_sets_the_last_is_validation() -> None:
    (run,) = read_all(READER, TWO)
    assert run.history is not None
    test = rows(TWO / "test_error.tsv")
    assert run.history.columns["rmse"] == tuple(float(r["RMSE"]) for r in test)
    assert run.history.columns["test RMSE:0"] == tuple(float(r["RMSE:0"]) for r in test)
    assert any("several evaluation sets" in n.message for n in run.notes)


@pytest.mark.parametrize("folder", [ONE, TWO])
def test_the_json_alone_says_the_same_as_the_tables(folder: Path, tmp_path: Path) -> None:
    (whole,) = read_all(READER, folder)
    alone = tmp_path / folder.name
    alone.mkdir()
    shutil.copyfile(folder / "catboost_training.json", alone / "catboost_training.json")
    (run,) = read_all(READER, alone)
    assert run.history is not None
    assert whole.history is not None
    assert run.history == whole.history


def test_one_file_named_brings_the_others() -> None:
    (source,) = sources(READER, ONE / "test_error.tsv")
    assert set(READER.complete(source).files) == {"learn", "test", "training", "time"}


def test_a_killed_run_leaves_json_open_and_the_tables_are_read(tmp_path: Path) -> None:
    copy = tmp_path / "killed"
    shutil.copytree(ONE, copy)
    text = (copy / "catboost_training.json").read_bytes()
    (copy / "catboost_training.json").write_bytes(text[: len(text) // 2])
    (run,) = read_all(READER, copy)
    assert run.history is not None
    assert len(run.history) == 12
    assert any("catboost_training.json was not used" in n.message for n in run.notes)


def test_a_column_the_person_named_goes_before_the_guess() -> None:
    (run,) = read_all(READER, ONE, ReadOptions(columns={"val_loss": "test MAE"}))
    assert run.history is not None
    assert run.history.columns["val_loss"] == tuple(float(r["MAE"]) for r in rows(ONE / "test_error.tsv"))


def test_its_event_files_are_no_runs_of_their_own() -> None:
    names = [reader.name for reader in READERS]
    assert names.index("catboost") < names.index("tensorboard")
    for path in ONE.rglob("events.out.tfevents"):
        claim = READER.claim(path, Head(path))
        assert claim is not None
        assert claim.root == ONE


def test_other_tables_are_not_claimed(tmp_path: Path) -> None:
    other = tmp_path / "learn_error.tsv"
    other.write_text("epoch\tval_loss\n1\t2\n")
    assert READER.claim(other, Head(other)) is None


def test_no_figures_is_one_clear_line(tmp_path: Path) -> None:
    shutil.copyfile(ONE / "time_left.tsv", tmp_path / "time_left.tsv")
    with pytest.raises(InputError, match=r"learn_error\.tsv"):
        read_all(READER, tmp_path)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.sampled_from(["*.json", "learn_error.tsv", "test_error.tsv"]), st.binary(max_size=40), st.floats(0, 1))
def test_damage_is_a_run_or_an_error(part: str, content: bytes, at: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        survives(READER, damaged_copies(ONE, Path(folder), part, content, at))
