"""The source's variance penalty."""

from __future__ import annotations

from torch import Tensor


def variance_ratio_penalty(y_pred: Tensor, y_true: Tensor) -> Tensor:
    """``(1 - pred_var/target_var)²``, a scalar without unit, least 0.

    The variances are those of the batch given, as in the source (ddof 0; the ratio is the same for any ddof). A
    batch's ratio of variances scatters widely around the data's, so on small batches the penalty's own optimum lies
    below 1: for independent normal values it is ``(d - 4)/(d + 2)``, d one less than the batch, 0.71 at a batch of 20.
    Zero where it is undefined: fewer than two samples, or a constant truth. The last batch of 501 samples in batches
    of 20 holds one.
    """
    if y_pred.shape[0] < 2:
        return y_pred.sum() * 0.0
    target_variance = y_true.var(correction=0)
    # Chosen on the device: reading the variance back to decide would make the step wait for it.
    defined = target_variance > 0
    ratio = y_pred.var(correction=0) / target_variance.where(defined, target_variance.new_ones(()))
    return ((1.0 - ratio) ** 2).where(defined, target_variance.new_zeros(()))
