"""What each factor of a design changed: levels against the first, and a trend over ordered levels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from runreport.analysis.record import Analysis
from runreport.compare.design import METRICS, Contrast, Design, Effect, Estimate, Factor, Summary
from runreport.compare.over_seeds import summary, weighted
from runreport.compare.samples import Matched
from runreport.metrics.budget import error_budget
from runreport.statistics.multiple import holm

FEWEST_FOR_TREND = 3
"""Levels from which a trend says more than the one difference."""


def find_effects(design: Design, analyses: Sequence[Analysis], matched: Matched | str) -> tuple[Effect, ...]:
    """An effect a factor. ``matched``: the runs' predictions side by side for sampling noise, or why there are none."""
    figures = run_figures(design, analyses)
    found = [_effect(i, factor, design, figures) for i, factor in enumerate(design.factors)]
    from runreport.compare.sampling import add_sampling_noise

    return add_sampling_noise(found, matched)


def run_figures(design: Design, analyses: Sequence[Analysis]) -> dict[str, dict[str, float]]:
    """Metric -> run -> value, for the runs of the design that have the metric. A constant prediction counts as
    (1 - r²) = 1 in the budget, and has no r of its own."""
    out: dict[str, dict[str, float]] = {metric: {} for metric in METRICS}
    for a in analyses:
        if a.run.name not in design.places or a.final is None or a.final["r2"] is None or a.final.split != design.split:
            continue
        budget = a.budget
        if budget is None:
            budget = error_budget(a.final["pearson_r"], a.final["variance_ratio"], a.final["bias"])
        terms: Mapping[str, float | None] = {}
        if budget is not None:
            terms = {
                "missing_information": budget.missing_information,
                "wrong_spread": budget.wrong_spread,
                "wrong_mean": budget.wrong_mean,
            }
        for metric in METRICS:
            value = terms[metric] if metric in terms else a.final[metric]
            if value is not None and math.isfinite(value):
                out[metric][a.run.name] = value
    return out


def _effect(index: int, factor: Factor, design: Design, figures: Mapping[str, Mapping[str, float]]) -> Effect:
    count = len(factor.levels)
    found = {
        metric: adjusted(
            [weighted(metric, figures[metric], design.places, index, {0: -1.0, i: 1.0}) for i in range(1, count)]
        )
        for metric in METRICS
    }
    trends: dict[str, Estimate] = {}
    if factor.numeric and count >= FEWEST_FOR_TREND:
        slope = rank_slope(count)
        for metric in METRICS:
            trend = weighted(metric, figures[metric], design.places, index, slope)
            trends[metric] = replace(trend, p_holm=trend.p_value)
    return Effect(
        factor=factor,
        summaries=tuple(_summaries(level.runs, design, figures) for level in factor.levels),
        contrasts=tuple(
            Contrast(low=0, high=i, estimates={metric: found[metric][i - 1] for metric in METRICS})
            for i in range(1, count)
        ),
        trends=trends,
    )


def adjusted(estimates: Sequence[Estimate]) -> list[Estimate]:
    """The estimates of one metric with their Holm-adjusted p-values."""
    return [replace(e, p_holm=p) for e, p in zip(estimates, holm([e.p_value for e in estimates]), strict=True)]


def rank_slope(levels: int) -> dict[int, float]:
    """The weights that make Σ weight · mean the least-squares slope over the levels' ranks 0, 1, 2, ...

    Ranks, because levels such as 0, 0.1, 1, 10 are even on no scale that holds the 0.

    >>> rank_slope(3)
    {0: -0.5, 1: 0.0, 2: 0.5}
    """
    middle = (levels - 1) / 2
    total = math.fsum((i - middle) ** 2 for i in range(levels))
    return {i: (i - middle) / total for i in range(levels)}


def _summaries(runs: tuple[str, ...], design: Design, figures: Mapping[str, Mapping[str, float]]) -> dict[str, Summary]:
    found = {metric: summary(metric, figures[metric], design.places, runs) for metric in METRICS}
    return {metric: s for metric, s in found.items() if s is not None}
