"""One cycle: up to the peak and far down again, both along a cosine."""

from __future__ import annotations

import math

from training.config import Config
from training.schedules.progress import PlannedLength

START_DIVISOR = 25.0  # the cycle begins at peak/25, as in torch's OneCycleLR and in fastai
RISING_SHARE = 0.3  # of the planned length, where warmup_steps is 0; the same default as theirs


class OneCycle:
    """From ``peak/25`` to ``peak`` over ``warmup_steps``, then to ``rate_floor · peak`` at the last planned step.

    Smith and Topin 2018, arXiv:1708.07120, with cosine instead of straight pieces as torch's OneCycleLR has it. Counted
    in ``warmup_unit``. ``warmup_steps: 0`` takes 30 % of the planned length. Where the rise is as long as the run, or
    longer, the fall never begins.
    """

    def __init__(self, config: Config, *, steps_per_epoch: int) -> None:
        self._peak = config.learning_rate
        self._start = config.learning_rate / START_DIVISOR
        self._floor = config.learning_rate * config.rate_floor
        self._planned = PlannedLength(config, steps_per_epoch=steps_per_epoch)
        # The peak is reached at count == rise; torch counts it the same way: pct_start·total - 1.
        self._rise = config.warmup_steps - 1.0 if config.warmup_steps else RISING_SHARE * self._planned.total - 1.0

    def rate(self) -> float:
        """The rate for the next step."""
        count = float(self._planned.count)
        if count <= self._rise and self._rise > 0:
            return _between(self._start, self._peak, count / self._rise)
        rise = max(self._rise, 0.0)
        last = self._planned.total - 1 - rise
        return _between(self._peak, self._floor, min(1.0, (count - rise) / last) if last > 0 else 0.0)

    def after_step(self) -> None:
        """One optimizer step was made."""
        self._planned.after_step()

    def after_epoch(self, val_loss: float) -> None:  # noqa: ARG002 - planned, whatever the loss does
        """One epoch ended with this validation loss."""
        self._planned.after_epoch()


def _between(start: float, end: float, share: float) -> float:
    """Half a cosine from ``start`` (share 0) to ``end`` (share 1)."""
    return end + (start - end) * (1.0 + math.cos(math.pi * share)) / 2.0
