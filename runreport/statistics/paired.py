"""Two or more prediction vectors on the same samples: what the difference is, and whether these samples can tell."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from runreport.statistics.bootstrap import bootstrap_sums, resampling_units
from runreport.statistics.effective_size import MIN_ROWS
from runreport.statistics.influence import influence_values, scale_slope
from runreport.statistics.intervals import MIN_GROUPS
from runreport.statistics.moments import Floats, Ints, Moments, row_moments, sum_units
from runreport.statistics.multiple import holm
from runreport.statistics.paired_loss import LOSS_METRICS, LossDifference, loss_difference
from runreport.statistics.standard_error import StandardError, corrected_series_error, effective_error, widest
from runreport.statistics.student import t_quantile, two_sided_p

PAIRED_METRICS = ("r2", "pearson_r", "variance_ratio", "mae")
"""Compared as differences second - first; variance_ratio as the log of the ratio of the two ratios. r2 and mae are
tested on the log of the ratio of the two errors (`paired_loss`), where a bad model does not drown the difference."""

# 2,000 resamples leave the probability of improvement known to ±0.02; it is a description, not the test.
DEFAULT_RESAMPLES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """`second` minus `first` in one metric on the same samples (variance_ratio: log(second/first)).

    [lo, hi] leaves 0 out exactly where p_value is below 1 - level; se is the estimate's standard error (r2 and mae: to
    first order), df the degrees of freedom of the test. error_ratio is second's mean squared (r2) or absolute (mae)
    error over first's, with its interval; None for other metrics. p_holm is p_value adjusted over all pairs in this
    metric; probability_second_higher is the share of paired resamples in which second has the higher value (for mae
    higher is worse). minimum_detectable: the least difference that these samples find four times in five. All None,
    with `reason`, where the difference cannot be judged; estimate is None where undefined.
    """

    first: str
    second: str
    metric: str
    estimate: float | None
    lo: float | None
    hi: float | None
    se: float | None
    df: float | None
    p_value: float | None
    p_holm: float | None
    probability_second_higher: float | None
    minimum_detectable: float | None
    reason: str | None
    error_ratio: float | None = None
    error_ratio_lo: float | None = None
    error_ratio_hi: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedComparison:
    """Every pair of `names` in every paired metric, on `n` rows finite in all; `refused`: why no interval is given."""

    names: tuple[str, ...]
    n: int
    n_dropped: int
    n_groups: int | None
    level: float
    method: str
    refused: str | None
    differences: tuple[PairedDifference, ...]

    def difference(self, first: str, second: str, metric: str = "r2") -> PairedDifference:
        """The difference of one pair, in the order in which the names were given; KeyError where there is none."""
        for item in self.differences:
            if (item.first, item.second, item.metric) == (first, second, metric):
                return item
        raise KeyError((first, second, metric))


def compare_paired(
    y_true: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    *,
    groups: ArrayLike | None = None,
    ordered: bool = True,
    level: float = 0.95,
    resamples: int = DEFAULT_RESAMPLES,
    seed: int = 0,
) -> PairedComparison:
    """ΔR², Δr, Δlog α and ΔMAE of every pair of predictions [n] of the same y_true [n].

    What two predictions share cancels, which is what makes paired comparison sharp. r2 and mae: the log of the ratio of
    the two errors (`paired_loss.loss_difference`); the others: the difference of the two influence values, with
    dependence treated as in `intervals.interval_set`. 6 groups or more: delete-one-group jackknife, or the
    effective-sample-size interval where wider; one ordered series: its long-run variance; 2 to 5 groups: refused.
    Holm's adjustment runs over the pairs within each metric. Needs at least two predictions of y_true's length.
    """
    names = tuple(predictions)
    if len(names) < 2:
        raise ValueError(f"a comparison needs at least two predictions, got {len(names)}")
    true, stack, codes, dropped = _clean(y_true, predictions, groups)
    n = true.size
    count = None if codes is None else int(codes.max(initial=-1)) + 1
    if count in (1, n):
        codes = None
    refused = None
    if n < MIN_ROWS:
        refused = f"{n} rows in common: an interval needs at least {MIN_ROWS}"
    elif codes is not None and count is not None and count < MIN_GROUPS:
        refused = f"{count} groups: fewer than {MIN_GROUPS}, so nothing can be inferred about other groups"
    if n == 0:
        differences = [_undefined(a, b, m, None, refused) for m in PAIRED_METRICS for a, b in combinations(names, 2)]
    else:
        rows = row_moments(true, stack)
        shares = None if refused else _resampled(rows, true, stack, codes, ordered, resamples, seed)
        differences = []
        for metric in PAIRED_METRICS:
            differences += _metric_differences(
                names, metric, rows, stack - true, codes, ordered, level, refused, shares
            )
    how = "delete-one-group jackknife" if codes is not None else "long-run variance" if ordered else "independent rows"
    return PairedComparison(
        names=names,
        n=n,
        n_dropped=dropped,
        n_groups=count,
        level=level,
        method="none" if refused else f"R² and MAE by the log ratio of errors, the rest by paired influences; {how}",
        refused=refused,
        differences=tuple(differences),
    )


def minimum_detectable_difference(se: float, df: float = math.inf, *, level: float = 0.95, power: float = 0.8) -> float:
    """The true difference that a paired comparison with this se finds with `power`: (t_{1-α/2} + t_power) · se.

    se: standard error of the difference, df its degrees of freedom (infinite: normal). Smaller differences may exist;
    these samples would more often miss them than not.

    >>> round(minimum_detectable_difference(0.02), 3)
    0.056
    """
    return (t_quantile(0.5 + level / 2.0, df) + t_quantile(power, df)) * se


def _metric_differences(
    names: tuple[str, ...],
    metric: str,
    rows: Moments,
    errors: Floats,
    codes: Ints | None,
    ordered: bool,
    level: float,
    refused: str | None,
    shares: dict[str, Floats] | None,
) -> list[PairedDifference]:
    """One metric's differences over all pairs, Holm-adjusted together."""
    values = _on_scale(metric, rows.metrics(rows.total())[metric])
    influence = _natural_influence(metric, rows)
    out: list[PairedDifference] = []
    for i, j in combinations(range(len(names)), 2):
        estimate = float(values[j] - values[i])
        if not math.isfinite(estimate) or refused:
            known = estimate if math.isfinite(estimate) else None
            out.append(_undefined(names[i], names[j], metric, known, refused))
            continue
        if metric in LOSS_METRICS:
            found = loss_difference(metric, rows, errors, i, j, codes, ordered, level)
            item = None if found is None else _from_loss(names[i], names[j], metric, estimate, found)
        else:
            error = _difference_error(metric, rows, i, j, influence[j] - influence[i], codes, ordered, level)
            item = _from_error(names[i], names[j], metric, estimate, error, level)
        if item is None:
            out.append(_undefined(names[i], names[j], metric, estimate, None))
            continue
        share = None if shares is None else _share_higher(shares[metric][:, i], shares[metric][:, j])
        out.append(replace(item, probability_second_higher=share))
    adjusted = holm([item.p_value for item in out])
    return [replace(item, p_holm=p) for item, p in zip(out, adjusted, strict=True)]


