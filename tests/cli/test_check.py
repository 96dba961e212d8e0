"""``runreport check``: exit codes, files, and what a build system sees."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from typer.testing import CliRunner

from runreport.cli import app


def write_run(path: Path, *, noise: float = 0.5, shift: float = 0.0, seed: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    truth = np.random.default_rng(0).normal(0.0, 1.0, 240)
    pred = (truth + np.random.default_rng(seed).normal(0.0, noise, 240)) / (1 + noise**2) + shift
    path.write_text("epoch,val_loss,r2\n" + "".join(f"{e},{1 / e:.4f},{0.8 - 1 / e:.4f}\n" for e in range(1, 13)))
    body = "".join(f"{t:.9f},{p:.9f}\n" for t, p in zip(truth, pred, strict=True))
    path.with_name(f"predictions_{path.name}").write_text("y_true,y_pred\n" + body)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    write_run(tmp_path / "good.csv")
    write_run(tmp_path / "bad.csv", shift=3.0)
    return tmp_path


def check(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["check", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_three_codes(here: Path) -> None:
    code, out, err = check("good.csv")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "1 run: 1 passed (exit code 0)"
    code, out, _ = check("good.csv", "bad.csv")
    assert code == 1
    assert "FAIL bad: predictions are 2.94 σ too high" in out
    assert "critical bias.dominates: " in out
    code, out, _ = check("good.csv", "bad.csv", "lost.csv")
    assert code == 2
    assert "CANNOT JUDGE lost.csv: no such file or folder" in out
    assert out.splitlines()[-1] == "3 runs: 1 passed, 1 failed, 1 could not be judged (exit code 2)"


def test_a_folder_without_logs_could_not_be_judged(here: Path) -> None:
    (here / "empty").mkdir()
    code, out, _ = check("empty")
    assert code == 2
    assert "CANNOT JUDGE" in out


def test_quiet_prints_nothing_but_what_went_wrong(here: Path) -> None:
    assert check("good.csv", "--quiet") == (0, "", "")
    (here / "nocol.csv").write_text("a,b\n1,2\n")
    code, out, err = check("nocol.csv", "good.csv", "bad.csv", "-q")
    assert (code, err) == (2, "")
    assert [line.split(":")[0] for line in out.splitlines()] == ["CANNOT JUDGE nocol.csv", "FAIL bad"]


def test_the_baseline_is_looked_for_among_the_paths(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "else").mkdir()
    monkeypatch.chdir(here / "else")
    code, out, _ = check("../good.csv", "../bad.csv", "--baseline", "bad")
    assert code == 0
    assert out.count("This run is the baseline, and is not judged against itself; its ") == 1
    assert out.splitlines()[-1] == "2 runs: 2 passed (exit code 0)"
    write_run(here / "kept" / "bad.csv", seed=2)
    assert check("../good.csv", "../bad.csv", "--baseline", "bad", "--logs", "../kept")[0] == 1
    code, out, err = check("../good.csv", "../bad.csv", "--baseline", "lost")
    assert code == 2
    assert "runreport: --baseline lost: no run of this name" in err


@pytest.mark.parametrize("given", [("--group", "g"), ("--truth", "t.csv"), ("--key", "id", "--truth", "t.csv")])
@pytest.mark.parametrize("command", ["check", "analyze", "compare"])
def test_an_option_that_no_run_could_use(here: Path, command: str, given: tuple[str, ...]) -> None:
    if command == "compare" and given[0] != "--group":
        pytest.skip("compare has no such option")
    for name in ("bare.csv", "bare2.csv"):
        (here / name).write_text("epoch,val_loss\n1,0.5\n2,0.4\n")
    result = CliRunner().invoke(app, [command, "bare.csv", "bare2.csv", *given])
    assert result.exit_code == 2
    first = "--truth t.csv" if "--truth" in given else "--group g"
    assert f"{first}: no run with predictions to use it on" in result.stderr
    assert not (here / "reports").exists()


@pytest.mark.parametrize("command", ["check", "analyze"])
def test_a_key_without_a_table_to_join(here: Path, command: str) -> None:
    result = CliRunner().invoke(app, [command, "good.csv", "--key", "id"])
    assert result.exit_code == 2
    assert "--key id: no --truth" in result.stderr


def test_criteria_and_tiers(here: Path) -> None:
    (here / "c.yaml").write_text("tiers: {minimum: [r2 > 0.5], excellent: [r2 > 0.99]}\n")
    assert check("good.csv", "--criteria", "c.yaml", "--tier", "minimum")[0] == 0
    code, out, _ = check("good.csv", "--criteria", "c.yaml")
    assert code == 1
    assert "criteria.excellent: r2 > 0.99: not met (the run has 0.8" in out
    (here / "unknown.yaml").write_text("tiers: {minimum: [mape over training < 3]}\n")
    code, out, _ = check("good.csv", "--criteria", "unknown.yaml")
    assert code == 2
    assert "cannot tell (no figure: no mape column in the log)" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--tier", "minimum"], "--tier: no --criteria"),
        (["--criteria", "c.yaml", "--tier", "minimun"], "'minimum'"),
        (["--criteria", "lost.yaml"], "lost.yaml: cannot be read"),
        (["--baseline", "lost"], "lost: no run of this name"),
        (["--baseline", "*.csv"], "--baseline *.csv: 2 runs; expected one run"),
        (["--column", "x"], "--column"),
        (["--settings", "lost.toml"], "lost.toml: no such file"),
        (["--reader", "lost"], "lost"),
    ],
)
def test_what_cannot_be_used_could_not_be_judged(here: Path, arguments: list[str], says: str) -> None:
    """And the files that a build collects say so as well, in place of those of the last build."""
    (here / "c.yaml").write_text("tiers: {minimum: [r2 > 0.5]}\n")
    (here / "j.xml").write_text("<old/>")
    code, _, err = check("good.csv", "--junit", "j.xml", *arguments)
    assert code == 2
    assert says in err
    assert len(err.splitlines()) == 1
    assert ET.parse(here / "j.xml").getroot().get("errors") == "1"


def test_baseline_by_name_and_path(here: Path) -> None:
    write_run(here / "kept" / "good.csv", noise=0.4, seed=1)
    code, out, _ = check("good.csv", "--baseline", "good", "--logs", "kept")
    assert code == 1
    assert "baseline.r2: R² went from " in out
    assert "worse than good beyond noise" in out
    assert check("good.csv", "--baseline", "kept/good.csv")[1] == out
    code, out, _ = check("kept/good.csv", "--baseline", "good.csv")
    assert code == 0
    assert "better than good beyond noise" in out


def test_every_file_is_written_whole(here: Path) -> None:
    outputs = ("--junit", "out/j.xml", "--sarif", "out/s.json", "--comment", "out/c.md")
    code, _, _ = check("good.csv", "bad.csv", *outputs)
    assert code == 1
    assert sorted(p.name for p in (here / "out").iterdir()) == ["c.md", "j.xml", "s.json"]
    assert ET.parse(here / "out" / "j.xml").getroot().get("failures") == "1"
    assert json.loads((here / "out" / "s.json").read_text())["version"] == "2.1.0"
    assert (here / "out" / "c.md").read_text().startswith("<!-- runreport -->\n### runreport: of 2 runs 1 failed")
    first = {p.name: p.read_bytes() for p in (here / "out").iterdir()}
    check("good.csv", "bad.csv", *outputs)
    assert {p.name: p.read_bytes() for p in (here / "out").iterdir()} == first


def test_a_place_that_cannot_be_written(here: Path) -> None:
    code, _, err = check("good.csv", "--junit", "good.csv/j.xml")
    assert code == 2
    assert "cannot be written" in err


def test_github_annotates_and_adds_to_the_summary(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "summary.md").write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(here / "summary.md"))
    code, out, err = check("good.csv", "bad.csv", "--github")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    stop = lines[0].removeprefix("::stop-commands::")
    resumed = lines.index(f"::{stop}::")
    assert all(not line.startswith("::") for line in lines[1:resumed])
    assert lines[resumed + 1].startswith("::error file=bad.csv,title=bad%3A bias.dominates::")
    text = (here / "summary.md").read_text()
    assert text.startswith("before\n### runreport: of 2 runs 1 failed\n")


def test_github_elsewhere_says_that_there_is_no_summary(here: Path) -> None:
    code, _, err = check("good.csv", "--github")
    assert code == 0
    assert "GITHUB_STEP_SUMMARY is not set" in err


def test_a_name_is_no_command_to_the_build_system(here: Path) -> None:
    """Notes about a file go to stderr as they come, and begin with its name: between stop and resume."""
    (here / "::add-mask::x.csv").write_text("epoch,val_loss\n1,0.5\n2,0.")
    result = subprocess.run(
        [sys.executable, "-m", "runreport", "check", "::add-mask::x.csv", "--github"],
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        check=False,
    )
    lines = result.stdout.splitlines()
    resumed = lines.index(f"::{lines[0].removeprefix('::stop-commands::')}::")
    for line in lines[resumed + 1 :]:
        assert not line.startswith("::") or re.match(r"::(error|warning) file=[^:,]*,(line=\d+,)?title=[^:,]*::", line)


def test_a_fault_of_ours_is_not_a_failed_run(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("runreport.gate.judge.judge_run", broken)
    code, _, err = check("good.csv")
    assert code == 2
    assert "RuntimeError: broken" in err
    assert "this is a fault of runreport itself" in err
