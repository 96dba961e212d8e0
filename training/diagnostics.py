"""Gradient norms: what the base loss and the penalty each ask of the output weight."""

from __future__ import annotations

import torch
from torch import Tensor


class GradientNorms:
    """Means over an epoch of the gradients' norms, gathered on the device and read once.

    ``base`` and ``penalty`` are the L2 norms of the gradient at the output weight of the base loss and of the
    *weighted* penalty, λ included, as they enter the step; measured every ``every`` steps, because each costs a further
    backward pass through the output layer. ``total`` is the norm over all parameters before clipping, at every step.
    """

    def __init__(self, *, every: int) -> None:
        self._every = every
        self._steps = 0
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def measure(self, base: Tensor, penalty: Tensor | None, weight: Tensor) -> None:
        """Call before ``backward`` at each step; the graph is kept."""
        due = self._steps % self._every == 0
        self._steps += 1
        if not due:
            return
        self._add("base", torch.autograd.grad(base, weight, retain_graph=True)[0].norm())
        if penalty is not None:
            self._add("penalty", torch.autograd.grad(penalty, weight, retain_graph=True)[0].norm())

    def add_total(self, norm: Tensor) -> None:
        """Takes in the norm over all parameters of one step."""
        self._add("total", norm)

    def mean(self, which: str) -> float | None:
        """Mean of ``base``, ``penalty`` or ``total``; None where nothing was measured."""
        if which not in self._sums:
            return None
        return float(self._sums[which]) / self._counts[which]

    def _add(self, which: str, norm: Tensor) -> None:
        norm = norm.detach()
        self._sums[which] = self._sums[which] + norm if which in self._sums else norm
        self._counts[which] = self._counts.get(which, 0) + 1
