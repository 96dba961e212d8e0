"""From an analysis to the model that every renderer gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from runreport.analysis.record import Analysis
from runreport.criteria.judge import tier_names, tier_verdict
from runreport.marks import clean, code, strong
from runreport.report.headline import headline
from runreport.report.model import ChartGroup, Omitted, ReportModel, Section
from runreport.report.sections import CLOSING, SECTIONS
from runreport.report.sections.comparison import comparison_sections, comparison_title
from runreport.report.sections.page import Page
from runreport.report.sections.results import highlights
from runreport.rules.penalty_facts import penalty_of
from runreport.wording import epoch, listing, plural, setting

if TYPE_CHECKING:
    from runreport.compare.record import Comparison

FOOTER = (
    "Written by runreport from the files named above. Intervals are 95 %. Severities: critical, warning, info. "
    "α = std of predictions / std of truth, r = correlation, β = mean error / std of truth; "
    "1 - R² = (1 - r²) + (α - r)² + β² (Murphy 1988)."
)


def build_report(
    analysis: Analysis,
    comparison: Comparison | None = None,
    figures: Mapping[str, str] | None = None,
    charts: Mapping[str, ChartGroup] | None = None,
) -> ReportModel:
    """A run's report: every section that has data, then what was not checked."""
    page = Page(analysis=analysis, comparison=comparison, figures=figures or {}, charts=charts or {})
    built = [build(page) for build in SECTIONS]
    omitted = [part for part in built if isinstance(part, Omitted)]
    sections = [part for part in built if isinstance(part, Section)]
    return ReportModel(
        title=headline(analysis),
        facts=tuple(_facts(analysis)),
        sections=(*sections, CLOSING(page, omitted)),
        footer=FOOTER,
        subject=clean(analysis.run.name),
        severity=analysis.worst.value if analysis.worst is not None else "",
        highlights=highlights(page),
    )


def build_comparison(comparison: Comparison, charts: ChartGroup | None = None) -> ReportModel:
    """A report on several runs beside each other; ``charts`` of them where the renderer has interactive ones."""
    names = [clean(n) for n in comparison.names]
    return ReportModel(
        title=comparison_title(comparison),
        facts=(plural(len(names), "run"), listing(names, most=12)),
        sections=tuple(comparison_sections(comparison, charts)),
        footer=FOOTER,
    )


def _facts(analysis: Analysis) -> list[str]:
    """Date, config, epochs, data and status, each only where it is known."""
    run = analysis.run
    facts = []
    date = run.summary.get("date")
    if isinstance(date, str):
        facts.append(clean(date)[:40])
    settings = _settings(analysis)
    if settings:
        facts.append(settings)
    if analysis.history is not None and len(analysis.history):
        first, last = analysis.history.epochs[0], analysis.history.epochs[-1]
        # Counted from 0 or in fractions, the last epoch's number is not how many there were.
        course = f"{epoch(last)} epochs" if first >= 1 else f"epochs {epoch(first)} to {epoch(last)}"
        saved = analysis.context.saved_epoch
        facts.append(course + (f", saved {epoch(saved)}" if saved is not None else ", saved epoch unknown"))
    if analysis.final is not None:
        n = f" n = {analysis.final.n}" if analysis.final.n is not None else ""
        facts.append(f"{analysis.final.split}{n}")
    tiers = tier_names(analysis.criteria)
    if tiers and any(j.value is not None for j in analysis.criteria):
        facts.append(strong(_standing({name: tier_verdict(analysis.criteria, name) for name in tiers})))
    return facts


def _standing(verdicts: Mapping[str, str]) -> str:
    """Which tiers are met, in a few words.

    >>> _standing({"minimum": "met", "good": "not met"}), _standing({"minimum": "not met", "good": "met"})
    ('meets the minimum tier, not good', 'meets the good tier, not minimum')
    >>> _standing({"minimum": "not met"}), _standing({"minimum": "cannot tell"})
    ('does not meet the minimum tier', 'cannot tell whether it meets the minimum tier')
    """
    named = {verdict: [clean(n) for n, v in verdicts.items() if v == verdict] for verdict in set(verdicts.values())}
    met, missed = named.get("met", []), named.get("not met", [])
    if met:
        tiers = f"the {listing(met)} {'tier' if len(met) == 1 else 'tiers'}"
        return f"meets {tiers}" + (f", not {listing(missed)}" if missed else "")
    first = clean(next(iter(verdicts)))
    return f"does not meet the {first} tier" if missed else f"cannot tell whether it meets the {first} tier"


def _penalty(analysis: Analysis) -> str | None:
    """The spread penalty as configured: its weight and course, and its name where the files tell its formula."""
    found, config = penalty_of(analysis.context), analysis.run.config
    if found is None or found.weight <= 0 or found.key is None:
        return None
    weight = analysis.context.config_number(found.key)
    if weight is None or weight <= 0:
        return None
    if found.kind is None:
        return f"a penalty of unknown form ({code(found.key)} = {setting(weight)})"
    course = config.get("lambda_schedule")
    scheduled = f", λ by {code(course)}" if isinstance(course, str) and course != "constant" else ""
    return f"{setting(weight)} × {found.label}{scheduled}"


def _settings(analysis: Analysis) -> str:
    """The settings that name an experiment: loss and penalty, learning rate, batch size."""
    config = analysis.run.config
    parts = []
    loss, penalty = config.get("loss"), _penalty(analysis)
    if isinstance(loss, str):
        parts.append(code(loss) + (f" + {penalty}" if penalty else ""))
    elif penalty:
        parts.append(penalty)
    for key, label in (("learning_rate", "rate"), ("batch_size", "batch")):
        value = analysis.context.config_number(key)
        if value is not None:
            parts.append(f"{label} {setting(value)}")
    return ", ".join(parts)
