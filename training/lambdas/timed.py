"""A λ that depends on the epoch alone."""

from __future__ import annotations

from collections.abc import Callable


class TimedLambda:
    """``λ = base · factor(epoch)``, epoch from 1 as in the history.

    >>> schedule = TimedLambda(2.0, lambda epoch: 1.0 / epoch)
    >>> schedule.after_epoch(base_norm=None, penalty_norm=None)
    >>> schedule.weight()
    1.0
    """

    def __init__(self, base: float, factor: Callable[[int], float]) -> None:
        self._base = base
        self._factor = factor
        self._epoch = 1

    def weight(self) -> float:
        """λ of the epoch that is next or under way."""
        return self._base * self._factor(self._epoch)

    def after_epoch(self, *, base_norm: float | None, penalty_norm: float | None) -> None:  # noqa: ARG002
        """One epoch ended; the norms play no part."""
        self._epoch += 1

    def state(self) -> dict[str, float]:
        """The number of the epoch."""
        return {"epoch": float(self._epoch)}

    def restore(self, state: dict[str, float]) -> None:
        """Goes on at a saved epoch."""
        self._epoch = int(state["epoch"])