def _from_loss(first: str, second: str, metric: str, estimate: float, found: LossDifference) -> PairedDifference:
    reachable = found.lo is not None and found.hi is not None
    return PairedDifference(
        first=first,
        second=second,
        metric=metric,
        estimate=estimate,
        lo=found.lo if reachable else None,
        hi=found.hi if reachable else None,
        se=found.se,
        df=found.df,
        p_value=found.p_value,
        p_holm=None,
        probability_second_higher=None,
        minimum_detectable=found.minimum_detectable,
        reason=None if reachable else "wider than numbers reach: no interval",
        error_ratio=found.ratio,
        error_ratio_lo=found.ratio_lo,
        error_ratio_hi=found.ratio_hi,
    )


def _from_error(
    first: str, second: str, metric: str, estimate: float, error: StandardError, level: float
) -> PairedDifference | None:
    """A difference with a symmetric interval; None where there is no standard error."""
    se, df = float(error.se), float(error.df)
    if not (se > 0 and df > 0):
        return None
    half = t_quantile(0.5 + level / 2.0, df) * se
    return PairedDifference(
        first=first,
        second=second,
        metric=metric,
        estimate=estimate,
        lo=estimate - half,
        hi=estimate + half,
        se=se,
        df=df,
        p_value=two_sided_p(estimate / se, df),
        p_holm=None,
        probability_second_higher=None,
        minimum_detectable=minimum_detectable_difference(se, df, level=level),
        reason=None,
    )


