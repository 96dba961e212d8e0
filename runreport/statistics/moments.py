"""Eight sums per unit (row, block or group) from which every metric follows, for one sample or thousands of resamples.

A resample of units is a weight vector, so B resamples of E epochs are one matrix product,
`weights[B, G] @ sums[E, G, 8]`: no row is ever copied.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Columns of a sums array. t and p are y_true and y_pred, each less its own global mean.
# The squared error follows from the others on paper only: for nearly perfect predictions t² + p² - 2tp keeps no digit.
COUNT, TRUE, PRED, TRUE_SQ, PRED_SQ, PRODUCT, ABS_ERROR, SQ_ERROR = range(8)
WIDTH = 8

METRICS = ("r2", "variance_ratio", "pearson_r", "bias", "calibration_slope", "mae", "rmse")
"""The metrics that carry an interval, in the order in which reports list them."""

# A standard deviation below this many float64 roundings of the largest value is rounding noise, not variation: a mean
# over n equal numbers is off by less than 2 units in the last place with numpy's pairwise summation.
CONSTANT_ROUNDINGS = 8.0
# Subtracting a unit's sums from the whole leaves float64's 16 digits less those that cancel; 12 cancelled leave too
# few.
CANCELLED_SHARE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Sums over units, of centred values.

    sums: [..., G, 8] in the order n, t, p, t², p², t·p, |e|, e², with e = y_pred - y_true; leading axes are epochs or
    trials. offset: [...] the mean of y_pred less the mean of y_true that centring removed, in target units.
    true_floor, pred_floor: [...] variances at or below these are rounding noise, so the values count as constant.
    """

    sums: Floats
    offset: Floats
    true_floor: Floats
    pred_floor: Floats

    @property
    def unit_count(self) -> int:
        """Number G of units."""
        return int(self.sums.shape[-2])

    def total(self) -> Floats:
        """Sums over all units, [..., 8]."""
        return np.asarray(self.sums.sum(axis=-2))

    def metrics_without_each(self) -> dict[str, Floats]:
        """Every metric with one unit left out, for each unit: arrays [..., G].

        Sums less a unit keep only the digits that the unit leaves: what varies less than `CANCELLED_SHARE` of the whole
        without it counts as constant, so that a metric that one unit alone defines comes out undefined.
        """
        total = self.total()
        whole = second_moments(total, true_floor=self.true_floor, pred_floor=self.pred_floor)
        return metrics_from_moments(
            total[..., None, :] - self.sums,
            offset=self.offset,
            true_floor=np.fmax(self.true_floor, CANCELLED_SHARE * whole.true_var),
            pred_floor=np.fmax(self.pred_floor, CANCELLED_SHARE * whole.pred_var),
        )

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        """`metrics_from_moments` of `sums` [..., 8] with this record's offset and floors (broadcast to the left)."""
        return metrics_from_moments(sums, offset=self.offset, true_floor=self.true_floor, pred_floor=self.pred_floor)


def row_moments(y_true: Floats, y_pred: Floats) -> Moments:
    """Moments with one unit a row: sums [..., n, 8] from arrays [..., n].

    Values are centred about their own mean first, so that 1e9 ± 1 loses no digit that float64 held (Chan, Golub &
    LeVeque 1983, doi:10.2307/2683386). Arrays broadcast: y_true [n] with y_pred [E, n] gives [E, n, 8]. All values must
    be finite.

    >>> row_moments(np.array([1.0, 3.0]), np.array([2.0, 2.0])).total().tolist()
    [2.0, 0.0, 0.0, 2.0, 0.0, 0.0, 2.0, 2.0]
    """
    true, pred = np.broadcast_arrays(np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64))
    true_mean = true.mean(axis=-1, keepdims=True)
    pred_mean = pred.mean(axis=-1, keepdims=True)
    t, p = true - true_mean, pred - pred_mean
    error = pred - true
    sums = np.stack([np.ones_like(t), t, p, t * t, p * p, t * p, np.abs(error), error * error], axis=-1)
    return Moments(
        sums=sums,
        offset=(pred_mean - true_mean)[..., 0],
        true_floor=_rounding_variance(true),
        pred_floor=_rounding_variance(pred),
    )


def unit_moments(y_true: Floats, y_pred: Floats, codes: Ints, unit_count: int) -> Moments:
    """Moments with one unit a group: sums [..., G, 8]; `codes` [n] holds each row's unit in 0..unit_count-1."""
    return sum_units(row_moments(y_true, y_pred), codes, unit_count)


