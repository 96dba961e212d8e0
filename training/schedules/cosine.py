"""A linear warm-up, then half a cosine down to the floor."""

from __future__ import annotations

import math

from training.config import Config
from training.schedules.progress import PlannedLength


class WarmupCosine:
    """``rate = peak · (count + 1)/warmup_steps`` while warming, then ``floor + (peak - floor)·(1 + cos(π·t))/2``.

    t runs from 0 at the warm-up's end to 1 at the last planned step (or epoch, as ``warmup_unit`` counts), so that the
    last rate is ``floor = rate_floor · peak``. Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5, without
    restarts. Where the warm-up is as long as the run, or longer, the cosine never begins.
    """

    def __init__(self, config: Config, *, steps_per_epoch: int) -> None:
        self._peak = config.learning_rate
        self._floor = config.learning_rate * config.rate_floor
        self._warmup = config.warmup_steps
        self._planned = PlannedLength(config, steps_per_epoch=steps_per_epoch)

    def rate(self) -> float:
        """The rate for the next step."""
        count = self._planned.count
        if count < self._warmup:
            return self._peak * ((count + 1) / self._warmup)
        last = self._planned.total - 1 - self._warmup
        share = min(1.0, (count - self._warmup) / last) if last > 0 else 0.0
        return self._floor + (self._peak - self._floor) * (1.0 + math.cos(math.pi * share)) / 2.0

    def after_step(self) -> None:
        """One optimizer step was made."""
        self._planned.after_step()

    def after_epoch(self, val_loss: float) -> None:  # noqa: ARG002 - planned, whatever the loss does
        """One epoch ended with this validation loss."""
        self._planned.after_epoch()
