"""What a base loss is to the loop: a loss of a batch, the outputs it needs, and the one number they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

SampleLoss = Callable[[Tensor, Tensor], Tensor]
"""(outputs, y_true) → loss of each sample, (n,)."""

BatchLoss = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""(outputs, y_true, weights or None) → a scalar."""


def _itself(outputs: Tensor) -> Tensor:
    return outputs


def _one_bias(point: float) -> Tensor:
    return torch.tensor([point])


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseLoss:
    """A base loss and how to read the network's outputs under it; everything in the units that the loss sees.

    outputs
        Numbers a sample that the network puts out. With 1 they come as (n,), with K > 1 as (n, K).
    batch_loss
        Outputs, targets (n,) and sample weights (n,) or None → a scalar.
    point
        Outputs → the point prediction, (n,).
    start
        A number → output biases (K,) from which the point prediction starts at that number (approximately, where a
        loss says so).
    """

    batch_loss: BatchLoss
    outputs: int = 1
    point: Callable[[Tensor], Tensor] = _itself
    start: Callable[[float], Tensor] = _one_bias

    def __call__(self, outputs: Tensor, y_true: Tensor, weights: Tensor | None = None) -> Tensor:
        """The loss of a batch, a scalar."""
        return self.batch_loss(outputs, y_true, weights)


def weighted_mean(losses: Tensor, weights: Tensor | None) -> Tensor:
    """``Σ w·l / Σ w``, a scalar; the plain mean without weights.

    Divided by the weights' sum, so that weighting shifts attention without scaling the loss or the learning rate.
    """
    if weights is None:
        return losses.mean()
    return (weights * losses).sum() / weights.sum()


def by_sample(loss: SampleLoss) -> BatchLoss:
    """The weighted mean of a loss that is defined sample by sample."""

    def batch_loss(outputs: Tensor, y_true: Tensor, weights: Tensor | None) -> Tensor:
        return weighted_mean(loss(outputs, y_true), weights)

    return batch_loss
