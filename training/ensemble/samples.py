"""The members' samples as stacks; shared, not copied, where all members have the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from training.data import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """frames (members, n, ...), angles (members, n, 0 or 2), target (members, n) in target units."""

    frames: Tensor
    angles: Tensor
    target: Tensor

    @classmethod
    def of(cls, splits: Sequence[Split], device: torch.device) -> Self:
        """One split of each member, on ``device``."""
        return cls(
            frames=_stack([s.frames for s in splits], device),
            angles=_stack([s.angles for s in splits], device),
            target=_stack([s.target for s in splits], device),
        )

    def batch(self, index: Tensor) -> Samples:
        """index: (members, b), a batch of its own for each member."""
        member = torch.arange(len(index), device=index.device)[:, None]
        return Samples(
            frames=self.frames[member, index], angles=self.angles[member, index], target=self.target[member, index]
        )

    def take(self, rows: Tensor) -> Samples:
        """Those of the members at ``rows``."""
        return Samples(frames=_taken(self.frames, rows), angles=_taken(self.angles, rows), target=self.target[rows])


def _stack(parts: Sequence[Tensor], device: torch.device) -> Tensor:
    first = parts[0].to(device)
    if all(part is parts[0] for part in parts):
        return first[None].expand(len(parts), *first.shape)
    return torch.stack([part.to(device) for part in parts])


def _taken(values: Tensor, rows: Tensor) -> Tensor:
    """Indexing would copy a stack that is one tensor shown many times."""
    return values[:1].expand(len(rows), *values.shape[1:]) if values.stride(0) == 0 else values[rows]
