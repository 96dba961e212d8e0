"""What a shell meets: completion, pipes that close early, a full disk, help that can be followed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from runreport.cli import app
from runreport.cli.complete import DEFAULT_LOGS, readers, rule_ids, runs
from runreport.ingest.load import DEFAULT_LOGS as LOOKED_UP

CODE = "import sys; sys.argv[0] = 'runreport'; from runreport.cli import main; main()"


def complete(shell: str, words: list[str], cwd: Path) -> str:
    """What the shell gets for these words, the last of which is being typed."""
    typed = {
        "bash": {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": " ".join(words)},
        "fish": {"_TYPER_COMPLETE_ARGS": " ".join(words), "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    result = subprocess.run(
        [sys.executable, "-c", CODE],
        env=os.environ | typed | {"_RUNREPORT_COMPLETE": f"complete_{shell}"},
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert result.stderr == ""
    return result.stdout


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "logs" / "csv"
    folder.mkdir(parents=True)
    for name in ("run1.csv", "run2.csv", "predictions_run1.csv", "metrics_run1.json", "run $(touch pwned).csv"):
        (folder / name).write_text("epoch,val_loss\n1,1\n")
    return tmp_path


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_completes_commands_rules_and_runs(here: Path, shell: str) -> None:
    assert "collapse.onset" in complete(shell, ["runreport", "explain", "coll"], here)
    assert "spread.over" not in complete(shell, ["runreport", "explain", "coll"], here)
    found = complete(shell, ["runreport", "compare", "run"], here)
    assert "run1" in found
    assert "run2" in found
    assert "pwned" not in found
    assert "analyze" in complete(shell, ["runreport", "ana"], here)


def test_values_of_options_are_completed(here: Path) -> None:
    assert complete("bash", ["runreport", "check", "x", "--baseline", "run2"], here) == "run2\n"
    assert complete("bash", ["runreport", "check", "x", "--fail-on", "w"], here) == "warning\n"
    assert complete("bash", ["runreport", "analyze", "x", "--reader", "tens"], here) == "tensorboard\n"
    assert complete("bash", ["runreport", "init", "--ci", ""], here) == "github\ngitlab\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_every_shell_gets_its_script(shell: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", CODE],
        env=os.environ | {"_RUNREPORT_COMPLETE": f"source_{shell}"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "_RUNREPORT_COMPLETE" in result.stdout


def test_names_come_from_where_the_command_looks(here: Path) -> None:
    assert tuple(Path(folder) for folder in DEFAULT_LOGS) == LOOKED_UP
    assert runs("") == ["run1", "run2"]
    assert runs("run2") == ["run2"]
    assert [name for name, _ in rule_ids("spread.")] == ["spread.under", "spread.over"]
    assert [name for name, _ in readers("mlflow")]


@pytest.mark.parametrize("arguments", [["rules"], ["--help"], ["analyze", "--help"], ["--version"], ["formats"]])
def test_a_reader_that_goes_away_ends_it_as_it_ends_other_tools(arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    result = subprocess.run(
        [sys.executable, "-c", CODE, *arguments], stdout=write, stderr=subprocess.PIPE, encoding="utf-8", check=False
    )
    os.close(write)
    assert (result.returncode, result.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [["rules"], ["--help"]])
def test_a_full_disk_costs_one_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-c", CODE, *arguments], stdout=full, stderr=subprocess.PIPE, encoding="utf-8", check=False
        )
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert "no space left" in result.stderr


def test_every_example_can_be_followed() -> None:
    """Commands and options that an example names exist, and every argument that must be given is given."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name, command in commands.items():
        examples = re.findall(r"(?:Example: |; for [\w ]+: )(runreport [^\n;]+)", command.help)
        assert examples, name
        for example in examples:
            words = shlex.split(example.partition(" > ")[0])
            known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
            assert words[1] in commands
            assert {w for w in words if w.startswith("-")} <= known
            with command.make_context(f"runreport {name}", words[2:], resilient_parsing=False) as context:
                assert context.params


def test_every_command_has_a_line_in_the_overview() -> None:
    for command in app.registered_commands:
        assert command.short_help
        assert len(command.short_help) <= 45
