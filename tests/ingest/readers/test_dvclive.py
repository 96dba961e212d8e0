"""DVCLive's folder; the fixture was written by DVCLive itself."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.reader import Head
from runreport.ingest.readers.dvclive import READER
from tests.ingest.readers.stores import FIXTURES, damaged_copies, read_all, sources, survives

FOLDER = FIXTURES / "dvclive"


def live(folder: Path, **metrics: str) -> Path:
    (folder / "run1" / "dvclive" / "plots" / "metrics").mkdir(parents=True)
    for name, text in metrics.items():
        (folder / "run1" / "dvclive" / "plots" / "metrics" / f"{name}.tsv").write_text(text)
    return folder / "run1"


def test_metrics_of_unequal_length_are_one_history() -> None:
    (run,) = read_all(READER, FOLDER)
    assert run.history is not None
    assert run.history.epochs == (0, 1, 2, 3, 4, 5)
    assert run.history.columns["train_loss"] == tuple(1 / (e + 1) for e in range(6))
    assert run.history.columns["val_loss"] == (None, 0.75, None, 0.375, None, 0.25)
    r2 = run.history.columns["r2"]
    assert (r2[1], r2[5], math.isnan(r2[3] or 0)) == (0.1, 0.5, True)
    assert run.columns_read["val_loss"] == "eval/loss"


def test_what_only_the_summary_has_is_final() -> None:
    (run,) = read_all(READER, FOLDER)
    assert run.summary == {"r2": 0.42, "split": "test"}
    assert run.config == {"lr": 0.01, "model.depth": 3}


def test_one_metric_named_brings_the_run() -> None:
    (source,) = sources(READER, FOLDER / "plots" / "metrics" / "eval" / "loss.tsv")
    files = READER.complete(source).files
    assert set(files) == {"metric eval/loss", "metric eval/r2", "metric train/loss", "metrics.json", "params.yaml"}


def test_each_step_several_times_with_its_epoch(tmp_path: Path) -> None:
    """As the callback of Transformers writes it: every step thrice, and evaluations twice."""
    epoch = "step\tepoch\n0\t0.5\n0\t0.5\n0\t0.5\n1\t1.0\n1\t1.0\n1\t1.0\n"
    folder = live(
        tmp_path, epoch=epoch, eval_loss="step\teval_loss\n0\t3\n0\t3\n1\t2\n1\t2\n", loss="step\tloss\n0\t5\n"
    )
    (run,) = read_all(READER, folder)
    assert run.name == "run1"
    assert run.history is not None
    assert run.history.epochs == (0.5, 1)
    assert run.history.columns["val_loss"] == (3, 2)
    assert run.history.columns["train_loss"] == (5, None)
    assert not run.notes


def test_metrics_appended_on_resume_are_one_run(tmp_path: Path) -> None:
    (run,) = read_all(READER, live(tmp_path, val_loss="step\tval_loss\n0\t3\n1\t2\n2\t1\n1\t2.5\n2\t1.5\n"))
    assert run.history is not None
    assert run.history.columns["val_loss"] == (3, 2.5, 1.5)
    assert any(n.code == "log.restarts" for n in run.notes)


def test_a_damaged_metric_is_said_and_the_others_read(tmp_path: Path) -> None:
    (run,) = read_all(READER, live(tmp_path, val_loss="step\tval_loss\n0\t3\n1\t2\n", r2="step\tr2\n"))
    assert run.history is not None
    assert any("r2.tsv was not used" in n.message for n in run.notes)


def test_other_files_of_these_names_are_not_claimed(tmp_path: Path) -> None:
    for name in ("metrics.json", "params.yaml", "run.tsv", "metrics_run.json"):
        (tmp_path / name).write_text("step\tr2\n")
        assert READER.claim(tmp_path / name, Head(tmp_path / name)) is None


def test_nothing_logged_is_said(tmp_path: Path) -> None:
    folder = live(tmp_path)
    (folder / "dvclive" / "metrics.json").write_text("{}")
    with pytest.raises(InputError, match="no numbers logged"):
        read_all(READER, folder)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.sampled_from(["metrics.json", "params.yaml", "loss.tsv", "r2.tsv"]), st.binary(max_size=40), st.floats(0, 1))
def test_damage_is_a_run_or_an_error(part: str, content: bytes, at: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        survives(READER, damaged_copies(FOLDER, Path(folder), part, content, at))


def test_figures_logged_once_have_a_summary_and_no_plots(tmp_path: Path) -> None:
    (tmp_path / "run1" / "dvclive").mkdir(parents=True)
    (tmp_path / "run1" / "dvclive" / "metrics.json").write_text('{"train_R2": 0.06, "test_RMSE": 24.5}')
    (run,) = read_all(READER, tmp_path)
    assert (run.name, run.history, run.summary) == ("run1", None, {"rmse": 24.5, "split": "test"})
