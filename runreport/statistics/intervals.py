"""Every metric of one split with its interval, its standard error and its test: the entry point of this package."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from runreport.statistics.effective_size import MIN_ROWS, EffectiveSize, effective_size
from runreport.statistics.influence import from_scale, influence_values, scale_slope, to_scale
from runreport.statistics.moments import METRICS, Floats, Ints, Moments, row_moments, sum_units
from runreport.statistics.standard_error import (
    StandardError,
    corrected_series_error,
    effective_error,
    jackknife_error,
    widest,
)
from runreport.statistics.student import t_quantile, two_sided_p

# Fewer whole groups than this cannot be resampled to any purpose: with 5, a t quantile has 4 degrees of freedom and one
# odd flight decides the interval. The figure is the findings catalogue's.
MIN_GROUPS = 6
# Below this many effective samples a single series' 95 % interval was measured to cover clearly less
# (docs/coverage.md).
# 0.86-0.91 where about 15 are reported, 0.91-0.95 at about 40, 0.93 and more from 70.
FEW_EFFECTIVE_SAMPLES = 50.0

NULLS: Mapping[str, float | None] = MappingProxyType(
    {
        "r2": 0.0,
        "variance_ratio": None,
        "pearson_r": 0.0,
        "bias": 0.0,
        "calibration_slope": 1.0,
        "mae": None,
        "rmse": None,
    }
)
"""The value that each metric is tested against unless another is named; None where no value is special."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricInterval:
    """One metric: estimate, interval [lo, hi] at the set's level, standard error in the metric's unit.

    scale_se and df are those of the t interval on the metric's own scale (`influence.SCALES`); lo, hi, se, scale_se and
    df are None, and `reason` says why, where there is no interval; estimate is None where the metric is undefined.
    """

    metric: str
    estimate: float | None
    lo: float | None
    hi: float | None
    se: float | None
    scale_se: float | None
    df: float | None
    reason: str | None

    @property
    def interval(self) -> tuple[float, float] | None:
        """(lo, hi), or None."""
        return None if self.lo is None or self.hi is None else (self.lo, self.hi)

    def t_statistic(self, null: float | None = None) -> float | None:
        """(estimate - null) / se on the metric's scale; None without an interval or where `null` is off the scale.

        `null` defaults to `NULLS[metric]`. It agrees with the interval: |t| exceeds the t quantile exactly when the
        interval leaves `null` out.
        """
        against = NULLS[self.metric] if null is None else null
        if self.estimate is None or self.scale_se is None or against is None:
            return None
        ends = to_scale(self.metric, np.asarray([self.estimate, against]))
        distance = float(ends[0] - ends[1])
        return distance / self.scale_se if math.isfinite(distance) and self.scale_se > 0 else None

    def p_value(self, null: float | None = None) -> float | None:
        """Two-sided p-value of metric = `null` (default `NULLS[metric]`), Student's t; None where untestable."""
        statistic = self.t_statistic(null)
        return None if statistic is None or self.df is None else two_sided_p(statistic, self.df)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalSet:
    """The intervals of `METRICS` on one sample, what they rest on and what they do not say.

    n rows were used, n_dropped were not finite; effective_n is what the n rows are worth (`effective_size`); n_groups
    is None without groups. `method` names the estimator in words. `caveat` is the sentence to show beside the numbers
    (None: nothing to add). `refused` is the reason why no interval is given at all, else None.
    """

    n: int
    n_dropped: int
    effective_n: float
    n_groups: int | None
    level: float
    method: str
    caveat: str | None
    refused: str | None
    metrics: Mapping[str, MetricInterval]

    def __getitem__(self, metric: str) -> MetricInterval:
        return self.metrics[metric]

    def interval(self, metric: str) -> tuple[float, float] | None:
        """(lo, hi) of one metric, or None."""
        return self.metrics[metric].interval

    def p_value(self, metric: str, null: float | None = None) -> float | None:
        """Two-sided p-value of metric = null (default `NULLS`: r2 0, pearson_r 0, bias 0, calibration_slope 1)."""
        return self.metrics[metric].p_value(null)

    def t_statistic(self, metric: str, null: float | None = None) -> float | None:
        """t statistic of metric = null on the metric's interval scale."""
        return self.metrics[metric].t_statistic(null)


