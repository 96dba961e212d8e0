"""More runs than are compared: reported one by one, in any number of processes, with the same bytes."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from runreport.cli import analyze as command
from runreport.cli import app, cache, many
from runreport.ingest.registry import READERS
from runreport.run import Run

HISTORY = "epoch,val_loss,r2,variance_ratio\n"
COUNT = 5


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNREPORT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "logs").mkdir()
    for k in range(COUNT):
        rows = "".join(f"{i},{(k + 1) / i:.4f},{0.5 - 1 / (i + k):.4f},0.6\n" for i in range(1, 9))
        (tmp_path / "logs" / f"run{k}.csv").write_text(HISTORY + rows)
    return tmp_path


def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "MOST_COMPARED", 2)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["analyze", *arguments])


def files(folder: Path) -> dict[str, bytes]:
    """Name -> content."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_each_is_reported_and_none_compared(here: Path, monkeypatch: pytest.MonkeyPatch, jobs: str) -> None:
    few(monkeypatch)
    result = run("logs", "--out", "out", "--jobs", jobs)
    assert result.exit_code == 0, result.stderr
    assert "5 logs: more than 2 are not compared with each other" in result.stderr
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == [f"out/run{k}.md" for k in range(COUNT)]
    assert sorted(files(here / "out")) == [f"run{k}.md" for k in range(COUNT)]  # no charts unless they are asked for
    assert run("logs", "--out", "alone", "--jobs", "1", "-q").stdout.splitlines() == [
        f"alone/run{k}.md" for k in range(COUNT)
    ]
    assert files(here / "out") == files(here / "alone")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_json_is_that_of_all_runs_without_a_comparison(
    here: Path, monkeypatch: pytest.MonkeyPatch, jobs: str
) -> None:
    whole = json.loads(run("logs", "--format", "json").stdout)
    few(monkeypatch)
    streamed = run("logs", "--format", "json", "--jobs", jobs, "--out", "all.json").stdout
    assert json.loads(streamed) == {**whole, "comparison": None}
    assert streamed == json.dumps({**whole, "comparison": None}, indent=2, ensure_ascii=False) + "\n"
    assert (here / "all.json").read_text(encoding="utf-8") == streamed


def test_one_broken_file_among_many_is_one_line(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)
    (here / "logs" / "bad.csv").write_text("epoch,r2\n1,oops\n")
    result = run("logs", "--out", "out")
    assert result.exit_code == 2
    assert [line for line in result.stderr.splitlines() if "bad.csv" in line] == [
        "runreport: logs/bad.csv: 'oops' in column 'r2', line 2; expected a number"
    ]
    assert "5 reported, 1 not (see above)" in result.stderr


def test_only_broken_files_as_json(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)
    for path in (here / "logs").iterdir():
        path.write_text("epoch,r2\n1,oops\n")
    result = run("logs", "--format", "json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["runs"] == []


def test_a_next_config_of_many_runs_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)
    result = run("logs", "--next", "next.yaml")
    assert result.exit_code == 2
    assert "--next: 5 runs; expected one run" in result.stderr


def test_several_processes_write_what_one_does(here: Path) -> None:
    one, two = run("logs", "--out", "one"), run("logs", "--out", "two", "--jobs", "2")
    assert (one.exit_code, two.exit_code) == (0, 0), two.stderr
    assert files(here / "one") == files(here / "two")
    (here / "taken").write_text("a file")
    refused = run("logs", "--out", "taken", "--jobs", "2")
    assert refused.exit_code == 2
    assert "a file is where its folder should be" in refused.stderr


def test_formats_lists_every_reader_and_the_page_names_each() -> None:
    result = CliRunner().invoke(app, ["formats"])
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert names == [reader.name for reader in READERS]
    rows = json.loads(CliRunner().invoke(app, ["formats", "--json"]).stdout)
    assert [row["reader"] for row in rows] == names
    page = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in page for name in names)


def test_what_was_read_as_what_stands_in_the_report(here: Path) -> None:
    (here / "theirs.csv").write_text("epoch,tr_loss,Valid Loss,acc\n1,0.5,0.6,0.7\n2,0.4,0.5,0.8\n3,0.3,0.4,0.8\n")
    (here / "data.csv").write_text("age,height\n1,2\n")
    result = run(".", "--out", "out", "--no-charts")
    assert "1 file was not recognised and passed over: data.csv" in result.stderr
    text = (here / "out" / "theirs.md").read_text(encoding="utf-8")
    assert "`Valid Loss` as `val_loss`" in text
    assert "Acc: scores of a classifier" in text
    runs = json.loads(run("theirs.csv", "--format", "json").stdout)["runs"]
    assert runs[0]["columns_read"] == {"train_loss": "tr_loss", "val_loss": "Valid Loss"}