def sum_units(rows: Moments, codes: Ints, unit_count: int) -> Moments:
    """Row moments added up by unit. Units that no row names keep zeros."""
    order = np.argsort(codes, kind="stable")
    present, starts = np.unique(codes[order], return_index=True)
    sums = np.zeros((*rows.sums.shape[:-2], unit_count, WIDTH))
    sums[..., present, :] = np.add.reduceat(rows.sums[..., order, :], starts, axis=-2)
    return Moments(sums=sums, offset=rows.offset, true_floor=rows.true_floor, pred_floor=rows.pred_floor)


def metrics_from_moments(
    sums: Floats,
    *,
    offset: Floats | float = 0.0,
    true_floor: Floats | float = 0.0,
    pred_floor: Floats | float = 0.0,
) -> dict[str, Floats]:
    """Every metric from sums [..., 8], each an array [...]; weights need not be integers.

    Keys: r2, variance_ratio, pearson_r, bias, calibration_slope, mae, rmse, mean_error, ccc (formulas: vocabulary of
    the project; ccc: Lin 1989, doi:10.2307/2532051). `offset` and the floors come from `Moments`; they align with the
    first axes of `sums` (missing trailing axes are added), or are scalars. Inside arrays NaN stands for undefined: r2
    and variance_ratio and bias where y_true is constant, pearson_r where either is, calibration_slope where y_pred is,
    all of them where the weights sum to 0.

    >>> m = metrics_from_moments(np.array([2.0, 0.0, 0.0, 2.0, 0.0, 0.0, 2.0, 2.0]))
    >>> float(m["r2"]), float(m["variance_ratio"]), float(m["pearson_r"])
    (0.0, 0.0, nan)
    """
    values = np.asarray(sums, dtype=np.float64)
    second = second_moments(values, true_floor=true_floor, pred_floor=pred_floor)
    off = _aligned(offset, values.ndim - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mse = values[..., SQ_ERROR] / second.n
        mean_error = second.pred_mean - second.true_mean + off
        true_std, pred_std = np.sqrt(second.true_var), np.sqrt(second.pred_var)
        spread = np.where(second.pred_var > 0, second.pred_var, np.nan)
        return {
            "r2": 1.0 - mse / second.true_var,
            "variance_ratio": pred_std / true_std,
            "pearson_r": np.clip(second.covariance / (true_std * np.sqrt(spread)), -1.0, 1.0),
            "bias": mean_error / true_std,
            "calibration_slope": second.covariance / spread,
            "mae": values[..., ABS_ERROR] / second.n,
            "rmse": np.sqrt(mse),
            "mean_error": mean_error,
            "ccc": 2.0 * second.covariance / (second.true_var + second.pred_var + mean_error * mean_error),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondMoments:
    """Means, population variances (ddof = 0) and covariance [...] of centred values.

    true_var is NaN where y_true is constant, pred_var is 0 where y_pred is, covariance NaN or 0 with them.
    """

    n: Floats
    true_mean: Floats
    pred_mean: Floats
    true_var: Floats
    pred_var: Floats
    covariance: Floats


def second_moments(sums: Floats, *, true_floor: Floats | float, pred_floor: Floats | float) -> SecondMoments:
    """Means, variances and covariance from sums [..., 8]; floors as in `metrics_from_moments`."""
    t_floor, p_floor = (_aligned(floor, sums.ndim - 1) for floor in (true_floor, pred_floor))
    with np.errstate(divide="ignore", invalid="ignore"):
        n = sums[..., COUNT]
        t, p = sums[..., TRUE] / n, sums[..., PRED] / n
        true_var = sums[..., TRUE_SQ] / n - t * t
        pred_var = sums[..., PRED_SQ] / n - p * p
        true_var = np.where(true_var > t_floor, true_var, np.nan)
        pred_varies = pred_var > p_floor
        covariance = np.where(pred_varies, sums[..., PRODUCT] / n - t * p, 0.0)
        return SecondMoments(
            n=n,
            true_mean=t,
            pred_mean=p,
            true_var=true_var,
            pred_var=np.where(pred_varies, pred_var, np.where(n > 0, 0.0, np.nan)),
            covariance=np.where(np.isnan(true_var), np.nan, covariance),
        )


def _rounding_variance(values: Floats) -> Floats:
    """Variance [...] that rounding alone can give values [..., n] of this size."""
    largest = np.abs(values).max(axis=-1)
    return np.asarray((CONSTANT_ROUNDINGS * np.finfo(np.float64).eps * largest) ** 2)


def _aligned(extra: Floats | float, axes: int) -> Floats:
    """`extra` with trailing axes of length 1 added until it has `axes` axes; a scalar stays one."""
    array = np.asarray(extra, dtype=np.float64)
    if array.ndim == 0:
        return array
    return array.reshape(array.shape + (1,) * (axes - array.ndim))
