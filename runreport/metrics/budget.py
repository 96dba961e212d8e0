"""The error budget: 1 - R² as missing information, wrong spread and wrong mean.

Source: A. H. Murphy (1988), "Skill scores based on the mean square error and their relationships to the correlation
coefficient", Monthly Weather Review 116, 2417-2424, doi:10.1175/1520-0493(1988)116<2417:SSBOTM>2.0.CO;2.
With ddof = 0 throughout it is an identity, not an approximation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

# A computed correlation may leave [-1, 1] by a few units in the last place; anything beyond that is a wrong argument.
CORRELATION_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBudget:
    """The three additive parts of 1 - R², each in units of the variance of y_true.

    `missing_information` = 1 - r² is in [0, 1] and no rescaling of the predictions removes it.
    `wrong_spread` = (α - r)² ≥ 0 goes away by recalibration, `wrong_mean` = β² ≥ 0 by a shift.
    `total` is their sum and `r2` is 1 - total up to rounding.
    `exact` is true where r, α and β were computed from the samples, false where they were recovered from rounded,
    published figures: the parts then carry the rounding of those figures.
    """

    missing_information: float
    wrong_spread: float
    wrong_mean: float
    total: float
    r2: float
    exact: bool

    @property
    def ceiling_r2(self) -> float:
        """The R² of the best linear rescaling of these predictions, r²; range [0, 1]."""
        return 1.0 - self.missing_information

    @property
    def recoverable(self) -> float:
        """How far R² lies below its ceiling: wrong_spread + wrong_mean, ≥ 0."""
        return self.wrong_spread + self.wrong_mean

    @property
    def error_shares(self) -> tuple[float, float, float] | None:
        """Shares of the whole error (missing information, wrong spread, wrong mean), summing to 1.

        None for perfect predictions: there is no error to share.
        """
        if self.total == 0.0:
            return None
        return (
            self.missing_information / self.total,
            self.wrong_spread / self.total,
            self.wrong_mean / self.total,
        )

    @property
    def shortfall_shares(self) -> tuple[float, float] | None:
        """Shares (wrong spread, wrong mean) of the shortfall below the ceiling r², summing to 1.

        None where R² is at its ceiling: there is no shortfall to share.
        """
        if self.recoverable == 0.0:
            return None
        return (self.wrong_spread / self.recoverable, self.wrong_mean / self.recoverable)


def error_budget(r: float | None, ratio: float | None, bias: float | None, *, exact: bool = True) -> ErrorBudget | None:
    """The error budget from correlation r, variance ratio α (a ratio of standard deviations) and bias β.

    None where the budget is undefined: α or β is None (constant y_true), anything or its square is not finite, or r is None while
    the predictions vary (r was never measured). Constant predictions (α = 0, r undefined) count as r = 0 by
    convention: they carry no information, so missing = 1, spread = 0 and mean = β², which sum to 1 - R² exactly.

    Raises ValueError for r outside [-1, 1] or a negative α.

    >>> budget = error_budget(0.5, 0.5, -1.0)
    >>> budget.missing_information, budget.wrong_spread, budget.wrong_mean, budget.r2
    (0.75, 0.0, 1.0, -0.75)
    """
    if ratio is None or bias is None or not (math.isfinite(ratio) and math.isfinite(bias)):
        return None
    if ratio < 0.0:
        raise ValueError(f"variance ratio must be >= 0, got {ratio}")
    if ratio == 0.0:
        r = 0.0
    if r is None or not math.isfinite(r):
        return None
    if abs(r) > 1.0 + CORRELATION_ROUNDING:
        raise ValueError(f"correlation must lie in [-1, 1], got {r}")
    r = min(1.0, max(-1.0, r))
    # (1 - r)(1 + r) rather than 1 - r²: keeps its digits where r is close to 1.
    missing = (1.0 - r) * (1.0 + r)
    excess = ratio - r
    spread = excess * excess  # not `** 2`, which raises where a product overflows to inf
    mean = bias * bias
    if not math.isfinite(spread + mean):
        return None
    return ErrorBudget(
        missing_information=missing,
        wrong_spread=spread,
        wrong_mean=mean,
        total=missing + spread + mean,
        r2=2.0 * r * ratio - ratio * ratio - mean,
        exact=exact,
    )


def budget_from_moments(
    *, true_variance: float, pred_variance: float, covariance: float, mean_error: float, exact: bool = True
) -> ErrorBudget | None:
    """The error budget from population moments (ddof = 0): variances, covariance and mean(y_pred - y_true).

    Units: the variances and the covariance in target units squared, the mean error in target units.
    None where y_true is constant (true_variance = 0). Raises ValueError for a negative variance, or for a covariance
    larger than the variances allow.

    >>> budget_from_moments(true_variance=4.0, pred_variance=1.0, covariance=1.0, mean_error=-2.0).r2
    -0.75
    """
    if true_variance < 0.0 or pred_variance < 0.0:
        raise ValueError(f"variances must be >= 0, got {true_variance} and {pred_variance}")
    if true_variance == 0.0:
        return None
    true_std = math.sqrt(true_variance)
    pred_std = math.sqrt(pred_variance)
    r = covariance / true_std / pred_std if pred_std > 0.0 else None
    return error_budget(r, pred_std / true_std, mean_error / true_std, exact=exact)


def budget_from_summary(
    *, r2: float, ratio: float, true_mean: float, true_std: float, pred_mean: float
) -> ErrorBudget | None:
    """The error budget recovered from published figures, marked `exact=False`.

    β comes from the two means, r from the identity (see `bounds.from_summary`). None where the figures contradict the
    identity or y_true is constant.

    >>> budget = budget_from_summary(r2=-0.0655, ratio=0.223, true_mean=0.937, true_std=0.4827, pred_mean=0.808)
    >>> [round(part, 3) for part in (budget.missing_information, budget.wrong_spread, budget.wrong_mean)]
    [0.984, 0.01, 0.071]
    """
    from runreport.metrics.bounds import from_summary

    r, bias = from_summary(r2, ratio, true_mean, true_std, pred_mean)
    return error_budget(r, ratio, bias, exact=False)
