"""The summary on a terminal: in its width, on its height, in its characters."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.cli.encoding import NAME, spell_out
from runreport.compare.engine import compare_runs
from runreport.context import history_of
from runreport.ingest.load import load_runs
from runreport.report.drawing import ASCII, BLOCKS, glyphs_for, sparkline
from runreport.report.terminal import print_comparison, print_run, run_lines
from runreport.run import Run

DRAWN = set(BLOCKS.ticks + BLOCKS.full + BLOCKS.half)


@pytest.fixture(scope="module")
def analyses(repository: Path) -> list[Analysis]:
    folder = repository / "example_logs" / "csv"
    runs = list(load_runs([str(folder / f"{name}.csv") for name in ("run1", "run4", "healthy")]))
    return [analyze_run(run) for run in runs if isinstance(run, Run)]


def shown(
    width: int, *analyses: Analysis, encoding: str = "utf-8", written: str | None = "reports/run.md"
) -> list[str]:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="strict", newline="\n")
    screen = Console(
        file=file, width=width, highlight=False, emoji=False, markup=False, force_terminal=True, no_color=True
    )
    for analysis in analyses:
        print_run(screen, analysis, written)
    file.flush()
    return re.sub(r"\x1b\[[0-9;]*m", "", raw.getvalue().decode(encoding)).splitlines()


@pytest.mark.parametrize("width", [60, 72, 80, 100, 132, 200])
def test_it_fits_every_width(analyses: list[Analysis], width: int) -> None:
    for analysis in analyses:
        lines = shown(width, analysis)
        assert max(len(line.rstrip()) for line in lines) <= width
        assert len(lines) <= 24, "a screen of 24 lines"
        text = " ".join(" ".join(lines).split())
        assert f"report {'reports/run.md'}" in text
        assert "R²" in text
        assert "std ratio" in text
        assert " next " in text


def test_every_finding_keeps_its_rule_and_no_word_is_cut(analyses: list[Analysis]) -> None:
    run4 = analyses[1]
    lines = shown(60, run4)
    words = set(" ".join(line.text for line in run_lines(run4, "reports/run.md")).split())
    assert set(" ".join(lines).replace(" ...", "").split()) - words <= {
        w for w in lines for w in w.split() if DRAWN & set(w)
    }
    for finding in run4.findings[:4]:
        assert any(f" {finding.rule}: " in line for line in lines)


def test_a_pipe_gets_whole_lines(analyses: list[Analysis]) -> None:
    lines = [line.text for line in run_lines(analyses[1], "reports/run4.md")]
    (finding,) = [line for line in lines if " spread.over: " in line]
    assert finding.endswith("would give back 0.411 R².")
    assert "..." not in finding


def test_without_bars_the_figures_are_said(analyses: list[Analysis]) -> None:
    text = "\n".join(line.text for line in run_lines(analyses[1], None, drawn=False))
    assert not DRAWN & set(text)
    assert "1 - R² = 1.842: 0.999 missing information, 0.431 wrong mean, 0.412 wrong spread" in text
    assert "R² -6.43 to -0.432, saved -0.432" in text


def test_an_early_outlier_does_not_flatten_the_curve(analyses: list[Analysis]) -> None:
    history = history_of(range(1, 11), r2=[-400.0, *[0.1 * e for e in range(9)]])
    analysis = replace(analyses[2], context=replace(analyses[2].context, history=history, saved_epoch=None))
    (line,) = [line.text for line in run_lines(analysis, None) if "R² " in line.text and "to" in line.text]
    assert len(set(line) & set(BLOCKS.ticks)) > 4
    assert line.endswith("-400 to 0.800; cut at -1")


def test_characters_that_the_output_has(analyses: list[Analysis]) -> None:
    assert glyphs_for("utf-8") is BLOCKS
    for encoding in ("cp1252", "cp437", "ascii", "nonsense", None):
        assert glyphs_for(encoding) is ASCII
    assert sparkline([0.0, 1.0], ticks=ASCII.ticks) == ".@"
    assert len(set(ASCII.ticks)) == len(BLOCKS.ticks)
    assert (ASCII.ticks + ASCII.full + ASCII.half).isascii()


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "cp932", "utf-8"])
def test_no_encoding_is_an_error(repository: Path, tmp_path: Path, encoding: str) -> None:
    """Windows writes pipes and files in its own code page; a σ must not end the program there."""
    log = repository / "example_logs" / "csv" / "run4.csv"
    result = subprocess.run(
        [sys.executable, "-m", "runreport", "analyze", str(log), "--no-charts", "--out", str(tmp_path)],
        cwd=repository,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr.decode(encoding)
    text = result.stdout.decode(encoding)
    assert "variance-ratio penalty" in text
    assert bool(DRAWN & set(text)) == (encoding == "utf-8")
    if encoding == "cp1252":
        assert "(lambda = 0.500" in text


def test_unknown_characters_become_question_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    spell_out()
    assert sys.stdout.errors == NAME
    sys.stdout.write("σ ≥ 2, 雪")
    sys.stdout.flush()
    assert raw.getvalue() == b"sigma >= 2, ?"


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_comparison_keeps_its_runs_names(analyses: list[Analysis], width: int) -> None:
    file = io.StringIO()
    screen = Console(file=file, width=width, highlight=False, emoji=False, markup=False)
    print_comparison(screen, compare_runs(analyses))
    lines = file.getvalue().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width
    for name in ("run1", "run4", "healthy"):
        assert any(line.startswith(name) for line in lines)
    assert ("Not shown in this width: " in file.getvalue()) == (width < 70)
    assert "R²" in lines[0]
