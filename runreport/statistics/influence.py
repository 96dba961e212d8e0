"""Influence values: how far each row, block or group moves each metric, on the scale where the interval is made.

Every metric is a smooth function of the sums in `moments`, so its influence is linear in them: one coefficient vector a
metric turns unit sums into unit influences. Standard errors by group, by block or along a series all start from these.
"""

import numpy as np

from runreport.statistics.moments import (
    ABS_ERROR,
    COUNT,
    METRICS,
    PRED,
    PRED_SQ,
    PRODUCT,
    SQ_ERROR,
    TRUE,
    TRUE_SQ,
    WIDTH,
    Floats,
    Moments,
    second_moments,
)

# The scale on which a metric's sampling distribution is nearest to normal, so where the interval is symmetric.
# log1m: -log(1 - R²), a log ratio of two variances. fisher: atanh r (Fisher 1921). log: a positive scale quantity.
SCALES = {
    "r2": "log1m",
    "variance_ratio": "log",
    "pearson_r": "fisher",
    "bias": "identity",
    "calibration_slope": "identity",
    "mae": "log",
    "rmse": "log",
}


def to_scale(metric: str, values: Floats) -> Floats:
    """Metric values on their interval scale; NaN where the scale has no such point (R² = 1, r = ±1, ratio 0)."""
    array = np.asarray(values, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = SCALES[metric]
        if scale == "log1m":
            out = -np.log(1.0 - array)
        elif scale == "fisher":
            out = np.arctanh(array)
        elif scale == "log":
            out = np.log(array)
        else:
            out = array
    return np.asarray(np.where(np.isfinite(out), out, np.nan))


def from_scale(metric: str, values: Floats) -> Floats:
    """The inverse of `to_scale`; increasing, so interval ends map to interval ends."""
    array = np.asarray(values, dtype=np.float64)
    with np.errstate(over="ignore"):
        scale = SCALES[metric]
        if scale == "log1m":
            return np.asarray(-np.expm1(-array))
        if scale == "fisher":
            return np.asarray(np.tanh(array))
        return np.asarray(np.exp(array)) if scale == "log" else array


def scale_slope(metric: str, estimate: Floats) -> Floats:
    """d(metric)/d(scale) at the estimate: turns a standard error on the scale into one in the metric's own unit."""
    array = np.asarray(estimate, dtype=np.float64)
    scale = SCALES[metric]
    if scale == "log1m":
        return np.asarray(1.0 - array)
    if scale == "fisher":
        return np.asarray(1.0 - array * array)
    return array if scale == "log" else np.ones_like(array)


def influence_coefficients(moments: Moments, total: Floats) -> dict[str, Floats]:
    """Coefficients [..., 8] by metric: `sums[..., G, 8] @ coefficients` are the summed influences of G units.

    `total` [..., 8] are the sums at which the metrics are evaluated (the sample's, or a resample's). Influences sum to
    0 over the sample; divided by n they are first-order changes of the metric on its scale. With z, u, e the
    standardised truth, prediction and error (in σt), per row (Hampel 1974, doi:10.2307/2285666; r: Devlin,
    Gnanadesikan & Kettenring 1975, doi:10.2307/2335508):

        -log(1-R²)  z² - e²/(1-R²)          log α    (u² - z²)/2
        atanh r     (zu - r(z²+u²)/2)/(1-r²)   b     (z - r u) u / α
        β           e - β - β(z²-1)/2        log MAE  |e|/mean|e| - 1      log RMSE  (e²/mean(e²) - 1)/2

    The first is `findings`' -(e² - (1-R²)z²) divided by 1-R². NaN where the metric or its scale is undefined.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return _coefficients(moments, np.asarray(total, dtype=np.float64))


def _coefficients(moments: Moments, total: Floats) -> dict[str, Floats]:
    metrics = moments.metrics(total)
    second = second_moments(total, true_floor=moments.true_floor, pred_floor=moments.pred_floor)
    n, t, p = second.n, second.true_mean, second.pred_mean
    true_std, pred_std = np.sqrt(second.true_var), np.sqrt(_positive(second.pred_var))
    ratio, r, beta = _positive(metrics["variance_ratio"]), metrics["pearson_r"], metrics["bias"]
    offset = metrics["mean_error"] + t - p

    one = np.ones_like(n)
    count = _vector({COUNT: one})
    true_square = _vector({COUNT: t * t, TRUE: -2.0 * t, TRUE_SQ: one}) / _column(true_std * true_std)
    pred_square = _vector({COUNT: p * p, PRED: -2.0 * p, PRED_SQ: one}) / _column(pred_std * pred_std)
    product = _vector({COUNT: t * p, TRUE: -p, PRED: -t, PRODUCT: one}) / _column(true_std * pred_std)
    error = _vector({COUNT: offset, TRUE: -one, PRED: one}) / _column(true_std)
    square_error = _vector({SQ_ERROR: one}) / _column(_positive(metrics["rmse"] ** 2))
    absolute = _vector({ABS_ERROR: one}) / _column(_positive(metrics["mae"]))
    unexplained = np.where(metrics["r2"] < 1.0, one, np.nan)
    free = np.where(np.abs(r) < 1.0, 1.0 - r * r, np.nan)
    return {
        "r2": (true_square - square_error) * _column(unexplained),
        "variance_ratio": (pred_square - true_square) / 2.0,
        "pearson_r": (product - _column(r) * (true_square + pred_square) / 2.0) / _column(free),
        "bias": error - _column(beta) * (count + (true_square - count) / 2.0),
        "calibration_slope": (product - _column(r) * pred_square) / _column(ratio),
        "mae": absolute - count,
        "rmse": (square_error - count) / 2.0,
    }


def influence_values(moments: Moments) -> dict[str, Floats]:
    """Summed influence of each unit at the sample's own estimate: arrays [..., G] by metric."""
    coefficients = influence_coefficients(moments, moments.total())
    return {name: np.asarray((moments.sums @ coefficients[name][..., None])[..., 0]) for name in METRICS}


def _vector(parts: dict[int, Floats]) -> Floats:
    """Coefficient vectors [..., 8] with the given columns, zero elsewhere."""
    shape = np.broadcast_shapes(*(part.shape for part in parts.values()))
    out = np.zeros((*shape, WIDTH))
    for column, part in parts.items():
        out[..., column] = part
    return out


def _column(values: Floats) -> Floats:
    return np.asarray(values)[..., None]


def _positive(values: Floats) -> Floats:
    return np.asarray(np.where(values > 0, values, np.nan))
