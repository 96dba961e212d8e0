"""``runreport watch`` beside a process that writes slowly and in pieces."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runreport.cli.app import app

HEADER = "epoch,train_loss,val_loss,r2,variance_ratio\n"
WRITER = """
import json, sys, time
path, ratios = sys.argv[1], [0.8, 0.7, 0.25, 0.1, 0.1, 0.1]
with open(path, "w") as file:
    file.write("epoch,train_loss,val_loss,r2,variance_ratio\\n")
    for epoch, ratio in enumerate(ratios, start=1):
        line = f"{epoch},{1 / epoch:.5f},{1.1 / epoch:.5f},{-1 + 0.1 * epoch:.5f},{ratio:.5f}\\n"
        for start in range(0, len(line), 7):  # in pieces, as a buffer that runs over
            file.write(line[start : start + 7])
            file.flush()
            time.sleep(0.03)
with open(sys.argv[2], "w") as file:
    json.dump({"run": "run1", "split": "test", "num_samples": 50, "r2": -0.4, "variance_ratio": 0.1}, file)
"""
ENVIRONMENT = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "runreport", "watch", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip


@pytest.mark.slow
def test_a_run_written_in_pieces(tmp_path: Path) -> None:
    log, metrics = tmp_path / "run1.csv", tmp_path / "metrics_run1.json"
    watching = start(str(log), "--interval", "0.1", "--plain")
    assert watching.stderr is not None
    assert watching.stderr.readline().startswith("waiting: ")  # the file is not there yet
    subprocess.run([sys.executable, "-c", WRITER, str(log), str(metrics)], check=True, timeout=60)
    out, err = watching.communicate(timeout=60)
    assert watching.returncode == 1, (out, err)
    lines = out.splitlines()
    told = [line for line in lines if line.startswith("epoch ") and "val loss" in line]
    assert [line.split(":")[0] for line in told] == [f"epoch {e}" for e in range(1, 7)]
    assert "std ratio 80.0 %" in told[0]
    assert told[2].endswith("std ratio 25.0 %")  # never 2 % or 25 % of half a number
    assert sum("(collapse.onset)" in line for line in lines) == 1
    assert lines[-1].startswith("run1 (native): 6 epochs. the run is over; ")
    assert "Traceback" not in err


@pytest.mark.slow
def test_ctrl_c_ends_it_with_what_was_seen(tmp_path: Path) -> None:
    log = tmp_path / "run1.csv"
    log.write_text(HEADER + "1,1.0,1.1,0.1,0.6\n2,0.9,1.0,0.2,0.6\n")
    watching = start(str(log), "--interval", "0.1", "--plain")
    assert watching.stdout is not None
    assert watching.stdout.readline().startswith("epoch 1:")
    assert watching.stdout.readline().startswith("epoch 2:")
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate(timeout=60)
    assert watching.returncode == 0, err
    assert out.splitlines()[-1] == "run1 (native): 2 epochs. stopped; 0 warnings at the end"


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["watch", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_once_for_scripts(tmp_path: Path) -> None:
    log = tmp_path / "run1.csv"
    log.write_text(HEADER + "1,1.0,1.1,0.1,0.6\n2,0.9,1.0,0.2,0.6")
    code, out, _ = run(str(log), "--once")
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines()] == ["epoch 1", "epoch 2", "run1 (native)"]
    assert "not over, as far as its files say" in out
    log.write_text(HEADER + "1,1.0,1.1,0.1,0.6\n2,nan,nan,nan,0.6\n3,nan,nan,nan,0.6\n")
    code, out, _ = run(str(log), "--once")
    assert code == 1
    assert "loss.not-finite" in out


def test_idle_ends_it(tmp_path: Path) -> None:
    log = tmp_path / "run1.csv"
    log.write_text(HEADER + "1,1.0,1.1,0.1,0.6\n")
    code, out, _ = run(str(log), "--until-idle", "0.3", "--interval", "0.1")
    assert code == 0
    assert "nothing was written for 0.3 seconds" in out


def test_nothing_to_read_is_exit_code_2(tmp_path: Path) -> None:
    code, out, err = run(str(tmp_path / "none.csv"), "--once")
    assert code == 2
    assert out == ""
    assert "none.csv" in err
    code, _, err = run(str(tmp_path / "none.csv"), "--until-idle", "0.2", "--interval", "0.1")
    assert code == 2
