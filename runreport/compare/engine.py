"""Runs beside each other: paired where the samples match, an honest refusal where they do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from runreport.analysis.record import Analysis
from runreport.compare.configs import config_differences, seed_groups
from runreport.compare.record import Best, Comparison
from runreport.compare.samples import match_samples, same_truth_summary
from runreport.settings import SEED

if TYPE_CHECKING:
    from runreport.statistics.paired import PairedComparison

HOLM_LEVEL = 0.05
"""Chance of any false "better" among all pairs of one metric."""
RANKED: tuple[tuple[str, Callable[[float], float]], ...] = (
    ("r2", lambda v: -v),
    ("pearson_r", lambda v: -v),
    ("mae", lambda v: v),
    ("rmse", lambda v: v),
    ("bias", abs),
)
"""Metrics with a better and a worse, and the key that sorts the best first. A std ratio has none: the best one is r."""


def compare_runs(analyses: Sequence[Analysis], seed: int = SEED) -> Comparison:
    """The comparison of two or more analysed runs."""
    matched = match_samples(analyses) if len(analyses) > 1 else "a comparison needs two runs"
    paired: PairedComparison | None = None
    refused: str | None
    if isinstance(matched, str):
        refused = matched
        same = None if same_truth_summary(analyses) or any(a.run.predictions is None for a in analyses) else False
    else:
        from runreport.statistics.paired import compare_paired

        paired = compare_paired(matched.y_true, matched.y_pred, groups=matched.groups, seed=seed)
        refused, same = paired.refused, True
    return Comparison(
        finals={a.run.name: a.final for a in analyses},
        same_samples=same,
        refused=refused,
        paired=paired,
        best=tuple(b for metric, key in RANKED if (b := _best(analyses, metric, key, paired, refused)) is not None),
        config_differences=config_differences(analyses),
        without_config=tuple(a.run.name for a in analyses if not a.run.config),
        seed_groups=seed_groups(analyses),
    )


def _best(
    analyses: Sequence[Analysis],
    metric: str,
    key: Callable[[float], float],
    paired: PairedComparison | None,
    refused: str | None,
) -> Best | None:
    values = [(a.run.name, v) for a in analyses if a.final is not None and (v := a.final[metric]) is not None]
    if len(values) < 2:
        return None
    name, value = min(values, key=lambda pair: key(pair[1]))
    tied: tuple[str, ...] | None = None
    if paired is not None and refused is None and metric in ("r2", "pearson_r", "mae"):
        tied = tuple(other for other, _ in values if other != name and not _differs(paired, name, other, metric))
    return Best(metric=metric, run=name, value=value, tied=tied)


def _differs(paired: PairedComparison, a: str, b: str, metric: str) -> bool:
    """Whether a paired test tells the two apart, after Holm over all pairs."""
    first, second = (a, b) if paired.names.index(a) < paired.names.index(b) else (b, a)
    p = paired.difference(first, second, metric).p_holm
    return p is not None and p < HOLM_LEVEL
