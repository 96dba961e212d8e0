"""A comparison on disk: the page, with the charts of its factors beside it; and its lines for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from runreport.analysis.record import Analysis
from runreport.compare.design import Effect
from runreport.compare.record import Comparison
from runreport.marks import clean
from runreport.report.build import build_comparison
from runreport.report.markdown import render_markdown
from runreport.report.model import ChartGroup, Figure, ReportModel
from runreport.report.sections.comparison import design_sentences
from runreport.report.sections.factor_sentences import answers, headline
from runreport.report.sections.factors import factor_name, factor_sections, noise_sentence, sampling_sentence
from runreport.report.write import Form, Written, data_uri, write_text
from runreport.wording import listing


def design_report(
    comparison: Comparison, figures: Mapping[int, Figure | ChartGroup] | None = None, charts: ChartGroup | None = None
) -> ReportModel:
    """The comparison's report with a section a factor before the runs; ``charts`` are of the runs beside each other."""
    report = build_comparison(comparison, charts)
    if not comparison.effects:
        return report
    if len(comparison.effects) == 1:
        title = headline(comparison.effects[0])
    else:
        title = f"What {listing([factor_name(e.factor) for e in comparison.effects], most=6)} changed"
    return replace(
        report,
        title=title,
        facts=tuple(design_sentences(comparison)),
        sections=(*factor_sections(comparison, figures), *report.sections),
    )


def write_comparison_files(
    comparison: Comparison,
    folder: Path,
    name: str = "comparison",
    *,
    form: Form = "md",
    analyses: Sequence[Analysis] = (),
) -> Written:
    """The comparison in ``folder``: ``<name>.md`` and, where the runs form a design, ``<name>.factor-1.svg`` and so on;
    or one file that holds its charts. The page shows the courses of those runs whose ``analyses`` are given."""
    if form == "html":
        return _write_page(comparison, folder, name, analyses)
    figures: dict[int, Figure] = {}
    paths: list[Path] = []
    if comparison.effects:
        from runreport.report.charts import to_svg
        from runreport.report.charts_factors import factor_chart

        for i, effect in enumerate(comparison.effects):
            chart = factor_chart(effect, comparison.finals)
            if chart is None:
                continue
            svg = to_svg(chart)
            path = folder / f"{name}.factor-{i + 1}.svg"
            if form == "md":
                write_text(path, svg)
                paths.append(path)
            figures[i] = Figure(file=path.name if form == "md" else data_uri(svg), alt=_factor_alt(effect))
    report = folder / f"{name}.md"
    write_text(report, render_markdown(design_report(comparison, figures)))
    return Written(name=name, report=report, charts=tuple(paths))


def _write_page(comparison: Comparison, folder: Path, name: str, analyses: Sequence[Analysis]) -> Written:
    from runreport.report.html import render_html
    from runreport.report.interactive.factors import factor_group
    from runreport.report.interactive.runs import run_group

    made = {i: factor_group(i, effect, comparison.finals) for i, effect in enumerate(comparison.effects)}
    figures = {i: group for i, group in made.items() if group is not None}
    report = folder / f"{name}.html"
    write_text(report, render_html(design_report(comparison, figures, run_group(analyses, comparison))))
    return Written(name=name, report=report)


def _factor_alt(effect: Effect) -> str:
    setting = factor_name(effect.factor)
    return f"R² and std ratio at each level of {setting}: a dot for each run, the means and their intervals"


def design_lines(comparison: Comparison) -> list[str]:
    """What each factor changed, for a terminal: the answers, their noise, and whether they hold on other samples."""
    return [
        clean(text)
        for effect in comparison.effects
        for text in (*answers(effect), noise_sentence(effect), sampling_sentence(effect))
    ]
