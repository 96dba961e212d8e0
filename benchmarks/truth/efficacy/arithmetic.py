"""How much of what a fault cost was had back: pure functions of R² before, after, and of the healthy twin."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from benchmarks.truth.verify import HARMFUL

ENOUGH = 0.5
"""Share of the gap to the healthy twin that makes a success (the suite's definition)."""
RESAMPLES = 10_000
"""Bootstrap samples: the ends of a 95 % interval then move in the third digit only."""
SEED = 20251125


def recovered_share(before: float, after: float, healthy: float) -> float:
    """Share of the gap in R² that was recovered, cut to [-1, 1].

    1 where the run is as good as its twin, 0 where nothing changed, negative where it became worse. A run whose R² is no
    number counts as one that predicts the mean (R² = 0) before, and as lost (-1) after.

    >>> recovered_share(0.2, 0.5, 0.6), recovered_share(0.2, 0.1, 0.6), recovered_share(float("nan"), 0.3, 0.6)
    (0.75, -0.25, 0.5)
    """
    if not math.isfinite(after):
        return -1.0
    start = before if math.isfinite(before) else 0.0
    gap = healthy - start
    if gap <= 0:
        return 1.0 if after >= healthy else -1.0
    return round(max(-1.0, min(1.0, (after - start) / gap)), 12)


def succeeded(before: float, after: float, healthy: float) -> bool:
    """Whether at least half of the gap was recovered."""
    return recovered_share(before, after, healthy) >= ENOUGH


def made_worse(before: float, after: float, seed_sd: float) -> bool:
    """Whether R² fell by more than two standard deviations between seeds."""
    if not math.isfinite(after):
        return math.isfinite(before)
    return math.isfinite(before) and after < before - HARMFUL * seed_sd


def as_good_as_healthy(after: float, healthy: float, seed_sd: float) -> bool:
    """Whether the run is within two standard deviations between seeds of its twin, or better."""
    return math.isfinite(after) and after >= healthy - HARMFUL * seed_sd


def paired_difference(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float] | None:
    """Mean of ours - theirs over runs, with its 95 % percentile bootstrap interval over runs; None of nothing.

    >>> paired_difference([1, 1, 1], [0, 0, 0])
    (1.0, 1.0, 1.0)
    """
    difference = np.asarray(ours, float) - np.asarray(theirs, float)
    if len(difference) == 0:
        return None
    rng = np.random.default_rng(SEED)
    means = difference[rng.integers(len(difference), size=(RESAMPLES, len(difference)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(difference.mean()), float(low), float(high)
