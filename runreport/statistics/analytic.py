"""Intervals from published summaries alone (r, α, β and n_e), in plain Python.

For a run of which only a results table survives. Every formula assumes jointly normal truth and prediction and n_e
*independent* samples: consecutive frames are not, and where their autocorrelation was not published n_e is at most n,
so these intervals are the narrowest that can be defended. `INDEPENDENCE_CAVEAT` says so and belongs beside each of
them.
"""

import math

from runreport.statistics.student import normal_quantile, normal_two_sided_p

INDEPENDENCE_CAVEAT = (
    "from summaries alone: assumes independent, jointly normal samples; autocorrelated rows make it wider"
)

Interval = tuple[float, float]


def se_log_ratio(r: float, n_e: float) -> float | None:
    """Standard error of log α = log(σp/σt): √((1-r²)/(n_e-1)). None with n_e ≤ 1.

    The Pitman-Morgan variance of a log ratio of paired variances (Pitman 1939, doi:10.1093/biomet/31.1-2.9).

    >>> round(se_log_ratio(0.125, 144), 3)
    0.083
    """
    return math.sqrt(max(0.0, 1.0 - r * r) / (n_e - 1.0)) if n_e > 1 else None


def se_slope(r: float, ratio: float, n_e: float) -> float | None:
    """Standard error of the calibration slope b = r/α: √((1-r²)/(n_e-2))/α. None with n_e ≤ 2 or α ≤ 0."""
    return math.sqrt(max(0.0, 1.0 - r * r) / (n_e - 2.0)) / ratio if n_e > 2 and ratio > 0 else None


def se_bias(r: float, ratio: float, n_e: float, bias: float = 0.0) -> float | None:
    """Standard error of β: √((1 + α² - 2rα + β²/2)/(n_e-1)). None with n_e ≤ 1.

    β²/2 is what not knowing σt adds; leave `bias` at 0 for the standard error under the hypothesis β = 0.
    """
    if n_e <= 1:
        return None
    return math.sqrt(max(0.0, 1.0 + ratio * ratio - 2.0 * r * ratio + bias * bias / 2.0) / (n_e - 1.0))


def se_r2(r: float, ratio: float, bias: float, n_e: float) -> float | None:
    """Standard error of R² = 2rα - α² - β² for jointly normal truth and prediction. None with n_e ≤ 1.

    The standard deviation of the influence value -(e² - (1-R²)z²), with e ~ N(β, s²), s² = 1 + α² - 2rα, z ~ N(0, 1)
    and cov(e, z) = rα - 1, so Var = 2s⁴ + 4β²s² + 2(1-R²)² - 4(1-R²)(rα-1)².
    """
    if n_e <= 1:
        return None
    spread = 1.0 + ratio * ratio - 2.0 * r * ratio
    unexplained = spread + bias * bias
    shared = r * ratio - 1.0
    variance = 2.0 * spread**2 + 4.0 * bias**2 * spread + 2.0 * unexplained**2 - 4.0 * unexplained * shared**2
    return math.sqrt(max(0.0, variance) / (n_e - 1.0))


def fisher_interval(r: float, n_e: float, level: float = 0.95) -> Interval | None:
    """Interval of a correlation: tanh(atanh r ± z/√(n_e-3)) (Fisher 1921). None with n_e ≤ 3 or |r| = 1.

    >>> [round(x, 3) for x in fisher_interval(0.5, 103)]
    [0.339, 0.632]
    """
    if n_e <= 3 or abs(r) >= 1:
        return None
    half = _z(level) / math.sqrt(n_e - 3.0)
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def analytic_intervals(
    *, r: float, variance_ratio: float, bias: float, n_e: float, level: float = 0.95
) -> dict[str, Interval | None]:
    """Intervals of r2, variance_ratio, pearson_r, bias and calibration_slope; None where one cannot be given.

    Symmetric about the estimate on the scales used elsewhere: log α, atanh r, -log(1-R²); β and b as they are.
    """
    z = _z(level)
    r2 = 2.0 * r * variance_ratio - variance_ratio**2 - bias**2
    out: dict[str, Interval | None] = dict.fromkeys(("r2", "variance_ratio", "pearson_r", "bias", "calibration_slope"))
    out["pearson_r"] = fisher_interval(r, n_e, level)
    se = se_r2(r, variance_ratio, bias, n_e)
    if se is not None and r2 < 1:
        factor = math.exp(z * se / (1.0 - r2))
        out["r2"] = (1.0 - (1.0 - r2) * factor, 1.0 - (1.0 - r2) / factor)
    se = se_log_ratio(r, n_e)
    if se is not None and variance_ratio > 0:
        out["variance_ratio"] = (variance_ratio * math.exp(-z * se), variance_ratio * math.exp(z * se))
    se = se_bias(r, variance_ratio, n_e, bias)
    if se is not None:
        out["bias"] = (bias - z * se, bias + z * se)
    se = se_slope(r, variance_ratio, n_e)
    if se is not None:
        slope = r / variance_ratio
        out["calibration_slope"] = (slope - z * se, slope + z * se)
    return out


def analytic_p_values(*, r: float, variance_ratio: float, bias: float, n_e: float) -> dict[str, float | None]:
    """Two-sided p-values of r = 0 (`pearson_r`), β = 0 (`bias`) and b = 1 (`calibration_slope`), normal theory."""
    out: dict[str, float | None] = dict.fromkeys(("pearson_r", "bias", "calibration_slope"))
    if n_e > 3 and abs(r) < 1:
        out["pearson_r"] = normal_two_sided_p(math.atanh(r) * math.sqrt(n_e - 3.0))
    se = se_bias(r, variance_ratio, n_e)
    if se:
        out["bias"] = normal_two_sided_p(bias / se)
    se = se_slope(r, variance_ratio, n_e)
    if se:
        out["calibration_slope"] = normal_two_sided_p((r / variance_ratio - 1.0) / se)
    return out


def samples_to_resolve(distance: float, se: float, n: float, level: float = 0.95, power: float = 0.8) -> float | None:
    """The n at which an effect of `distance` from its null is found with `power`, given its se at n; None for distance
    0.

    n · ((z_{1-α/2} + z_power) · se / distance)²: the standard error shrinks as 1/√n, by more samples of the same kind
    (for dependent samples: more flights or a longer record, not more frames of the same seconds). Never below 1.

    >>> round(samples_to_resolve(0.2, 0.1, 100))
    196
    """
    if distance == 0:
        return None
    return max(1.0, n * ((_z(level) + normal_quantile(power)) * se / distance) ** 2)


def detectable_distance(se: float, level: float = 0.95, power: float = 0.8) -> float:
    """The distance from its null that is found with `power` at this standard error: (z_{1-α/2} + z_power) · se."""
    return (_z(level) + normal_quantile(power)) * se


def _z(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    return normal_quantile(0.5 + level / 2.0)
