"""MLflow's file store; the fixture was written by MLflow itself."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.reader import Head
from runreport.ingest.readers.mlflow_files import READER
from tests.ingest.readers.stores import FIXTURES, damaged_copies, read_all, sources, survives

STORE = FIXTURES / "mlflow" / "mlruns"


def run_folder(folder: Path, **metrics: str) -> Path:
    run = folder / "mlruns" / "1" / "abc"
    (run / "metrics").mkdir(parents=True)
    (run / "meta.yaml").write_text("run_id: abc\nrun_name: r\nlifecycle_stage: active\n")
    for name, text in metrics.items():
        (run / "metrics" / name).write_text(text)
    return run


def test_the_store_has_two_runs_and_a_deleted_one() -> None:
    assert len(sources(READER, STORE)) == 3
    calm, wild = sorted(read_all(READER, STORE), key=lambda r: r.name)
    assert (calm.name, wild.name) == ("calm-fox-1", "wild/crow 2")
    assert calm.history is not None
    assert calm.history.epochs == (0, 1, 2, 3, 4, 5)
    assert calm.history.columns["train_loss"] == tuple(1.0 / (e + 1) for e in range(6))
    assert calm.history.columns["val_loss"] == tuple(1.5 / (e + 1) for e in range(6))
    assert calm.config == {"lr": 0.01, "optimizer": "adam"}
    assert calm.summary == {"r2": 0.42, "split": "test"}
    assert calm.columns_read["train_loss"] == "train/loss"
    assert wild.history is not None
    assert math.isnan(wild.history.columns["val_loss"][4] or 0)
    assert wild.history.columns["r2"][5] == -math.inf


def test_one_metric_named_brings_the_run() -> None:
    path = next(STORE.rglob("val_r2"))
    (source,) = sources(READER, path)
    assert {"meta", "metrics/train/loss", "metrics/val_loss", "params/lr"} <= set(READER.complete(source).files)


@pytest.mark.parametrize(
    ("lines", "epochs"),
    [
        ("100 3\n200 2\n", (0, 1)),
        ("100 3 5\n200 2 6\n", (5, 6)),
        ("100 3 5 set abcd\n200 2 6 set abcd\n", (5, 6)),  # MLflow itself reads step 0 here
        ("100 3 5\n200 2 6\n300 1", (5, 6, 2)),
    ],
)
def test_lines_of_two_three_and_five_fields(tmp_path: Path, lines: str, epochs: tuple[int, ...]) -> None:
    (run,) = read_all(READER, run_folder(tmp_path, val_loss=lines))
    assert run.history is not None
    assert run.history.epochs == tuple(sorted(epochs))


def test_a_line_that_was_cut_off_is_said(tmp_path: Path) -> None:
    (run,) = read_all(READER, run_folder(tmp_path, val_loss="100 3 0\n200 2 1\n30"))
    assert run.history is not None
    assert len(run.history) == 2
    assert any(n.code == "log.truncated" for n in run.notes)


def test_a_damaged_line_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="on line 1"):
        read_all(READER, run_folder(tmp_path, val_loss="one two three\n200 2 1\n"))


def test_rubbish_and_logged_models_are_passed_over(tmp_path: Path) -> None:
    for parts in ((".trash", "1", "abc"), ("mlruns", "1", "models", "m-1")):
        folder = tmp_path.joinpath(*parts)
        (folder / "metrics").mkdir(parents=True)
        (folder / "meta.yaml").write_text("run_id: abc\n")
        (folder / "metrics" / "val_loss").write_text("1 2 3\n")
        path = folder / "metrics" / "val_loss"
        assert READER.claim(path, Head(path)) is None


def test_a_tag_that_would_be_an_object_is_not_made(tmp_path: Path) -> None:
    run = run_folder(tmp_path, val_loss="100 3 0\n200 2 1\n")
    (run / "meta.yaml").write_text("run_id: !!python/object/apply:os.getcwd []\n")
    (read,) = read_all(READER, run)
    assert read.name == "abc"
    assert any("meta.yaml was not used" in n.message for n in read.notes)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.sampled_from(["meta.yaml", "val_loss", "lr"]), st.binary(max_size=40), st.floats(0, 1))
def test_damage_is_runs_or_an_error(part: str, content: bytes, at: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        survives(READER, damaged_copies(STORE, Path(folder), part, content, at))
