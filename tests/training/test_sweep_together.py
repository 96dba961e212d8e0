"""``python -m training sweep --together``: the runs of a sweep as stacks, with the artifacts of runs alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runreport.artifacts import history_path, metrics_path
from training.cli import main

SWEEP = """
base: diabetes
set:
  device: cpu
  threads: 1
  model: mlp
  hidden_size: 8
  max_epochs: 3
  standardise_target: true
  data: {kind: diabetes, split: random}
grid:
  learning_rate: [0.001, 0.01]
  batch_size: [20, 40]
seeds: [1, 2]
"""


@pytest.fixture
def sweep_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SWEEP)
    return path


def r2_of_all(folder: Path) -> dict[str, float]:
    return {p.stem: json.loads(p.read_text())["r2"] for p in sorted((folder / "small").glob("metrics_*.json"))}


@pytest.mark.slow
def test_the_runs_are_those_of_processes_of_their_own(
    sweep_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", str(sweep_file), "--out", str(tmp_path / "stack"), "--together"]) == 0
    said = capsys.readouterr()
    assert said.err.count("a stack of 4") == 2  # a batch size is a shape
    assert "artifacts in" in said.out
    assert main(["sweep", str(sweep_file), "--out", str(tmp_path / "alone"), "--jobs", "2"]) == 0
    alone, stack = r2_of_all(tmp_path / "alone"), r2_of_all(tmp_path / "stack")
    assert len(stack) == 8
    assert stack == pytest.approx(alone, abs=1e-3)
    assert len(set(stack.values())) == 8


def test_what_is_there_is_not_trained_again_and_what_is_missing_is(
    sweep_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sweep", str(sweep_file), "--out", str(tmp_path), "--together"]
    assert main(command) == 0
    names = sorted(r2_of_all(tmp_path))
    run = names[0].removeprefix("metrics_")
    metrics_path(tmp_path / "small", run).unlink()
    before = history_path(tmp_path / "small", run).read_text().splitlines()[0]
    capsys.readouterr()
    assert main(command) == 0
    said = capsys.readouterr().err
    assert "8 runs, 7 already there, 1 to train" in said
    assert sorted(r2_of_all(tmp_path)) == names
    assert history_path(tmp_path / "small", run).read_text().splitlines()[0] == before


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--jobs", "2"], "--together: found with --jobs or --ray"),
        (
            ["--set", "c_mixup_alpha=0.2"],
            "c_mixup_alpha: found 0.2; an ensemble has 0.0 only; train this run alone, without",
        ),
        (["--set", "hard_sample_k=3"], "hard_sample_k: found 3; an ensemble has 0 only"),
    ],
)
def test_what_cannot_be_stacked_is_refused_before_anything_is_trained(
    options: list[str], found: str, sweep_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", str(sweep_file), "--out", str(tmp_path), "--together", *options]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("error: --together: ")
    assert found in said
    assert not (tmp_path / "small").exists() or not list((tmp_path / "small").iterdir())
