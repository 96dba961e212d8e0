"""One minus Lin's concordance correlation."""

from __future__ import annotations

from torch import Tensor


def concordance_error(y_pred: Tensor, y_true: Tensor, weights: Tensor | None = None) -> Tensor:
    """``1 - 2·cov / (var_pred + var_true + (mean_pred - mean_true)²)``, a scalar in [0, 2] without unit.

    y_pred, y_true, weights: (n,); moments with ddof 0, weighted where there are weights. Lin 1989,
    doi:10.2307/2532051. In the vocabulary's terms the concordance is 2rα/(1 + α² + β²): at a given r > 0 it is
    greatest, and equal to r, at α = 1, β = 0. Zero, without gradient, where it is undefined or says nothing: fewer than
    two samples, or a constant truth.
    """
    if y_pred.shape[0] < 2:
        return y_pred.sum() * 0.0

    def mean(values: Tensor) -> Tensor:
        return values.mean() if weights is None else (weights * values).sum() / weights.sum()

    pred_mean, true_mean = mean(y_pred), mean(y_true)
    pred_gap, true_gap = y_pred - pred_mean, y_true - true_mean
    true_variance = mean(true_gap.square())
    # Chosen on the device, as in the variance penalty: no wait for a value.
    defined = y_true.max() > y_true.min()
    whole = mean(pred_gap.square()) + true_variance + (pred_mean - true_mean).square()
    concordance = 2.0 * mean(pred_gap * true_gap) / whole.where(defined, whole.new_ones(()))
    return (1.0 - concordance).where(defined, y_pred.sum() * 0.0)
