"""ΔR² and ΔMAE of two predictions of the same samples, tested as a ratio of errors and told as a difference."""

import math
from dataclasses import dataclass

import numpy as np

from runreport.statistics.error_ratio import difference_interval, log_error_ratio
from runreport.statistics.influence import influence_values, to_scale
from runreport.statistics.moments import Floats, Ints, Moments, sum_units
from runreport.statistics.standard_error import StandardError, corrected_series_error, effective_error, widest
from runreport.statistics.student import t_quantile, two_sided_p

LOSS_METRICS = ("r2", "mae")
"""Metrics that one mean loss decides: 1 - R² is the mean squared error in σt², MAE the mean absolute error."""

# The asked power of `minimum_detectable`: the usual four in five.
POWER = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class LossDifference:
    """second - first in R² or MAE, [lo, hi] with it, and the ratio of their errors [ratio_lo, ratio_hi].

    The p-value is of the ratio being 1, which is the difference being 0; both intervals leave that out exactly when p is
    below 1 - level. se is the difference's own standard error to first order (delta method), df that of the test.
    minimum_detectable: the difference, at the geometric mean of the two errors, that the test finds with `POWER`. None
    where a number is too large to write down.
    """

    lo: float | None
    hi: float | None
    se: float
    df: float
    p_value: float
    ratio: float
    ratio_lo: float | None
    ratio_hi: float | None
    minimum_detectable: float | None


def loss_difference(
    metric: str,
    rows: Moments,
    errors: Floats,
    i: int,
    j: int,
    codes: Ints | None,
    ordered: bool,
    level: float,
) -> LossDifference | None:
    """Prediction j less prediction i in `metric` (one of `LOSS_METRICS`); None where nothing gives a standard error.

    rows: row moments [k, n]; errors: y_pred - y_true [k, n]; codes [n] in 0..G-1 or None. With A, B the losses of i and j
    (1 - R² or MAE), x = log(B/A) is tested (`error_ratio.log_error_ratio`), and B - A = 2√(AB) sinh(x/2) gets the
    interval of `error_ratio.difference_interval`. The uncertainty of √(AB), for R² with that of σt², is estimated as
    that of R² and MAE themselves is (`intervals.interval_set`).
    """
    ratio = log_error_ratio(
        errors[i],
        errors[j],
        loss="square" if metric == "r2" else "absolute",
        codes=codes,
        ordered=ordered,
        level=level,
    )
    x, se, df = float(ratio.value), float(ratio.error.se), float(ratio.error.df)
    if not (math.isfinite(x) and se > 0 and df > 0):
        return None
    log_mean, mean_error, correlation = _log_mean(metric, rows, i, j, codes, ordered, level)
    mean_se = float(mean_error.se)
    if not (math.isfinite(log_mean) and math.isfinite(mean_se) and float(mean_error.df) > 0):
        return None
    half = t_quantile(0.5 + level / 2.0, df) * se
    mean_half = float(mean_error.half_width(level))
    lo, hi = difference_interval(log_mean, mean_half, x, half, correlation)
    # B - A has slope B - A in m and (A + B)/2 in x.
    centre = math.exp(log_mean)
    along_m, along_x = 2.0 * centre * math.sinh(x / 2.0), centre * math.cosh(x / 2.0)
    variance = (along_m * mean_se) ** 2 + (along_x * se) ** 2 + 2.0 * correlation * along_m * along_x * mean_se * se
    if metric == "r2":
        lo, hi = -hi, -lo
    return LossDifference(
        lo=_finite(lo),
        hi=_finite(hi),
        se=math.sqrt(max(variance, 0.0)),
        df=df,
        p_value=two_sided_p(x / se, df),
        ratio=math.exp(x),
        ratio_lo=_exp(x - half),
        ratio_hi=_exp(x + half),
        minimum_detectable=_detectable(centre, half + t_quantile(POWER, df) * se),
    )


def _log_mean(
    metric: str, rows: Moments, i: int, j: int, codes: Ints | None, ordered: bool, level: float
) -> tuple[float, StandardError, float]:
    """m = (log A + log B)/2, its standard error, and its correlation with x = log(B/A).

    The correlation is that of the units' influences: of whole groups, else of rows, as if the lags of both fell off
    alike.
    """
    # R²'s scale is -log(1 - R²), MAE's is log MAE.
    sign = -1.0 if metric == "r2" else 1.0
    units = rows if codes is None else sum_units(rows, codes, int(codes.max()) + 1)
    full = sign * to_scale(metric, units.metrics(units.total())[metric])[[i, j]]
    changes = sign * to_scale(metric, units.metrics_without_each()[metric])[[i, j]] - full[:, None]
    mean, gap = changes.mean(axis=0), changes[1] - changes[0]
    count = units.unit_count
    sizes = units.sums[0, :, 0]
    jackknife = StandardError(
        se=np.asarray(np.sqrt((count - 1) / count * (mean**2).sum())),
        df=np.asarray(sizes.sum() ** 2 / (sizes**2).sum() - 1.0),
    )
    scale = math.sqrt(float((mean**2).sum() * (gap**2).sum()))
    correlation = min(max(float((mean * gap).sum()) / scale, -1.0), 1.0) if scale > 0 else 0.0
    if codes is None and not ordered:
        return float(full.mean()), jackknife, correlation
    influence = influence_values(rows)[metric][[i, j]].mean(axis=0)
    if codes is not None:
        return float(full.mean()), widest([jackknife, effective_error(influence, codes)], level), correlation
    return float(full.mean()), corrected_series_error(influence, jackknife), correlation


def _detectable(centre: float, distance: float) -> float | None:
    return _finite(2.0 * centre * math.sinh(distance / 2.0)) if distance < 1_000.0 else None


def _exp(value: float) -> float | None:
    return _finite(math.exp(value)) if value < 700.0 else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
