"""The Python interface: what a notebook gets, and what importing it costs."""

from __future__ import annotations

import doctest
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

import runreport as rr

HEAVY = ("polars", "numpy", "scipy", "altair", "vl_convert", "jinja2", "yaml", "markdown_it", "rich", "typer")
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>](javascript:alert(3))"


class Tags(HTMLParser):
    """The tags of a fragment with their attributes, and whether each that was opened was closed."""

    VOID = frozenset(("img", "br", "hr"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:  # <img ... />
            return
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def report(repository: Path) -> rr.Report:
    return rr.analyze(repository / "example_logs" / "csv" / "run4.csv")


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, runreport\n"
        f"heavy = [m for m in {HEAVY!r} if m in sys.modules]\nassert not heavy, heavy\n"
        "assert set(runreport.__all__) <= set(dir(runreport))\n"
        "for name in runreport.__all__: assert getattr(runreport, name).__doc__, name\n"
        "try:\n    runreport.nothing\nexcept AttributeError as error:\n    assert 'nothing' in str(error)\n"
    )
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_names_are_no_modules_of_the_package(repository: Path) -> None:
    """A module of that name would take the name's place as soon as it is imported."""
    modules = {path.stem for path in (repository / "runreport").iterdir()}
    assert not modules & (set(rr.__all__) - {"Run"})


def test_the_page_says_what_happens(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    failed, tried = doctest.testfile(
        str(repository / "docs" / "api.md"), module_relative=False, optionflags=doctest.ELLIPSIS, encoding="utf-8"
    )
    assert failed == 0
    assert tried > 15


def test_every_public_attribute_is_on_the_page(repository: Path) -> None:
    page = (repository / "docs" / "api.md").read_text(encoding="utf-8")
    for name in [n for n in dir(rr.Report) if not n.startswith("_")]:
        assert re.search(rf"\b{name}\b", page), name
    for name in rr.__all__:
        assert name in page or name == "Run"


def test_frames_hold_what_the_document_holds(report: rr.Report) -> None:
    document = report.document
    assert report.findings["rule"].to_list() == [f["rule"] for f in document["findings"]]
    assert report.findings["severity"].to_list() == [f["severity"] for f in document["findings"]]
    assert report.not_checked["rule"].to_list() == [n["rule"] for n in document["not_checked"]]
    values = dict(report.metrics.select("metric", "value").iter_rows())
    assert values["r2"] == document["final"]["r2"]
    low, high = report.metrics.filter(pl.col("metric") == "r2").select("low", "high").row(0)
    assert [low, high] == list(document["final"]["intervals"]["r2"])
    assert report.history["epoch"].to_list() == list(range(1, 17))
    assert report.criteria.height == 9
    assert report.advice.height == len(document["advice"])
    assert json.dumps(document, allow_nan=False)


def test_severity_sorts_by_how_much_it_matters(report: rr.Report) -> None:
    assert (
        report.findings["severity"].to_list() == report.findings.sort("severity", descending=True)["severity"].to_list()
    )


def test_charts_are_specifications(report: rr.Report) -> None:
    assert list(report.charts) == ["history", "predictions"]
    for chart in report.charts.values():
        assert chart.to_dict()["$schema"].startswith("https://vega.github.io/schema/vega-lite/")


def test_a_notebook_gets_the_summary_and_the_pictures(report: rr.Report) -> None:
    html = report._repr_html_()
    tags = Tags(html)
    assert tags.open == []
    pictures = [attributes["src"] or "" for tag, attributes in tags.seen if tag == "img"]
    assert len(pictures) == 2
    assert all(source.startswith("data:image/svg+xml;base64,") for source in pictures)
    assert "Executive summary" in html.partition("<details>")[0]
    assert html.count("<details>") > 4
    assert report._repr_markdown_() == report.markdown()
    assert report.markdown().startswith("# run4: ")
    assert "![" not in report.markdown()


def test_saved_as_the_command_saves_it(report: rr.Report, tmp_path: Path) -> None:
    path = report.save(tmp_path / "reports")
    assert path == tmp_path / "reports" / "run4.md"
    assert sorted(p.name for p in path.parent.iterdir()) == ["run4.history.svg", "run4.md", "run4.predictions.svg"]


def test_a_page_for_a_browser(report: rr.Report, tmp_path: Path) -> None:
    path = report.save(tmp_path, form="html")
    assert path.name == "run4.html"
    assert path.read_text(encoding="utf-8") == report.html()
    assert report.html().lower().startswith("<!doctype html>")
    assert "![" in report.save(tmp_path, form="embedded").read_text(encoding="utf-8")
    with pytest.raises(rr.InputError, match="form='pdf'"):
        report.save(tmp_path / "x", form="pdf")  # type: ignore[arg-type]
    assert not (tmp_path / "x").exists()


def test_names_from_files_are_text_in_a_notebook(tmp_path: Path) -> None:
    name = HOSTILE.replace("/", "")
    rows = "".join(f"{e},{1 / e},0.{e}\n" for e in range(1, 9))
    (tmp_path / f"{name}.csv").write_text('epoch,val_loss,"' + HOSTILE + '"\n' + rows)
    (tmp_path / f"predictions_{name}.csv").write_text(
        f'y_true,y_pred,"{HOSTILE}_name"\n' + "".join(f"{i},{i % 7},{HOSTILE}{i // 9}\n" for i in range(72))
    )
    report = rr.analyze(tmp_path / f"{name}.csv")
    for html in (report._repr_html_(), rr.compare_runs(report, *_other(tmp_path))._repr_html_()):
        tags = Tags(html)
        assert tags.open == []
        assert "script" not in {tag for tag, _ in tags.seen}
        for tag, attributes in tags.seen:
            assert not [a for a in attributes if a.startswith("on")]
            assert tag != "img" or (attributes["src"] or "").startswith("data:image/svg+xml;base64,")
            assert "javascript" not in (attributes.get("href") or "")
    assert len(repr(report.analysis.run)) < 200


def _other(folder: Path) -> list[Path]:
    (folder / "other.csv").write_text("epoch,val_loss\n" + "".join(f"{e},{1 / e}\n" for e in range(1, 9)))
    return [folder / "other.csv"]


def test_what_cannot_be_used_is_said(tmp_path: Path, repository: Path, report: rr.Report) -> None:
    logs = repository / "example_logs" / "csv"
    with pytest.raises(rr.InputError, match=r"8 runs \(healthy, run1, run2, \.\.\.\); expected one; use load_all"):
        rr.load(logs)
    with pytest.raises(rr.InputError, match="no such file"):
        rr.load(tmp_path / "lost.csv")
    with pytest.raises(rr.InputError, match="compare_runs: 1 run; expected two or more"):
        rr.compare_runs(report)
    with pytest.raises(rr.InputError, match="two runs called 'run4'"):
        rr.compare_runs(report, report)
    with pytest.raises(rr.InputError, match="no such file"):
        rr.analyze(logs / "run4.csv", settings=tmp_path / "lost.toml")


def test_settings_criteria_and_group_are_used(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('disable = ["spread.over"]\n')
    (tmp_path / "c.yaml").write_text("tiers: {mine: [r2 > 0.5]}\n")
    path = repository / "example_logs" / "csv" / "run4.csv"
    report = rr.analyze(path, settings=tmp_path / "s.toml", criteria=tmp_path / "c.yaml", group="flight_name")
    assert "spread.over" not in report.findings["rule"].to_list()
    assert report.criteria.select("tier", "asks", "verdict").rows() == [("mine", "r2 > 0.5", "not met")]
    assert report.analysis.final is not None
    assert report.analysis.final.group_column == "flight_name"


def test_the_working_folder_changes_nothing(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: rr.Report
) -> None:
    (tmp_path / "runreport.toml").write_text('disable = ["spread.over"]\n')
    monkeypatch.chdir(tmp_path)
    assert (
        rr.analyze(repository / "example_logs" / "csv" / "run4.csv").document["findings"] == report.document["findings"]
    )


def test_a_run_without_a_log_or_predictions(tmp_path: Path) -> None:
    (tmp_path / "bare.csv").write_text("epoch,val_loss\n1,0.5\n2,nan\n")
    report = rr.analyze(tmp_path / "bare.csv")
    assert report.history["val_loss"].is_nan().to_list() == [False, True]
    assert report.metrics["value"].null_count() > 0
    (tmp_path / "predictions_only.csv").write_text("y_true,y_pred\n" + "".join(f"{i},{i % 5}\n" for i in range(40)))
    only = rr.analyze(tmp_path / "predictions_only.csv")
    assert only.history.height == 0
    assert list(only.charts) == ["predictions"]
    assert "<div" in only._repr_html_()
