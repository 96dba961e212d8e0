"""What the commands print, where, and what they load."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from runreport.cli import app

HISTORY = "epoch,val_loss,r2,variance_ratio\n" + "".join(
    f"{i},{1 / i:.4f},{0.5 - 1 / i:.4f},0.6\n" for i in range(1, 9)
)
PREDICTIONS = "y_true,y_pred\n" + "".join(f"{i % 10},{(i * 7) % 10}\n" for i in range(60))
COMMANDS = ("analyze", "compare", "check", "verify", "watch", "formats", "rules", "explain", "init")
HEAVY = ("polars", "numpy", "scipy", "altair", "vl_convert", "jinja2", "yaml", "torch", "pyarrow", "pandas")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    logs = tmp_path / "logs" / "csv"
    logs.mkdir(parents=True)
    for name in ("run1", "run2"):
        (logs / f"{name}.csv").write_text(HISTORY)
        (logs / f"predictions_{name}.csv").write_text(PREDICTIONS)
    return tmp_path


def python(code: str, *, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=cwd,
        env=os.environ | {"OMP_NUM_THREADS": "1", "NO_COLOR": "1"} | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["analyze", "--help"], ["compare", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom runreport.cli import app\n"
        f"try:\n    app({arguments!r})\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        f"loaded = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    result = python(code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(("Usage: ", "runreport "))


def test_every_command_and_option_has_help() -> None:
    assert [command.name for command in app.registered_commands] == list(COMMANDS)
    for command in app.registered_commands:
        assert command.callback is not None
        assert command.help
        assert "Example: runreport" in command.help
        signature = inspect.signature(command.callback, eval_str=True)
        assert signature.parameters
        for name, parameter in signature.parameters.items():
            described = [m for m in parameter.annotation.__metadata__ if getattr(m, "help", None)]
            assert described, f"{command.name} {name} has no help"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_what_the_command_takes(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"Usage: runreport {command}" in result.stdout.replace("root", "runreport")
    assert "Example:" in result.stdout


def test_reports_go_to_files_and_their_places_to_stdout(here: Path) -> None:
    result = CliRunner().invoke(app, ["analyze", "logs/csv/*.csv", "--out", "reports", "--quiet"])
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == ["reports/run1.md", "reports/run2.md"]
    assert result.stderr == ""
    assert sorted(p.name for p in (here / "reports").iterdir()) == [
        *("run1.history.svg", "run1.md", "run1.predictions.svg"),
        *("run2.history.svg", "run2.md", "run2.predictions.svg"),
    ]


def test_without_charts_no_picture_is_written_or_shown(here: Path) -> None:
    result = CliRunner().invoke(app, ["analyze", "logs/csv", "--out", "reports", "--no-charts"])
    assert result.exit_code == 0
    assert sorted(p.name for p in (here / "reports").iterdir()) == ["run1.md", "run2.md"]
    assert "![" not in (here / "reports" / "run1.md").read_text()


def test_json_is_all_that_is_on_stdout(here: Path) -> None:
    (here / "logs" / "csv" / "half.csv").write_text(HISTORY + "9,0.")
    result = CliRunner().invoke(app, ["analyze", "logs/csv", "--format", "json"])
    assert result.exit_code == 0
    document = json.loads(result.stdout, parse_constant=pytest.fail)
    assert document["schema_version"] == "1.0"
    assert [run["run"] for run in document["runs"]] == ["half", "run1", "run2"]
    assert document["comparison"]["runs"][0]["run"] == "half"
    assert "cut off" in result.stderr
    assert not (here / "reports").exists()


def test_json_is_also_written_where_asked(here: Path) -> None:
    result = CliRunner().invoke(app, ["analyze", "logs/csv/run1.csv", "--format", "json", "--out", "a/b.json"])
    assert (here / "a" / "b.json").read_text(encoding="utf-8") == result.stdout
    assert json.loads(result.stdout)["comparison"] is None


def test_compare_looks_names_up_in_the_default_folders(here: Path) -> None:
    (here / "example_logs" / "csv").mkdir(parents=True)
    (here / "example_logs" / "csv" / "run3.csv").write_text(HISTORY)
    result = CliRunner().invoke(app, ["compare", "run1", "run3", "--out", "reports"])
    assert result.exit_code == 0, result.stderr
    assert "run1" in result.stdout
    assert "run3 has no predictions" in result.stdout
    assert result.stderr == "report: reports/comparison.md\n"
    assert (
        (here / "reports" / "comparison.md")
        .read_text()
        .startswith("# Comparison of run1 and run3: no ranking by R² is supported\n")
    )


def test_compare_takes_paths_and_other_folders(here: Path) -> None:
    (here / "old").mkdir()
    (here / "old" / "run9.csv").write_text(HISTORY)
    result = CliRunner().invoke(app, ["compare", "run9", "logs/csv/run1.csv", "--logs", "old", "--format", "json"])
    assert result.exit_code == 0
    assert [run["run"] for run in json.loads(result.stdout)["comparison"]["runs"]] == ["run9", "run1"]


def test_rules_and_explain() -> None:
    listed = CliRunner().invoke(app, ["rules"]).stdout.splitlines()
    ids = [line.split()[0] for line in listed]
    assert "collapse.onset" in ids
    assert len(set(ids)) == len(ids)
    catalogue = json.loads(CliRunner().invoke(app, ["rules", "--json"]).stdout)
    assert len(catalogue["rules"] if isinstance(catalogue, dict) else catalogue) == len(ids)
    assert all(f"{name}" in CliRunner().invoke(app, ["rules", "--markdown"]).stdout for name in ids)
    for name in ids:
        result = CliRunner().invoke(app, ["explain", name])
        assert result.exit_code == 0
        assert name in result.stdout


def test_the_same_input_gives_the_same_bytes_whatever_the_hash_seed(here: Path) -> None:
    code = "from runreport.cli import app\napp(['analyze', 'logs/csv', '--out', OUT, '-q'])"
    written = []
    for seed in ("1", "4242"):
        out = here / f"out{seed}"
        result = python(f"OUT = {out.name!r}\n{code}", cwd=here, PYTHONHASHSEED=seed)
        assert result.returncode == 0, result.stderr
        written.append({p.name: p.read_bytes() for p in sorted(out.iterdir())})
    assert len(written[0]) == 6
    assert written[0] == written[1]


def test_a_closed_pipe_ends_quietly(here: Path) -> None:
    code = "from runreport.cli import main\nimport sys\nsys.argv = ['runreport', 'rules', '--markdown']\nmain()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
        assert process.wait() in (0, 1, 141)


def test_the_command_is_a_typer_application() -> None:
    assert isinstance(app, typer.Typer)
    assert CliRunner().invoke(app, []).exit_code in (0, 2)
    assert CliRunner().invoke(app, ["nonsense"]).exit_code == 2
