"""VICReg's hinge on the standard deviation."""

from __future__ import annotations

from torch import Tensor

FLOOR = 1e-4  # added to the ratio of variances, as in the paper: the root's slope stays finite at 0


def std_hinge_penalty(y_pred: Tensor, y_true: Tensor, *, target: float = 1.0) -> Tensor:
    """``max(0, target - √(pred_var/target_var + FLOOR))``, a scalar without unit, least 0.

    y_pred, y_true: (n,); variances of the batch, ddof 0. Bardes, Ponce & LeCun 2022, arXiv:2105.04906, eq. 1, with the
    spread measured in standard deviations of the batch's truth. It pushes while the spread is below ``target`` and is
    silent above, unlike the source's penalty, which also pulls back. Zero where it is undefined: fewer than two
    samples, or a constant truth.
    """
    if y_pred.shape[0] < 2:
        return y_pred.sum() * 0.0
    target_variance = y_true.var(correction=0)
    defined = target_variance > 0
    ratio = y_pred.var(correction=0) / target_variance.where(defined, target_variance.new_ones(()))
    return (target - (ratio + FLOOR).sqrt()).clamp(min=0.0).where(defined, target_variance.new_zeros(()))
