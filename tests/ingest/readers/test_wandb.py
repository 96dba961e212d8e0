"""Weights & Biases: last values from the summary, the log refused with advice."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.reader import Head
from runreport.ingest.readers.wandb import READER
from tests.ingest.readers.stores import read_all, sources, survives

NAME = "offline-run-20261124_001938-mw194xxi"
CONFIG = "wandb_version: 1\n_wandb:\n  value: {cli_version: 0.1}\nlr:\n  desc: null\n  value: 0.01\nmodel:\n  value: {depth: 3}\n"


def run_folder(folder: Path, summary: str | None) -> Path:
    run = folder / "wandb" / NAME
    (run / "files").mkdir(parents=True)
    (run / "run-mw194xxi.wandb").write_bytes(b":W&B\x00")
    (run / "files" / "config.yaml").write_text(CONFIG)
    if summary is not None:
        (run / "files" / "wandb-summary.json").write_text(summary)
    return run


def test_a_run_without_a_summary_is_refused_once_with_the_way_to_export_it(tmp_path: Path) -> None:
    run_folder(tmp_path, None)
    assert len(sources(READER, tmp_path)) == 1
    with pytest.raises(InputError, match="wandb sync"):
        read_all(READER, tmp_path)


def test_the_summary_gives_last_values_and_says_so(tmp_path: Path) -> None:
    values = {"val/r2": 0.4, "val": {"loss": 0.3}, "train_loss": 0.1, "_step": 9, "_wandb": {"runtime": 3}, "epoch": 9}
    run_folder(tmp_path, json.dumps(values))
    (run,) = read_all(READER, tmp_path)
    assert run.history is None
    assert run.summary == {"r2": 0.4, "loss": 0.3, "split": "validation"}
    assert run.split == "validation"
    assert run.config == {"lr": 0.01, "model.depth": 3}
    assert any("history was not read" in n.message for n in run.notes)


def test_a_test_figure_goes_before_a_validation_figure(tmp_path: Path) -> None:
    run_folder(tmp_path, '{"test_r2": 0.2, "val_r2": 0.4}')
    (run,) = read_all(READER, tmp_path)
    assert run.summary == {"r2": 0.2, "split": "test"}


def test_a_summary_on_its_own_is_read(tmp_path: Path) -> None:
    (tmp_path / "wandb-summary.json").write_text('{"test_rmse": 2}')
    (run,) = read_all(READER, tmp_path)
    assert run.summary == {"rmse": 2.0, "split": "test"}


def test_other_configs_are_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("lr: 1\n")
    assert READER.claim(path, Head(path)) is None


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.one_of(st.binary(max_size=60), st.sampled_from([b'{"test_r2": 1e999}', b"[" * 3000, b'{"test_r2": NaN}'])))
def test_any_summary_is_a_run_or_an_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wandb-summary.json"
        path.write_bytes(content)
        assert survives(READER, path)
