"""A member's gradient norms over an epoch, as the history logs them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class MeanNorms:
    """Sums of norms by name; the same answers as :class:`training.diagnostics.GradientNorms` gives."""

    _sums: dict[str, float] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def add(self, which: str, norm: float) -> None:
        """Takes in the norm of one step."""
        self._sums[which] = self._sums.get(which, 0.0) + norm
        self._counts[which] = self._counts.get(which, 0) + 1

    def mean(self, which: str) -> float | None:
        """Mean of ``base``, ``penalty`` or ``total``; None where nothing was measured."""
        return self._sums[which] / self._counts[which] if which in self._sums else None

    def ratio(self) -> float | None:
        """Mean norm of the penalty over mean norm of the base loss; None without a penalty, or where the base's is 0."""
        base, penalty = self.mean("base"), self.mean("penalty")
        return penalty / base if base and penalty is not None else None
