"""``python -m training sweep``: everything trained once, what is there left alone, what fails said."""

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import training.sweep.pool
import training.sweep.train
from training.cli import main
from training.config_file import parse_config
from training.errors import ConfigError
from training.run import Places, run_training
from training.sweep.own_data import check_data
from training.sweep.plan import load_plan
from training.sweep.pool import Result
from training.sweep.train import Job, NoProgress

ROOT = Path(__file__).parents[2]
TIMED = ("epoch_seconds", "samples_per_second")
SWEEP = """
base: healthy
set:
  max_epochs: 2
  temporal_frames: 2
  augment: false
  data: {frame_height: 16, frame_width: 16, train_samples: 41, val_samples: 12, test_samples: 12}
grid:
  variance_lambda: [0, 2]
seeds: [1, 2]
"""
NAMES = [f"tiny-variance_lambda_{value}-seed_{seed}" for seed in (1, 2) for value in (0, 2)]
Work = Callable[[Any], Any]


@pytest.fixture
def sweep_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(SWEEP)
    return path


def _here(work: Work, tasks: Iterable[Any], *, jobs: int) -> Iterator[Result[Any]]:
    """In place of processes: the same, one after the other in this one. Errors are those that a process would send."""
    assert jobs >= 1
    for task in tasks:
        try:
            yield Result(task=task, value=work(task))
        except ConfigError as error:
            yield Result(task=task, failure=str(error))


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training.sweep.pool, "each_in_a_process", _here)


