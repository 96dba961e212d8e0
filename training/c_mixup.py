"""C-Mixup: training on mixtures of samples whose targets are alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Who is mixed with whom, and how much.

    partner: (n,), int64, for each sample of the batch the index of the one mixed in. share: the sample's own part, in
    (0, 1), the same for the whole batch; the partner's is 1 - share.
    """

    partner: Tensor
    share: float

    def mixed(self, values: Tensor) -> Tensor:
        """``share·values + (1 - share)·values[partner]``; values: (n, ...)."""
        return self.share * values + (1.0 - self.share) * values[self.partner]

    def mixed_angles(self, angles: Tensor) -> Tensor:
        """The same for angles in radians, along the shorter way round: 350° and 10° give 0°, not 180°."""
        turn = angles[self.partner] - angles
        return angles + (1.0 - self.share) * torch.atan2(turn.sin(), turn.cos())


def draw_mixture(y_true: Tensor, *, alpha: float, bandwidth: float, generator: torch.Generator) -> Mixture:
    """A mixture for one batch (Yao et al. 2022, arXiv:2210.05775, within the batch).

    Sample i's partner is j with probability ∝ ``exp(-(y_i - y_j)²/(2·bandwidth²))``, i itself included; the share is
    drawn from Beta(alpha, alpha). y_true: (n,); bandwidth in its units. ``generator`` lives on the CPU, so that drawing
    does not make a device wait.
    """
    count = y_true.shape[0]
    share = float(np.random.default_rng(int(torch.randint(2**31, (), generator=generator))).beta(alpha, alpha))
    # The largest of log-probability plus Gumbel noise is a draw from the probabilities, without a running sum, which
    # has no deterministic form on a GPU. Uniform numbers from (0, 1]: their logarithm is finite.
    uniform = 1.0 - torch.rand((count, count), generator=generator, dtype=torch.float64)
    gumbel = -(-uniform.log()).clamp(min=torch.finfo(torch.float64).tiny).log()
    closeness = -(y_true[:, None] - y_true[None, :]).square() / (2.0 * bandwidth * bandwidth)
    partner = (closeness + gumbel.to(y_true.device, y_true.dtype)).argmax(dim=1)
    return Mixture(partner=partner, share=share)
