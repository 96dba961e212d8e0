"""The HTML page without a browser: whole in one file, the same bytes, the Markdown's sentences, and nobody else's markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import warnings
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.cli import app
from runreport.compare.engine import compare_runs
from runreport.context import EpochPredictions
from runreport.history import history_of
from runreport.ingest.load import load_runs
from runreport.report.build import build_comparison, build_report
from runreport.report.charts import stable_svg
from runreport.report.html import chart_groups, render_html, rich, script_json
from runreport.report.interactive.by_epoch import MOST_NUMBERS, by_epoch_group, sampled_rows
from runreport.report.interactive.runs import run_group, styles
from runreport.report.interactive.taylor import Point
from runreport.report.markdown import render_markdown
from runreport.report.model import ReportModel
from runreport.report.write import page_charts, write_report
from runreport.run import Run

VOID = {"meta", "br", "input", "img"}
PARSER = MarkdownIt("commonmark").enable(["table"])


class Page(HTMLParser):
    """Elements, scripts and text of a page; fails on a tag that closes another than was open."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == [], self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif "style" not in self.open and "svg" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


@pytest.fixture(scope="module")
def run4(repository: Path) -> Analysis:
    (run,) = load_runs([str(repository / "example_logs" / "csv" / "run4.csv")])
    assert isinstance(run, Run)
    return analyze_run(run)


@pytest.fixture(scope="module")
def healthy(repository: Path) -> Analysis:
    (run,) = load_runs([str(repository / "example_logs" / "csv" / "healthy.csv")])
    assert isinstance(run, Run)
    return analyze_run(run)


@pytest.fixture(scope="module")
def model(run4: Analysis, healthy: Analysis) -> ReportModel:
    return build_report(run4, compare_runs([run4, healthy]), charts=page_charts(run4))


@pytest.fixture(scope="module")
def html(model: ReportModel) -> str:
    return render_html(model)


@pytest.fixture(scope="module")
def comparison_html(run4: Analysis, healthy: Analysis) -> str:
    comparison = compare_runs([run4, healthy])
    return render_html(build_comparison(comparison, run_group([run4, healthy], comparison)))


def test_nothing_is_fetched(html: str, comparison_html: str) -> None:
    for text in (html, comparison_html):
        page = Page(text)
        for tag, given in page.tags:
            assert tag not in ("link", "iframe", "object", "embed", "base", "form")
            for name in ("src", "srcset", "data", "action", "xlink:href"):
                assert name not in given, (tag, given)
            assert (given.get("href") or "#").startswith("#")
            assert not [name for name in given if name.startswith("on")]
        style = re.search(r"<style>(.*?)</style>", text, re.S)
        assert style is not None
        assert "url(" not in style[1]
        assert "@import" not in style[1]


def test_the_policy_names_the_scripts_and_no_address(html: str) -> None:
    page = Page(html)
    policy = next(g["content"] for t, g in page.tags if t == "meta" and "http-equiv" in g)
    assert policy is not None
    code = [text for given, text in page.scripts if given.get("type") != "application/json"]
    assert len(code) == 2
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in code]
    (allowed,) = re.findall(r"script-src ([^;]*);", policy)
    assert set(allowed.split()) == {f"'sha256-{h}'" for h in hashes}
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy
    assert "unsafe-eval" not in policy


def test_same_input_same_bytes_alone_and_after_others(run4: Analysis, healthy: Analysis, tmp_path: Path) -> None:
    first = write_report(run4, None, tmp_path / "a", "run4", charts=True, form="html").report.read_bytes()
    drawn = {p.name: p.read_bytes() for p in write_report(run4, None, tmp_path / "a", "run4", charts=True).charts}
    write_report(healthy, None, tmp_path / "b", "healthy", charts=True)
    assert write_report(run4, None, tmp_path / "b", "run4", charts=True, form="html").report.read_bytes() == first
    again = {p.name: p.read_bytes() for p in write_report(run4, None, tmp_path / "b", "run4", charts=True).charts}
    assert drawn == again
    assert len(drawn) == 2
    assert [p.name for p in sorted((tmp_path / "b").iterdir()) if p.suffix == ".html"] == ["run4.html"]


