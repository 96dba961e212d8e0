"""A comparison on disk: the page, with the charts of its factors beside it; and its lines for a terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runreport.compare.record import Comparison
from runreport.marks import clean
from runreport.report.build import build_comparison
from runreport.report.markdown import render_markdown
from runreport.report.model import Figure, ReportModel
from runreport.report.sections.comparison import design_sentences
from runreport.report.sections.factor_sentences import answers, headline
from runreport.report.sections.factors import factor_name, factor_sections, noise_sentence, sampling_sentence
from runreport.report.write import Written, write_text
from runreport.wording import listing


def design_report(comparison: Comparison, figures: dict[int, Figure] | None = None) -> ReportModel:
    """The comparison's report with a section a factor before the runs."""
    report = build_comparison(comparison)
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


def write_comparison_files(comparison: Comparison, folder: Path, name: str = "comparison") -> Written:
    """``<name>.md`` and, where the runs form a design, ``<name>.factor-1.svg`` and so on, in ``folder``."""
    figures: dict[int, Figure] = {}
    paths: list[Path] = []
    if comparison.effects:
        from runreport.report.charts import to_svg
        from runreport.report.charts_factors import factor_chart

        for i, effect in enumerate(comparison.effects):
            chart = factor_chart(effect, comparison.finals)
            if chart is not None:
                path = folder / f"{name}.factor-{i + 1}.svg"
                write_text(path, to_svg(chart))
                paths.append(path)
                setting = factor_name(effect.factor)
                shown = (
                    f"R² and std ratio at each level of {setting}: a dot for each run, the means and their intervals"
                )
                figures[i] = Figure(file=path.name, alt=shown)
    report = folder / f"{name}.md"
    write_text(report, render_markdown(design_report(comparison, figures)))
    return Written(name=name, report=report, charts=tuple(paths))


def design_lines(comparison: Comparison) -> list[str]:
    """What each factor changed, for a terminal: the answers, their noise, and whether they hold on other samples."""
    return [
        clean(text)
        for effect in comparison.effects
        for text in (*answers(effect), noise_sentence(effect), sampling_sentence(effect))
    ]
