"""Attention over the frames of a sample."""

from __future__ import annotations

from torch import Tensor, nn


class TemporalAttention(nn.Module):
    """A weighted mean of the frame vectors; the weights are a softmax of a learnt score (Bahdanau et al. 2015).

    ``score = w · tanh(W x + b)``. The order of the frames plays no part.
    """

    def __init__(self, *, size: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(size, max(size // 2, 1)), nn.Tanh(), nn.Linear(max(size // 2, 1), 1))

    def forward(self, vectors: Tensor) -> Tensor:
        """vectors: (n, frames, size). Returns (n, size)."""
        weights = self.score(vectors).softmax(dim=1)  # (n, frames, 1), sums to 1 over frames
        pooled: Tensor = (weights * vectors).sum(dim=1)
        return pooled