def test_the_page_says_what_the_markdown_says(run4: Analysis, healthy: Analysis, html: str) -> None:
    """Every paragraph, item and cell of the Markdown stands on the page, word for word."""
    shown = Page(html).text.replace("\u00a0", " ")
    tokens = PARSER.parse(render_markdown(build_report(run4, compare_runs([run4, healthy]))))
    said = []
    for i, token in enumerate(tokens):
        if token.type != "inline":
            continue
        text = "".join(c.content if c.type != "softbreak" else " " for c in token.children or [])
        if tokens[i - 1].type == "paragraph_open" and i > 2 and tokens[i - 2].type == "list_item_open":
            # A finding ends with (severity, rule, test): on the page these are its badge and the fold of its evidence.
            text = re.sub(r" \((critical|warning|info), [a-z.-]+(, false discovery rate .*)?\)$", "", text)
        said += [part for part in (text.split(" · ") if tokens[i - 1].type == "paragraph_open" else [text]) if part]
    said[0] = said[0].removeprefix("run4: ")[1:]  # the title, whose run stands above it, with a capital
    assert len(said) > 200
    missing = [text for text in said if re.sub(r"\s+", " ", text) not in shown]
    assert missing == []


def test_the_verdict_is_on_top_and_the_budget_under_it(html: str) -> None:
    places = [html.index(mark) for mark in ("<h1>", 'id="summary"', 'class="budget"', 'class="tiles"', 'id="results"')]
    assert places == sorted(places)
    widths = [float(w) for w in re.findall(r'style="flex-grow:([\d.]+)"', html)]
    assert sum(widths) == pytest.approx(100, abs=0.02)
    assert widths == sorted(widths, reverse=True)


def test_every_chart_is_named_drawn_and_valid(model: ReportModel, run4: Analysis, healthy: Analysis, html: str) -> None:
    import altair as alt

    comparison = compare_runs([run4, healthy])
    beside = run_group([run4, healthy], comparison)
    assert beside is not None
    groups = [g for s in model.sections for g in chart_groups(s.blocks)]
    assert [g.id for g in groups] == ["samples", "epochs", "by-epoch-group"]
    charts = [c for g in (*groups, beside) for c in g.charts]
    assert [c.id for c in charts] == [
        "predictions", "distribution", "residuals", "overview", "panel-r2", "panel-ratio", "panel-loss", "panel-rate",
        "panel-gradient", "picks", "by-epoch", "course-r2", "course-variance-ratio", "course-val-loss", "taylor",
    ]  # fmt: skip
    for chart in charts:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # altair warns of a format that is older or newer than its own
            alt.Chart.from_dict(json.loads(json.dumps(chart.spec)))
        assert len(chart.alt) > 40
        assert chart.svg.startswith("<svg")
        assert "http" not in chart.svg.replace("http://www.w3.org/", "")
    assert sorted(re.findall(r'data-chart="([^"]*)"', html.partition("<script>")[0])) == sorted(
        c.id for g in groups for c in g.charts
    )
    ids = re.findall(r'\bid="([^"]+)"', html.partition("<script>")[0])
    assert len(ids) == len(set(ids))
    for used in re.findall(r"url\(#([^)]+)\)", html.partition("<script>")[0]):
        assert used in ids


def test_panels_hold_the_log(run4: Analysis, model: ReportModel) -> None:
    groups = {g.id: g for s in model.sections for g in chart_groups(s.blocks)}
    history = run4.history
    assert history is not None
    panel = next(c for c in groups["epochs"].charts if c.id == "panel-r2")
    data = panel.spec["data"]
    assert isinstance(data, dict)
    assert [row["r2"] for row in data["values"]] == pytest.approx(list(history.get("r2")), rel=1e-5)
    assert panel.note == "Cut at -1 (lowest: -6.43); choose a range of epochs to see it uncut."
    assert panel.table is not None
    assert [row[0] for row in panel.table.rows] == [str(e) for e in history.epochs]
    state = groups["epochs"].state
    assert state is not None
    assert (state["epochs"], state["at"]) == (list(range(1, 17)), 5)
    picks = next(c for c in groups["epochs"].charts if c.id == "picks").spec["data"]
    assert isinstance(picks, dict)
    assert run4.selection is not None
    assert [(r["policy"], r["epoch"]) for r in picks["values"]] == [
        (p.policy, p.epoch) for p in run4.selection.picks if p.epoch is not None
    ]


