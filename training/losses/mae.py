"""Absolute error."""

from __future__ import annotations

from torch import Tensor


def absolute_error(y_pred: Tensor, y_true: Tensor) -> Tensor:
    """Loss of each sample, (n,): ``|y_pred - y_true|``, in target units."""
    return (y_pred - y_true).abs()
