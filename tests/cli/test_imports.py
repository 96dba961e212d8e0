"""No output imports a library that it does not need: most of the time of a small report is imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.profile_analyze import HEAVY

EXAMPLES = Path(__file__).resolve().parents[2] / "example_logs" / "csv"
TABLES = {"numpy", "polars"}
"""What predictions are read and resampled with."""


@pytest.mark.parametrize(
    ("arguments", "log", "needed"),
    [
        (["--format", "json"], "history", set()),
        (["--no-charts"], "history", {"jinja2"}),
        (["--format", "html", "--no-charts"], "history", {"jinja2"}),
        (["--format", "json"], "whole", TABLES),
        (["--no-charts"], "whole", {*TABLES, "jinja2"}),
        (["--format", "html", "--no-charts"], "whole", {*TABLES, "jinja2"}),
        (["--format", "html"], "history", {"jinja2", "vl_convert"}),
        ([], "history", {"jinja2", "altair", "vl_convert"}),
    ],
)
def test_an_output_imports_what_it_needs(tmp_path: Path, arguments: list[str], log: str, needed: set[str]) -> None:
    """``history``: a log alone; ``whole``: with its predictions, and those of its epochs."""
    path = EXAMPLES / "run4.csv"
    if log == "history":
        (tmp_path / "alone.csv").write_bytes(path.read_bytes())
        path = tmp_path / "alone.csv"
    command = ["analyze", str(path), *arguments, "--out", str(tmp_path / "out")]
    code = (
        "import sys\nfrom runreport.cli import app\n"
        f"try:\n    app({command!r})\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stderr.splitlines()[-1].split()) == needed
