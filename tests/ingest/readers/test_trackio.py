"""Trackio's database; the fixture was written by Trackio itself."""

from __future__ import annotations

import math
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.reader import Head
from runreport.ingest.readers.mlflow_sqlite import READER as MLFLOW
from runreport.ingest.readers.trackio import READER
from tests.ingest.readers.stores import FIXTURES, damaged_copies, read_all, survives

STORE = FIXTURES / "trackio" / "regression.db"


def store(folder: Path, rows: list[tuple[object, ...]]) -> Path:
    path = folder / "p.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE metrics (timestamp TEXT, run_name TEXT, step, metrics)")
    connection.executemany("INSERT INTO metrics VALUES ('t', ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return path


def test_rows_of_one_epoch_are_joined() -> None:
    sunny, _ = read_all(READER, STORE)
    assert sunny.name == "lively-sun-0"
    assert sunny.history is not None
    assert sunny.history.epochs == (0, 1, 2, 3, 4, 5)
    assert sunny.history.columns["train_loss"] == tuple(1 / (e + 1) for e in range(6))
    assert sunny.history.columns["val_loss"] == tuple(1.5 / (e + 1) for e in range(6))
    assert sunny.config == {"lr": 0.01, "epochs": 6}
    assert sunny.summary == {"r2": 0.42, "split": "test"}


def test_words_for_nan_and_infinity_are_numbers() -> None:
    _, diverged = read_all(READER, STORE)
    assert diverged.history is not None
    assert diverged.history.columns["train_loss"][4:] == (math.inf, math.inf)
    assert all(math.isnan(v or 0) for v in diverged.history.columns["val_loss"][4:])


def test_early_versions_had_no_run_ids(tmp_path: Path) -> None:
    rows = [(name, step, f'{{"val_loss": {step + 1}}}') for step in range(3) for name in ("a", "b")]
    a, b = read_all(READER, store(tmp_path, rows))
    assert (a.name, b.name) == ("a", "b")
    assert a.history is not None
    assert a.history.columns["val_loss"] == (1, 2, 3)


def test_no_rows_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no logged rows"):
        read_all(READER, store(tmp_path, []))


def test_it_is_not_taken_for_mlflow() -> None:
    assert MLFLOW.claim(STORE, Head(STORE)) is None


CELLS = st.one_of(
    st.text(max_size=10), st.binary(max_size=10), st.none(), st.floats(allow_nan=False),
    st.sampled_from(['{"val_loss": 1}', '{"val_loss": "NaN"}', '{"val_loss": 1e999}', '{"epoch": null}', "[" * 3000,
                     '{"val_loss": ' + "9" * 400 + "}", '{"a": {"_type": "x", "b": 1}}', '{"epoch": 3, "val_loss": 2}']),
)  # fmt: skip
STEPS = st.one_of(st.none(), st.integers(-5, 5), st.floats(allow_nan=False), st.text(max_size=2))


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.lists(st.tuples(st.one_of(st.none(), st.text(max_size=3)), STEPS, CELLS), max_size=6))
def test_any_rows_are_runs_or_an_error(rows: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = store(Path(folder), rows)
        except UnicodeEncodeError:  # a lone surrogate, which SQLite cannot store
            return
        assert survives(READER, path)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.binary(max_size=60), st.floats(0, 1))
def test_damage_is_runs_or_an_error(content: bytes, at: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        survives(READER, damaged_copies(STORE, Path(folder), "*.db", content, at))