def test_the_slider_shows_each_epochs_predictions(run4: Analysis) -> None:
    group = by_epoch_group(run4)
    held = run4.context.epoch_predictions
    assert group is not None
    assert held is not None
    assert group.state is not None
    assert group.state["epochs"] == list(held.epochs)
    pages = group.state["y_pred"]
    assert isinstance(pages, list)
    assert np.array(pages) == pytest.approx(held.y_pred, rel=1e-5)
    said = group.state["said"]
    assert isinstance(said, list)
    truth, pred = held.y_true, held.y_pred[2]
    r2 = 1 - ((pred - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
    assert said[2].startswith(f"Epoch 3: R² {r2:.3f}, std ratio {100 * pred.std() / truth.std():.1f} %, ")
    assert said[5].startswith("Epoch 6 (saved): ")
    line = group.state["line"]
    assert isinstance(line, list)
    slope = np.polyfit(pred, truth, 1)[0]
    (low, high) = line[2]
    assert (high["y_true"] - low["y_true"]) / (high["y_pred"] - low["y_pred"]) == pytest.approx(slope, rel=1e-3)


def test_a_large_run_is_counted_and_sampled_and_says_so() -> None:
    from dataclasses import replace

    rng = np.random.default_rng(1)
    truth = rng.normal(size=50_000)
    frame = pl.DataFrame({"y_true": truth, "y_pred": 0.5 * truth + rng.normal(size=truth.size)})
    epochs = list(range(1, 1501))
    history = history_of(epochs, r2=[1 - 1 / e for e in epochs], val_loss=[1 / e for e in epochs])
    analysis = analyze_run(Run(name="large", format="native", files={}, history=history, predictions=frame))
    held = EpochPredictions(epochs=tuple(range(1, 61)), y_true=truth, y_pred=rng.normal(size=(60, truth.size)))
    analysis = replace(analysis, context=replace(analysis.context, epoch_predictions=held))
    charts = page_charts(analysis)
    samples = {c.id: c for c in charts["predictions"].charts}
    assert samples["predictions"].note == "50000 samples, counted in cells; a larger dot is more of them."
    layers = samples["predictions"].spec["layer"]
    assert isinstance(layers, list)
    assert sum(row["n"] for row in layers[0]["data"]["values"]) == truth.size
    slider = charts["by_epoch"].charts[0]
    assert slider.note == "500 of 50000 samples (1.0 %) are drawn, chosen at random (seed 0); the lines are of all."
    state = charts["by_epoch"].state
    assert state is not None
    pages = state["y_pred"]
    assert isinstance(pages, list)
    assert sum(len(page) for page in pages) <= MOST_NUMBERS
    assert {len(page) for page in pages} == {500}
    panel = next(c for c in charts["history"].charts if c.id == "panel-r2")
    assert "epochs are drawn." in panel.note
    assert len(render_html(build_report(analysis, charts=charts))) < 3_000_000


def test_sampled_rows_are_the_same_each_time() -> None:
    assert sampled_rows(5, 9).tolist() == [0, 1, 2, 3, 4]
    drawn = sampled_rows(1000, 10)
    assert drawn.tolist() == sampled_rows(1000, 10).tolist()
    assert len(set(drawn.tolist())) == 10
    assert sorted(drawn.tolist()) == drawn.tolist()


def test_a_taylor_point_keeps_its_distances() -> None:
    for r, ratio in ((0.5, 0.8), (-0.3, 1.4), (1.0, 1.0), (0.0, 0.0)):
        point = Point(run="a", series="a", r=r, ratio=ratio)
        assert np.hypot(point.x, point.y) == pytest.approx(ratio)
        assert np.hypot(point.x - 1, point.y) == pytest.approx(point.error)
        # 1 - R² without bias, as the error budget has it.
        assert point.error**2 == pytest.approx((1 - r * r) + (ratio - r) ** 2)


def test_runs_differ_in_colour_or_dashes(run4: Analysis) -> None:
    from dataclasses import replace

    runs = [replace(run4, context=replace(run4.context, run=replace(run4.run, name=f"r{i}"))) for i in range(12)]
    look, order = styles(compare_runs(runs))
    assert order == tuple(f"r{i}" for i in range(12))
    assert len({(s.colour, s.dash) for s in look.values()}) == 12


def test_without_charts_the_page_is_small(run4: Analysis) -> None:
    text = render_html(build_report(run4))
    assert len(text) < 150_000
    assert "vega" not in text.replace("vegaEmbed", "").replace("vega-embed", "")
    assert Page(text).scripts[-1][1].startswith('"use strict"')


def test_text_is_never_markup() -> None:
    assert str(rich("</script><b onclick='x'>&amp;")) == "&lt;/script&gt;&lt;b onclick=&#39;x&#39;&gt;&amp;amp;"
    held = str(script_json({"a": "</script><!--<script>\u2028", "b": [1.5, None, True]}))
    assert not set("<>&\u2028") & set(held)
    assert json.loads(held) == {"a": "</script><!--<script>\u2028", "b": [1.5, None, True]}
    with pytest.raises(ValueError, match="Out of range float"):
        script_json(float("nan"))


def test_drawings_number_their_ids_from_one() -> None:
    svg = '<g id="clip81" clip-path="url(#clip80)"/><clipPath id="clip80"/><text x="1.23456">0.123456 url(#x)</text>'
    assert stable_svg(svg, "a-") == (
        '<g id="a-clip1" clip-path="url(#a-clip2)"/><clipPath id="a-clip2"/><text x="1.23">0.123456 url(#x)</text>'
    )


def test_the_commands_write_one_file_each(repository: Path, tmp_path: Path) -> None:
    logs = repository / "example_logs" / "published"
    result = CliRunner().invoke(app, ["analyze", str(logs), "--format", "html", "--out", str(tmp_path / "out"), "-q"])
    assert result.exit_code == 0, result.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [f"run{i}.html" for i in range(1, 5)]
    assert result.stdout.splitlines() == [(tmp_path / "out" / f"run{i}.html").as_posix() for i in range(1, 5)]
    names = ["run1", "run2", "run4", "--logs", str(logs)]
    result = CliRunner().invoke(app, ["compare", *names, "--format", "html", "--out", str(tmp_path / "both")])
    assert result.exit_code == 0, result.stderr
    assert [p.name for p in (tmp_path / "both").iterdir()] == ["comparison.html"]
    page = Page((tmp_path / "both" / "comparison.html").read_text(encoding="utf-8"))
    assert "no ranking by R² is supported" in page.text
    wrong = CliRunner().invoke(app, ["analyze", str(logs), "--format", "html", "--embed"])
    assert wrong.exit_code == 2
    assert wrong.stderr == "runreport: --embed: with --format html; expected with --format md\n"


def test_embedded_markdown_holds_its_charts(repository: Path, tmp_path: Path) -> None:
    log = repository / "example_logs" / "csv" / "run4.csv"
    for option, folder in (["--embed"], "in"), ([], "beside"):
        result = CliRunner().invoke(app, ["analyze", str(log), "--out", str(tmp_path / folder), "-q", *option])
        assert result.exit_code == 0, result.stderr
    assert [p.name for p in (tmp_path / "in").iterdir()] == ["run4.md"]
    held = re.findall(
        r"!\[[^\]]*\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", (tmp_path / "in" / "run4.md").read_text()
    )
    drawn = [base64.b64decode(text) for text in held]
    beside = tmp_path / "beside"
    assert drawn == [(beside / f"run4.{kind}.svg").read_bytes() for kind in ("predictions", "history")]
    assert "![" in (beside / "run4.md").read_text()
    assert "](run4.history.svg)" in (beside / "run4.md").read_text()
