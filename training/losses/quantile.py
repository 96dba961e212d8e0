"""Quantile regression: several quantiles of the target at once."""

from __future__ import annotations

import math
from statistics import NormalDist

import torch
from torch import Tensor
from torch.nn import functional

from training.losses.base import BaseLoss, by_sample
from training.standardisation import TargetStatistics


def pinball(quantiles: Tensor, y_true: Tensor, levels: Tensor) -> Tensor:
    """Loss of each sample, (n,): the mean over levels τ of ``max(τ·e, (τ - 1)·e)``, e = y_true - quantile.

    quantiles: (n, K), y_true: (n,), levels: (K,) within (0, 1). In target units, least 0. Koenker & Bassett 1978,
    doi:10.2307/1913643. At τ = 1/2 it is half the absolute error.
    """
    error = y_true[:, None] - quantiles
    return torch.maximum(levels * error, (levels - 1.0) * error).mean(dim=1)


def ordered_quantiles(outputs: Tensor, steps: Tensor, median: int) -> Tensor:
    """Outputs (n, K) → quantiles (n, K) that never decrease from left to right.

    The output in column ``median`` is the median itself; every other output is, through softplus, the distance to the
    neighbour nearer the median. ``steps`` is :func:`step_matrix`: a product with it rather than a running sum, which
    has no deterministic form on a GPU.
    """
    centre = outputs[:, median : median + 1]
    return centre + functional.softplus(outputs) @ steps.to(outputs.dtype)


def step_matrix(count: int, median: int) -> Tensor:
    """(K, K): entry [j, k] is 1 where distance j lies between the median and k above it, -1 below it, 0 elsewhere.

    >>> step_matrix(3, 1).tolist()
    [[-1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    row, column = torch.meshgrid(torch.arange(count), torch.arange(count), indexing="ij")
    above = (row > median) & (row <= column)
    below = (row < median) & (row >= column)
    return above.float() - below.float()


def quantile_loss(levels: tuple[float, ...], statistics: TargetStatistics, device: torch.device) -> BaseLoss:
    """The pinball loss over ``levels``: increasing, within (0, 1), 1/2 among them.

    The point prediction is the median, which is a plain output of the network as under the other losses. Quantiles
    cannot cross: they are built outwards from the median. At the start they are those of a normal distribution with the
    training targets' spread.
    """
    median = levels.index(0.5)
    count = len(levels)
    taus = torch.tensor(levels, device=device)
    steps = step_matrix(count, median).to(device)

    def sample_loss(outputs: Tensor, y_true: Tensor) -> Tensor:
        quantiles = ordered_quantiles(outputs.view(-1, count), steps, median)
        return pinball(quantiles, y_true, taus.to(quantiles.dtype))

    def point(outputs: Tensor) -> Tensor:
        return outputs.view(-1, count)[:, median]

    def start(value: float) -> Tensor:
        scores = [NormalDist().inv_cdf(level) * statistics.spread for level in levels]
        biases = []
        for index, score in enumerate(scores):
            inner = index - 1 if index > median else index + 1
            # The inverse of softplus, log(exp(x) - 1), of the distance to the neighbour nearer the median.
            biases.append(value if index == median else math.log(math.expm1(abs(score - scores[inner]))))
        return torch.tensor(biases)

    return BaseLoss(batch_loss=by_sample(sample_loss), outputs=count, point=point, start=start)
