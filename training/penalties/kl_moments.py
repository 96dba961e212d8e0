"""Kullback-Leibler divergence between normal distributions with the batch's moments."""

from __future__ import annotations

from torch import Tensor

FLOOR = 1e-4  # added to the ratio of variances: a constant prediction costs ½(log 1e4 - 1) = 4.1, not infinity


def kl_moments_penalty(y_pred: Tensor, y_true: Tensor) -> Tensor:
    """``½(ρ + m² - 1 - log ρ)``, ρ = pred_var/target_var + FLOOR, m = (mean_pred - mean_true)/target_std.

    The divergence of N(mean_true, target_var) from N(mean_pred, pred_var), a scalar in nats, least 0 (Kullback &
    Leibler 1951, doi:10.1214/aoms/1177729694), of the batch's moments, ddof 0: the source's "distribution matching" for
    distributions described by two moments. In the vocabulary's terms ρ = α², m = β. Zero where it is undefined: fewer
    than two samples, or a constant truth.
    """
    if y_pred.shape[0] < 2:
        return y_pred.sum() * 0.0
    target_variance = y_true.var(correction=0)
    defined = target_variance > 0
    safe = target_variance.where(defined, target_variance.new_ones(()))
    ratio = y_pred.var(correction=0) / safe + FLOOR
    shift = (y_pred.mean() - y_true.mean()).square() / safe
    return (0.5 * (ratio + shift - 1.0 - ratio.log())).where(defined, target_variance.new_zeros(()))
