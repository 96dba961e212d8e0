"""The action, the hook and the examples: they call what there is, and inputs reach it as they were given."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from runreport.cli import app

ACTION = Path(".github/actions/runreport")
INPUTS = {"PATHS": "a.csv", "FAIL_ON": "critical"} | dict.fromkeys(
    ("CRITERIA", "TIER", "BASELINE", "JUNIT", "SARIF", "COMMENT", "OPTIONS"), ""
)


def options() -> set[str]:
    command = typer.main.get_command(app)
    check = command.commands["check"]  # type: ignore[attr-defined]
    return {name for parameter in check.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}


def parsed(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def run_check(repository: Path, folder: Path, code: int = 0, **inputs: str) -> tuple[int, list[str], str]:
    """(exit code, arguments that the command got, outputs) of the action's script, with a command that notes them."""
    command = folder / "runreport-venv" / "bin" / "runreport"
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(f'#!/usr/bin/env bash\nprintf "%s\\0" "$@" > "$RUNNER_TEMP/arguments"\nexit {code}\n')
    command.chmod(0o755)
    given = {f"INPUT_{key}": value for key, value in (INPUTS | inputs).items()}
    result = subprocess.run(
        ["bash", str(repository / ACTION / "check.sh")],
        env={"PATH": os.environ["PATH"], "RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(folder / "out")} | given,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert result.stderr == ""
    arguments = (folder / "arguments").read_text().split("\0")[:-1]
    return result.returncode, arguments, (folder / "out").read_text()


def test_every_input_of_the_action_reaches_its_script(repository: Path) -> None:
    action = parsed(repository / ACTION / "action.yml")
    assert action["runs"]["using"] == "composite"
    handed = {}
    for step in action["runs"]["steps"]:
        assert "${{" not in step["run"], "an input in a script's text would be run as code"
        handed |= step["env"]
    assert {f"INPUT_{name.upper().replace('-', '_')}" for name in action["inputs"]} == set(handed)
    for name in action["inputs"]:
        assert handed[f"INPUT_{name.upper().replace('-', '_')}"] == f"${{{{ inputs.{name} }}}}"
        assert action["inputs"][name]["description"]
    scripts = "".join((repository / ACTION / name).read_text() for name in ("install.sh", "check.sh"))
    assert set(re.findall(r"INPUT_\w+", scripts)) == set(handed)
    assert set(re.findall(r"--[a-z-]+(?= )", (repository / ACTION / "check.sh").read_text())) <= options()


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_the_script_passes_on_what_was_given(repository: Path, tmp_path: Path) -> None:
    code, arguments, output = run_check(repository, tmp_path)
    assert (code, output) == (0, "exit-code=0\n")
    assert arguments == ["check", "--github", "--fail-on", "critical", "--", "a.csv"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_the_script_runs_nothing_that_an_input_holds(repository: Path, tmp_path: Path) -> None:
    hostile = "$(touch pwned) `touch pwned`; touch pwned * \"'"
    code, arguments, output = run_check(
        repository,
        tmp_path,
        code=1,
        PATHS=f"logs/*.csv\n\n{hostile}\n--github",
        BASELINE=hostile,
        TIER=f"minimum\n{hostile}",
        OPTIONS="--group\nflight name",
    )
    assert code == 1
    assert output == "exit-code=1\n"
    assert arguments == [
        *("check", "--github", "--fail-on", "critical", "--baseline", hostile, "--tier", "minimum", "--tier", hostile),
        *("--group", "flight name", "--", "logs/*.csv", hostile, "--github"),
    ]
    assert not (tmp_path / "pwned").exists()


def test_the_hook_calls_a_command_there_is(repository: Path) -> None:
    (hook,) = yaml.safe_load((repository / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["entry"] == "runreport check"
    assert hook["require_serial"] is True
    assert re.search(hook["files"], "a/logs/csv/run4.csv")
    assert not re.search(hook["files"], "data/table.csv")


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_the_examples_use_options_there_are(repository: Path, name: str) -> None:
    text = (repository / "templates" / "ci" / f"{name}.yml").read_text(encoding="utf-8")
    yaml.safe_load(text)
    (call,) = [m[1] for m in re.finditer(r"(?:run: |- )(runreport check .*)", text)]
    used = [word for word in shlex.split(call) if word.startswith("--")]
    assert set(used) <= options()
    assert {"--baseline", "--criteria"} <= set(re.findall(r"(?<=: )--[a-z-]+", text)) & options()
    page = (repository / "docs" / "ci.md").read_text(encoding="utf-8")
    assert f"`runreport init --ci {name}`" in page
