"""Bad input: one clear line each, exit code 2, and every other run of the call is reported all the same."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from runreport.cli import app

HISTORY = "epoch,val_loss,r2,variance_ratio\n" + "".join(
    f"{i},{1 / i:.4f},{0.5 - 1 / i:.4f},0.6\n" for i in range(1, 9)
)

BAD: dict[str, tuple[str, str | bytes, tuple[str, ...]]] = {
    "empty": ("bad.csv", "", ("an empty file", "expected a header line")),
    "header only": ("bad.csv", "epoch,val_loss\n", ("only a header", "expected at least one row")),
    "missing column": ("bad.csv", "epoch,foo\n1,2\n", ("epoch, foo", "expected at least one of", "--column")),
    "text in a number": ("bad.csv", "epoch,r2\n1,oops\n", ("'oops'", "'r2'", "line 2", "expected a number")),
    "no epoch": ("bad.csv", "epoch,r2\n,0.5\n", ("no epoch number", "line 2")),
    "ragged": ("bad.csv", "epoch,r2\n1,2,3\n2,3\n", ("3 cells on line 2", "expected 2")),
    "binary": ("bad.csv", b"epoch\x00\x01", ("binary data", "expected a text table")),
    "pointer": ("bad.csv", "version https://git-lfs.github.com/spec/v1\n", ("Git LFS pointer", "git lfs pull")),
    "no truth": ("predictions_bad.csv", "y_pred\n1\n", ("no truth column", "--truth FILE --key COLUMN")),
    "all NaN": ("predictions_bad.csv", "y_true,y_pred\n1,nan\n", ("none of the 1 rows", "may have diverged")),
    "not JSON": ("metrics_bad.json", "{", ("not JSON", "expected a JSON object")),
    "another JSON": ("metrics_bad.json", "[1]", ("a JSON list", "expected a JSON object")),
    "text for a metric": ("metrics_bad.json", '{"r2": "high"}', ("'high' under 'r2'", "expected a number")),
    "not parquet": ("epoch_predictions_bad.parquet", b"PAR1", ("cannot be read as parquet", "expected a parquet file")),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with one good run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.csv").write_text(HISTORY)
    return tmp_path


def runreport(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert not list(Path().rglob("*.part"))
    return result


def error_line(result: Result) -> str:
    """The one line about the error."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("runreport: ")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    return lines[0]


