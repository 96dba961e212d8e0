"""The index of contents: a file is read again exactly where what the file system says of it does not vouch for its bytes."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from runreport.cli import analyze as command
from runreport.cli import app, cache, index, many
from runreport.cli.index import Index
from runreport.ingest.reader import ReadOptions, Source
from runreport.run import Run

LATER_NS = 10 * index.RACY_NS
TICK_S = 0.05
"""Longer than a tick of the clock of any file system that tests run on."""


class Reads:
    """The files that were read for their digest."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        real = index.digest_of

        def digest_of(path: Path) -> bytes:
            self.names.append(path.name)
            return real(path)

        monkeypatch.setattr(index, "digest_of", digest_of)
        monkeypatch.setattr(cache, "digest_of", digest_of)

    def since(self) -> list[str]:
        names, self.names = self.names, []
        return names


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read long after they were written."""
    real = time.time_ns
    monkeypatch.setattr(index.time, "time_ns", lambda: real() + LATER_NS)


def opened(tmp_path: Path) -> tuple[Index, sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "index.sqlite")
    return Index(connection), connection


def changed_behind_the_back(path: Path, old: str, new: str) -> None:
    """A byte changed, with the size and the time of the file set back."""
    time.sleep(TICK_S)
    status = path.stat()
    path.write_text(path.read_text().replace(old, new, 1))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_mtime_ns, path.stat().st_size) == (status.st_mtime_ns, status.st_size)


@pytest.mark.usefixtures("later")
def test_a_file_that_did_not_change_is_read_once(tmp_path: Path, reads: Reads) -> None:
    found, connection = opened(tmp_path)
    path = tmp_path / "run.csv"
    path.write_text("epoch,r2\n1,0.5\n")
    first = found.digest(path)
    with connection:
        found.write()
    assert found.digest(path) == first == index.digest_of(path)
    assert reads.since() == ["run.csv", "run.csv"]  # the first time, and by this test
    changed_behind_the_back(path, "0.5", "0.6")
    assert found.digest(path) != first
    assert reads.since() == ["run.csv"]
    connection.close()


def test_a_file_that_just_changed_is_not_trusted(tmp_path: Path, reads: Reads) -> None:
    found, connection = opened(tmp_path)
    path = tmp_path / "run.csv"
    path.write_text("epoch,r2\n1,0.5\n")
    for _ in range(2):
        found.digest(path)
        found.write()
    assert reads.since() == ["run.csv"] * 2
    connection.close()


@pytest.mark.usefixtures("later")
def test_where_ctime_is_no_time_of_change_every_file_is_read(
    tmp_path: Path, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "CTIME_IS_CHANGE", False)
    found, connection = opened(tmp_path)
    path = tmp_path / "run.csv"
    path.write_text("epoch,r2\n1,0.5\n")
    for _ in range(2):
        found.digest(path)
        found.write()
    assert reads.since() == ["run.csv"] * 2
    connection.close()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: None) -> Path:
    """Three logs of this program and one of another, which are more than are compared."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNREPORT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(command, "MOST_COMPARED", 2)
    (tmp_path / "logs").mkdir()
    for k in range(3):
        rows = "".join(f"{i},{(k + 1) / i:.4f},{0.5 - 1 / (i + k):.4f},0.6\n" for i in range(1, 9))
        (tmp_path / "logs" / f"run{k}.csv").write_text("epoch,val_loss,r2,variance_ratio\n" + rows)
    (tmp_path / "logs" / "other.csv").write_text(
        "epoch,tr_loss,Valid Loss\n" + "".join(f"{i},{1 / i:.4f},{2 / i:.4f}\n" for i in range(1, 9))
    )
    return tmp_path


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the runs that are analysed from now on."""
    names: list[str] = []
    real = many.finish

    def finish(run: Run, name: str, job: many.Job) -> many.Done:
        names.append(run.name)
        return real(run, name, job)

    monkeypatch.setattr(many, "finish", finish)
    return names


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["analyze", "logs", "--out", "out", *arguments])
    assert result.exit_code == 0, result.output
    return result


def test_the_second_call_reads_no_log(here: Path, reads: Reads, analysed: list[str]) -> None:
    first = run()
    assert sorted(reads.since()) == ["other.csv", "run0.csv", "run1.csv", "run2.csv"]
    assert sorted(analysed) == ["other", "run0", "run1", "run2"]
    analysed.clear()
    assert run().stdout == first.stdout
    assert (reads.since(), analysed) == ([], [])


def test_a_byte_changed_under_the_same_time_and_size_is_a_fresh_analysis(
    here: Path, reads: Reads, analysed: list[str]
) -> None:
    run()
    reads.since()
    analysed.clear()
    before = (here / "out" / "run2.md").read_bytes()
    changed_behind_the_back(here / "logs" / "run2.csv", "0.6\n", "0.5\n")
    run()
    assert (reads.since(), analysed) == (["run2.csv"], ["run2"])
    assert (here / "out" / "run2.md").read_bytes() != before


def predictions(path: Path, factor: float) -> None:
    path.write_text("y_true,y_pred\n" + "".join(f"{i},{i * factor + i % 3}\n" for i in range(40)))


def epoch_predictions(path: Path, factor: float) -> None:
    rows = [(epoch, i, float(i), i * factor + i % 3 + epoch) for epoch in (1, 2) for i in range(40)]
    pl.DataFrame(rows, schema=["epoch", "sample", "y_true", "y_pred"], orient="row").write_parquet(path)


def metrics(path: Path, factor: float) -> None:
    path.write_text(json.dumps({"r2": factor / 10, "selected_epoch": 3}))


@pytest.mark.parametrize(
    ("name", "write", "owner"),
    [
        ("predictions_run1.csv", predictions, "run1"),
        ("predictions_other.csv", predictions, "other"),
        ("metrics_run1.json", metrics, "run1"),
        ("epoch_predictions_run1.parquet", epoch_predictions, "run1"),
    ],
)
def test_what_belongs_to_a_run_beside_its_log_counts(
    here: Path, analysed: list[str], name: str, write: Callable[[Path, float], None], owner: str
) -> None:
    run()
    path = here / "logs" / name
    for change in (lambda: write(path, 0.9), lambda: write(path, 0.8), path.unlink):  # new, changed, gone
        analysed.clear()
        change()
        run()
        assert set(analysed) <= {owner}
        assert analysed or not path.exists()  # once it is gone, the report without it is an earlier one
        analysed.clear()
        run()
        assert analysed == []


def test_the_report_without_a_file_that_is_gone_is_the_first_one(here: Path) -> None:
    run()
    before = (here / "out" / "run1.md").read_bytes()
    predictions(here / "logs" / "predictions_run1.csv", 0.9)
    run()
    assert (here / "out" / "run1.md").read_bytes() != before
    (here / "logs" / "predictions_run1.csv").unlink()
    run()
    assert (here / "out" / "run1.md").read_bytes() == before


def test_other_settings_are_other_reports(here: Path, analysed: list[str]) -> None:
    run()
    analysed.clear()
    (here / "runreport.toml").write_text('disable = ["loss.plateau"]\n')
    run()
    assert len(analysed) == 4


def test_a_report_that_was_deleted_or_changed_comes_back(here: Path, analysed: list[str]) -> None:
    run()
    before = {path.name: path.read_bytes() for path in (here / "out").iterdir()}
    (here / "out" / "run0.md").unlink()
    (here / "out" / "run1.md").write_text("changed by hand")
    analysed.clear()
    run()
    assert analysed == []
    assert {path.name: path.read_bytes() for path in (here / "out").iterdir()} == before


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM files",
        "UPDATE files SET digest = 'x'",
        "UPDATE files SET digest = NULL, size = 'many'",
        "UPDATE files SET inode = inode + 1",
    ],
)
def test_a_damaged_index_is_rebuilt(here: Path, reads: Reads, analysed: list[str], damage: str) -> None:
    run()
    with sqlite3.connect(here / "cache" / cache.NAME) as connection:
        connection.execute(damage)
    connection.close()
    reads.since()
    analysed.clear()
    run()
    assert (len(reads.since()), analysed) == (4, [])
    run()
    assert reads.since() == []


def test_two_calls_at_once_leave_one_whole_index(here: Path, reads: Reads, analysed: list[str]) -> None:
    code = (
        "import time\nfrom runreport.cli import analyze, index, main\n"
        "analyze.MOST_COMPARED, real = 2, time.time_ns\n"
        f"index.time.time_ns = lambda: real() + {LATER_NS}\n"
        "main()"
    )
    calls = [
        subprocess.Popen(
            [sys.executable, "-c", code, "analyze", "logs", "--out", f"out{k}"], cwd=here, stdout=subprocess.PIPE
        )
        for k in range(2)
    ]
    assert [call.wait(timeout=60) for call in calls] == [0, 0]
    for call in calls:
        assert call.stdout is not None
        call.stdout.close()
    with sqlite3.connect(here / "cache" / cache.NAME) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    run()
    assert (reads.since(), analysed) == ([], [])
    same = [{path.name: path.read_bytes() for path in (here / name).iterdir()} for name in ("out", "out0", "out1")]
    assert same[0] == same[1] == same[2]


def test_a_source_whose_file_is_gone_has_no_key(here: Path) -> None:
    gone = Source(reader="native", name="gone", root=here, files={"history": here / "gone.csv"})
    assert cache.Cache(here / "cache", b"").key(gone, ReadOptions()) is None
