"""Learning-rate schedules. A new schedule is one file and one line in ``SCHEDULES``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from training.config import Config
from training.schedules.warmup_plateau import WarmupPlateau

__all__ = ["SCHEDULES", "Schedule", "make_schedule"]


class Schedule(Protocol):
    """What the loop asks of a schedule. Rates are given to the optimizer by the loop."""

    def rate(self) -> float:
        """The rate for the next step."""

    def after_step(self) -> None:
        """One optimizer step was made."""

    def after_epoch(self, val_loss: float) -> None:
        """One epoch ended with this validation loss."""


SCHEDULES: dict[str, Callable[[Config], Schedule]] = {"warmup_plateau": WarmupPlateau}


def make_schedule(config: Config) -> Schedule:
    """The schedule of the run."""
    return SCHEDULES["warmup_plateau"](config)
