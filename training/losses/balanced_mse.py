"""Balanced MSE: squared error corrected for an uneven distribution of targets."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

MOST_PAIRS = 2**24  # pairs of samples held at once: 64 MiB in float32


def balanced_mse(y_pred: Tensor, y_true: Tensor, *, noise: float, most_pairs: int = MOST_PAIRS) -> Tensor:
    """Loss of each sample, (n,), batch-based ("BMC"): ``-2s²·log(exp(-(p_i - y_i)²/2s²) / Σ_j exp(-(p_i - y_j)²/2s²))``.

    y_pred p, y_true y: (n,); ``noise`` is s, fixed, in the units of y. Ren et al. 2022, arXiv:2203.16427, eq. 3.10 with
    its factor 2s². In squared units, least 0 in the limit. The sum stands for the training distribution of targets, by
    the batch's own: a batch of one sample gives 0 without gradient. At most ``most_pairs`` pairs are held at a time.
    """
    count = y_pred.shape[0]
    rows = max(1, most_pairs // max(count, 1))
    own = torch.arange(count, device=y_pred.device)
    parts = [
        functional.cross_entropy(
            -(part[:, None] - y_true[None, :]).square() / (2.0 * noise * noise), index, reduction="none"
        )
        for part, index in zip(torch.split(y_pred, rows), torch.split(own, rows), strict=True)
    ]
    return torch.cat(parts) * (2.0 * noise * noise)
