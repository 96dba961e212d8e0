"""Metrics of one set of predictions with nothing but the standard library.

Definitions, names and nulls are those of `runreport.metrics.expressions.metrics_by`; the sums are exactly rounded
(Shewchuk 1997, doi:10.1007/PL00009321, as `math.fsum` has it), so the order of the samples changes no digit.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from operator import mul, sub
from typing import TypeAlias

from runreport.logger.values import Samples, as_floats

# Values count as constant when they all lie within this many units in the last place of the largest of them: rounding
# to the stored type moves a value by half a unit, and summing a prediction in another order by a few. The same number
# as in `runreport.metrics.expressions`, so that a logged figure and a recomputed one agree on what is undefined.
CONSTANT_UNITS_IN_LAST_PLACE = 8.0

NAMES = (
    "true_mean", "true_std", "true_min", "true_max", "pred_mean", "pred_std", "pred_min", "pred_max", "pred_spread",
    "mae", "mse", "rmse", "mape", "mean_error", "std_error", "r2", "variance_ratio", "pearson_r", "bias",
    "calibration_slope", "recalibrated_r2", "ccc",
)  # fmt: skip
"""What `metrics` gives, beside n and n_dropped."""

Floats: TypeAlias = "array[float]"
Metrics = dict[str, float | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Pairs of truth and prediction in target units, in the order given; one that is not finite is still among them.

    The epsilons are the spacing at 1 of the types that the numbers came in (see `runreport.logger.values`).
    """

    y_true: Floats
    y_pred: Floats
    true_epsilon: float
    pred_epsilon: float

    def __len__(self) -> int:
        return len(self.y_true)

    def usable(self) -> tuple[Floats, Floats]:
        """The pairs in which both numbers are finite."""
        if all(map(math.isfinite, self.y_true)) and all(map(math.isfinite, self.y_pred)):
            return self.y_true, self.y_pred
        pairs = [(t, p) for t, p in zip(self.y_true, self.y_pred, strict=True) if math.isfinite(t) and math.isfinite(p)]
        return array("d", (t for t, _ in pairs)), array("d", (p for _, p in pairs))


def pairs(y_true: Samples, y_pred: Samples) -> Sample:
    """The pairs that two arrays make (see `runreport.logger.values.as_floats`): as many of one as of the other, at least one.

    Raises ValueError otherwise.
    """
    true, true_epsilon = as_floats("y_true", y_true)
    pred, pred_epsilon = as_floats("y_pred", y_pred)
    if len(true) != len(pred):
        raise ValueError(f"y_true has {len(true)} values, y_pred {len(pred)}: expected as many of one as of the other")
    if not true:
        raise ValueError("y_true and y_pred are empty: expected at least one sample")
    return Sample(y_true=true, y_pred=pred, true_epsilon=true_epsilon, pred_epsilon=pred_epsilon)


def join(samples: list[Sample]) -> Sample:
    """The samples of several batches behind each other; at least one batch."""
    true, pred = array("d"), array("d")
    for sample in samples:
        true.extend(sample.y_true)
        pred.extend(sample.y_pred)
    return Sample(
        y_true=true,
        y_pred=pred,
        true_epsilon=max(sample.true_epsilon for sample in samples),
        pred_epsilon=max(sample.pred_epsilon for sample in samples),
    )


def metrics(sample: Sample) -> Metrics:
    """Every metric of the sample under its name in `runreport.metrics.expressions.METRICS`; None where undefined.

    n counts the pairs in which both numbers are finite, n_dropped the others; only the former count in the rest.
    std has ddof 0. What overflows is None as well.

    >>> found = metrics(Sample(y_true=array("d", [1, 2, 3]), y_pred=array("d", [2, 2, 2]),
    ...                        true_epsilon=2**-52, pred_epsilon=2**-52))
    >>> found["r2"], found["variance_ratio"], found["pearson_r"], found["mae"]
    (0.0, 0.0, None, 0.6666666666666666)
    """
    true, pred = sample.usable()
    n = len(true)
    counts: Metrics = {"n": n, "n_dropped": len(sample) - n}
    if n == 0:
        return counts | dict.fromkeys(NAMES)
    found = _metrics(true, pred, sample)
    return counts | {
        name: value if value is not None and math.isfinite(value) else None for name, value in found.items()
    }


