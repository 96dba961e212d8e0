"""How far two epochs' R² may differ by chance, from what a log holds: R², the ratio, perhaps r and β, and n.

Both epochs are scored on the same n samples, so their errors are correlated and the sampling error of the difference
is far smaller than that of either R². How much smaller depends on figures that a log does not hold (how alike the two
predictions are) or may not hold (r and β). Each is confined by what was logged, so the standard error is a range.

Derivation, truth and predictions jointly normal, samples independent, everything in units of σt. The error e_k of epoch
k has mean β_k and mean square m_k = 1 - R²_k, hence variance m_k - β_k². Then Var(e_k²) = 2(m_k² - β_k⁴) and, with
c = cov(e_1, e_2), Cov(e_1², e_2²) = 2c² + 4β_1β_2c. The influence value of R²_2 - R²_1 = D is e_1² - e_2² - D·z², and
Cov(e_k², z²) = 2q_k² with q_k = cov(e_k, z) = r_kα_k - 1, so that

    n·SE² = 2(m_1² - β_1⁴) + 2(m_2² - β_2⁴) - 4c² - 8β_1β_2c - 4D(q_1² - q_2²) + 2D²

The identity fixes r_kα_k = (R²_k + α_k² + β_k²)/2. A correlation matrix must be positive semi-definite, so
c = q_1q_2 ± α_1α_2√((1-r_1²)(1-r_2²)) at its two ends. Where β is not logged it runs over the bounds of
`runreport.metrics.bounds`, both signs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from runreport.context import History
from runreport.metrics.bounds import bias_bounds
from runreport.selection.scores import bias_values

CORNERS, COARSE, FINE = 2, 5, 9
"""Values of an unknown |β| tried between its bounds. Over 300 random pairs the greatest SE, which decides, came within
3.1 % of that of 65 values on the coarse grid; the least, which is only shown, needs more. The corners alone never exceed
the greatest, so what they cannot tell apart nothing can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochFigures:
    """One epoch's R², ratio and, where known, signed β."""

    r2: float
    alpha: float
    beta: float | None = None


def figures_at(history: History, epoch: int | float) -> EpochFigures | None:
    """An epoch's figures, or None where R² or the ratio is not logged there."""
    r2, alpha = history.at(epoch, "r2"), history.at(epoch, "variance_ratio")
    if r2 is None or alpha is None or alpha < 0:
        return None
    beta = bias_values(history)[history.epochs.index(epoch)]
    return EpochFigures(r2=r2, alpha=alpha, beta=beta if beta is not None and math.isfinite(beta) else None)


def standard_error_range(
    first: EpochFigures, second: EpochFigures, n: int, steps: int = FINE
) -> tuple[float, float] | None:
    """Least and greatest standard error of R²(second) - R²(first) that agree with the logged figures.

    None where the figures contradict the identity or n < 4. For independent samples; dependence widens it.

    >>> epoch_37, epoch_47 = EpochFigures(r2=-0.0513, alpha=0.081), EpochFigures(r2=-0.0748, alpha=0.141)
    >>> [round(bound, 3) for bound in standard_error_range(epoch_37, epoch_47, 144)]
    [0.011, 0.154]
    """
    if n < 4:
        return None
    variances = [
        v for b1, b2 in _biases(first, second, steps) if (pair := _extremes(first, second, b1, b2)) for v in pair
    ]
    if not variances:
        return None
    return math.sqrt(max(min(variances), 0.0) / n), math.sqrt(max(*variances, 0.0) / n)


def _biases(first: EpochFigures, second: EpochFigures, steps: int) -> Iterator[tuple[float, float]]:
    ones, twos = _bias_grid(first, steps), _bias_grid(second, steps)
    # Only the product's sign matters, so one of two unknown biases may be taken as positive.
    signs = (1.0,) if first.beta is not None and second.beta is not None else (1.0, -1.0)
    for b1 in ones:
        for b2 in twos:
            for sign in signs if b1 and b2 else (1.0,):
                yield b1, sign * b2


def _bias_grid(figures: EpochFigures, steps: int) -> list[float]:
    if figures.beta is not None:
        return [figures.beta]
    bounds = bias_bounds(figures.r2, figures.alpha)
    if bounds is None:
        return []
    low, high = bounds
    return [low + (high - low) * i / (steps - 1) for i in range(steps)]


def _extremes(one: EpochFigures, two: EpochFigures, b1: float, b2: float) -> tuple[float, float] | None:
    """Least and greatest n·SE² over the covariances of the errors that can exist."""
    m1, m2 = 1 - one.r2, 1 - two.r2
    q1, q2 = (one.r2 + one.alpha**2 + b1**2) / 2 - 1, (two.r2 + two.alpha**2 + b2**2) / 2 - 1
    # α²(1 - r²), at most a rounding below 0 where |r| = 1; far below, the figures contradict each other.
    own1, own2 = one.alpha**2 - (q1 + 1) ** 2, two.alpha**2 - (q2 + 1) ** 2
    slack = 1e-3  # logs are rounded to three or four digits
    if own1 < -slack * (1 + one.alpha**2) or own2 < -slack * (1 + two.alpha**2):
        return None
    half = math.sqrt(max(own1, 0.0) * max(own2, 0.0))
    low, high = q1 * q2 - half, q1 * q2 + half
    delta = two.r2 - one.r2
    fixed = 2 * (m1**2 - b1**4) + 2 * (m2**2 - b2**4) - 4 * delta * (q1**2 - q2**2) + 2 * delta**2
    product = b1 * b2

    def at(c: float) -> float:
        return fixed - 4 * c**2 - 8 * product * c

    # Concave in c: least at an end, greatest where c = -β₁β₂ or at the end next to it.
    return min(at(low), at(high)), at(min(max(-product, low), high))
