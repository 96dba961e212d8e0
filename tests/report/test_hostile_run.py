"""A run in which every text that comes from a file is hostile: its whole report opens no markup of theirs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.compare.engine import compare_runs
from runreport.ingest.load import load_runs
from runreport.report.build import build_comparison, build_report
from runreport.report.json import document, to_json
from runreport.report.markdown import render_markdown
from runreport.report.terminal import print_comparison, print_run
from runreport.run import Run

HOSTILE = "<img src=x onerror=alert(1)>](http://a.example)|`*_#\x1b[31m\n## x"
NAMES = ("# <b>one</b> [a](b)|`c`", "--- **two** \x1b]0;x\x07 _ <!--")
SECTIONS = {
    "Executive summary", "Final results", "Prediction distribution", "Training progression", "Key observations",
    "Root cause", "Early stopping", "Comparison", "Success criteria", "Recommended next steps", "Files and artifacts",
    "Not checked", "The runs",
}  # fmt: skip
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.fixture(scope="module")
def analyses(tmp_path_factory: pytest.TempPathFactory) -> list[Analysis]:
    folder = tmp_path_factory.mktemp("hostile")
    rng = np.random.default_rng(5)
    truth = rng.normal(1.0, 0.5, 96)
    for number, name in enumerate(NAMES):
        header = f"Epoch,{quoted('Val/Loss')},r2,variance_ratio,lr,{quoted(HOSTILE)}\n"
        rows = "".join(f"{e},{1 / e},{0.4 - 1 / e},{0.5 / e**0.5},0.001,3\n" for e in range(1, 20))
        (folder / f"{name.replace('/', '')}.csv").write_text(
            header + rows + rows.splitlines()[-1].replace("0.001", "0.002") + "\n"
        )
        pred = truth * 0.3 + rng.normal(0, 0.4, 96) + number
        body = "".join(
            f"{t},{p},{quoted(HOSTILE + str(i // 8))}\n" for i, (t, p) in enumerate(zip(truth, pred, strict=True))
        )
        (folder / f"predictions_{name.replace('/', '')}.csv").write_text(f"target,pred,{quoted('<i>_name')}\n" + body)
        metrics = {
            "r2": 0.9, "date": HOSTILE, "split": HOSTILE, "selected_epoch": 7, "selected_by": HOSTILE,
            "policy": {"monitor": HOSTILE, "patience": 3},
            "config": {"loss": HOSTILE, "variance_lambda": 0.5, "batch_size": 8, HOSTILE: HOSTILE + str(number),
                       "optimizer": [HOSTILE]},
        }  # fmt: skip
        (folder / f"metrics_{name.replace('/', '')}.json").write_text(json.dumps(metrics))
    runs = [item for item in load_runs([str(folder)]) if isinstance(item, Run)]
    assert len(runs) == 2
    return [analyze_run(run) for run in runs]


def assert_harmless(text: str) -> None:
    tokens = PARSER.parse(text)
    kinds = {t.type for t in tokens} | {c.type for t in tokens for c in t.children or []}
    forbidden = {"html_block", "html_inline", "link_open", "code_block", "blockquote_open", "em_open", "s_open"}
    assert kinds & forbidden == set()
    assert "\x1b" not in text
    assert not any("\ue000" <= c <= "\ue003" for c in text)
    headings = [tokens[i + 1].content for i, t in enumerate(tokens) if t.type == "heading_open" and t.tag == "h2"]
    assert headings
    assert all(any(h.startswith(s) for s in SECTIONS) for h in headings), headings
    assert sum(t.type == "heading_open" for t in tokens) == len(headings) + 1
    for token in tokens:
        for child in token.children or []:
            if child.type == "image":
                assert str(child.attrs["src"]).endswith(".svg")
    assert all("\n## " not in t.content for t in tokens if t.type == "fence")


def test_the_report_of_each_run(analyses: list[Analysis]) -> None:
    comparison = compare_runs(analyses)
    for analysis in analyses:
        figures = {"history": "x.history.svg", "predictions": "x.predictions.svg"}
        text = render_markdown(build_report(analysis, comparison, figures))
        assert_harmless(text)
        assert text.count("\n# ") == 0
        assert "<img" in text.replace("\\<", "<")  # the name is there, as text


def test_the_comparison(analyses: list[Analysis]) -> None:
    assert_harmless(render_markdown(build_comparison(compare_runs(analyses))))


def test_the_tables_keep_their_columns(analyses: list[Analysis]) -> None:
    tokens = PARSER.parse(render_markdown(build_report(analyses[0], compare_runs(analyses))))
    widths: list[int] = []
    columns = 0
    for token in tokens:
        if token.type == "table_open":
            widths, columns = [], 0
        elif token.type in ("th_open", "td_open"):
            columns += 1
        elif token.type == "tr_close":
            widths.append(columns)
            columns = 0
        elif token.type == "table_close":
            assert len(set(widths)) == 1, widths
    # A row that broke out of its table would stand as text with its bars.
    paragraphs = [
        t.content for i, t in enumerate(tokens) if t.type == "inline" and tokens[i - 1].type == "paragraph_open"
    ]
    assert not [p for p in paragraphs if p.startswith("|")]


def test_the_terminal_gets_no_control_characters(analyses: list[Analysis], capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    screen = Console(highlight=False, emoji=False, markup=False, width=100)
    for analysis in analyses:
        print_run(screen, analysis, "x.md")
    print_comparison(screen, compare_runs(analyses))
    shown = capsys.readouterr().out
    assert shown
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert not any("\ue000" <= c <= "\ue003" for c in shown)


def test_the_json_is_strict_and_keeps_the_names(analyses: list[Analysis]) -> None:
    text = to_json(document(analyses, compare_runs(analyses)))
    read = json.loads(text, parse_constant=pytest.fail)
    assert [run["run"] for run in read["runs"]] == [a.run.name for a in analyses]
    assert not any("\ue000" <= c <= "\ue003" for c in text)


def test_the_files_stay_where_they_belong(analyses: list[Analysis], tmp_path: Path) -> None:
    from runreport.report.write import file_names, write_report

    names = file_names([a.run.name for a in analyses])
    written = [write_report(a, None, tmp_path / "out", n, charts=True) for a, n in zip(analyses, names, strict=True)]
    files = {p for p in tmp_path.rglob("*") if p.is_file()}
    assert files == {f for w in written for f in (w.report, *w.charts)}
    for name in names:
        assert name.replace("-", "").replace(".", "").replace("_", "").isalnum()
    for chart in (c for w in written for c in w.charts):
        svg = chart.read_text(encoding="utf-8")
        assert svg.startswith("<svg")
        assert "<img" not in svg
        assert "<script" not in svg