def _on_scale(metric: str, values: Floats) -> Floats:
    """The scale of the difference: log for the variance ratio, the metric itself for the others."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values)) if metric == "variance_ratio" else values


def _natural_influence(metric: str, moments: Moments) -> Floats:
    """Influence values [k, G] on the scale of the difference."""
    influence = influence_values(moments)[metric]
    if metric == "variance_ratio":
        return influence
    return np.asarray(influence * scale_slope(metric, moments.metrics(moments.total())[metric])[..., None])


def _difference_error(
    metric: str,
    rows: Moments,
    i: int,
    j: int,
    influence: Floats,
    codes: Ints | None,
    ordered: bool,
    level: float,
) -> StandardError:
    """Standard error of one difference, by the choice of `intervals.scale_errors`."""
    units = rows if codes is None else sum_units(rows, codes, int(codes.max()) + 1)
    jackknife = _jackknife_difference(metric, units, i, j)
    if codes is not None:
        return widest([jackknife, effective_error(influence, codes)], level)
    return corrected_series_error(influence, jackknife) if ordered else jackknife


def _jackknife_difference(metric: str, units: Moments, i: int, j: int) -> StandardError:
    """Delete-one-unit jackknife of the difference j - i."""
    total = units.total()
    full = _on_scale(metric, units.metrics(total)[metric])
    left_out = _on_scale(metric, units.metrics_without_each()[metric])
    change = (left_out[j] - left_out[i]) - (full[j] - full[i])
    sizes = units.sums[0, :, 0]
    count = units.unit_count
    df = np.asarray(sizes.sum() ** 2 / (sizes**2).sum() - 1.0)
    return StandardError(se=np.asarray(np.sqrt((count - 1) / count * (change**2).sum())), df=df)


def _resampled(
    rows: Moments, true: Floats, stack: Floats, codes: Ints | None, ordered: bool, resamples: int, seed: int
) -> dict[str, Floats]:
    """The paired metrics in every resample: [B, k] each."""
    units = resampling_units(true, stack, groups=codes, ordered=ordered, seed=seed)
    sums = bootstrap_sums(sum_units(rows, units.codes, units.count).sums, resamples=resamples, seed=seed)
    aligned = Moments(
        sums=rows.sums,
        offset=rows.offset[None, :],
        true_floor=rows.true_floor[None, :],
        pred_floor=rows.pred_floor[None, :],
    )
    metrics = aligned.metrics(sums)
    return {metric: metrics[metric] for metric in PAIRED_METRICS}


def _share_higher(first: Floats, second: Floats) -> float | None:
    """P(second > first) over resamples, ties counted half; None where no resample defines both."""
    both = np.isfinite(first) & np.isfinite(second)
    if not both.any():
        return None
    return float((second[both] > first[both]).mean() + 0.5 * (second[both] == first[both]).mean())


def _undefined(first: str, second: str, metric: str, estimate: float | None, refused: str | None) -> PairedDifference:
    reason = refused
    if reason is None and estimate is None:
        reason = "undefined: y_true or a prediction is constant"
    elif reason is None:
        reason = "the two do not differ on any sample" if estimate == 0 else "no standard error can be computed"
    return PairedDifference(
        first=first,
        second=second,
        metric=metric,
        estimate=estimate,
        lo=None,
        hi=None,
        se=None,
        df=None,
        p_value=None,
        p_holm=None,
        probability_second_higher=None,
        minimum_detectable=None,
        reason=reason,
    )


def _clean(
    y_true: ArrayLike, predictions: Mapping[str, ArrayLike], groups: ArrayLike | None
) -> tuple[Floats, Floats, Ints | None, int]:
    """Rows finite in the truth and every prediction: y_true [n], predictions [k, n], codes [n], rows left out."""
    true = np.asarray(y_true, dtype=np.float64).ravel()
    columns = [np.asarray(values, dtype=np.float64).ravel() for values in predictions.values()]
    for name, column in zip(predictions, columns, strict=True):
        if column.shape != true.shape:
            raise ValueError(f"y_true has {true.size} rows, {name} {column.size}")
    stack = np.stack(columns)
    keep = np.isfinite(true) & np.isfinite(stack).all(axis=0)
    codes: Ints | None = None
    if groups is not None:
        labels = np.asarray(groups).ravel()
        if labels.shape != true.shape:
            raise ValueError(f"y_true has {true.size} rows, groups {labels.size}")
        codes = np.asarray(np.unique(labels[keep], return_inverse=True)[1], dtype=np.int64)
    return true[keep], stack[:, keep], codes, int(keep.size - keep.sum())