def interval_set(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    ordered: bool = True,
    level: float = 0.95,
) -> IntervalSet:
    """Intervals of r2, variance_ratio, pearson_r, bias, calibration_slope, mae and rmse of one sample.

    y_true, y_pred: [n] numbers; rows that are not finite in both are left out and counted. groups: [n] labels (numbers
    or text), None or all equal for a single series. ordered: rows are in time order (within groups), so that neighbours
    may repeat each other; False takes them as independent.

    How, by what is known (each on the scales of `influence.SCALES`, Student t):
      - 6 groups or more: delete-one-group jackknife, or the effective-sample-size interval where that is wider.
      - 2 to 5 groups: refused; estimates only.
      - one ordered series: its long-run variance (`corrected_series_error`). It speaks of this series only.
      - independent rows: delete-one-row jackknife.
    Groups of one row each say nothing about dependence and count as no groups. Fewer than 4 rows: refused. A metric
    that is undefined (constant y_true or y_pred) or perfect has no interval, with its reason. No randomness is
    involved.

    >>> result = interval_set([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.1, 1.9, 3.2, 3.9, 5.2, 5.7], ordered=False)
    >>> result.n, round(result["r2"].estimate, 4), result.refused
    (6, 0.9886, None)
    """
    true, pred, codes, dropped = _clean(y_true, y_pred, groups)
    n = true.size
    count = None if codes is None else int(codes.max()) + 1 if n else 0
    if codes is not None and (count == n or count == 1):
        codes = None
    refused = _refusal(n, count, codes)
    if n == 0:
        return _empty(dropped, count, level, refused or "no finite rows")
    size = effective_size(true, pred, codes) if ordered else EffectiveSize(n=n, n_e=float(n), how="independent rows")
    rows = row_moments(true, pred)
    errors: dict[str, StandardError] = {}
    method = "none"
    if refused is None:
        errors, method = _errors(rows, codes, count, ordered, level)
    estimates = rows.metrics(rows.total())
    return IntervalSet(
        n=n,
        n_dropped=dropped,
        effective_n=size.n_e,
        n_groups=count,
        level=level,
        method=method,
        caveat=_caveat(n, size.n_e, codes, count, ordered) if refused is None else None,
        refused=refused,
        metrics=MappingProxyType(
            {name: _metric_interval(name, float(estimates[name]), errors.get(name), level, refused) for name in METRICS}
        ),
    )


def scale_errors(
    rows: Moments, codes: Ints | None, unit_count: int | None, *, ordered: bool, level: float
) -> dict[str, StandardError]:
    """Standard errors by metric on the interval scale, for row moments with any leading axes (epochs, trials).

    The choice of `interval_set`: group jackknife with codes [n] in 0..unit_count-1, else series or independent rows.
    """
    influence = influence_values(rows)
    if codes is not None and unit_count is not None:
        jackknife = jackknife_error(sum_units(rows, codes, unit_count))
        return {
            name: widest([jackknife[name], _only_with(jackknife[name], effective_error(influence[name], codes))], level)
            for name in METRICS
        }
    jackknife = jackknife_error(rows)
    if not ordered:
        return jackknife
    # Not the wider of the two here: the series' own interval covers 0.93-0.96 of independent rows by itself.
    return {name: corrected_series_error(influence[name], jackknife[name]) for name in METRICS}


def _only_with(required: StandardError, other: StandardError) -> StandardError:
    """`other`, NaN where `required` is: a metric that one unit alone defines has no interval by any method."""
    return StandardError(se=np.where(np.isnan(required.se), np.nan, other.se), df=other.df)


def _errors(
    rows: Moments, codes: Ints | None, count: int | None, ordered: bool, level: float
) -> tuple[dict[str, StandardError], str]:
    errors = scale_errors(rows, codes, count, ordered=ordered, level=level)
    if codes is not None:
        return errors, f"delete-one-group jackknife over {count} groups, or effective sample size where wider"
    if ordered:
        return errors, "long-run variance of one ordered series"
    return errors, "delete-one jackknife, rows taken as independent"


