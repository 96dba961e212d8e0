"""Penalties on a batch's predictions as a whole. A new penalty is one file and one line in ``PENALTIES``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor

from training.config import Config
from training.penalties.kl_moments import kl_moments_penalty
from training.penalties.std_hinge import std_hinge_penalty
from training.penalties.variance_ratio import variance_ratio_penalty
from training.penalties.wasserstein import wasserstein_penalty

__all__ = ["PENALTIES", "BatchPenalty", "make_penalty"]

BatchPenalty = Callable[[Tensor, Tensor], Tensor]
"""(y_pred, y_true), each (n,) → a scalar without unit: the same for any positive affine change of both together."""

PENALTIES: dict[str, Callable[[Config], BatchPenalty]] = {
    "variance_ratio": lambda config: variance_ratio_penalty,  # noqa: ARG005
    "std_hinge": lambda config: partial(std_hinge_penalty, target=config.std_hinge_target),
    "kl_moments": lambda config: kl_moments_penalty,  # noqa: ARG005
    "wasserstein": lambda config: wasserstein_penalty,  # noqa: ARG005
}


def make_penalty(config: Config) -> BatchPenalty | None:
    """The penalty that ``config`` switches on, or None."""
    return PENALTIES[config.penalty](config) if config.penalty_weight > 0 else None
