"""How far a run with a planned end has come: shared by the schedules that need to know."""

from __future__ import annotations

from training.config import Config


class PlannedLength:
    """Counts steps or epochs, whichever ``warmup_unit`` names, against the number planned for the whole run.

    Planned are ``max_epochs`` epochs of ``steps_per_epoch`` steps; a run that stops early leaves its schedule unfinished.
    With ``warmup_unit: epoch`` the rate changes once an epoch.

    >>> planned = PlannedLength(Config(max_epochs=2, warmup_unit="step"), steps_per_epoch=3)
    >>> planned.after_step()
    >>> planned.count, planned.total
    (1, 6)
    """

    def __init__(self, config: Config, *, steps_per_epoch: int) -> None:
        self._by_step = config.warmup_unit == "step"
        self.total = config.max_epochs * (steps_per_epoch if self._by_step else 1)
        self.count = 0

    def after_step(self) -> None:
        """One optimizer step was made."""
        if self._by_step:
            self.count += 1

    def after_epoch(self) -> None:
        """One epoch ended."""
        if not self._by_step:
            self.count += 1
