"""A λ that keeps the penalty's gradient a given share of the base loss's."""

from __future__ import annotations

import math

LEAST_SHARE_OF_LARGEST = 1e-6  # λ never falls below this share of its cap: from 0 no norm could lift it again


class GradientBalanced:
    """``λ = share · mean‖∂base/∂W‖ / mean‖∂penalty/∂W‖``, W the output weight, norms of the epoch before.

    The penalty's norm is that of the unweighted penalty; the first epoch has λ = ``start``. λ is held between
    ``largest``·1e-6 and ``largest``: the penalty's gradient vanishes where the penalty is content, and the quotient
    would leave all bounds. Where a norm was not measured, is not finite, or the penalty's is 0, λ stays.

    The source asks for a penalty gradient of 50 to 100 % of the base's. With a share s < 1 held exactly,
    ‖∂base + λ·∂penalty‖ ≥ (1 - s)·‖∂base‖: the two can cancel only where the base loss's own gradient is zero. Such a
    schedule shapes the way to a stationary point; it cannot hold the output weight away from one of the base loss.

    >>> schedule = GradientBalanced(start=0.5, share=0.5, largest=100.0)
    >>> schedule.after_epoch(base_norm=3.0, penalty_norm=0.25)
    >>> schedule.weight()
    3.0
    """

    def __init__(self, *, start: float, share: float, largest: float) -> None:
        self._weight = start
        self._share = share
        self._largest = largest

    def weight(self) -> float:
        """λ of the epoch that is next or under way."""
        return self._weight

    def after_epoch(self, *, base_norm: float | None, penalty_norm: float | None) -> None:
        """One epoch ended with these mean norms, the penalty's with λ included."""
        if base_norm is None or penalty_norm is None or not math.isfinite(base_norm) or not penalty_norm > 0:
            return
        unweighted = penalty_norm / self._weight
        if math.isfinite(unweighted):
            wanted = self._share * base_norm / unweighted
            self._weight = min(max(wanted, LEAST_SHARE_OF_LARGEST * self._largest), self._largest)

    def state(self) -> dict[str, float]:
        """λ as it stands."""
        return {"weight": self._weight}

    def restore(self, state: dict[str, float]) -> None:
        """Goes on with a saved λ."""
        self._weight = state["weight"]