@pytest.mark.parametrize("case", BAD)
def test_one_line_exit_2_and_the_others_are_reported(here: Path, case: str) -> None:
    name, content, words = BAD[case]
    (here / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    result = runreport("analyze", name, "good.csv", "--out", "out", "--no-charts")
    assert result.exit_code == 2
    line = error_line(result)
    assert line.startswith(f"runreport: {name}: ")
    assert all(word in line for word in words), line
    assert [p.name for p in (here / "out").iterdir()] == ["good.md"]
    assert "1 reported, 1 not" in result.stderr


@pytest.mark.parametrize("case", BAD)
def test_the_same_as_json(here: Path, case: str) -> None:
    name, content, _ = BAD[case]
    (here / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    result = runreport("analyze", name, "good.csv", "--format", "json")
    assert result.exit_code == 2
    assert [run["run"] for run in json.loads(result.stdout)["runs"]] == ["good"]


def test_damaged_per_epoch_predictions_stop_their_run_only(here: Path) -> None:
    path = here / "epoch_predictions_bad.parquet"
    pl.DataFrame({"epoch": [1] * 9000, "y_true": [0.5, 1.5, 2.0] * 3000, "y_pred": [1.0] * 9000}).write_parquet(path)
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = bytes(len(content) // 2 - 4)
    path.write_bytes(content)
    result = runreport("analyze", str(here), "--out", "out", "-q", "--no-charts")
    assert result.exit_code == 2
    assert "epoch_predictions_bad.parquet: cannot be read as parquet" in error_line(result)
    assert result.stdout == "out/good.md\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("one.csv", "epoch,val_loss\n1,0.5\n"),
        ("nan.csv", "epoch,val_loss,r2\n1,nan,nan\n2,inf,-inf\n3,nan,nan\n"),
        ("half.csv", HISTORY + "9,0."),
        ("missing.csv", "epoch,val_loss\n1,\n2,\n"),
        ("constant.csv", "epoch,val_loss,r2,variance_ratio\n" + "".join(f"{i},1,0,0\n" for i in range(30))),
        ("absurd.csv", "epoch,r2,variance_ratio\n" + "".join(f"{i},{3},{-0.5}\n" for i in range(30))),
        (
            "overflow.csv",
            "epoch,val_loss,r2,variance_ratio\n" + "".join(f"{i},1e{20 * i},-1e300,1e300\n" for i in range(9)),
        ),
        ("predictions_one.csv", "y_true,y_pred\n1,2\n"),
        ("predictions_two.csv", "y_true,y_pred\n1,2\n2,1\n"),
        ("predictions_flat.csv", "y_true,y_pred\n" + "1,2\n3,2\n" * 20),
        ("predictions_same.csv", "y_true,y_pred\n" + "1,2\n1,3\n" * 20),
        ("predictions_perfect.csv", "y_true,y_pred\n" + "".join(f"{i},{i}\n" for i in range(40))),
        (
            "predictions_nameless.csv",
            "y_true,y_pred,flight_name\n" + "".join(f"{i},{i % 7},{'ab'[i % 2] if i % 3 else ''}\n" for i in range(60)),
        ),
        (
            "metrics_odd.json",
            '{"r2": 0.1, "variance_ratio": -1, "num_samples": 0, "split": 5, "date": 5, "policy": [1], "splits": 3}',
        ),
        (
            "metrics_huge.json",
            '{"r2": -1e308, "variance_ratio": 1e308, "true_mean": -1e308, "true_std": 1e-320, "mae": 1}',
        ),
        (
            "metrics_marks.json",
            '{"r2": 0.1, "date": "\\ud800|<b>", "config": {"\\ud800": "a|b", "loss": "x`y", "learning_rate": "z"}}',
        ),
    ],
)
def test_strange_but_readable_runs_are_reported_without_undefined_numbers(here: Path, name: str, content: str) -> None:
    (here / name).write_text(content)
    result = runreport("analyze", name, "--out", "out")
    assert result.exit_code == 0, result.stderr
    (report,) = (here / "out").glob("*.md")
    text = report.read_text(encoding="utf-8")
    assert not {"nan", "-nan"} & set(re.findall(r"[^\s|`*()\[\],]+", text.lower()))
    document = runreport("analyze", name, "--format", "json")
    assert document.exit_code == 0
    assert len(json.loads(document.stdout, parse_constant=pytest.fail)["runs"]) == 1


def test_a_half_written_last_line_is_said(here: Path) -> None:
    (here / "half.csv").write_text(HISTORY + "9,0.")
    result = runreport("analyze", "half.csv", "--out", "out", "--no-charts")
    assert result.exit_code == 0
    assert "half: the last line (line 10) is cut off and was left out" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.csv"], ("nothing.csv", "no such file or folder", "check the path")),
        (["no*.csv"], ("no*.csv", "no log matches", "logs/csv/run1.csv")),
        ([""], ("an empty path",)),
        (["x" * 400], ("cannot be looked up",)),
        (["empty"], ("empty", "no runs in this folder", "expected history CSVs")),
        (["notes.txt"], ("notes.txt", "no line names an epoch", "expected a history CSV")),
    ],
)
def test_nothing_to_report(here: Path, arguments: list[str], words: tuple[str, ...]) -> None:
    (here / "empty").mkdir()
    (here / "notes.txt").write_text("x")
    result = runreport("analyze", *arguments, "--out", "out")
    assert result.exit_code == 2
    assert all(word in error_line(result) for word in words)
    assert not (here / "out").exists()
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--column", "val_loss"], ("--column: 'val_loss'", "expected NAME=COLUMN")),
        (["--column", "val_los=r2"], ("unknown name 'val_los'", "'val_loss'")),
        (["--column", "val_loss=r3"], ("no column 'r3'", "epoch, val_loss, r2")),
        (["--criteria", "none.yaml"], ("none.yaml", "cannot be read (No such file or directory)")),
        (["--criteria", "good.csv"], ("good.csv", "no tiers", "expected tiers:")),
        (["--settings", "none.toml"], ("none.toml",)),
        (["--settings", "odd.toml"], ("odd.toml: unknown key 'treshold'", "expected 'thresholds'")),
        (["--settings", "rule.toml"], ("rule.toml: unknown rule 'collapse.onst'", "'collapse.onset'")),
    ],
)
def test_options_that_cannot_be_used(here: Path, arguments: list[str], words: tuple[str, ...]) -> None:
    (here / "odd.toml").write_text("treshold = 1\n")
    (here / "rule.toml").write_text('disable = ["collapse.onst"]\n')
    result = runreport("analyze", "good.csv", "--out", "out", *arguments)
    assert result.exit_code == 2
    assert all(word in error_line(result) for word in words), result.stderr
    assert not (here / "out").exists()


