"""A weighted sum of losses."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from training.losses.base import BaseLoss


def mixed_loss(parts: Sequence[tuple[float, BaseLoss]]) -> BaseLoss:
    """``Σ weight·loss`` over losses of one output each. The weights are taken as they are: they need not sum to 1."""

    def batch_loss(outputs: Tensor, y_true: Tensor, weights: Tensor | None) -> Tensor:
        total = outputs.new_zeros(())
        for weight, loss in parts:
            total = total + weight * loss(outputs, y_true, weights)
        return total

    return BaseLoss(batch_loss=batch_loss)
