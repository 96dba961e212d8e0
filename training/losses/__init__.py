"""Base losses. A new loss is one file and one line in ``LOSSES``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from training.config import Config
from training.losses.balanced_mse import balanced_mse
from training.losses.base import BaseLoss, SampleLoss, by_sample, weighted_mean
from training.losses.beta_nll import beta_nll_loss
from training.losses.ccc import concordance_error
from training.losses.hl_gauss import hl_gauss_loss
from training.losses.huber import huber
from training.losses.mae import absolute_error
from training.losses.mixed import mixed_loss
from training.losses.mse import squared_error
from training.losses.quantile import quantile_loss
from training.standardisation import TargetStatistics

__all__ = ["LOSSES", "BaseLoss", "Ingredients", "SampleLoss", "make_loss", "weighted_mean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredients:
    """What a loss is made of: the configuration, the training targets' statistics in its units, and the device."""

    config: Config
    statistics: TargetStatistics
    device: torch.device


def _huber(given: Ingredients) -> BaseLoss:
    delta = given.config.huber_delta
    return BaseLoss(batch_loss=by_sample(lambda y_pred, y_true: huber(y_pred, y_true, delta=delta)))


def _balanced_mse(given: Ingredients) -> BaseLoss:
    noise = given.config.balanced_mse_noise
    return BaseLoss(batch_loss=by_sample(lambda y_pred, y_true: balanced_mse(y_pred, y_true, noise=noise)))


def _hl_gauss(given: Ingredients) -> BaseLoss:
    bins, sigma = given.config.hl_gauss_bins, given.config.hl_gauss_sigma
    return hl_gauss_loss(given.statistics, given.device, bins=bins, sigma=sigma)


def _mixed(given: Ingredients) -> BaseLoss:
    pairs = zip(given.config.mixed_weights, given.config.mixed_losses, strict=True)
    return mixed_loss([(weight, LOSSES[name](given)) for weight, name in pairs])


LOSSES: dict[str, Callable[[Ingredients], BaseLoss]] = {
    "huber": _huber,
    "mae": lambda given: BaseLoss(batch_loss=by_sample(absolute_error)),  # noqa: ARG005
    "mse": lambda given: BaseLoss(batch_loss=by_sample(squared_error)),  # noqa: ARG005
    "mixed": _mixed,
    "quantile": lambda given: quantile_loss(given.config.quantiles, given.statistics, given.device),
    "beta_nll": lambda given: beta_nll_loss(given.config.beta_nll_beta, given.statistics),
    "hl_gauss": _hl_gauss,
    "ccc": lambda given: BaseLoss(batch_loss=concordance_error),  # noqa: ARG005
    "balanced_mse": _balanced_mse,
}


def make_loss(config: Config, target: Tensor) -> BaseLoss:
    """The base loss that ``config.loss`` names. target: (n,), the training targets in the units that the loss sees."""
    given = Ingredients(config=config, statistics=TargetStatistics.of(target), device=target.device)
    return LOSSES[config.loss](given)
