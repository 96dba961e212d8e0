"""Where a spread penalty λ(1 - σp²/σt²)² pulls the std ratio, over the population and over small batches."""

from __future__ import annotations

import math
from collections.abc import Mapping

from runreport.context import Context

WEIGHT_KEYS = (
    "variance_lambda",
    "lambda_variance",
    "variance_weight",
    "variance_loss_weight",
    "std_weight",
    "spread_weight",
    "penalty_weight",
    "penalty_lambda",
    "lambda",
    "penalty",
)
"""Config keys that hold the weight of a spread penalty, the most telling first."""

SOLVER_STEPS = 80
"""Halvings of an interval of length 1: beyond the resolution of a float."""


def penalty_weight(context: Context) -> float | None:
    """λ of the spread penalty: from the config, else the largest logged ``variance_lambda``; None where unknown.

    A config key that is there but empty (null) says that the penalty is off.
    """
    weight = context.config_number(*WEIGHT_KEYS)
    if weight is not None:
        return weight
    nested = context.config.get("penalty")
    if isinstance(nested, Mapping):
        for name in ("weight", "lambda", *WEIGHT_KEYS):
            value = nested.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                return float(value)
    if context.history is not None:
        logged = [value for _, value in context.history.finite("variance_lambda")]
        if logged:
            return max(logged)
    if any(key in context.config and context.config[key] in (None, "none", "off", False) for key in WEIGHT_KEYS):
        return 0.0
    return None


def equilibrium_ratio(*, r: float, weight: float, true_std: float) -> float | None:
    """The std ratio at which ½MSE + λ(1 - α²)² is stationary: σt²(α - r) = 4λα(1 - α²), its largest root in (0, 1).

    ½MSE = ½σt²(1 - 2rα + α² + β²), so its slope in α is σt²(α - r). For r > 0 the root lies between r and 1; for
    r ≤ 0 a weak penalty has none and α = 0 is left. None for figures that are not a correlation, a positive weight
    and a positive std. A model with another base loss, or one that cannot reach this r at every ratio, ends elsewhere.

    >>> equilibrium_ratio(r=0.125, weight=0.0, true_std=0.4827)
    0.125
    >>> round(equilibrium_ratio(r=0.125, weight=0.5, true_std=0.4827), 3)
    0.948
    """
    if not (math.isfinite(r) and abs(r) <= 1 and math.isfinite(weight) and weight >= 0 and true_std > 0):
        return None
    variance = true_std * true_std
    if not math.isfinite(variance) or variance == 0:
        return None
    if weight == 0 or r == 1:
        return max(r, 0.0)

    def slope(ratio: float) -> float:
        return variance * (ratio - r) - 4 * weight * ratio * (1 - ratio * ratio)

    # The slope is convex in α on (0, 1) and σt²(1 - r) > 0 at 1. With r > 0 it is negative at 0: one root. Otherwise it
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


def batch_optimum(batch: int, r: float = 0.0) -> float:
    """The std ratio that minimises E[(1 - s_p²/s_t²)²] over batches of normal samples with correlation r.

    With W = s_p²/s_t² of unit-variance samples, d = batch - 1 and c = 1 - r², conditioning on the true values gives
    E[W] = r² + c·d/(d - 2) and E[W²] = r⁴ + 2r²c(d + 2)/(d - 2) + c²d(d + 2)/((d - 2)(d - 4)); the optimum is
    α² = E[W]/E[W²]. At r = 0, W is F(d, d) distributed and α² = (d - 4)/(d + 2). The ddof of the variances cancels.
    0 for batch ≤ 5 (d ≤ 4), where E[W²] is infinite unless |r| = 1.

    >>> round(batch_optimum(20) ** 2, 4) == round(15 / 21, 4), batch_optimum(5), batch_optimum(20, 1.0)
    (True, 0.0, 1.0)
    """
    d = batch - 1
    c = max(1 - r * r, 0.0)
    if c == 0:
        return 1.0
    if d <= 4:
        return 0.0
    mean = r * r + c * d / (d - 2)
    square = r**4 + 2 * r * r * c * (d + 2) / (d - 2) + c * c * d * (d + 2) / ((d - 2) * (d - 4))
    return math.sqrt(mean / square)
