"""Weighted sums of levels' means, with Student t intervals over training runs: paired by seed, else Welch.

The unit of replication is a training run. Within a combination of the other settings (a block) runs of one seed at the
levels concerned form a pair; a seed's pairs are averaged over its blocks, because runs of one seed share their start and
their order of batches and are no independent replicates of each other. What is left is one number a seed and the t test
of their mean: the summary-measure analysis of Matthews, Altman, Campbell & Royston (1990, doi:10.1136/bmj.300.6719.230).
Where the levels were run with other seeds: Welch's (1947, doi:10.1093/biomet/34.1-2.28) unequal variances, block by
block, degrees of freedom by Satterthwaite (1946, doi:10.2307/3002019).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean, stdev, variance

from runreport.compare.design import Estimate, Place, Summary
from runreport.statistics.student import t_quantile, two_sided_p

FEWEST = 3
"""Training runs (or pairs) below which no interval is given: with two, the 95 % t interval is 12.7 standard errors wide
on either side and hangs on one difference."""
SHARED = 0.5
"""Share of the smaller level's seeds that must be common for pairing: below it more is lost in degrees of freedom than
pairing can gain."""
SAME = 1e-12
"""Relative spread below which differences over seeds are equal but for rounding, and no noise can be read from them."""

Block = tuple[int, ...]


def weighted(
    metric: str,
    values: Mapping[str, float],
    places: Mapping[str, Place],
    factor: int,
    coefficients: Mapping[int, float],
) -> Estimate:
    """Σ coefficient · mean over the levels of ``factor``, within blocks of the other factors, averaged over blocks.

    values: run -> the metric, for the runs that have one. coefficients: level -> weight; they sum to 0. The estimate
    is None where no block holds all these levels. Interval and p are None, with a reason, below :data:`FEWEST` seeds.
    """
    wanted = {level: c for level, c in coefficients.items() if c}
    cells: dict[Block, dict[int, dict[str | None, list[str]]]] = {}
    for name in values:
        place = places[name]
        level = place.levels[factor]
        if level in wanted:
            block = place.levels[:factor] + place.levels[factor + 1 :]
            cells.setdefault(block, {}).setdefault(level, {}).setdefault(place.replicate, []).append(name)
    cells = {block: by_level for block, by_level in cells.items() if len(by_level) == len(wanted)}
    if not cells:
        other = " with the other settings equal" if any(len(p.levels) > 1 for p in places.values()) else ""
        return _nothing(metric, f"no runs with this figure at all of these levels{other}")
    pairs = {
        (block, seed): {level: by_level[level][seed] for level in wanted}
        for block, by_level in cells.items()
        for seed in next(iter(by_level.values()))
        if seed is not None and all(seed in by_seed for by_seed in by_level.values())
    }
    shared = {seed for _, seed in pairs}
    smallest = min(len({s for by_level in cells.values() for s in by_level[level]}) for level in wanted)
    if shared and len(shared) >= SHARED * smallest and (len(shared) >= FEWEST or len(shared) == smallest):
        return _paired(metric, values, pairs, wanted)
    arms = {
        block: {level: [name for names in by_seed.values() for name in names] for level, by_seed in by_level.items()}
        for block, by_level in cells.items()
    }
    return _welch(metric, values, arms, wanted)


def _paired(
    metric: str,
    values: Mapping[str, float],
    pairs: Mapping[tuple[Block, str], Mapping[int, list[str]]],
    wanted: Mapping[int, float],
) -> Estimate:
    """The t interval of one number a seed."""
    by_seed: dict[str, list[Mapping[int, list[str]]]] = {}
    for (_, seed), runs in pairs.items():
        by_seed.setdefault(seed, []).append(runs)
    weights: dict[str, float] = {}
    differences = []
    for blocks in by_seed.values():
        total = 0.0
        for runs in blocks:
            for level, names in runs.items():
                for name in names:
                    share = wanted[level] / (len(names) * len(blocks))
                    total += share * values[name]
                    weights[name] = share / len(by_seed)
        differences.append(total)
    n = len(differences)
    estimate = fmean(differences)
    se, reason = None, None
    if n < FEWEST:
        reason = f"{n} {'seed' if n == 1 else 'seeds'}: fewer than {FEWEST}"
    elif stdev(differences) <= SAME * max(abs(values[name]) for name in weights):
        reason = "the same for every seed: no noise to judge it by"
    else:
        se = stdev(differences) / math.sqrt(n)
    return _judged(metric, estimate, se, n - 1.0, n, weights, reason, paired=True)


def _welch(
    metric: str,
    values: Mapping[str, float],
    cells: Mapping[Block, Mapping[int, list[str]]],
    wanted: Mapping[int, float],
) -> Estimate:
    """Unequal variances, block by block; every run counts as a replicate of its own."""
    arms = [(wanted[level], names) for by_level in cells.values() for level, names in by_level.items()]
    counts = {level: sum(len(by_level[level]) for by_level in cells.values()) for level in wanted}
    weights = {name: c / (len(names) * len(cells)) for c, names in arms for name in names}
    estimate = math.fsum(w * values[name] for name, w in weights.items())
    n = min(counts.values())
    if n < FEWEST:
        return _judged(metric, estimate, None, 0.0, n, weights, f"{n} at a level: fewer than {FEWEST}")
    if any(len(names) < 2 for _, names in arms):
        why = "a combination of settings was run once, so its noise is not known"
        return _judged(metric, estimate, None, 0.0, n, weights, why)
    parts = [
        ((c / len(cells)) ** 2 * variance([values[name] for name in names]) / len(names), len(names) - 1)
        for c, names in arms
    ]
    total = math.fsum(part for part, _ in parts)
    if math.sqrt(total) <= SAME * max(abs(values[name]) for name in weights):
        return _judged(metric, estimate, None, 0.0, n, weights, "the same for every run: no noise to judge it by")
    df = total**2 / math.fsum(part**2 / free for part, free in parts)
    return _judged(metric, estimate, math.sqrt(total), df, n, weights, None)


def _judged(
    metric: str,
    estimate: float,
    se: float | None,
    df: float,
    n: int,
    weights: Mapping[str, float],
    reason: str | None,
    *,
    paired: bool = False,
) -> Estimate:
    return Estimate(
        metric=metric,
        estimate=estimate,
        se=se,
        df=df if se is not None else None,
        interval=around(estimate, se, df) if se is not None else None,
        p_value=two_sided_p(estimate / se, df) if se is not None else None,
        p_holm=None,
        n=n,
        paired=paired,
        weights=weights,
        reason=reason,
    )


def _nothing(metric: str, reason: str) -> Estimate:
    return Estimate(
        metric=metric,
        estimate=None,
        se=None,
        df=None,
        interval=None,
        p_value=None,
        p_holm=None,
        n=0,
        paired=False,
        weights={},
        reason=reason,
    )


def around(estimate: float, se: float, df: float) -> tuple[float, float]:
    """The 95 % Student t interval."""
    half = t_quantile(0.975, df) * se
    return estimate - half, estimate + half


def summary(
    metric: str, values: Mapping[str, float], places: Mapping[str, Place], runs: tuple[str, ...]
) -> Summary | None:
    """One metric over the runs of a level: each seed's mean over the other settings, then over seeds; None without any."""
    by_seed: dict[str, list[float]] = {}
    for name in runs:
        if name in values:
            by_seed.setdefault(places[name].replicate or f"run {name}", []).append(values[name])
    if not by_seed:
        return None
    means = [fmean(found) for found in by_seed.values()]
    n = len(means)
    spread = stdev(means) if n > 1 else None
    every = [v for found in by_seed.values() for v in found]
    enough = n >= FEWEST and spread is not None and spread > 0
    return Summary(
        metric=metric,
        n=n,
        mean=fmean(means),
        std=spread,
        interval=around(fmean(means), spread / math.sqrt(n), n - 1.0) if enough and spread is not None else None,
        lowest=min(every),
        highest=max(every),
    )
