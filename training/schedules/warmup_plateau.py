"""A linear warm-up, then a reduction whenever the validation loss stalls."""

from __future__ import annotations

import math

from training.config import Config

PLATEAU_THRESHOLD = 1e-4  # relative; a fall smaller than this is no progress (the default of torch's ReduceLROnPlateau)


class WarmupPlateau:
    """``rate = peak · min(1, (count + 1)/warmup_steps) · factor^reductions``.

    ``count`` is the number of steps made, or of epochs ended when ``warmup_unit`` is epoch. A length meant in steps but
    counted in epochs is the source's fault: with 500 "steps" and 50 epochs the rate ends at a tenth of its peak.
    After the warm-up the rate is multiplied by ``plateau_factor`` each time more than ``plateau_patience`` epochs in
    a row brought no val_loss below ``best · (1 - PLATEAU_THRESHOLD)``. Epochs that end within the warm-up do not count.
    """

    def __init__(self, config: Config) -> None:
        self._peak = config.learning_rate
        self._length = config.warmup_steps
        self._by_step = config.warmup_unit == "step"
        self._factor = config.plateau_factor
        self._patience = config.plateau_patience
        self._count = 0
        self._scale = 1.0
        self._best = math.inf
        self._stalled = 0

    def rate(self) -> float:
        """The rate for the next step."""
        warmth = 1.0 if self._length == 0 else min(1.0, (self._count + 1) / self._length)
        return self._peak * warmth * self._scale

    def after_step(self) -> None:
        """One optimizer step was made."""
        if self._by_step:
            self._count += 1

    def after_epoch(self, val_loss: float) -> None:
        """One epoch ended with this validation loss."""
        warming = self._count + 1 < self._length
        if not self._by_step:
            self._count += 1
        if warming:
            return
        if val_loss < self._best - PLATEAU_THRESHOLD * abs(self._best) or math.isinf(self._best):
            self._best = val_loss
            self._stalled = 0
            return
        self._stalled += 1
        if self._stalled > self._patience:
            self._scale *= self._factor
            self._stalled = 0