def test_truth_in_another_file(here: Path) -> None:
    (here / "predictions_a.csv").write_text("id,y_pred\n" + "".join(f"{i},{i * 0.9}\n" for i in range(40)))
    (here / "truth.csv").write_text("id,y_true\n" + "".join(f"{i},{i}\n" for i in range(40)))
    result = run("predictions_a.csv", "--truth", "truth.csv", "--key", "id", "--format", "json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["runs"][0]["n"] == 40


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the runs that are analysed from now on, in this process."""
    analysed: list[str] = []
    real = many.finish

    def finish(run: Run, name: str, job: many.Job) -> many.Done:
        analysed.append(run.name)
        return real(run, name, job)

    monkeypatch.setattr(many, "finish", finish)
    return analysed


@pytest.mark.parametrize("form", ["md", "html", "json"])
def test_what_did_not_change_is_not_analysed_again(here: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    few(monkeypatch)
    analysed = counted(monkeypatch)
    where = ["--out", "out" if form != "json" else "out/all.json"]
    first = run("logs", "--format", form, *where)
    before = files(here / "out")
    assert len(analysed) == COUNT
    (here / "out" / sorted(before)[0]).write_text("changed by hand")
    second = run("logs", "--format", form, *where)
    assert len(analysed) == COUNT
    assert (second.stdout, second.exit_code) == (first.stdout, 0)
    assert files(here / "out") == before
    run("logs", "--format", form, *where, "--no-cache")
    assert len(analysed) == 2 * COUNT


def test_a_byte_changed_behind_the_back_of_the_clock_is_seen(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)
    analysed = counted(monkeypatch)
    run("logs")
    path = here / "logs" / "run2.csv"
    stat, text = path.stat(), path.read_text()
    path.write_text(text.replace("0.6\n", "0.5\n", 1))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (path.stat().st_mtime_ns, path.stat().st_size) == (stat.st_mtime_ns, stat.st_size)
    before = files(here / "reports")
    run("logs")
    assert analysed[COUNT:] == ["run2"]
    after = files(here / "reports")
    assert {name for name in after if after[name] != before[name]} == {"run2.md"}


def test_other_settings_criteria_and_code_are_other_reports(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)
    analysed = counted(monkeypatch)
    run("logs")
    (here / "runreport.toml").write_text('disable = ["loss.plateau"]\n')
    run("logs")
    assert len(analysed) == 2 * COUNT
    run("logs", "--column", "r2=r2")
    assert len(analysed) == 3 * COUNT
    monkeypatch.setattr(cache, "LIBRARIES", (*cache.LIBRARIES, "rich"))  # as another version of one would
    run("logs", "--column", "r2=r2")
    assert len(analysed) == 4 * COUNT


def test_a_damaged_cache_is_no_cache(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)
    analysed = counted(monkeypatch)
    run("logs")
    before = files(here / "reports")
    store = here / "cache" / cache.NAME
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE reports SET value = substr(value, 1, 100)")
    connection.close()
    assert run("logs").exit_code == 0
    assert len(analysed) == 2 * COUNT
    store.write_bytes(b"not a database" * 1000)
    assert run("logs").exit_code == 0
    assert len(analysed) == 3 * COUNT
    assert run("logs").exit_code == 0
    assert len(analysed) == 3 * COUNT
    monkeypatch.setenv("RUNREPORT_CACHE", str(here / "logs" / "run1.csv"))  # a file where the folder should be
    assert run("logs").exit_code == 0
    assert files(here / "reports") == before


def test_broken_files_are_told_again(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)
    (here / "logs" / "bad.csv").write_text("epoch,r2\n1,oops\n")
    results = [run("logs") for _ in range(2)]
    assert [r.exit_code for r in results] == [2, 2]
    assert results[0].stderr == results[1].stderr


BEGUN = """
import sys
from runreport.cli import analyze, app, many
analyze.MOST_COMPARED = 2
real = many._way_to_start
def way():
    found = real()
    print(found.get_start_method(), file=sys.stderr)
    return found
many._way_to_start = way
app(sys.argv[1:])
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="only Linux tells how many threads there are")
@pytest.mark.parametrize("threads", [False, True])
def test_processes_are_forked_from_one_thread_only_and_write_the_same(
    here: Path, monkeypatch: pytest.MonkeyPatch, threads: bool
) -> None:
    begin = (
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n" if threads else ""
    )
    command = [sys.executable, "-c", begin + BEGUN, "analyze", "logs", "--out", "two", "--jobs", "2", "--no-cache"]
    done = subprocess.run(command, cwd=here, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert ("spawn" if threads else "fork") in done.stderr.splitlines()
    few(monkeypatch)
    assert run("logs", "--out", "one", "--no-cache").exit_code == 0
    assert files(here / "one") == files(here / "two")


def test_runs_come_out_in_order_whether_kept_or_new(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch)
    monkeypatch.setattr(many, "BATCH", 2)
    run("logs", "--out", "out")
    for name in ("run1", "run4"):
        path = here / "logs" / f"{name}.csv"
        path.write_text(path.read_text() + "9,0.1,0.45,0.6\n")
    result = run("logs", "--out", "out", "--jobs", "2", "-q")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [f"out/run{k}.md" for k in range(COUNT)]
    assert ["9 epochs" in (here / "out" / f"run{k}.md").read_text() for k in range(COUNT)] == [
        False,
        True,
        False,
        False,
        True,
    ]
