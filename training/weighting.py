"""Weights of the training samples in the base loss."""

from __future__ import annotations

import torch
from torch import Tensor

from training.config import Config
from training.data import Split
from training.errors import ConfigError


def flight_weights(config: Config, split: Split) -> Tensor | None:
    """``overweight_factor`` for samples of ``overweight_flight``, 1 for others, shape (n,); None when all are 1."""
    if config.overweight_factor == 1.0:
        return None
    if config.overweight_flight not in split.flight_names:
        known = ", ".join(split.flight_names)
        raise ConfigError(
            f"overweight_factor: {config.overweight_factor} needs overweight_flight to name a training flight; "
            f"found {config.overweight_flight!r}; expected one of {known}"
        )
    heavy = split.flight == split.flight_names.index(config.overweight_flight)
    return torch.where(heavy, config.overweight_factor, 1.0).to(split.target.dtype)


def hard_sample_weights(config: Config, absolute_error: Tensor) -> Tensor | None:
    """``hard_sample_factor`` for the ``hard_sample_k`` samples of largest error in the epoch before, 1 for the others.

    absolute_error: (n,). None when the weighting is off. Where fewer than k samples exist, all weigh the same.
    """
    if config.hard_sample_k == 0 or config.hard_sample_factor == 1.0:
        return None
    weights = torch.ones_like(absolute_error)
    hardest = absolute_error.topk(min(config.hard_sample_k, absolute_error.shape[0])).indices
    weights[hardest] = config.hard_sample_factor
    return weights


def combined(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """The product of two sets of weights, either of which may be absent."""
    if first is None or second is None:
        return second if first is None else first
    return first * second