def _metric_interval(
    name: str, estimate: float, error: StandardError | None, level: float, refused: str | None
) -> MetricInterval:
    defined = math.isfinite(estimate)
    point = float(to_scale(name, np.asarray(estimate))) if defined else math.nan
    se, df = (math.nan, math.nan) if error is None else (float(error.se), float(error.df))
    reason = refused
    if not defined:
        reason = "undefined: y_true or y_pred is constant"
    elif refused is None and not math.isfinite(point):
        reason = "at the end of its range: no interval"
    elif refused is None and not (math.isfinite(se) and df > 0):
        reason = "undefined with a single unit left out: no interval"
    if reason is not None:
        return MetricInterval(
            metric=name,
            estimate=estimate if defined else None,
            lo=None,
            hi=None,
            se=None,
            scale_se=None,
            df=None,
            reason=reason,
        )
    half = t_quantile(0.5 + level / 2.0, df) * se
    ends = from_scale(name, np.asarray([point - half, point + half]))
    lo, hi = (float(end) if math.isfinite(end) else None for end in ends)
    return MetricInterval(
        metric=name,
        estimate=estimate,
        lo=lo,
        hi=hi,
        se=se * float(scale_slope(name, np.asarray(estimate))),
        scale_se=se,
        df=df,
        reason=None if lo is not None and hi is not None else "wider than numbers reach: no interval",
    )


def _clean(y_true: ArrayLike, y_pred: ArrayLike, groups: ArrayLike | None) -> tuple[Floats, Floats, Ints | None, int]:
    """Finite rows as float64, group codes 0..G-1 in order of first label, and the number of rows left out."""
    true, pred = np.asarray(y_true, dtype=np.float64).ravel(), np.asarray(y_pred, dtype=np.float64).ravel()
    if true.shape != pred.shape:
        raise ValueError(f"y_true has {true.size} rows, y_pred {pred.size}")
    keep = np.isfinite(true) & np.isfinite(pred)
    codes: Ints | None = None
    if groups is not None:
        labels = np.asarray(groups).ravel()
        if labels.shape != true.shape:
            raise ValueError(f"y_true has {true.size} rows, groups {labels.size}")
        codes = np.asarray(np.unique(labels[keep], return_inverse=True)[1], dtype=np.int64)
    return true[keep], pred[keep], codes, int(keep.size - keep.sum())


def _refusal(n: int, count: int | None, codes: Ints | None) -> str | None:
    if n < MIN_ROWS:
        return f"{n} rows: an interval needs at least {MIN_ROWS}"
    if codes is not None and count is not None and count < MIN_GROUPS:
        return (
            f"{count} groups: fewer than {MIN_GROUPS}, so nothing can be inferred about other groups "
            "and no interval is given"
        )
    return None


def _caveat(n: int, n_e: float, codes: Ints | None, count: int | None, ordered: bool) -> str | None:
    if codes is not None:
        sizes = np.bincount(codes).astype(np.float64)
        kish = float(sizes.sum() ** 2 / (sizes**2).sum())
        if kish < MIN_GROUPS:
            return (
                f"the {count} groups are so unequal in size that they count as {kish:.1f}, which widens the intervals"
            )
        return None
    if not ordered:
        return "rows are taken as independent; neighbours that repeat each other make the true intervals wider"
    one = "one group" if count == 1 else "no group column"
    text = (
        f"{one}: {n} rows read as one series in time order, worth {n_e:.0f} independent samples for the correlation; "
    )
    text += "the intervals are about this series, not about others like it"
    if n_e < FEW_EFFECTIVE_SAMPLES:
        text += "; at so few they are somewhat too narrow (measured: 86-91 % coverage at 15, 91-95 % at 40)"
    return text


def _empty(dropped: int, count: int | None, level: float, refused: str) -> IntervalSet:
    return IntervalSet(
        n=0,
        n_dropped=dropped,
        effective_n=0.0,
        n_groups=count,
        level=level,
        method="none",
        caveat=None,
        refused=refused,
        metrics=MappingProxyType({name: _metric_interval(name, math.nan, None, level, refused) for name in METRICS}),
    )
