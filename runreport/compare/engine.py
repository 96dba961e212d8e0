"""Runs beside each other: paired where the samples match, an honest refusal where they do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from runreport.analysis.record import Analysis
from runreport.compare.configs import config_differences, seed_groups
from runreport.compare.design import Effect
from runreport.compare.factors import common_split, find_design
from runreport.compare.record import MOST_PAIRED_RUNS, Best, Comparison
from runreport.compare.samples import NO_PREDICTIONS, match_samples, same_truth_summary
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
    """The comparison of two or more analysed runs: by setting where they form a design, and pair by pair unless that
    design is large (:data:`runreport.compare.record.MOST_PAIRED_RUNS`)."""
    matched = match_samples(analyses) if len(analyses) > 1 else "a comparison needs two runs"
    design = find_design(analyses) if len(analyses) > 1 else "a comparison needs two runs"
    effects: tuple[Effect, ...] = ()
    if not isinstance(design, str):
        from runreport.compare.effects import find_effects

        effects = find_effects(design, analyses, matched)
    large = bool(effects) and len(analyses) > MOST_PAIRED_RUNS
    paired: PairedComparison | None = None
    refused: str | None
    if isinstance(matched, str):
        refused = matched
        same = None if same_truth_summary(analyses) or any(a.run.predictions is None for a in analyses) else False
    else:
        known_other = [n for n, why in matched.left_out.items() if why != NO_PREDICTIONS]
        same = False if known_other else (None if matched.left_out else True)
        refused = None
        if large:
            refused = f"{len(analyses)} runs of a design are compared by setting, not pair by pair"
        else:
            from runreport.statistics.paired import compare_paired

            paired = compare_paired(matched.y_true, matched.y_pred, groups=matched.groups, seed=seed)
            refused = paired.refused
    return Comparison(
        finals={a.run.name: a.final for a in analyses},
        same_samples=same,
        refused=refused,
        paired=paired,
        # The best of many runs of a design is best by luck as well: only a setting can be said to be better.
        best=()
        if large
        else tuple(b for metric, key in RANKED if (b := _best(analyses, metric, key, paired, refused)) is not None),
        config_differences=config_differences(analyses),
        without_config=tuple(a.run.name for a in analyses if not a.run.config),
        seed_groups=seed_groups(analyses),
        unpaired={} if isinstance(matched, str) else matched.left_out,
        design=design,
        effects=effects,
    )


def _best(
    analyses: Sequence[Analysis],
    metric: str,
    key: Callable[[float], float],
    paired: PairedComparison | None,
    refused: str | None,
) -> Best | None:
    known = [
        (a.run.name, v, a.final.split) for a in analyses if a.final is not None and (v := a.final[metric]) is not None
    ]
    # A validation figure is no rival of a test figure.
    split = common_split(analyses)
    values = [(name, v) for name, v, its in known if split is None or its == split]
    if len(values) < 2:
        return None
    name, value = min(values, key=lambda pair: key(pair[1]))
    others = [other for other, _, _ in known if other != name]
    tied: tuple[str, ...] | None = None
    untested: tuple[str, ...] = tuple(others)
    if paired is not None and refused is None and metric in ("r2", "pearson_r", "mae") and name in paired.names:
        tested = [other for other in others if other in paired.names]
        if tested:
            untested = tuple(other for other in others if other not in paired.names)
            tied = tuple(other for other in tested if not _differs(paired, name, other, metric))
    return Best(metric=metric, run=name, value=value, tied=tied, untested=untested)


def _differs(paired: PairedComparison, a: str, b: str, metric: str) -> bool:
    """Whether a paired test tells the two apart, after Holm over all pairs."""
    first, second = (a, b) if paired.names.index(a) < paired.names.index(b) else (b, a)
    p = paired.difference(first, second, metric).p_holm
    return p is not None and p < HOLM_LEVEL
