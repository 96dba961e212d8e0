"""``runreport init``: what it writes, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from runreport.cli import app
from runreport.settings import find_settings, read_settings


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*arguments: str) -> tuple[int, list[str], str]:
    result = CliRunner().invoke(app, ["init", *arguments])
    return result.exit_code, result.stdout.splitlines(), result.stderr


def test_settings_alone(here: Path) -> None:
    assert init() == (0, ["runreport.toml"], "")
    found = find_settings(here)
    assert found is not None
    assert read_settings(found).thresholds == {}


@pytest.mark.parametrize(
    ("ci", "place"), [("github", ".github/workflows/runreport.yml"), ("gitlab", ".gitlab/runreport.yml")]
)
def test_an_example_for_ci(here: Path, ci: str, place: str) -> None:
    assert init("--ci", ci) == (0, ["runreport.toml", place], "")
    assert "runreport check " in (here / place).read_text(encoding="utf-8")


def test_what_is_there_is_kept(here: Path) -> None:
    (here / "runreport.toml").write_text("seed = 3\n")
    code, out, err = init()
    assert (code, out) == (2, [])
    assert err == "runreport: runreport.toml: there already, kept as it is; --force replaces it\n"
    assert (here / "runreport.toml").read_text() == "seed = 3\n"
    code, out, _ = init("--ci", "gitlab")
    assert (code, out) == (0, [".gitlab/runreport.yml"])
    assert (here / "runreport.toml").read_text() == "seed = 3\n"


def test_force_replaces(here: Path) -> None:
    (here / "runreport.toml").write_text("seed = 3\n")
    assert init("--force") == (0, ["runreport.toml"], "")
    assert "#: seed = " in (here / "runreport.toml").read_text()


def test_settings_in_a_pyproject_are_not_put_out_of_force(here: Path) -> None:
    (here / "pyproject.toml").write_text("[tool.runreport]\nseed = 3\n")
    code, out, err = init()
    assert (code, out) == (2, [])
    assert "[tool.runreport]" in err
    assert not (here / "runreport.toml").exists()


def test_a_place_that_cannot_be_written(here: Path) -> None:
    (here / "file").write_text("")
    code, _, err = init("--out", "file/folder")
    assert code == 2
    assert "cannot be written" in err
