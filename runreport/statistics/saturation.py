"""What a saturating curve still has to gain, at least: exponential approaches that agree with its last values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

FEWEST = 6
"""Values that three parameters and a scatter about them need."""
MOST = 200
"""Longer sequences are thinned evenly to at most this many."""
PACES = 200
"""Time constants tried, 4 % apart: from one step to twenty times the length of the values, which is a straight line."""
F_95 = (10.13, 7.71, 6.61, 5.99, 5.59, 5.32, 5.12, 4.96)
"""95 % quantiles of F with 1 and 3 to 10 degrees of freedom; beyond, :func:`quantile` is within 0.2 %."""


def least_gain(values: Sequence[float], ahead: float) -> float | None:
    """The least rise over the next ``ahead`` steps among all curves a - b·exp(-t/τ) that agree with the values at 95 %.

    A profile interval: for every τ the sum of squares may exceed the smallest by F(1, n - 3)·s² (Bates & Watts 1988, ch. 6),
    and the rise is the smallest within that. It assumes independent errors about one exponential; a curve that flattens
    faster than one has less to gain. None below six values, or where no time constant fits.

    >>> straight = least_gain([0.1 * i for i in range(12)], 6)
    >>> flat = least_gain([0.5, 0.51, 0.49, 0.5, 0.51, 0.5, 0.49, 0.5, 0.5, 0.51, 0.49, 0.5], 6)
    >>> round(straight, 1), flat < 0.01
    (0.6, True)
    """
    if len(values) > MOST:
        stride = math.ceil(len(values) / MOST)
        # From the end backwards, so that the last value stays.
        values, ahead = values[::-1][::stride][::-1], ahead / stride
    n = len(values)
    if n < FEWEST or not all(map(math.isfinite, values)):
        return None
    fits: list[tuple[float, float, float, float]] = []
    mean = fmean(values)
    for k in range(PACES):
        tau = math.exp(math.log(20 * n) * k / (PACES - 1))
        shape = [math.exp(-(i + 1 - n) / tau) if (n - i - 1) / tau < 600 else math.inf for i in range(n)]
        if not all(map(math.isfinite, shape)):
            continue
        centre = fmean(shape)
        squares = math.fsum((x - centre) ** 2 for x in shape)
        if not 0 < squares < math.inf:
            continue
        slope = math.fsum((x - centre) * (y - mean) for x, y in zip(shape, values, strict=True)) / squares
        rest = math.fsum((y - mean - slope * (x - centre)) ** 2 for x, y in zip(shape, values, strict=True))
        fits.append((rest, -slope, squares, -math.expm1(-ahead / tau)))
    if not fits:
        return None
    smallest = min(rest for rest, *_ in fits)
    freedom = n - 3
    most = smallest * (1 + quantile(freedom) / freedom)
    return min(
        (rise - math.sqrt((most - rest) / squares)) * share for rest, rise, squares, share in fits if rest <= most
    )


def quantile(freedom: int) -> float:
    """The 95 % quantile of F(1, ``freedom``), from 3 degrees on; beyond ten by an expansion in 1/freedom."""
    if freedom - 3 < len(F_95):
        return F_95[freedom - 3]
    return 3.8415 + 9.4 / freedom + 17 / freedom**2
