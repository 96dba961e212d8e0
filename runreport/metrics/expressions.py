"""Every metric of a group of predictions, as polars expressions over the columns y_true and y_pred.

Two steps. `moments_by` reduces rows to a handful of moments, `metrics_from_moments` turns a table of moments into
metrics. Moments of parts merge (see `streaming`), so both steps also serve a file larger than memory.

Numbers: input is widened to Float64 before anything is added up. Variances and the covariance are taken about the
group's own minimum: polars' var alone keeps only 8 digits at 1e9 ± 1. The minimum is itself a sample, hence within
√(n-1) standard deviations of the mean, so at most √n of the last place is lost, whatever the offset and scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

TRUE: Final = "y_true"
PRED: Final = "y_pred"

METRICS: Final = (
    "n",
    "n_dropped",
    "true_mean",
    "true_std",
    "true_min",
    "true_max",
    "pred_mean",
    "pred_std",
    "pred_min",
    "pred_max",
    "pred_spread",
    "mae",
    "mse",
    "rmse",
    "mape",
    "mean_error",
    "std_error",
    "r2",
    "variance_ratio",
    "pearson_r",
    "bias",
    "calibration_slope",
    "recalibrated_r2",
    "ccc",
)
"""Metric columns in the order of the table. All Float64 but n and n_dropped (Int64)."""

# Prefixed, so that no grouping column can collide with them.
MOMENTS: Final = (
    "__n",
    "__n_dropped",
    "__true_above_min",
    "__pred_above_min",
    "__error_mean",
    "__true_variance",
    "__pred_variance",
    "__error_variance",
    "__covariance",
    "__absolute_error",
    "__relative_error",
    "__true_min",
    "__true_max",
    "__pred_min",
    "__pred_max",
)
"""Moment columns: population moments (ddof = 0) of the rows where both values are finite; error = y_pred - y_true.

