"""The target as the loss sees it: in its own units, or in standard deviations around the training mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, TypeVar

from torch import Tensor

Numbers = TypeVar("Numbers", float, Tensor)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStatistics:
    """Mean, std (ddof 0), least and largest of the training targets, in the units of the loss."""

    mean: float
    std: float
    least: float
    largest: float

    @classmethod
    def of(cls, target: Tensor) -> Self:
        """Statistics of (n,) targets, n at least 1; computed in float64."""
        values = target.detach().double()
        return cls(
            mean=float(values.mean()),
            std=float(values.std(correction=0)),
            least=float(values.min()),
            largest=float(values.max()),
        )

    @property
    def spread(self) -> float:
        """``std``, or 1 where all targets are equal: a width to start distributions with."""
        return self.std if self.std > 0 else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetScale:
    """``z = (y - mean)/std``. The default changes nothing, not even a rounding.

    >>> scale = TargetScale(mean=0.9, std=0.5)
    >>> round(scale.scaled(1.4), 6), scale.in_units(-1.0)
    (1.0, 0.4)
    """

    mean: float = 0.0
    std: float = 1.0

    @classmethod
    def of(cls, target: Tensor) -> Self:
        """Mean and std (ddof 0) of the *training* targets; std 1 where they are all equal."""
        statistics = TargetStatistics.of(target)
        return cls(mean=statistics.mean, std=statistics.spread)

    @property
    def is_identity(self) -> bool:
        """Whether nothing is changed."""
        return self.mean == 0.0 and self.std == 1.0

    def scaled(self, y: Numbers) -> Numbers:
        """From target units to the loss's."""
        return y if self.is_identity else (y - self.mean) / self.std

    def in_units(self, z: Numbers) -> Numbers:
        """From the loss's units back to the target's."""
        return z if self.is_identity else z * self.std + self.mean


UNSCALED = TargetScale()
"""The scale that changes nothing."""