def _history(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [{key: value for key, value in row.items() if key not in TIMED} for row in csv.DictReader(file)]


def _tables(folder: Path, name: str) -> tuple[Any, ...]:
    metrics = json.loads((folder / f"metrics_{name}.json").read_text())
    return _history(folder / f"{name}.csv"), (folder / f"predictions_{name}.csv").read_bytes(), metrics


@pytest.mark.slow
def test_a_sweep_leaves_what_single_runs_leave(
    tmp_path: Path, sweep_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In real processes, two at a time; one of the four is made beforehand, as ``run`` makes it."""
    plan = load_plan(str(sweep_file))
    alone = plan.runs[3]
    places = Places.of(alone.name, out=tmp_path / "alone")
    run_training(alone.config, places, progress=NoProgress, epoch_predictions=False)
    out = tmp_path / "o"
    assert main(["sweep", str(sweep_file), "--out", str(out), "--jobs", "2"]) == 0
    captured = capsys.readouterr()
    assert sorted(path.name for path in (out / "tiny").iterdir()) == sorted(
        file for name in NAMES for file in (f"{name}.csv", f"metrics_{name}.json", f"predictions_{name}.csv")
    )
    assert _tables(out / "tiny", alone.name) == _tables(places.folder, alone.name)
    assert sorted(path.name for path in (out / "checkpoints" / "tiny").iterdir()) == sorted(f"{n}.pt" for n in NAMES)
    assert captured.err.splitlines()[0] == "tiny: 4 runs, 0 already there, 4 to train"
    assert len(captured.err.splitlines()) == 5
    assert [line.split("  ")[0] for line in captured.out.splitlines()[1:3]] == [
        "variance_lambda 0",
        "variance_lambda 2",
    ]


def test_what_is_there_is_not_trained_again(
    tmp_path: Path,
    sweep_file: Path,
    in_this_process: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ["sweep", str(sweep_file), "--out", str(tmp_path / "o")]
    folder = tmp_path / "o" / "tiny"
    assert main([*arguments, "--dry-run"]) == 0
    assert not folder.exists()
    assert capsys.readouterr().out.splitlines() == [f"to train {name}" for name in NAMES]
    assert main(arguments) == 0
    first = capsys.readouterr().out
    before = {path: path.read_bytes() for path in folder.iterdir()}

    with monkeypatch.context() as patch:
        patch.setattr(training.sweep.train, "train", lambda _: pytest.fail("trained again"))
        assert main(arguments) == 0
        assert capsys.readouterr().out == first  # the table is read from the files
        assert main([*arguments, "--dry-run"]) == 0
        assert capsys.readouterr().out.splitlines() == [f"there    {name}" for name in NAMES]
        # Made otherwise: said, and left alone.
        assert main([*arguments, "--set", "max_epochs=3"]) == 1
        captured = capsys.readouterr()
        assert captured.out.count("made with max_epochs 2, the sweep has 3; use --force to replace it") == 4
        assert "0/2" in captured.out
    assert {path: path.read_bytes() for path in folder.iterdir()} == before

    # Artifacts from before a setting was there: they were made with what is its default now.
    metrics = folder / f"metrics_{NAMES[3]}.json"
    document = json.loads(metrics.read_text())
    del document["config"]["spatial_attention"]
    metrics.write_text(json.dumps(document))
    assert main([*arguments, "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"there    {name}" for name in NAMES]
    document["config"]["gone"] = 1
    metrics.write_text(json.dumps(document))
    assert main([*arguments, "--dry-run"]) == 1
    assert "unknown key 'gone'" in capsys.readouterr().err
    metrics.write_bytes(before[metrics])

    (folder / f"metrics_{NAMES[0]}.json").unlink()
    (folder / f"predictions_{NAMES[1]}.csv").unlink()
    (folder / f"metrics_{NAMES[2]}.json").write_text("{")
    assert main(arguments) == 1  # the first is trained again, two are said, the last is there
    captured = capsys.readouterr()
    assert "4 runs, 1 already there, 1 to train" in captured.err
    assert f"predictions_{NAMES[1]}.csv: missing, though metrics_{NAMES[1]}.json is there" in captured.out
    assert f"metrics_{NAMES[2]}.json: cannot be read as a run's metrics" in captured.out
    assert _tables(folder, NAMES[0])[1] == before[folder / f"predictions_{NAMES[0]}.csv"]
    assert main([*arguments, "--force"]) == 0
    assert capsys.readouterr().out == first


def test_a_run_that_fails_stops_no_other(
    tmp_path: Path,
    sweep_file: Path,
    in_this_process: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = training.sweep.train.train

    def failing(job: Job) -> dict[str, Any]:
        if job.run.name == NAMES[1]:
            raise ConfigError("no such luck")
        return real(job)

    monkeypatch.setattr(training.sweep.train, "train", failing)
    assert main(["sweep", str(sweep_file), "--out", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == f"failed: {NAMES[1]}: no such luck"
    assert "[2/4] failed" in captured.err
    there = {path.name for path in (tmp_path / "tiny").glob("metrics_*")}
    assert there == {f"metrics_{name}.json" for name in NAMES if name != NAMES[1]}


def test_a_run_that_was_cut_off_goes_on(
    tmp_path: Path,
    sweep_file: Path,
    in_this_process: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        pass

    import training.recorder

    original = training.recorder.save_state

    def dying(path: Path, state: Any) -> None:
        original(path, state)
        if path.name.startswith(NAMES[1]):
            raise Killed

    arguments = ["sweep", str(sweep_file), "--out"]
    assert main([*arguments, str(tmp_path / "whole")]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(training.recorder, "save_state", dying)
        with pytest.raises(Killed):
            main([*arguments, str(tmp_path / "cut")])
    assert len(_history(tmp_path / "cut" / "tiny" / f"{NAMES[1]}.csv")) == 1
    epochs: list[int] = []
    counted = training.recorder.Recorder.state

    def counting(self: Any, state: Any) -> None:
        epochs.append(state().epoch)
        counted(self, state)

    monkeypatch.setattr(training.recorder.Recorder, "state", counting)
    assert main([*arguments, str(tmp_path / "cut")]) == 0
    assert epochs == [2, 1, 2, 1, 2]  # the second run's second epoch, then the two that had not begun
    for name in NAMES:
        assert _tables(tmp_path / "cut" / "tiny", name) == _tables(tmp_path / "whole" / "tiny", name)


def test_a_place_that_cannot_be_written_is_said_before_anything_is_trained(
    sweep_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def begun(*_: object, **__: object) -> Iterator[Result[Any]]:
        raise AssertionError("a run was begun")

    monkeypatch.setattr(training.sweep.pool, "each_in_a_process", begun)
    taken = tmp_path / "file"
    taken.write_text("")
    weights = ["--out", str(tmp_path / "o"), "--checkpoint-dir", str(taken)]
    for arguments, option in ((["--out", str(taken)], "--out"), (weights, "--checkpoint-dir")):
        assert main(["sweep", str(sweep_file), *arguments]) == 2
        said = capsys.readouterr()
        assert said.err == f"error: {taken / 'tiny'}: {taken} is not a folder; choose another with {option}\n"
        assert said.out == ""
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (None, "error: data.path: {path}: no such file\n"),
        ("x,z\n1,2\n3,4\n", "error: {path}: data.target: no column 'y'; found x, z\n"),
        ("x,y\n1,2\n", "error: data.split: random: 1 train samples; expected at least 2"),
    ],
)
def test_data_that_cannot_be_had_are_said_before_anything_is_trained(
    table: str | None,
    line: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def begun(*_: object, **__: object) -> Iterator[Result[Any]]:
        raise AssertionError("a run was begun")

    monkeypatch.setattr(training.sweep.pool, "each_in_a_process", begun)
    path, sweep = tmp_path / "t.csv", tmp_path / "s.yaml"
    if table is not None:
        path.write_text(table)
    sweep.write_text(
        f"base: healthy\nset: {{model: mlp, augment: false, data: {{kind: table, path: {path}, target: y, split: random}}}}\n"
        "grid: {learning_rate: [0.1, 0.2]}\nseeds: [1, 2]\n"
    )
    assert main(["sweep", str(sweep), "--out", str(tmp_path / "o")]) == 2
    assert capsys.readouterr().err.startswith(line.format(path=path))
    assert not (tmp_path / "o").exists()


def test_data_are_read_once_for_each_way_of_reading_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []
    monkeypatch.setattr("training.data.load_dataset", lambda config, _: asked.append(config.data.path))
    monkeypatch.setattr("training.data.check_leaks", lambda *_: None)
    own = {"kind": "npz", "path": "a"}
    given = [
        {"data": own, "seed": 1}, {"data": own, "seed": 2}, {"data": own | {"path": "b"}}, {"data": {"noise": 1.0}},
    ]  # fmt: skip
    check_data([parse_config(values) for values in given])
    assert asked == ["a", "b"]


def test_jobs_and_files_are_checked(sweep_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, message in (
        ([str(sweep_file), "--jobs", "0"], "error: --jobs: found 0; expected at least 1\n"),
        (["nowhere.yaml"], "error: nowhere.yaml: no such file\n"),
    ):
        assert main(["sweep", *arguments, "--out", str(tmp_path / "o")]) == 2
        assert capsys.readouterr().err == message
    assert not (tmp_path / "o").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_sweep_leaves_whole_runs_and_no_process(tmp_path: Path, number: signal.Signals) -> None:
    # Two cases: one is done at once, the other would go on for hours.
    (tmp_path / "tiny.yaml").write_text(
        """
base: healthy
set:
  temporal_frames: 2
  patience: 100000
  data: {frame_height: 16, frame_width: 16, train_samples: 41, val_samples: 12, test_samples: 12}
cases: {short: {max_epochs: 1}, long: {max_epochs: 100000}}
seeds: [1]
"""
    )
    out = tmp_path / "o"
    command = [sys.executable, "-m", "training", "sweep", str(tmp_path / "tiny.yaml"), "--out", str(out), "--jobs", "2"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    short, long = (f"tiny-{case}-seed_1" for case in ("short", "long"))
    try:
        for _ in range(2400):
            history = out / "tiny" / f"{long}.csv"
            if (out / "tiny" / f"metrics_{short}.json").exists() and history.exists() and history.stat().st_size:
                break
            time.sleep(0.1)
        time.sleep(0.5)
        process.send_signal(number)
        printed, said = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, said
    assert "interrupted with 1 of 2 runs complete" in said
    assert "Traceback" not in said
    assert "0/1" in printed
    rows = _history(out / "tiny" / f"{long}.csv")
    time.sleep(1.0)  # nobody goes on writing
    assert _history(out / "tiny" / f"{long}.csv") == rows
    assert not (out / "tiny" / f"metrics_{long}.json").exists()
