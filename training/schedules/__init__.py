"""Learning-rate schedules. A new schedule is one file and one line in ``SCHEDULES``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from training.config import Config
from training.schedules.cosine import WarmupCosine
from training.schedules.one_cycle import OneCycle
from training.schedules.warmup_plateau import WarmupPlateau

__all__ = ["SCHEDULES", "Schedule", "make_schedule"]


class Schedule(Protocol):
    """What the loop asks of a schedule. Rates are given to the optimizer by the loop.

    A schedule depends on nothing but the calls below: a resumed run makes them again from its history and stands where
    it stood.
    """

    def rate(self) -> float:
        """The rate for the next step."""

    def after_step(self) -> None:
        """One optimizer step was made."""

    def after_epoch(self, val_loss: float) -> None:
        """One epoch ended with this validation loss."""


SCHEDULES: dict[str, Callable[[Config, int], Schedule]] = {
    "warmup_plateau": lambda config, steps: WarmupPlateau(config),  # noqa: ARG005
    "cosine": lambda config, steps: WarmupCosine(config, steps_per_epoch=steps),
    "one_cycle": lambda config, steps: OneCycle(config, steps_per_epoch=steps),
}
"""Name → maker, given the configuration and the number of steps in an epoch."""


def make_schedule(config: Config, *, steps_per_epoch: int) -> Schedule:
    """The schedule that ``config.schedule`` names."""
    return SCHEDULES[config.schedule](config, steps_per_epoch)