def _metrics(true: Floats, pred: Floats, sample: Sample) -> dict[str, float | None]:
    n = len(true)
    true_side, pred_side = _Side.of(true, sample.true_epsilon), _Side.of(pred, sample.pred_epsilon)
    error = list(map(sub, pred, true))
    absolute = list(map(abs, error))
    mean_error = _mean(error, n)
    mse = _mean(map(mul, error, error), n)
    error_from_mean = [value - mean_error for value in error]
    covariance = 0.0
    if not (true_side.constant or pred_side.constant):
        covariance = _mean(map(mul, true_side.from_mean, pred_side.from_mean), n)
    r: float | None = None
    slope: float | None = None
    if not (true_side.constant or pred_side.constant):
        r = _ratio(_ratio(covariance, true_side.std), pred_side.std)
        r = math.copysign(1.0, r) if abs(r) > 1 else r  # by a rounding; NaN stays NaN
        slope = _ratio(covariance, pred_side.variance)
    spread = pred_side.high - pred_side.low
    known = not true_side.constant
    both_constant = true_side.constant and pred_side.constant
    return {
        "true_mean": true_side.mean,
        "true_std": true_side.std,
        "true_min": true_side.low,
        "true_max": true_side.high,
        "pred_mean": pred_side.mean,
        "pred_std": pred_side.std,
        "pred_min": pred_side.low,
        "pred_max": pred_side.high,
        "pred_spread": spread,
        "mae": _mean(absolute, n),
        "mse": mse,
        "rmse": math.sqrt(mse),
        "mape": 100 * _mean([_ratio(a, abs(t)) for a, t in zip(absolute, true, strict=True)], n) if all(true) else None,
        "mean_error": mean_error,
        "std_error": math.sqrt(_mean(map(mul, error_from_mean, error_from_mean), n)),
        "r2": 1 - _ratio(mse, true_side.variance) if known else None,
        "variance_ratio": _ratio(pred_side.std, true_side.std) if known else None,
        "pearson_r": r,
        "bias": _ratio(mean_error, true_side.std) if known else None,
        "calibration_slope": slope,
        "recalibrated_r2": r * r if r is not None else None,
        "ccc": None
        if both_constant
        else _ratio(2 * covariance, true_side.variance + pred_side.variance + mean_error * mean_error),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """Moments of the truth or of the prediction."""

    low: float
    high: float
    mean: float
    variance: float
    std: float
    constant: bool
    from_mean: list[float]

    @classmethod
    def of(cls, values: Floats, epsilon: float) -> _Side:
        n, low, high = len(values), min(values), max(values)
        constant = high - low <= CONSTANT_UNITS_IN_LAST_PLACE * epsilon * max(abs(low), abs(high))
        # About the least value: at 1e9 ± 1 the mean itself would keep only seven digits behind the point.
        above_low = [value - low for value in values]
        mean_above = _mean(above_low, n)
        from_mean = [value - mean_above for value in above_low]
        variance = 0.0 if constant else _mean(map(mul, from_mean, from_mean), n)
        return cls(
            low=low,
            high=high,
            mean=low + mean_above,
            variance=variance,
            std=math.sqrt(variance),
            constant=constant,
            from_mean=from_mean,
        )


def percentile(ordered: list[float], percent: float) -> float:
    """The percentile of sorted values, linear between neighbours (Hyndman & Fan 1996, type 7: numpy's default).

    >>> percentile([0.0, 1.0, 2.0, 4.0], 50)
    1.5
    """
    position = (len(ordered) - 1) * percent / 100
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def _mean(values: Iterable[float], n: int) -> float:
    """The mean of n values, exactly rounded but for the division; infinite or NaN where it overflows."""
    try:
        return math.fsum(values) / n
    except OverflowError:
        return math.inf
    except ValueError:  # infinities of both signs
        return math.nan


def _ratio(above: float, below: float) -> float:
    return above / below if below != 0 else math.nan
