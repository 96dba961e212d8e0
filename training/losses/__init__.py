"""Base losses, one value a sample. A new loss is one file and one line in ``LOSSES``."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from training.config import Config
from training.losses.huber import huber
from training.losses.mae import absolute_error
from training.losses.mse import squared_error

__all__ = ["LOSSES", "SampleLoss", "make_loss", "weighted_mean"]

SampleLoss = Callable[[Tensor, Tensor], Tensor]
"""(y_pred, y_true), each (n,) → loss of each sample, (n,)."""

LOSSES: dict[str, Callable[[Config], SampleLoss]] = {
    "huber": lambda config: lambda y_pred, y_true: huber(y_pred, y_true, delta=config.huber_delta),
    "mae": lambda config: absolute_error,  # noqa: ARG005
    "mse": lambda config: squared_error,  # noqa: ARG005
}


def make_loss(config: Config) -> SampleLoss:
    """The base loss that ``config.loss`` names."""
    return LOSSES[config.loss](config)


def weighted_mean(losses: Tensor, weights: Tensor | None) -> Tensor:
    """``Σ w·l / Σ w``, a scalar; the plain mean without weights.

    Divided by the weights' sum, so that weighting shifts attention without scaling the loss or the learning rate.
    """
    if weights is None:
        return losses.mean()
    return (weights * losses).sum() / weights.sum()
