"""Penalties on a batch's predictions as a whole. A new penalty is one file and one line in ``PENALTIES``."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from training.config import Config
from training.penalties.variance_ratio import variance_ratio_penalty

__all__ = ["PENALTIES", "BatchPenalty", "make_penalty"]

BatchPenalty = Callable[[Tensor, Tensor], Tensor]
"""(y_pred, y_true), each (n,) → a scalar."""

PENALTIES: dict[str, BatchPenalty] = {"variance_ratio": variance_ratio_penalty}


def make_penalty(config: Config) -> BatchPenalty | None:
    """The penalty that ``config`` switches on, or None."""
    return PENALTIES["variance_ratio"] if config.penalty_weight > 0 else None
