"""AdamW on stacked weights, a rate and a decay a member."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # torch.optim.AdamW's own defaults, which a run alone uses


class StackedAdamW:
    """Decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2) on (members, ...) tensors.

    A member's weights move as under ``torch.optim.AdamW`` with its own rate and decay; clipping is by each member's own
    total norm, as ``torch.nn.utils.clip_grad_norm_`` does for one.
    """

    def __init__(self, weights: Mapping[str, Tensor], *, decay: Tensor, clip: Tensor) -> None:
        self._weights = dict(weights)
        self._decay = decay
        self._clip = clip
        self._mean = {name: torch.zeros_like(w) for name, w in weights.items()}
        self._square = {name: torch.zeros_like(w) for name, w in weights.items()}
        self._steps = 0

    @torch.no_grad()
    def step(self, gradients: Mapping[str, Tensor], rate: Tensor) -> Tensor:
        """One step with ``rate`` (members,); 0 leaves a member as it is. Returns norms before clipping, (members,)."""
        norm = torch.stack([g.flatten(1).square().sum(dim=1) for g in gradients.values()]).sum(dim=0).sqrt()
        factor = (self._clip / (norm + 1e-6)).clamp(max=1.0)  # the same 1e-6 as clip_grad_norm_
        self._steps += 1
        for name, weight in self._weights.items():
            gradient = gradients[name] * _beside(factor, weight)
            mean, square = self._mean[name], self._square[name]
            mean.lerp_(gradient, 1.0 - BETA1)
            square.mul_(BETA2).addcmul_(gradient, gradient, value=1.0 - BETA2)
            weight.mul_(1.0 - _beside(rate * self._decay, weight))
            scale = square.sqrt() / (1.0 - BETA2**self._steps) ** 0.5 + EPSILON
            weight.sub_(_beside(rate / (1.0 - BETA1**self._steps), weight) * mean / scale)
        return norm

    def take(self, rows: Tensor, weights: Mapping[str, Tensor]) -> None:
        """Goes on with the members at ``rows`` and their ``weights``."""
        self._weights = dict(weights)
        self._decay, self._clip = self._decay[rows], self._clip[rows]
        self._mean = {name: value[rows] for name, value in self._mean.items()}
        self._square = {name: value[rows] for name, value in self._square.items()}


def _beside(values: Tensor, weight: Tensor) -> Tensor:
    """(members,) shaped so that it multiplies (members, ...)."""
    return values.view(-1, *([1] * (weight.dim() - 1)))
