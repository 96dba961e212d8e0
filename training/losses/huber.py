"""Huber's loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def huber(y_pred: Tensor, y_true: Tensor, *, delta: float) -> Tensor:
    """Loss of each sample, (n,): ``e²/2`` up to ``|e| = delta``, beyond it ``delta·(|e| - delta/2)``.

    Huber 1964, doi:10.1214/aoms/1177703732. Least 0; in squared target units.
    """
    return functional.huber_loss(y_pred, y_true, delta=delta, reduction="none")
