"""The numbers that a split's predictions amount to."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Metrics of one set of predictions; every std has ddof 0. None where a number is undefined.

    R² and variance_ratio need a truth that varies, pearson_r predictions that vary as well. Where a prediction is not
    finite, everything that depends on the predictions is None.
    """

    r2: float | None
    variance_ratio: float | None
    pearson_r: float | None
    pred_mean: float | None
    pred_std: float | None
    pred_range: float | None
    true_mean: float
    true_std: float
    mae: float | None
    mse: float | None
    rmse: float | None


def _is_constant(values: Values) -> bool:
    # By the extremes: the std of equal numbers may be a rounding error above 0.
    return bool(values.min() == values.max())


def summarise(y_true: Values, y_pred: Values) -> Summary:
    """Metrics of ``y_pred`` (n,) against a finite ``y_true`` (n,), n at least 1, target units."""
    true_mean = float(y_true.mean())
    true_std = 0.0 if _is_constant(y_true) else float(y_true.std(ddof=0))
    if not np.isfinite(y_pred).all():
        nothing = dict.fromkeys(
            ("r2", "variance_ratio", "pearson_r", "pred_mean", "pred_std", "pred_range", "mae", "mse", "rmse")
        )
        return Summary(true_mean=true_mean, true_std=true_std, **nothing)
    error = y_pred - y_true
    mse = float(np.mean(error**2))
    pred_mean = float(y_pred.mean())
    pred_std = 0.0 if _is_constant(y_pred) else float(y_pred.std(ddof=0))
    covariance = float(np.mean((y_true - true_mean) * (y_pred - pred_mean)))
    return Summary(
        r2=1.0 - mse / true_std**2 if true_std > 0 else None,
        variance_ratio=pred_std / true_std if true_std > 0 else None,
        pearson_r=max(-1.0, min(1.0, covariance / (true_std * pred_std))) if true_std > 0 and pred_std > 0 else None,
        pred_mean=pred_mean,
        pred_std=pred_std,
        pred_range=float(y_pred.max() - y_pred.min()),
        true_mean=true_mean,
        true_std=true_std,
        mae=float(np.mean(np.abs(error))),
        mse=mse,
        rmse=math.sqrt(mse),
    )


def describe_target(y_true: Values) -> dict[str, float | int]:
    """n, mean, std (ddof 0), least and largest of a split's target."""
    return {
        "n": len(y_true),
        "true_mean": float(y_true.mean()),
        "true_std": float(y_true.std(ddof=0)),
        "true_min": float(y_true.min()),
        "true_max": float(y_true.max()),
    }
