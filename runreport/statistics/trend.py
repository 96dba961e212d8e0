"""Robust trend of a short sequence and robust distance from its centre, in plain Python.

scipy has `theilslopes`; importing scipy.stats takes about a second, the slope of 20 epochs a hundred microseconds. The
tests compare the two.
"""

import math
import operator
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from runreport.statistics.student import normal_quantile

# Makes the median absolute deviation an estimate of the standard deviation of normal data: 1 / Φ⁻¹(3/4).
MAD_TO_STD = 1.482602218505602
# Turns the mean absolute deviation into one where more than half of the values are equal: √(π/2).
MEAN_AD_TO_STD = 1.2533141373155001
# Slopes grow as the square of the points: longer sequences are thinned evenly to this many, 19,900 slopes.
MAX_POINTS = 200
# 2/20! is below any level's complement; the factorial of more points would not fit a float.
ALWAYS_ENOUGH_POINTS = 20
# Trends kept: the rules ask for the same few of one run, one after another.
KEPT = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Theil-Sen slope in y units per x unit with its interval [lo, hi] from `n` points (after thinning)."""

    slope: float
    intercept: float
    lo: float
    hi: float
    n: int


def theil_sen(x: Sequence[float], y: Sequence[float], level: float = 0.95) -> Trend | None:
    """The median of all pairwise slopes and its interval. Non-finite points are dropped.

    None where no interval of this level exists: fewer than 3 distinct x, or so few points that even a perfect order
    has a chance above 1 - level (2/n!: at 95 % fewer than 5 points).

    Interval: Sen (1968, doi:10.1080/01621459.1968.10480934), the normal approximation to Kendall's statistic with its
    tie correction; it assumes independent errors about the line, which smoothed or momentum-driven losses have not
    quite. The intercept is median(y) - slope·median(x).

    >>> trend = theil_sen([0, 1, 2, 3, 4], [0.0, 2.0, 4.0, 6.0, 9.0])
    >>> trend.slope, trend.lo <= 2.0 <= trend.hi
    (2.0, True)
    """
    return _theil_sen(tuple(zip(x, y, strict=True)), level)


def has_interval(x: Sequence[float], level: float = 0.95) -> bool:
    """Whether :func:`theil_sen` of points at these finite x has a slope: it takes no slope to tell.

    >>> has_interval([1, 2, 3, 4, 5]), has_interval([1, 2, 3, 4]), has_interval([1, 1, 1, 2, 2, 2])
    (True, False, False)
    """
    return len(set(x)) >= 3 and 2.0 / math.factorial(min(len(x), ALWAYS_ENOUGH_POINTS)) <= 1.0 - level


@lru_cache(maxsize=KEPT)
def _theil_sen(pairs: tuple[tuple[float, float], ...], level: float) -> Trend | None:
    points = [(float(a), float(b)) for a, b in pairs if math.isfinite(a) and math.isfinite(b)]
    if len(points) > MAX_POINTS:
        last = len(points) - 1
        points = [points[round(i * last / (MAX_POINTS - 1))] for i in range(MAX_POINTS)]
    if not has_interval([a for a, _ in points], level):
        return None
    xs, ys = [a for a, _ in points], [b for _, b in points]
    slopes = sorted(_slopes(xs, ys))
    slope = median(slopes)
    n, count = len(points), len(slopes)
    ties = _tie_term(xs) + _tie_term(ys)
    variance = max(0.0, (n * (n - 1) * (2 * n + 5) - ties) / 18.0)
    reach = normal_quantile(0.5 + level / 2.0) * math.sqrt(variance)
    low = max(round((count - reach) / 2.0) - 1, 0)
    high = min(round((count + reach) / 2.0), count - 1)
    return Trend(
        slope=slope,
        intercept=median(ys) - slope * median(xs),
        lo=slopes[low],
        hi=slopes[high],
        n=n,
    )


def _slopes(x: list[float], y: list[float]) -> list[float]:
    """The slope between every two points whose x differ."""
    n, slopes = len(x), list[float]()
    for lag in range(
        1, n
    ):  # all pairs so far apart at once: a loop in C takes a third of the time of one over the pairs
        over = list(map(operator.sub, x, x[lag:]))
        rise = map(operator.sub, y, y[lag:])
        slopes += (
            map(operator.truediv, rise, over) if all(over) else [b / a for a, b in zip(over, rise, strict=True) if a]
        )
    return slopes


def robust_z(values: Sequence[float]) -> list[float | None]:
    """Distance of each value from the median in robust standard deviations, in the order given.

    (x - median) / (1.4826 · MAD); where over half of the values are equal, so that the MAD is 0, the mean absolute
    deviation takes its place (Iglewicz & Hoaglin 1993). None for non-finite values, and for all where all are equal.

    >>> [round(z, 2) for z in robust_z([1.0, 2.0, 3.0, 4.0, 100.0])]
    [-1.35, -0.67, 0.0, 0.67, 65.43]
    """
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        return [None] * len(values)
    centre = median(finite)
    deviations = [abs(v - centre) for v in finite]
    scale = MAD_TO_STD * median(deviations) or MEAN_AD_TO_STD * math.fsum(deviations) / len(deviations)
    if not scale > 0.0:
        return [None] * len(values)
    return [(v - centre) / scale if math.isfinite(v) else None for v in values]


def _tie_term(values: Sequence[float]) -> float:
    """Σ k(k-1)(2k+5) over the values that occur k times."""
    if len(set(values)) == len(values):
        return 0
    return sum(k * (k - 1) * (2 * k + 5) for k in Counter(values).values())
