"""The page as a reader has it: in a browser, on a phone and a desk, light and dark, with and without script, on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.compare.engine import compare_runs
from runreport.history import history_of
from runreport.ingest.load import load_runs
from runreport.report.comparison_files import write_comparison_files
from runreport.report.write import write_report
from runreport.run import Run

PAGES = ("run4", "healthy", "published", "diverged", "comparison", "sweep")


def read(*paths: Path) -> list[Analysis]:
    return [analyze_run(run) for run in load_runs([str(p) for p in paths]) if isinstance(run, Run)]


def diverged() -> Analysis:
    """A log whose losses leave the numbers."""
    epochs = list(range(1, 13))
    history = history_of(
        epochs,
        val_loss=[1.0, 2.0, 8.0, 60.0, 900.0, 1e5, 1e9, 1e20, *[float("nan")] * 4],
        train_loss=[1.0, 1.5, 7.0, 55.0, 800.0, 1e5, 1e9, 1e20, *[float("inf")] * 4],
        r2=[0.1, -1.0, -6.0, -90.0, -1e4, -1e6, -1e9, None, None, None, None, None],
    )
    return analyze_run(Run(name="diverged", format="native", files={}, history=history))


@pytest.fixture(scope="module")
def pages(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    logs = repository / "example_logs"
    two = read(logs / "csv" / "run4.csv", logs / "csv" / "healthy.csv")
    (published,) = [a for a in read(logs / "published") if a.run.name == "run4"]
    levels = sorted((logs / "lambda_sweep").glob("lambda_sweep-variance_lambda_*-seed_[123].csv"))
    sweep = read(*levels)
    comparison = compare_runs(two)
    written = [write_report(a, comparison, folder, a.run.name, charts=True, form="html") for a in two]
    written.append(write_report(published, None, folder, "published", charts=True, form="html"))
    written.append(write_report(diverged(), None, folder, "diverged", charts=True, form="html"))
    written.append(write_comparison_files(comparison, folder, form="html", analyses=two))
    written.append(write_comparison_files(compare_runs(sweep), folder, "sweep", form="html", analyses=sweep))
    return {w.report.stem: w.report for w in written}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "theme"), [(375, "light"), (375, "dark"), (1280, "light"), (1280, "dark")])
def test_pages_open_quietly_and_fit(
    pages: dict[str, Path], opened: Callable[..., Any], name: str, width: int, theme: str
) -> None:
    with opened(pages[name], width, theme) as seen:
        assert seen.messages == []
        assert seen.requests == [pages[name].as_uri()]
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        # What sticks out would be cut off: every chart ends inside the page.
        assert seen.page.evaluate(
            "[...document.querySelectorAll('.plot svg')].every(s => s.getBoundingClientRect().right <= innerWidth + 1)"
        )
        charts = seen.page.evaluate("document.querySelectorAll('.plot').length")
        assert charts > 0
        assert seen.page.evaluate("window.runreport.views.size") == charts
        background = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == ("rgb(255, 255, 255)" if theme == "light" else "rgb(20, 23, 28)")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "theme"), [(375, "dark"), (1280, "light")])
def test_no_serious_fault_of_accessibility(
    pages: dict[str, Path], opened: Callable[..., Any], axe: str, name: str, width: int, theme: str
) -> None:
    with opened(pages[name], width, theme) as seen:
        seen.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        seen.page.evaluate(axe)
        found = seen.page.evaluate(
            "axe.run(document, {resultTypes: ['violations', 'incomplete']})"
            ".then(r => r.violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html.slice(0, 120)).slice(0, 3)]))"
        )
        assert [v for v in found if v[0] in ("serious", "critical")] == []


def views(page: Any, script: str) -> Any:
    return page.evaluate(f"(() => {{ const views = window.runreport.views; return {script}; }})()")


def test_the_slider_moves_every_chart(pages: dict[str, Path], opened: Callable[..., Any]) -> None:
    with opened(pages["run4"]) as seen:
        page = seen.page
        before = views(page, "views.get('by-epoch').data('points').map(d => d.y_pred)")
        assert "Epoch 6 (saved)" in page.locator("#by-epoch-group output").inner_text()
        slider = page.locator("#epochs [data-epoch]")
        slider.focus()
        page.keyboard.press("End")  # by keyboard, as everything on the page can be
        until(page, "window.runreport.views.get('panel-r2').signal('at') === 16")
        assert "Epoch 16: R² -0.787" in page.locator("#epochs output").inner_text()
        assert "Epoch 16: R² -0.787" in page.locator("#by-epoch-group output").inner_text()
        assert page.locator("#by-epoch-group [data-epoch]").input_value() == "15"
        after = views(page, "views.get('by-epoch').data('points').map(d => d.y_pred)")
        assert len(after) == len(before)
        assert after != before
        line = views(page, "views.get('by-epoch').data('line')")
        assert len(line) == 2
        page.locator("#by-epoch-group [data-epoch]").focus()
        page.keyboard.press("Home")
        until(page, "window.runreport.views.get('panel-loss').signal('at') === 1")
        assert seen.messages == []


def until(page: Any, script: str) -> None:
    """Wait until a script is true. (The driver's own waiting evaluates text inside the page, which its policy forbids.)"""
    for _ in range(200):
        if page.evaluate(script):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never true: {script}")


def drag(page: Any, chart: str, start: float, end: float) -> None:
    """Drag over a chart, between two shares of its width."""
    place = page.locator(f'[data-chart="{chart}"] svg')
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    middle = box["y"] + box["height"] * 0.4
    page.mouse.move(box["x"] + box["width"] * start, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (start + end) / 2, middle, steps=4)
    page.mouse.move(box["x"] + box["width"] * end, middle, steps=4)
    page.mouse.up()


def test_brushing_the_strip_or_a_panel_shows_those_epochs_everywhere(
    pages: dict[str, Path], opened: Callable[..., Any]
) -> None:
    with opened(pages["run4"]) as seen:
        page = seen.page
        whole = [1, 16]
        assert page.evaluate("window.runreport.range()[0]") == whole
        drag(page, "overview", 0.5, 0.8)
        until(page, "window.runreport.range()[0][0] > 1")
        low, high = page.evaluate("window.runreport.range()[0]")
        assert 1 < low < high < 16
        for panel in ("panel-r2", "panel-ratio", "panel-loss", "panel-rate", "panel-gradient", "picks"):
            until(
                page,
                f"(() => {{ const d = window.runreport.views.get('{panel}').scale('x').domain();"
                f" return d[0] > 1 && d[1] < 16.5; }})()",
            )
        assert page.locator("[data-from]").input_value() == str(low)
        assert page.locator("[data-to]").input_value() == str(high)
        # The cut of the R² axis holds for the whole course only.
        assert views(page, "views.get('panel-r2').signal('cut')") is None
        page.locator("[data-all]").click()
        until(page, "window.runreport.views.get('panel-r2').signal('last') === 16")
        assert page.evaluate("window.runreport.range()[0]") == whole
        assert views(page, "views.get('panel-r2').signal('cut')") == -1
        drag(page, "panel-loss", 0.3, 0.55)
        until(page, "window.runreport.range()[0][1] < 16")
        first = page.evaluate("window.runreport.range()[0]")
        brush = views(page, "views.get('overview').signal('brush')")
        assert brush["epoch"] == pytest.approx(first, abs=0.01)  # the strip shows what was chosen elsewhere
        page.locator("[data-from]").fill("12")
        page.keyboard.press("Tab")
        page.keyboard.type("14")
        page.keyboard.press("Tab")
        until(page, "window.runreport.views.get('panel-loss').signal('first') === 12")
        assert page.evaluate("window.runreport.range()[0]") == [12, 14]
        assert seen.messages == []


def test_a_click_shows_the_epoch_under_it(pages: dict[str, Path], opened: Callable[..., Any]) -> None:
    with opened(pages["run4"]) as seen:
        page = seen.page
        place = page.locator('[data-chart="panel-ratio"] svg')
        place.scroll_into_view_if_needed()
        box = place.bounding_box()
        across = views(page, "views.get('panel-ratio').scale('x')(11) + views.get('panel-ratio').origin()[0]")
        page.mouse.click(box["x"] + across + 2, box["y"] + 60)
        until(page, "window.runreport.views.get('panel-r2').signal('at') === 11")
        assert "Epoch 11: R² -0.716" in page.locator("#epochs output").inner_text()
        assert page.evaluate("window.runreport.range()[0]") == [1, 16]


def test_on_a_phone_a_finger_scrolls_the_page_and_brushes_across(
    pages: dict[str, Path], opened: Callable[..., Any]
) -> None:
    with opened(pages["run4"], 375, has_touch=True, is_mobile=True) as seen:
        assert seen.page.evaluate("getComputedStyle(document.querySelector('.plot')).touchAction") == "pan-y pinch-zoom"
        assert seen.page.locator("[data-from]").is_visible()
        seen.page.locator("[data-from]").fill("5")
        seen.page.locator("[data-from]").press("Tab")
        until(seen.page, "window.runreport.range()[0][0] === 5")


def test_tables_of_a_comparison_sort(pages: dict[str, Path], opened: Callable[..., Any]) -> None:
    with opened(pages["comparison"]) as seen:
        page = seen.page

        def column() -> list[str]:
            return page.locator("#comparison tbody tr td:nth-child(4)").all_inner_texts()

        written = column()
        head = page.locator("#comparison th", has_text="R²")
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == "ascending"
        assert [float(v) for v in column()] == sorted(float(v) for v in written)
        head.locator("button").press("Enter")
        assert head.get_attribute("aria-sort") == "descending"
        assert [float(v) for v in column()] == sorted((float(v) for v in written), reverse=True)


def test_runs_can_be_taken_out_of_every_chart(pages: dict[str, Path], opened: Callable[..., Any]) -> None:
    with opened(pages["comparison"]) as seen:
        page = seen.page
        assert views(page, "views.get('taylor').signal('shown')") == ["run4", "healthy"]
        box = page.get_by_role("checkbox", name="run4")
        box.uncheck()
        for chart in ("course-r2", "course-variance-ratio", "course-val-loss", "taylor"):
            until(page, f"window.runreport.views.get('{chart}').signal('shown').length === 1")
        lines = page.locator('[data-chart="course-r2"] .mark-line path')
        until(page, "document.querySelectorAll('[data-chart=course-r2] .mark-line path').length === 1")
        assert lines.count() == 1
        box.check()
        until(page, "document.querySelectorAll('[data-chart=course-r2] .mark-line path').length === 2")


def test_the_theme_can_be_chosen(pages: dict[str, Path], opened: Callable[..., Any]) -> None:
    with opened(pages["healthy"], theme="dark") as seen:
        page = seen.page
        page.get_by_role("button", name="Switch to the light theme").click()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        line = page.evaluate("getComputedStyle(document.querySelector('[data-chart=panel-r2] .mark-line path')).stroke")
        assert line == "rgb(11, 107, 179)"
        page.get_by_role("button", name="Switch to the dark theme").click()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"


def test_without_script_text_tables_and_drawings_are_there(pages: dict[str, Path], opened: Callable[..., Any]) -> None:
    with opened(pages["run4"], java_script_enabled=False) as seen:
        page = seen.page
        assert page.locator("h1").inner_text().startswith("The learning rate never left its warm-up")
        assert page.locator(".plot svg").count() == 11
        first = page.locator('[data-chart="panel-r2"] .mark-line path').first
        assert first.bounding_box()["width"] > 200
        assert not page.locator(".range").is_visible()
        assert not page.locator(".slider").first.is_visible()
        assert not page.locator("#theme").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_on_paper_it_is_light_without_controls(
    pages: dict[str, Path], opened: Callable[..., Any], tmp_path: Path
) -> None:
    with opened(pages["run4"], theme="dark") as seen:
        page = seen.page
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not page.locator(".side").is_visible()
        assert not page.locator(".range").is_visible()
        assert page.locator("#summary").is_visible()
        page.pdf(path=str(tmp_path / "run4.pdf"), format="A4")
        assert (tmp_path / "run4.pdf").read_bytes().startswith(b"%PDF")
