"""What an epoch is watched by: gradient norms, the weights' norm, memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

GIB = 2.0**30


class Norms(Protocol):
    """An epoch's mean gradient norms: ``base``, ``penalty`` and ``total``."""

    def mean(self, which: str) -> float | None:
        """The mean of one of them; None where it was not measured."""

    def ratio(self) -> float | None:
        """Penalty over base; None without a penalty, or where the base's is 0."""


class GradientNorms:
    """Means over an epoch of the gradients' norms, gathered on the device and read once.

    ``base`` and ``penalty`` are the L2 norms of the gradient at the output weight of the base loss and of the
    *weighted* penalty, λ included, as they enter the step; measured every ``every`` steps, because each costs a further
    backward pass through the output layer. ``total`` is the norm over all parameters before clipping, at every step.
    Where a step is shared between processes, ``total_over_ranks`` adds up their parts of a gradient.
    """

    def __init__(self, *, every: int, total_over_ranks: Callable[[Tensor], Tensor] | None = None) -> None:
        self._every = every
        self._total_over_ranks = total_over_ranks
        self._steps = 0
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def measure(self, base: Tensor, penalty: Tensor | None, weight: Tensor) -> None:
        """Call before ``backward`` at each step; the graph is kept."""
        due = self._steps % self._every == 0
        self._steps += 1
        if not due:
            return
        self._add("base", self._gradient(base, weight).norm())
        if penalty is not None:
            self._add("penalty", self._gradient(penalty, weight).norm())

    def add_total(self, norm: Tensor) -> None:
        """Takes in the norm over all parameters of one step."""
        self._add("total", norm)

    def mean(self, which: str) -> float | None:
        """Mean of ``base``, ``penalty`` or ``total``; None where nothing was measured."""
        if which not in self._sums:
            return None
        return float(self._sums[which]) / self._counts[which]

    def ratio(self) -> float | None:
        """Mean norm of the penalty over mean norm of the base loss; None without a penalty, or where the base's is 0."""
        base, penalty = self.mean("base"), self.mean("penalty")
        return penalty / base if base and penalty is not None else None

    def _gradient(self, loss: Tensor, weight: Tensor) -> Tensor:
        gradient = torch.autograd.grad(loss, weight, retain_graph=True)[0]
        return gradient if self._total_over_ranks is None else self._total_over_ranks(gradient)

    def _add(self, which: str, norm: Tensor) -> None:
        norm = norm.detach()
        self._sums[which] = self._sums[which] + norm if which in self._sums else norm
        self._counts[which] = self._counts.get(which, 0) + 1


@torch.no_grad()
def weight_norm(parameters: Sequence[nn.Parameter]) -> Tensor:
    """L2 norm of all weights and biases taken as one vector, a scalar on their device; 0 for none."""
    if not parameters:
        return torch.zeros(())
    norm: Tensor = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(p) for p in parameters]))
    return norm


def peak_memory_gib(device: torch.device) -> float | None:
    """Most memory that torch held for tensors on ``device`` since the last call, GiB; None on a CPU."""
    if device.type != "cuda":
        return None
    peak = torch.cuda.max_memory_allocated(device) / GIB
    torch.cuda.reset_peak_memory_stats(device)
    return peak
