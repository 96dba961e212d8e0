"""What R² and the variance ratio alone say about the correlation and the bias.

Everything here rearranges the identity R² = 2rα - α² - β² (Murphy 1988, see `budget`) with |r| ≤ 1:

    β² ∈ [max(0, -2α - α² - R²), 2α - α² - R²]        r ∈ [(R² + α²) / (2α), 1]

α is the variance ratio, a ratio of standard deviations. There is no upper bound of r below 1: a larger bias explains
any larger r. Bounds are bounds; no function here turns them into an estimate.
"""

from __future__ import annotations

import math
from functools import lru_cache

# Floating-point rounding of the identity's own terms, relative to their size: a perfect fit computed from samples may
# give β² = -1e-17. A real contradiction in a log has at least its printed digits, many orders of magnitude above this.
IDENTITY_ROUNDING = 1e-12
MOST_R2 = 1.0 + 1e-6
"""What a logged R² cannot exceed: 1, and the rounding of single precision (6e-8 a term). Above it the figure is none."""

KEPT = 1024
"""Bounds kept: the table of epochs, the bound of r and the rules ask for those of the same epochs."""


@lru_cache(maxsize=KEPT)
def bias_bounds(
    r2: float, ratio: float, *, r2_tolerance: float = 0.0, ratio_tolerance: float = 0.0
) -> tuple[float, float] | None:
    """Smallest and largest |β| that agree with R² and α, in units of the standard deviation of y_true.

    `r2_tolerance` and `ratio_tolerance` are the half-widths of the logged figures' rounding (0.005 for "-4.38"): the
    bounds then hold for every pair of values that rounds to the logged ones.
    None where no β does: R² > 2α - α² contradicts the identity (or a figure is not finite, or α < 0).

    >>> [round(bound, 2) for bound in bias_bounds(-4.38, 0.462)]
    [1.8, 2.26]
    >>> bias_bounds(0.5, 0.1) is None
    True
    """
    if not _usable(r2, ratio):
        return None
    if r2_tolerance == ratio_tolerance == 0.0:  # the same without what tolerances ask for: once an epoch of every run
        square, twice = ratio * ratio, 2.0 * ratio
        highest, lowest = twice - square - r2, -twice - square - r2
        if abs(highest) <= IDENTITY_ROUNDING * (1.0 + abs(r2) + square):
            highest = 0.0
        if not 0.0 <= highest < math.inf:
            return None
        return (math.sqrt(lowest) if lowest > 0.0 else 0.0, math.sqrt(highest))
    ratio_low = max(0.0, ratio - ratio_tolerance)
    ratio_high = ratio + ratio_tolerance
    # 2α - α² peaks at α = 1, -2α - α² falls for every α ≥ 0: the extremes over the rounding interval are these.
    ratio_peak = min(max(1.0, ratio_low), ratio_high)
    highest = _zero_if_rounding(2.0 * ratio_peak - ratio_peak * ratio_peak - (r2 - r2_tolerance), r2, ratio)
    lowest = -2.0 * ratio_high - ratio_high * ratio_high - (r2 + r2_tolerance)
    if not (highest >= 0.0 and math.isfinite(highest)):  # a contradiction, or figures whose squares overflow
        return None
    return (math.sqrt(max(0.0, lowest)), math.sqrt(highest))


def r_lower_bound(r2: float, ratio: float, *, r2_tolerance: float = 0.0, ratio_tolerance: float = 0.0) -> float | None:
    """The smallest correlation that agrees with R² and α: (R² + α²) / (2α), in [-1, 1].

    -1 where the figures exclude nothing. Tolerances as in `bias_bounds`. None where α = 0 (r is undefined for constant
    predictions), where R² > 2α - α² contradicts the identity, or a figure is not finite.

    >>> r_lower_bound(0.0, 0.6)
    0.3
    >>> r_lower_bound(-4.38, 0.462)
    -1.0
    """
    if not _usable(r2, ratio) or ratio == 0.0:
        return None
    if r2_tolerance == ratio_tolerance == 0.0:
        known = bias_bounds(r2, ratio)  # as the others ask for it, or it would not be found among those kept
    else:
        known = bias_bounds(r2, ratio, r2_tolerance=r2_tolerance, ratio_tolerance=ratio_tolerance)
    if known is None:
        return None
    lowest_r2 = r2 - r2_tolerance
    ratio_low = ratio - ratio_tolerance
    ratio_high = ratio + ratio_tolerance
    if lowest_r2 <= 0.0:
        # Rises with α: smallest at the low end. At α → 0 only R² = 0 keeps it above -1.
        at = ratio_low
        if at <= 0.0:
            return -1.0 if lowest_r2 < 0.0 else 0.0
    else:
        # (R² + α²)/(2α) has its minimum at α = √R².
        at = min(max(math.sqrt(lowest_r2), ratio_low), ratio_high)
    return min(1.0, max(-1.0, required_r(lowest_r2, at)))


def required_r(r2: float, ratio: float, bias: float = 0.0) -> float:
    """The correlation at which predictions of ratio α and bias β reach R²: (R² + α² + β²) / (2α).

    A result above 1 means that no predictions of this ratio and bias reach it. Raises ValueError where α ≤ 0: the R²
    of constant predictions is -β² and no correlation changes that.

    >>> required_r(0.0, 0.6), round(required_r(0.3, 0.8), 4)
    (0.3, 0.5875)
    """
    if ratio <= 0.0:
        raise ValueError(f"variance ratio must be > 0 to need a correlation, got {ratio}")
    return (r2 + ratio * ratio + bias * bias) / (2.0 * ratio)


def r2_at(r: float, ratio: float, bias: float) -> float:
    """R² of predictions with correlation r, variance ratio α and bias β: 2rα - α² - β².

    >>> round(r2_at(0.125, 0.7, 0.0), 3)
    -0.315
    """
    return 2.0 * r * ratio - ratio * ratio - bias * bias


def from_summary(
    r2: float, variance_ratio: float, true_mean: float, true_std: float, pred_mean: float
) -> tuple[float | None, float | None]:
    """(r, β) from published figures: β from the two means, r from the identity.

    Both are as rounded as the figures they come from. β is None where true_std = 0 (or a figure is not finite); r is
    None there too, where α = 0, and where the identity would need |r| > 1, that is, where the figures contradict each
    other.

    >>> r, bias = from_summary(-0.0655, 0.223, 0.937, 0.4827, 0.808)
    >>> round(r, 3), round(bias, 3)
    (0.125, -0.267)
    """
    if not true_std > 0.0 or not all(map(math.isfinite, (true_mean, true_std, pred_mean))):
        return (None, None)
    bias = (pred_mean - true_mean) / true_std
    if not _usable(r2, variance_ratio) or variance_ratio == 0.0:
        return (None, bias)
    r = required_r(r2, variance_ratio, bias)
    # The identity's terms are divided by 2α, so their rounding grows by as much.
    rounding = (
        IDENTITY_ROUNDING * (1.0 + abs(r2) + variance_ratio * variance_ratio + bias * bias) / (2.0 * variance_ratio)
    )
    if abs(r) > 1.0 + rounding:
        return (None, bias)
    return (min(1.0, max(-1.0, r)), bias)


def _usable(r2: float, ratio: float) -> bool:
    return math.isfinite(r2) and math.isfinite(ratio * ratio) and ratio >= 0.0  # squares must not overflow


def _zero_if_rounding(value: float, r2: float, ratio: float) -> float:
    scale = 1.0 + abs(r2) + ratio * ratio
    return 0.0 if abs(value) <= IDENTITY_ROUNDING * scale else value
