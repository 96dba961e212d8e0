"""What a run minimises, and how its network's outputs become predictions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.config import Config
from training.losses import BaseLoss, make_loss
from training.penalties import BatchPenalty, make_penalty
from training.standardisation import UNSCALED, TargetScale


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A base loss and a penalty on the batch; the loop adds them as ``base + λ·penalty``.

    Targets come in and point predictions go out in target units. The loss sees both on ``scale``. Outputs are what the
    network returns: (n,) where the loss needs one a sample, (n, K) where it needs K.
    """

    loss: BaseLoss
    penalty: BatchPenalty | None
    scale: TargetScale = UNSCALED

    def point(self, outputs: Tensor) -> Tensor:
        """The predictions that outputs stand for, (n,), target units."""
        return self.scale.in_units(self.loss.point(outputs))

    def base_loss(self, outputs: Tensor, y_true: Tensor, weights: Tensor | None = None) -> Tensor:
        """The base loss of a batch, a scalar, in the units of the loss. weights: (n,) or None."""
        return self.loss(_full(outputs), self.scale.scaled(y_true), weights)

    def penalty_loss(self, outputs: Tensor, y_true: Tensor) -> Tensor | None:
        """The penalty of a batch before its weight λ, a scalar; None without one."""
        if self.penalty is None:
            return None
        return self.penalty(self.loss.point(_full(outputs)), self.scale.scaled(y_true))

    def start(self, output_bias: float) -> Tensor:
        """Output biases (K,) from which the predictions start at ``output_bias``, target units."""
        return self.loss.start(self.scale.scaled(output_bias))


def make_objective(config: Config, target: Tensor) -> Objective:
    """The objective that ``config`` describes. target: (n,), the training targets, in target units."""
    scale = TargetScale.of(target) if config.standardise_target else UNSCALED
    return Objective(loss=make_loss(config, scale.scaled(target)), penalty=make_penalty(config), scale=scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitLosses:
    """Losses of a whole split: ``total = base + weight·penalty``; ``penalty`` before its weight, None without one."""

    base: float
    penalty: float | None
    total: float


@torch.inference_mode()
def evaluate_losses(objective: Objective, weight: float, outputs: Tensor, y_true: Tensor) -> SplitLosses:
    """Losses over a whole split at once, with ``weight`` as λ.

    No sample weights: those steer training, they do not redefine what is measured.
    """
    base = float(objective.base_loss(outputs, y_true))
    penalty = objective.penalty_loss(outputs, y_true)
    if penalty is None:
        return SplitLosses(base=base, penalty=None, total=base)
    return SplitLosses(base=base, penalty=float(penalty), total=base + weight * float(penalty))


def _full(outputs: Tensor) -> Tensor:
    """Outputs in at least single precision: losses of half-precision numbers lose digits that decide between epochs."""
    return outputs.float() if outputs.dtype in (torch.float16, torch.bfloat16) else outputs
