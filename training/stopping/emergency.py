"""The emergency stop: ends a run whose predictions have collapsed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyStop:
    """Stops when the validation variance ratio is below ``ratio``, not before more than ``after`` epochs have run.

    >>> stop = EmergencyStop(ratio=0.1, after=2)
    >>> stop.should_stop(2, 0.05), stop.should_stop(3, 0.05), stop.should_stop(3, 0.2)
    (False, True, False)
    """

    ratio: float
    after: int

    def should_stop(self, epoch: int, variance_ratio: float | None) -> bool:
        """Whether this epoch ends the run. An undefined ratio does not: it says nothing."""
        return epoch > self.after and variance_ratio is not None and variance_ratio < self.ratio
