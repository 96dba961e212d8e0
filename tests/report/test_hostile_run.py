"""A run in which every text that comes from a file is hostile: its whole report opens no markup of theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markdown_it import MarkdownIt

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.compare.engine import compare_runs
from runreport.ingest.load import load_runs
from runreport.report.build import build_comparison, build_report
from runreport.report.comparison_files import write_comparison_files
from runreport.report.json import document, to_json
from runreport.report.markdown import render_markdown
from runreport.report.terminal import print_comparison, print_run
from runreport.report.write import file_names, write_report
from runreport.run import Run

HOSTILE = "<img src=x onerror=alert(1)>](http://a.example)|`*_#\x1b[31m\n## x"
NAMES = ("# <b>one</b> [a](b)|`c`", "--- **two** \x1b]0;x\x07 _ <!--")
SECTIONS = {
    "Executive summary", "Final results", "Prediction distribution", "Training progression", "Key observations",
    "Root cause", "Early stopping", "Comparison", "Success criteria", "Recommended next steps", "Files and artifacts",
    "Not checked", "The runs", "Differences, pair by pair", "Settings",
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
    # The only HTML is ours: what opens and closes a fold, with nothing but text in its summary.
    for token in tokens:
        if token.type == "html_block":
            assert re.fullmatch(r"<details>\n<summary>[^<>\n]*</summary>\n|</details>\n?", token.content), token.content
    kinds.discard("html_block")
    forbidden = {"html_inline", "link_open", "code_block", "blockquote_open", "em_open", "s_open"}
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


TAGS = {
    "html", "head", "meta", "title", "style", "body", "a", "div", "header", "span", "button", "nav", "ol", "ul", "li", "main",
    "p", "h1", "h2", "section", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "strong", "code", "details",
    "summary", "figure", "figcaption", "fieldset", "legend", "label", "input", "output", "footer", "script", "pre",
    "svg", "g", "path", "line", "text", "tspan", "rect", "defs", "clippath",
}  # fmt: skip
"""What the page's own templates and drawings are made of; ``img`` and ``b``, of which the names are full, are none of it."""


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.data: list[str] = []
        self.scripts = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.scripts += tag == "script"
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.data.append(data)


@pytest.fixture(scope="module")
def pages(analyses: list[Analysis], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("hostile-pages")
    comparison = compare_runs(analyses)
    written = [write_report(a, comparison, folder, f"run{i}", charts=True, form="html") for i, a in enumerate(analyses)]
    written.append(write_comparison_files(comparison, folder, form="html", analyses=analyses))
    return [w.report for w in written]


def test_the_page_has_its_own_markup_only(analyses: list[Analysis], pages: list[Path]) -> None:
    for path in pages:
        html = path.read_text(encoding="utf-8")
        read = Tags(html)
        assert read.tags <= TAGS
        assert not [name for name in read.attributes if name.startswith("on") or name in ("src", "xlink:href")]
        held = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.S)
        assert read.scripts == len(held) + 2
        for text in held:
            json.loads(text, parse_constant=pytest.fail)
            assert "<" not in text
        assert "\x1b" not in html
        assert not any("\ue000" <= c <= "\ue003" for c in html)
        assert "<b>one<b>" in "".join(read.data)  # the name is there, as text


@pytest.mark.parametrize("number", range(3))
def test_names_do_nothing_in_a_browser(pages: list[Path], opened: Callable[..., Any], number: int) -> None:
    with opened(pages[number]) as seen:
        page = seen.page
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        chart = page.locator(".plot svg").nth(3 if number < 2 else 0)
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        for share in (0.2, 0.5, 0.8):  # tooltips are made of the data, names included
            page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.3)
            page.wait_for_timeout(150)
        page.wait_for_timeout(300)
        assert seen.dialogs == []
        assert seen.messages == []
        assert seen.requests == [pages[number].as_uri()]
        assert page.evaluate("document.querySelectorAll('img, b, iframe, object, h2 b').length") == 0
        assert page.evaluate("[...document.querySelectorAll('a')].every(a => a.getAttribute('href').startsWith('#'))")
        assert "<b>one<b>" in page.evaluate("document.body.textContent")