def test_a_group_that_is_not_there(here: Path) -> None:
    (here / "predictions_a.csv").write_text("y_true,y_pred,site\n" + "1,2,a\n2,1,b\n" * 20)
    result = runreport(
        "analyze", "predictions_a.csv", "good.csv", "--group", "sight", "--out", "out", "-q", "--no-charts"
    )
    assert result.exit_code == 2
    assert "no column 'sight'" in error_line(result)
    assert "'site'" in error_line(result) or "site" in error_line(result)
    assert result.stdout == "out/good.md\n"


@pytest.mark.parametrize("out", ["taken", "taken/deeper", "x" * 300])
@pytest.mark.parametrize("form", ["md", "json"])
def test_output_that_cannot_be_written(here: Path, out: str, form: str) -> None:
    (here / "taken").write_text("a file")
    result = runreport("analyze", "good.csv", "--out", out, "--format", form)
    assert result.exit_code == 2
    line = error_line(result)
    assert out in line
    assert "cannot be written" in line
    assert "choose a writable folder" in line
    assert (here / "taken").read_text() == "a file"
    assert result.stdout == ""


def test_a_report_whose_place_is_taken_by_a_folder(here: Path) -> None:
    (here / "out" / "good.md").mkdir(parents=True)
    result = runreport("analyze", "good.csv", "--out", "out", "--no-charts")
    assert result.exit_code == 2
    assert "out/good.md: cannot be written" in error_line(result)


def test_names_that_are_not_utf8(here: Path) -> None:
    name = os.fsdecode(b"w\xffrd.csv")
    (here / name).write_text(HISTORY)
    (here / os.fsdecode(b"b\xfed.csv")).write_text("")
    assert runreport("analyze", name, "--out", "out").exit_code == 0
    document = runreport("analyze", name, "--format", "json")
    assert json.loads(document.stdout)["runs"][0]["files"]["history"] == name
    bad = runreport("analyze", os.fsdecode(b"b\xfed.csv"))
    assert "an empty file" in error_line(bad)
    assert error_line(bad).isprintable()


def test_a_next_config_needs_one_run_and_its_config(here: Path) -> None:
    (here / "other.csv").write_text(HISTORY)
    two = runreport("analyze", "good.csv", "other.csv", "--out", "out", "-q", "--no-charts", "--next", "next.yaml")
    assert two.exit_code == 2
    assert "--next: 2 runs; expected one run" in error_line(two)
    lost = runreport("analyze", "lost.csv", "--out", "out", "--next", "next.yaml")
    assert lost.exit_code == 2
    assert "lost.csv: no such file" in error_line(lost)
    assert "--next" not in lost.stderr
    without = runreport("analyze", "good.csv", "--out", "out", "-q", "--no-charts", "--next", "next.yaml")
    assert without.exit_code == 2
    assert "no config in its metrics file" in error_line(without)
    assert not (here / "next.yaml").exists()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["good", "god"], ("god: no run of this name", "'good'", "--logs")),
        (["good", "zzz"], ("zzz: no run of this name",)),
        (["good"], ("1 run; expected two or more",)),
        (["good", "good"], ("1 run; expected two or more",)),
        (["good.csv", "nothing.csv", "./none/"], ("no run of this name",)),
    ],
)
def test_compare_refuses_in_one_line_each(here: Path, names: list[str], words: tuple[str, ...]) -> None:
    result = runreport("compare", *names, "--logs", ".")
    assert result.exit_code == 2
    assert all(word in result.stderr for word in words)
    assert all(line.startswith("runreport: ") for line in result.stderr.splitlines())
    assert result.stdout == ""


def test_compare_reports_the_runs_that_can_be_read(here: Path) -> None:
    (here / "other.csv").write_text(HISTORY)
    (here / "bad.csv").write_text("")
    result = runreport("compare", "good", "other", "bad", "--logs", ".", "--format", "json")
    assert result.exit_code == 2
    assert "bad.csv: an empty file" in error_line(result)
    assert [run["run"] for run in json.loads(result.stdout)["comparison"]["runs"]] == ["good", "other"]


def test_an_unknown_rule_suggests_near_ones(here: Path) -> None:
    result = runreport("explain", "colapse.onset")
    assert result.exit_code == 2
    assert "'collapse.onset'" in error_line(result)
    assert "runreport rules" in error_line(result)
