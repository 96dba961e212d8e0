"""A sweep on a Ray cluster of nodes on this machine: the numbers of a sweep without it, also where a node is lost."""

from __future__ import annotations

import csv
import json
import math
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from training.cli import main
from training.errors import ConfigError
from training.places import Places
from training.sweep import on_ray
from training.sweep.plan import load_plan
from training.sweep.train import Job, train

ray = pytest.importorskip(
    "ray", reason="Ray is not installed (extra: cluster), so sweeps on a cluster are not run here"
)

# Ray's own: sockets and files that its parts leave to the collector, and notices of changes to come.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TIMED = ("epoch_seconds", "samples_per_second")
SWEEP = """
base: healthy
set:
  max_epochs: {epochs}
  patience: 100000
  temporal_frames: 2
  augment: false
  data: {{frame_height: 16, frame_width: 16, train_samples: 41, val_samples: 12, test_samples: 12}}
grid: {{variance_lambda: [0, 2]}}
seeds: [1]
"""


def _sweep(folder: Path, epochs: int) -> Path:
    path = folder / "tiny.yaml"
    path.write_text(SWEEP.format(epochs=epochs))
    return path


def _rows(path: Path, *, timed: bool = False) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [{key: value for key, value in row.items() if timed or key not in TIMED} for row in csv.DictReader(file)]


def _tables(folder: Path, name: str) -> tuple[Any, ...]:
    metrics = json.loads((folder / f"metrics_{name}.json").read_text())
    return _rows(folder / f"{name}.csv"), (folder / f"predictions_{name}.csv").read_bytes(), metrics


def _expected(sweep: Path, out: Path) -> dict[str, tuple[Any, ...]]:
    """What the runs leave when each is trained here, one after the other."""
    found = {}
    for run in load_plan(str(sweep)).runs:
        places = Places(folder=out, checkpoint=out / f"{run.name}.pt")
        train(Job(run=run, places=places, force=False, epoch_predictions=False))
        found[run.name] = _tables(out, run.name)
    return found


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head without a core, so that tasks run on nodes which can be lost."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    # Joined while there is the head alone: a program hangs on one node of its machine, and goes with it.
    on_ray.connect(made.address)
    try:
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


def test_a_sweep_on_ray_leaves_what_one_without_leaves(
    tmp_path: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    cluster.add_node(num_cpus=2)
    expected = _expected(_sweep(tmp_path, 2), tmp_path / "here")
    monkeypatch.chdir(tmp_path)  # relative places are those of the program, wherever the run is
    arguments = ["sweep", "tiny.yaml", "--out", "o", "--ray", cluster.address]
    assert main(arguments) == 0
    assert {name: _tables(tmp_path / "o" / "tiny", name) for name in expected} == expected
    assert "2 runs, 0 already there, 2 to train" in capfd.readouterr().err
    assert main(arguments) == 0  # nothing to train: no cluster is asked
    assert "2 runs, 2 already there, 0 to train" in capfd.readouterr().err


def test_a_lost_node_costs_an_epoch_not_the_run(tmp_path: Path, cluster: Any) -> None:
    """Two nodes, a run on each; one is taken away without a word. Its run goes on, on the other, to the same numbers."""
    epochs = 60
    sweep = _sweep(tmp_path, epochs)
    expected = _expected(sweep, tmp_path / "here")
    lost, _ = cluster.add_node(num_cpus=1), cluster.add_node(num_cpus=1)
    histories = [tmp_path / "o" / "tiny" / f"{name}.csv" for name in expected]
    before: list[list[dict[str, str]]] = []

    def lose() -> None:
        while not all(history.exists() and len(_rows(history)) >= 5 for history in histories):
            time.sleep(0.02)
        cluster.remove_node(lost, allow_graceful=False)
        before.extend(_rows(history, timed=True) for history in histories)

    threading.Thread(target=lose, daemon=True).start()
    assert main(["sweep", str(sweep), "--out", str(tmp_path / "o"), "--ray", cluster.address]) == 0
    assert before, "the runs were over before a node was lost"
    assert min(len(rows) for rows in before) < epochs
    assert {name: _tables(tmp_path / "o" / "tiny", name) for name in expected} == expected
    # Neither began anew: the epochs before took the seconds that they had taken then. Of the last, the row may have been
    # written and the state not.
    for history, rows in zip(histories, before, strict=True):
        assert _rows(history, timed=True)[: len(rows) - 1] == rows[:-1]


def test_failures_come_back_with_their_tasks(cluster: Any) -> None:
    cluster.add_node(num_cpus=2)
    on_ray.connect(cluster.address)
    assert on_ray.gpus_there() == 0
    assert on_ray.fits_no_node(on_ray.Share(cpus=3))
    assert on_ray.fits_no_node(on_ray.Share(cpus=1, gpus=0.5))
    assert not on_ray.fits_no_node(on_ray.Share(cpus=2))
    results = {r.task: r for r in on_ray.each_on_ray(math.sqrt, [4.0, -1.0, 9.0], share=on_ray.Share(cpus=1))}
    assert (results[4.0].value, results[9.0].value) == (2.0, 3.0)
    assert results[-1.0].value is None
    assert str(results[-1.0].failure).startswith("ValueError: ")


def test_a_process_that_is_killed_is_tried_so_often_and_no_more(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.add_node(num_cpus=1)
    monkeypatch.setattr(on_ray, "RETRIES", 1)
    on_ray.connect(cluster.address)
    (result,) = on_ray.each_on_ray(os._exit, [3], share=on_ray.Share(cpus=1))
    assert result.value is None
    assert str(result.failure).startswith("WorkerCrashedError: ")


def test_no_cluster_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"^--ray: no cluster at not-a-cluster"):
        on_ray.connect("not-a-cluster")