The means are kept as their distance above the minimum: at 1e9 ± 1 a mean itself holds 7 digits behind the point, and
the variance between the parts of a group, which merging adds, would have no more.
"""

MOMENT_SCHEMA: Final = {name: pl.Int64() if name in ("__n", "__n_dropped") else pl.Float64() for name in MOMENTS}

# Values count as constant when they all lie within this many units in the last place of the largest of them: rounding
# to the stored type moves a value by half a unit, and summing a prediction in another order by a few. Relative to the
# data, so that 1e-9-sized targets keep their variance and the float noise of a constant 1e9 is not taken for any.
CONSTANT_UNITS_IN_LAST_PLACE: Final = 8.0
FLOAT64_EPSILON: Final = 2.0**-52
FLOAT32_EPSILON: Final = 2.0**-23


def constant_tolerance(dtype: pl.DataType) -> float:
    """The largest (max - min) / max|value| at which a column of this type counts as constant.

    >>> constant_tolerance(pl.Float32()) > constant_tolerance(pl.Float64())
    True
    """
    epsilon = FLOAT32_EPSILON if dtype == pl.Float32 else FLOAT64_EPSILON
    return CONSTANT_UNITS_IN_LAST_PLACE * epsilon


def moments_by(rows: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """The columns `by` and the `MOMENTS` of every group, in order of first appearance; one row if `by` is empty.

    Rows where y_true or y_pred is null, NaN or infinite are left out and counted in __n_dropped. Without a single row
    left every moment is null. __relative_error is not finite where any y_true is 0.
    """
    true, pred = pl.col(TRUE).cast(pl.Float64), pl.col(PRED).cast(pl.Float64)
    usable = (true.is_finite() & pred.is_finite()).fill_null(value=False)
    # Columns rather than parts of the aggregations, where polars would compute them anew for every group and use.
    prepared = rows.select(
        *by,
        usable.alias("__usable"),
        pl.when(usable).then(true).alias("__true"),
        pl.when(usable).then(pred).alias("__pred"),
    ).with_columns(__error=pl.col("__pred") - pl.col("__true"))
    moments = _moment_expressions()
    return prepared.group_by(list(by), maintain_order=True).agg(moments) if by else prepared.select(moments)


def _moment_expressions() -> list[pl.Expr]:
    usable, true, pred, error = (pl.col(name) for name in ("__usable", "__true", "__pred", "__error"))
    true_shifted, pred_shifted = true - true.min(), pred - pred.min()
    return [
        usable.sum().cast(pl.Int64).alias("__n"),
        (~usable).sum().cast(pl.Int64).alias("__n_dropped"),
        true_shifted.mean().alias("__true_above_min"),
        pred_shifted.mean().alias("__pred_above_min"),
        error.mean().alias("__error_mean"),
        true_shifted.var(ddof=0).alias("__true_variance"),
        pred_shifted.var(ddof=0).alias("__pred_variance"),
        (error - error.min()).var(ddof=0).alias("__error_variance"),
        pl.cov(true_shifted, pred_shifted, ddof=0).alias("__covariance"),
        error.abs().mean().alias("__absolute_error"),
        (error / true).abs().mean().alias("__relative_error"),
        true.min().alias("__true_min"),
        true.max().alias("__true_max"),
        pred.min().alias("__pred_min"),
        pred.max().alias("__pred_max"),
    ]


def metrics_from_moments(
    moments: pl.LazyFrame, by: Sequence[str], *, true_tolerance: float | pl.Expr, pred_tolerance: float | pl.Expr
) -> pl.LazyFrame:
    """The `METRICS` columns, after the columns `by`, from a table with the `MOMENTS` columns.

    The tolerances are `constant_tolerance` of the two source columns, or columns that hold it row by row. Undefined
    metrics are null (see `metrics_by`).
    """
    col = pl.col
    true_constant = _is_constant("__true", true_tolerance)
    pred_constant = _is_constant("__pred", pred_tolerance)
    either_constant = true_constant | pred_constant
    true_variance = pl.when(true_constant).then(0.0).otherwise(col("__true_variance"))
    pred_variance = pl.when(pred_constant).then(0.0).otherwise(col("__pred_variance"))
    covariance = pl.when(either_constant).then(0.0).otherwise(col("__covariance"))
    true_std, pred_std = true_variance.sqrt(), pred_variance.sqrt()
    mse = col("__error_variance") + col("__error_mean") ** 2
    pearson_r = (covariance / true_std / pred_std).clip(-1.0, 1.0)
    ccc = 2 * covariance / (true_variance + pred_variance + col("__error_mean") ** 2)
    columns: dict[str, pl.Expr] = {
        "true_mean": col("__true_min") + col("__true_above_min"),
        "true_std": true_std,
        "true_min": col("__true_min"),
        "true_max": col("__true_max"),
        "pred_mean": col("__pred_min") + col("__pred_above_min"),
        "pred_std": pred_std,
        "pred_min": col("__pred_min"),
        "pred_max": col("__pred_max"),
        "pred_spread": col("__pred_max") - col("__pred_min"),
        "mae": col("__absolute_error"),
        "mse": mse,
        "rmse": mse.sqrt(),
        "mape": 100 * col("__relative_error"),
        "mean_error": col("__error_mean"),
        "std_error": col("__error_variance").sqrt(),
        "r2": pl.when(~true_constant).then(1 - mse / true_variance),
        "variance_ratio": pl.when(~true_constant).then(pred_std / true_std),
        "pearson_r": pl.when(~either_constant).then(pearson_r),
        # From the mean of the errors, not the difference of the means, which is lost at a large offset.
        "bias": pl.when(~true_constant).then(col("__error_mean") / true_std),
        "calibration_slope": pl.when(~either_constant).then(covariance / pred_variance),
        "recalibrated_r2": pl.when(~either_constant).then(pearson_r**2),
        "ccc": pl.when(~(true_constant & pred_constant)).then(ccc),
    }
    # Overflow and 0/0 end as inf or NaN: undefined is null.
    finite = [pl.when(value.is_finite()).then(value).alias(name) for name, value in columns.items()]
    return moments.select(*by, col("__n").alias("n"), col("__n_dropped").alias("n_dropped"), *finite)


def metrics_by(frame: pl.LazyFrame | pl.DataFrame, by: Sequence[str]) -> pl.LazyFrame:
    """One row of metrics for every distinct value of the columns `by`, sorted by them (nulls first).

    `frame` needs numeric columns y_true and y_pred, in target units, and the columns `by`. Returned columns: `by`, then
    `METRICS`:

    - n: rows where both values are finite; n_dropped: the rest (null, NaN, infinite). Only the n rows count below.
    - true_*, pred_*: mean, population standard deviation (ddof = 0), extremes; pred_spread = pred_max - pred_min.
    - mae, mse, rmse: of error = y_pred - y_true. mape: mean |error / y_true| in percent; null when any y_true is 0.
    - mean_error, std_error: mean and population standard deviation of the error.
    - r2 = 1 - Σ error² / Σ(y_true - mean)², variance_ratio α = pred_std / true_std, bias β = mean_error / true_std:
      null where y_true is constant.
    - pearson_r, calibration_slope (of y_true on y_pred, r/α), recalibrated_r2 = r²: null where either is constant.
    - ccc: Lin's concordance correlation (1989, doi:10.2307/2532051), in [-1, 1]; 0 where one of the two is constant,
      null where both are.

    A column counts as constant, with standard deviation 0, when all its values lie within
    `CONSTANT_UNITS_IN_LAST_PLACE` of its type's precision (so a single row is constant). Other undefined values, such
    as an overflow, are null; there is no NaN and no infinity in the result.

    polars holds every row in memory, several times over: `streaming.epoch_metrics` is for large files.
    Raises ValueError for a missing or non-numeric column, or an empty `by`.
    """
    lazy = frame.lazy()
    keys = list(by)
    if not keys:
        raise ValueError("metrics_by needs at least one column to group by; metrics_of takes all rows as one group")
    true_tolerance, pred_tolerance = column_tolerances(lazy.collect_schema(), keys)
    moments = moments_by(lazy, keys)
    return metrics_from_moments(moments, keys, true_tolerance=true_tolerance, pred_tolerance=pred_tolerance).sort(keys)


def metrics_of(frame: pl.LazyFrame | pl.DataFrame) -> dict[str, float | int | None]:
    """The metrics of all rows together, keyed by the names in `METRICS`; None where undefined, never NaN.

    Columns, definitions and errors as for `metrics_by`. An empty frame has n = 0 and None for every metric.

    >>> found = metrics_of(pl.DataFrame({"y_true": [1.0, 2.0, 3.0], "y_pred": [2.0, 2.0, 2.0]}))
    >>> found["n"], found["r2"], found["variance_ratio"], found["pearson_r"]
    (3, 0.0, 0.0, None)
    """
    lazy = frame.lazy()
    true_tolerance, pred_tolerance = column_tolerances(lazy.collect_schema(), [])
    moments = moments_by(lazy, [])
    table = metrics_from_moments(moments, [], true_tolerance=true_tolerance, pred_tolerance=pred_tolerance)
    return table.collect().row(0, named=True)


def column_tolerances(schema: pl.Schema, by: Sequence[str]) -> tuple[float, float]:
    """`constant_tolerance` of y_true and of y_pred, once the schema is known to hold what the metrics need.

    Raises ValueError naming the missing column and those found, or the column that is not numeric.
    """
    for name in (TRUE, PRED, *by):
        if name not in schema:
            raise ValueError(f"no column {name!r}; found {', '.join(schema.names()) or 'no columns'}")
    for name in (TRUE, PRED):
        if not schema[name].is_numeric():
            raise ValueError(f"column {name!r} must be numeric, found {schema[name]}")
    return constant_tolerance(schema[TRUE]), constant_tolerance(schema[PRED])


def _is_constant(side: str, tolerance: float | pl.Expr) -> pl.Expr:
    low, high = pl.col(f"{side}_min"), pl.col(f"{side}_max")
    return (high - low) <= pl.max_horizontal(low.abs(), high.abs()) * tolerance
