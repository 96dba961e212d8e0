"""Attention over frames at several time scales."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.model.attention import AttentionPooling

KERNELS = (1, 3, 5)
"""Frames that one look spans, at each scale; odd, so that a look has a middle. At most 9 frames: 5 is more than half."""


class MultiScaleAttention(nn.Module):
    """Convolutions over 1, 3 and 5 frames, attention over time at each scale, and a linear mixture of the three.

    Unlike attention on single frames, the wider scales see the order of the frames. Parallel kernels of several widths
    are those of Szegedy et al. 2015, arXiv:1409.4842, in time instead of space. Frames beyond the ends count as zero
    vectors, so any number of frames will do.
    """

    def __init__(self, *, size: int) -> None:
        super().__init__()
        self.looks = nn.ModuleList(nn.Conv1d(size, size, kernel, padding="same") for kernel in KERNELS)
        self.pools = nn.ModuleList(AttentionPooling(size=size) for _ in KERNELS)
        self.mix = nn.Linear(len(KERNELS) * size, size)

    def forward(self, vectors: Tensor) -> Tensor:
        """vectors: (n, frames, size). Returns (n, size)."""
        along = vectors.transpose(1, 2)  # (n, size, frames)
        scales = [
            pool(functional.gelu(look(along)).transpose(1, 2))
            for look, pool in zip(self.looks, self.pools, strict=True)
        ]
        mixed: Tensor = self.mix(torch.cat(scales, dim=1))
        return mixed
