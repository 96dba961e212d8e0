"""Where a spread penalty pulls the std ratio, over the population and over small batches."""

from __future__ import annotations

import math

from runreport.rules.penalty_facts import Kind

SOLVER_STEPS = 80
"""Halvings of an interval of length 1: beyond the resolution of a float."""
NORMAL_MEAN_ABS = math.sqrt(2 / math.pi)
"""E|z| of a standard normal: by it the 1-Wasserstein distance of two normals of one mean is |1 - α| in true std."""


def equilibrium_ratio(
    *,
    r: float,
    weight: float,
    true_std: float,
    kind: Kind = "variance_ratio",
    quadratic: float = 0.5,
    target: float = 1.0,
) -> float | None:
    """The std ratio α at which ``quadratic``·MSE + λP(α) is stationary, the largest root up to P's own minimum.

    MSE = σt²(1 - 2rα + α² + β²), so with v = 2·quadratic·σt² the slope is v(α - r) + λP'(α):

    - variance_ratio, P = (1 - α²)²: v(α - r) = 4λα(1 - α²). For r > 0 the root lies between r and 1; for r ≤ 0 a weak
      penalty has none and α = 0 is left.
    - std_hinge, P = max(0, target - α): α = r + λ/v, at most ``target``.
    - kl_moments, P = ½(α² - 1 - log α²) for equal means: (v + λ)α² - vrα - λ = 0.
    - wasserstein, P = √(2/π)·|1 - α| for normal values of one mean: α = r + √(2/π)λ/v, at most 1.

    None for figures that are not a correlation, a weight ≥ 0 and a positive std. A model with another base loss, or one
    that cannot reach this r at every ratio, ends elsewhere.

    >>> equilibrium_ratio(r=0.125, weight=0.0, true_std=0.4827)
    0.125
    >>> round(equilibrium_ratio(r=0.125, weight=0.5, true_std=0.4827), 3)
    0.948
    >>> equilibrium_ratio(r=0.25, weight=0.5, true_std=1.0, kind="std_hinge")
    0.75
    """
    if not (math.isfinite(r) and abs(r) <= 1 and math.isfinite(weight) and weight >= 0 and true_std > 0):
        return None
    variance = 2 * quadratic * true_std * true_std
    if not math.isfinite(variance) or variance == 0:
        return None
    if weight == 0 or r >= target:
        return max(r, 0.0)
    if kind == "std_hinge":
        return max(min(target, r + weight / variance), 0.0)
    if kind == "wasserstein":
        return max(min(1.0, r + NORMAL_MEAN_ABS * weight / variance), 0.0)
    if kind == "kl_moments":
        half, total = 0.5 * variance * r, variance + weight
        return (half + math.sqrt(half * half + total * weight)) / total
    return _variance_ratio_root(r, weight, variance)


def _variance_ratio_root(r: float, weight: float, variance: float) -> float:
    def slope(ratio: float) -> float:
        return variance * (ratio - r) - 4 * weight * ratio * (1 - ratio * ratio)

    # The slope is convex in α on (0, 1) and v(1 - r) > 0 at 1. With r > 0 it is negative at 0: one root. Otherwise it
    # starts at or above 0 and has a larger root only where its minimum is negative.
    low, high = 0.0, 1.0
    if r <= 0:
        if 4 * weight <= variance:
            return 0.0
        low = math.sqrt((1 - variance / (4 * weight)) / 3)
        if slope(low) >= 0:
            return 0.0
    for _ in range(SOLVER_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return (low + high) / 2


def batch_optimum(batch: int, r: float = 0.0, kind: Kind = "variance_ratio") -> float | None:
    """The std ratio that minimises the expected penalty over batches of normal samples with correlation r.

    For variance_ratio that is E[(1 - s_p²/s_t²)²], for kl_moments E[½(s_p²/s_t² - 1 - log(s_p²/s_t²))]; None for the
    others, whose expectation over batches has no such closed form.

    With W = s_p²/s_t² of unit-variance samples, d = batch - 1 and c = 1 - r², conditioning on the true values gives
    E[W] = r² + c·d/(d - 2) and E[W²] = r⁴ + 2r²c(d + 2)/(d - 2) + c²d(d + 2)/((d - 2)(d - 4)); the optimum is
    α² = E[W]/E[W²], for kl_moments 1/E[W]. At r = 0, W is F(d, d) distributed: α² = (d - 4)/(d + 2), and (d - 2)/d. The
    ddof of the variances cancels. 0 for batch ≤ 5 (d ≤ 4), where E[W²] is infinite unless |r| = 1; for kl_moments where
    E[W] is, d ≤ 2.

    >>> round(batch_optimum(20) ** 2, 4) == round(15 / 21, 4), batch_optimum(5), batch_optimum(20, 1.0)
    (True, 0.0, 1.0)
    """
    if kind not in ("variance_ratio", "kl_moments"):
        return None
    d = batch - 1
    c = max(1 - r * r, 0.0)
    if c == 0:
        return 1.0
    if d <= (4 if kind == "variance_ratio" else 2):
        return 0.0
    mean = r * r + c * d / (d - 2)
    if kind == "kl_moments":
        return math.sqrt(1 / mean)
    square = r**4 + 2 * r * r * c * (d + 2) / (d - 2) + c * c * d * (d + 2) / ((d - 2) * (d - 4))
    return math.sqrt(mean / square)
