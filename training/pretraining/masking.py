"""Which patches of which frames are hidden."""

from __future__ import annotations

import torch
from torch import Tensor


def hidden_patches(shape: tuple[int, int, int, int], *, patch: int, share: float, generator: torch.Generator) -> Tensor:
    """True where a pixel is hidden, (n, frames, height, width), on the CPU.

    shape: (n, frames, height, width). Each frame is cut into squares of ``patch`` pixels, those at its far edges cut
    off; of them the nearest whole number to ``share`` is hidden, at least one and never all. Each frame of a sample
    hides others, so that what is hidden in one may be seen, moved, in the next.
    """
    count, frames, height, width = shape
    rows, columns = -(-height // patch), -(-width // patch)
    patches = rows * columns
    number = max(1, min(round(share * patches), patches - 1))
    place = torch.rand((count, frames, patches), generator=generator).argsort(dim=2)
    hidden = torch.zeros((count, frames, patches), dtype=torch.bool).scatter(2, place[:, :, :number], value=True)
    grid = hidden.view(count, frames, rows, columns)
    return grid.repeat_interleave(patch, dim=2).repeat_interleave(patch, dim=3)[:, :, :height, :width]
