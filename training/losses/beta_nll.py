"""β-NLL: a mean and a variance for every sample."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from training.losses.base import BaseLoss, by_sample
from training.standardisation import TargetStatistics

LEAST_VARIANCE = 1e-6  # in squared units of the loss: keeps 1/variance and its logarithm finite


def beta_nll(mean: Tensor, variance: Tensor, y_true: Tensor, *, beta: float) -> Tensor:
    """Loss of each sample, (n,): ``[σ²]^β · ½(log σ² + (y - μ)²/σ²)``, no gradient through the brackets.

    All (n,), variance above 0. Seitzer et al. 2022, arXiv:2203.09168. β = 0 is the Gaussian negative log-likelihood
    without its constant ½ log 2π; at β = 1 the mean's gradient is that of half the squared error. May be negative.
    """
    likelihood = 0.5 * (variance.log() + (y_true - mean).square() / variance)
    return likelihood * variance.detach() ** beta


def mean_and_variance(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """(n, 2) → mean and variance, each (n,): the variance is softplus of the second output, at least LEAST_VARIANCE."""
    return outputs[:, 0], functional.softplus(outputs[:, 1]) + LEAST_VARIANCE


def beta_nll_loss(beta: float, statistics: TargetStatistics) -> BaseLoss:
    """β-NLL on two outputs; the point prediction is the mean, the variance starts at the training targets' own."""

    def sample_loss(outputs: Tensor, y_true: Tensor) -> Tensor:
        return beta_nll(*mean_and_variance(outputs), y_true, beta=beta)

    def start(value: float) -> Tensor:
        return torch.tensor([value, math.log(math.expm1(statistics.spread**2))])

    return BaseLoss(batch_loss=by_sample(sample_loss), outputs=2, point=lambda outputs: outputs[:, 0], start=start)
