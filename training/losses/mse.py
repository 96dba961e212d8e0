"""Squared error."""

from __future__ import annotations

from torch import Tensor


def squared_error(y_pred: Tensor, y_true: Tensor) -> Tensor:
    """Loss of each sample, (n,): ``(y_pred - y_true)²``; no factor 1/2. In squared target units."""
    return (y_pred - y_true).square()
