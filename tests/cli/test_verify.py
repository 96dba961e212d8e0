"""``runreport verify`` as it is typed: exit codes, bad input, what it reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from runreport.cli.app import app

HISTORY = "epoch,train_loss,val_loss,r2,variance_ratio\n" + "".join(
    f"{e},{2 / e:.4f},{2.2 / e:.4f},{0.1 * e - 0.55:.4f},{0.05 * e + 0.21:.4f}\n" for e in range(1, 9)
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    logs = tmp_path / "logs" / "csv"
    logs.mkdir(parents=True)
    for name in ("run1", "run2"):
        (logs / f"{name}.csv").write_text(HISTORY)
    return tmp_path


def verify(text: str, *options: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["verify", "-", *options], input=text)
    return result.exit_code, result.stdout, result.stderr


def test_exit_codes(here: Path) -> None:
    assert verify("# run1\n\nR² at epoch 3: -0.25\n")[0] == 0
    assert verify("# run1\n\nR² at epoch 3: 0.9\n")[0] == 1
    assert verify("# Notes\n\nIt went well.\n")[0] == 2


def test_a_line_a_claim_as_compilers_write_them(here: Path) -> None:
    code, out, _ = verify("# run1\n\nR² at epoch 3: 0.9\n")
    assert code == 1
    assert out.splitlines() == [
        "standard input:3: contradicted: 0.9: the logs have -0.25 (validation, epoch 3) [R² at epoch 3: 0.9]",
        "standard input: 0 supported, 1 contradicted, 0 not checkable",
    ]


def test_only_the_runs_that_the_page_names_are_analysed(here: Path) -> None:
    assert "(validation, epoch 3)" in verify("# run1\n\nR² at epoch 3: 0.9\n")[1]
    assert "(run1, validation, epoch 3)" in verify("# run1\n\nR² at epoch 3: 0.9\n\nSee run2.\n")[1]


def test_the_run_can_be_named(here: Path) -> None:
    assert verify("R² at epoch 3: -0.25\n")[0] == 2
    assert verify("R² at epoch 3: -0.25\n", "--run", "run2")[0] == 0
    code, _, err = verify("R² at epoch 3: -0.25\n", "--run", "run3")
    assert code == 2
    assert "no run 'run3'" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.md"], "nowhere.md: no such file"),
        (["binary.md"], "not UTF-8 text"),
        (["page.md", "--logs", "empty"], "--logs: no run that could be read"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], said: str, here: Path) -> None:
    Path("binary.md").write_bytes(b"\xff\xfe\x00R")
    Path("page.md").write_text("# run1\n")
    Path("empty").mkdir()
    result = CliRunner().invoke(app, ["verify", *arguments])
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
