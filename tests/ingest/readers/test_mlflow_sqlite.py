"""MLflow's database; the fixture was written by MLflow itself."""

from __future__ import annotations

import math
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.reader import Head
from runreport.ingest.readers.mlflow_sqlite import READER
from runreport.ingest.readers.trackio import READER as TRACKIO
from tests.ingest.readers.stores import FIXTURES, damaged_copies, read_all, survives

STORE = FIXTURES / "mlflow" / "mlflow.db"


def copy_with(folder: Path, *statements: str) -> Path:
    copy = folder / "other.db"
    shutil.copyfile(STORE, copy)
    connection = sqlite3.connect(copy)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return copy


def test_every_run_that_is_not_deleted_is_read_in_the_order_started() -> None:
    calm, wild = read_all(READER, STORE)
    assert (calm.name, wild.name) == ("calm-fox-1", "wild/crow 2")
    assert calm.history is not None
    assert calm.history.epochs == (0, 1, 2, 3, 4, 5)
    assert calm.history.columns["train_loss"] == tuple(1.0 / (e + 1) for e in range(6))
    assert calm.history.columns["r2"] == tuple(0.1 * e for e in range(6))
    assert calm.config == {"lr": 0.01, "optimizer": "adam"}
    assert calm.summary == {"r2": 0.42, "split": "test"}
    assert calm.columns_read["train_loss"] == "train/loss"


def test_nan_and_infinity_come_back_as_logged() -> None:
    _, wild = read_all(READER, STORE)
    assert wild.history is not None
    assert math.isnan(wild.history.columns["val_loss"][4] or 0)
    assert wild.history.columns["r2"][5] == -math.inf


def test_reading_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    copy = copy_with(tmp_path)
    before = copy.read_bytes()
    read_all(READER, copy)
    assert [p.name for p in tmp_path.iterdir()] == ["other.db"]
    assert copy.read_bytes() == before


def test_what_is_still_in_the_write_ahead_log_is_read(tmp_path: Path) -> None:
    copy = copy_with(tmp_path, "PRAGMA journal_mode = WAL")
    writer = sqlite3.connect(copy)
    writer.execute("UPDATE metrics SET value = 7.0 WHERE key = 'val_loss' AND step = 0")
    writer.commit()  # the writer stays open: SQLite moves the log into the file when it closes
    calm, _ = read_all(READER, copy)
    writer.close()
    assert calm.history is not None
    assert calm.history.columns["val_loss"][0] == 7.0


def test_a_run_of_a_deleted_experiment_is_deleted(tmp_path: Path) -> None:
    copy = copy_with(tmp_path, "UPDATE experiments SET lifecycle_stage = 'deleted'")
    with pytest.raises(InputError, match="no run with metrics"):
        read_all(READER, copy)


def test_a_run_without_a_known_metric_is_said_beside_the_others(tmp_path: Path) -> None:
    wild = "(SELECT run_uuid FROM runs WHERE name LIKE 'wild%')"
    copy = copy_with(tmp_path, f"UPDATE metrics SET key = 'x' || step || key WHERE run_uuid = {wild}")
    (calm,) = read_all(READER, copy)
    assert any("1 run of the same database" in n.message and "wild/crow 2" in n.message for n in calm.notes)


def test_a_view_is_no_table(tmp_path: Path) -> None:
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS value, 'a' AS key, i AS step, "
    )
    copy = copy_with(
        tmp_path,
        "DROP TABLE metrics",
        f"CREATE VIEW metrics AS {endless} i AS timestamp, 0 AS is_nan, 'r' AS run_uuid FROM n",
    )
    assert survives(READER, copy) == [] or all(isinstance(r, InputError) for r in survives(READER, copy))


def test_other_databases_are_not_claimed(tmp_path: Path) -> None:
    other = tmp_path / "notes.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE metrics (name TEXT)")
    connection.close()
    assert READER.claim(other, Head(other)) is None
    assert TRACKIO.claim(STORE, Head(STORE)) is None


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.binary(max_size=60), st.floats(0, 1))
def test_damage_is_runs_or_an_error(content: bytes, at: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        survives(READER, damaged_copies(STORE, Path(folder), "*.db", content, at))


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.binary(max_size=200))
def test_any_bytes_after_the_magic(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlflow.db"
        path.write_bytes(b"SQLite format 3\x00" + content)
        assert survives(READER, path)
