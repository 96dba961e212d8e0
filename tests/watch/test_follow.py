"""Following a run from poll to poll: half-written lines, rewritten files, a second run in the same file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runreport.settings import Settings
from runreport.watch.alerts import Alerts
from runreport.watch.follow import Follower, Reading

HEADER = "epoch,train_loss,val_loss,r2,variance_ratio\n"


def row(epoch: int, ratio: float = 0.6) -> str:
    return f"{epoch},{1 / epoch:.4f},{1.1 / epoch:.4f},{0.1 * epoch - 1:.4f},{ratio:.4f}\n"


def epochs(reading: Reading | None) -> list[float]:
    assert reading is not None
    assert reading.run is not None, reading.problem
    assert reading.run.history is not None
    return list(reading.run.history.epochs)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "run1.csv"
    path.write_text(HEADER + row(1) + row(2))
    return path


def test_nothing_is_read_again_while_nothing_changes(log: Path) -> None:
    follower = Follower(path=str(log))
    assert epochs(follower.poll()) == [1, 2]
    assert follower.poll() is None
    with log.open("a") as file:
        file.write(row(3))
    assert epochs(follower.poll()) == [1, 2, 3]


def test_half_a_line_waits_for_its_end(log: Path) -> None:
    follower = Follower(path=str(log))
    follower.poll()
    whole = row(3)
    with log.open("a") as file:
        file.write(whole[:-3])  # every cell is there, the last one cut: 0.6 instead of 0.6000
    assert epochs(follower.poll()) == [1, 2]
    with log.open("a") as file:
        file.write(whole[-3:])
    assert epochs(follower.poll()) == [1, 2, 3]


def test_a_last_line_without_its_end_is_taken_once_the_file_stays_as_it_is(log: Path) -> None:
    log.write_text(HEADER + row(1) + row(2).rstrip("\n"))
    follower = Follower(path=str(log))
    assert epochs(follower.poll()) == [1]
    assert epochs(follower.poll()) == [1, 2]
    assert follower.poll() is None


def test_a_file_that_is_gone_or_broken_for_a_moment_is_a_problem_and_no_end(log: Path) -> None:
    follower = Follower(path=str(log))
    follower.poll()
    text = log.read_text()
    log.unlink()
    gone = follower.poll()
    assert gone is not None
    assert gone.problem is not None
    log.write_text("")
    empty = follower.poll()
    assert empty is not None
    assert empty.run is None
    log.write_text(text + row(3))
    assert epochs(follower.poll()) == [1, 2, 3]


def test_a_file_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    follower = Follower(path=str(tmp_path / "run1.csv"))
    first = follower.poll()
    assert first is not None
    assert first.problem is not None
    (tmp_path / "run1.csv").write_text(HEADER + row(1))
    assert epochs(follower.poll()) == [1]


def test_lightning_rewrites_its_file_with_another_header(tmp_path: Path) -> None:
    log = tmp_path / "lightning_logs" / "version_0" / "metrics.csv"
    log.parent.mkdir(parents=True)
    log.write_text("epoch,step,train_loss\n0,9,1.0\n")
    follower = Follower(path=str(tmp_path))
    assert epochs(follower.poll()) == [0]
    other = log.with_suffix(".new")
    other.write_text("epoch,step,train_loss,val_loss\n0,9,1.0,\n0,9,,1.1\n1,19,0.8,\n1,19,,0.9\n")
    other.replace(log)
    reading = follower.poll()
    assert epochs(reading) == [0, 1]
    assert reading is not None
    assert reading.run is not None
    assert reading.run.history is not None
    assert reading.run.history.at(1, "val_loss") == 0.9


def test_another_run_in_the_same_file_begins_again(log: Path) -> None:
    follower = Follower(path=str(log))
    follower.poll()
    log.write_text(HEADER + row(1))
    reading = follower.poll()
    assert reading is not None
    assert reading.began_again
    assert epochs(reading) == [1]


def test_the_metrics_file_ends_it_unless_it_is_an_old_one(log: Path) -> None:
    metrics = log.with_name("metrics_run1.json")
    metrics.write_text(json.dumps({"run": "run1", "r2": -0.8, "split": "test", "num_samples": 50}))
    os.utime(metrics, (1_000_000, 1_000_000))
    follower = Follower(path=str(log))
    first = follower.poll()
    assert first is not None
    assert not first.ended
    with log.open("a") as file:
        file.write(row(3))
    os.utime(metrics)
    last = follower.poll()
    assert last is not None
    assert last.ended


def test_of_a_folder_the_run_written_last_is_followed_and_stays_so(tmp_path: Path) -> None:
    for name, when in (("run1", 1_000_000), ("run2", 2_000_000)):
        (tmp_path / f"{name}.csv").write_text(HEADER + row(1))
        os.utime(tmp_path / f"{name}.csv", (when, when))
    follower = Follower(path=str(tmp_path))
    reading = follower.poll()
    assert reading is not None
    assert reading.run is not None
    assert (reading.run.name, reading.others) == ("run2", ("run1",))
    with (tmp_path / "run1.csv").open("a") as file:
        file.write(row(2))
    with (tmp_path / "run2.csv").open("a") as file:
        file.write(row(2))
    reading = follower.poll()
    assert reading is not None
    assert reading.run is not None
    assert reading.run.name == "run2"


def test_a_run_that_begins_beside_it_is_followed_from_then_on(tmp_path: Path) -> None:
    for version in (0, 1):
        log = tmp_path / "lightning_logs" / f"version_{version}" / "metrics.csv"
        log.parent.mkdir(parents=True)
        log.write_text(f"epoch,step,train_loss\n0,9,1.{version}\n")
        if version == 0:
            follower = Follower(path=str(tmp_path))
            assert epochs(follower.poll()) == [0]
    reading = follower.poll()
    assert reading is not None
    assert reading.newer
    assert reading.run is not None
    assert reading.run.name == "version_1"


def test_tensorboard_and_keras_are_followed_too(repository: Path) -> None:
    fixtures = repository / "tests" / "ingest" / "fixtures"
    for place in (fixtures / "tensorboard" / "keras_run", fixtures / "keras_csv" / "training.csv"):
        assert len(epochs(Follower(path=str(place)).poll())) > 1


def test_a_collapse_is_rung_once_and_is_gone_when_the_ratio_is_back(log: Path) -> None:
    follower, alerts = Follower(path=str(log)), Alerts(settings=Settings())
    ratios = [0.8, 0.7, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1]
    rung = []
    for count in range(1, len(ratios) + 1):
        log.write_text(HEADER + "".join(row(e, ratios[e - 1]) for e in range(1, count + 1)))
        reading = follower.poll()
        assert reading is not None
        assert reading.run is not None
        rung += [(count, a.finding.rule) for a in alerts.update(reading.run, ended=False) if a.matters]
    assert [rule for _, rule in rung].count("collapse.onset") == 1
    assert alerts.by_rule["collapse.onset"].cleared is None
    first = next(count for count, rule in rung if rule == "collapse.onset")
    assert first < len(ratios)
    assert alerts.by_rule["collapse.onset"].first == first


def test_rules_about_the_end_wait_for_the_end(log: Path) -> None:
    rows = "".join(f"{e},{1 / e:.4f},{1.1 / e:.4f},{e * 1e-5:.6f}\n" for e in range(1, 7))
    log.write_text("epoch,train_loss,val_loss,learning_rate\n" + rows)
    reading = Follower(path=str(log)).poll()
    assert reading is not None
    assert reading.run is not None
    alerts = Alerts(settings=Settings())
    assert "lr.warmup-never-ended" not in {a.finding.rule for a in alerts.update(reading.run, ended=False)}
    assert "lr.warmup-never-ended" in {a.finding.rule for a in alerts.update(reading.run, ended=True)}
