"""Attention pooling: many vectors of a sample into one."""

from __future__ import annotations

from torch import Tensor, nn


class AttentionPooling(nn.Module):
    """A weighted mean of vectors; the weights are a softmax of a learnt score (Bahdanau et al. 2015, arXiv:1409.0473).

    ``score = w · tanh(W x + b)``. The order of the vectors plays no part. Over the frames of a sample it is temporal
    attention, over the places of a frame spatial attention.
    """

    def __init__(self, *, size: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(size, max(size // 2, 1)), nn.Tanh(), nn.Linear(max(size // 2, 1), 1))

    def forward(self, vectors: Tensor) -> Tensor:
        """vectors: (n, items, size). Returns (n, size)."""
        weights = self.score(vectors).softmax(dim=1)  # (n, items, 1), sums to 1 over the items
        pooled: Tensor = (weights * vectors).sum(dim=1)
        return pooled
