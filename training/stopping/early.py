"""Early stopping with patience."""

from __future__ import annotations

import math
from collections.abc import Mapping

from training.stopping.policies import Policy


class EarlyStopping:
    """Picks the epoch to keep and says when to stop.

    An epoch improves when its score is larger than ``best + min_delta``; the first finite score always does. The run
    stops when ``patience`` epochs in a row did not improve. Undefined and non-finite values never improve.

    >>> from training.stopping.policies import POLICIES
    >>> stopping = EarlyStopping(POLICIES["r2"], patience=2, min_delta=0.01)
    >>> [stopping.update(epoch, {"r2": r2}) for epoch, r2 in enumerate([0.1, 0.105, 0.2, 0.2, 0.1], start=1)]
    [True, False, True, False, False]
    >>> stopping.selected_epoch, stopping.should_stop
    (3, True)
    """

    def __init__(self, policy: Policy, *, patience: int, min_delta: float) -> None:
        self.policy = policy
        self.patience = patience
        self.min_delta = min_delta
        self.best: float | None = None
        self.selected_epoch: int | None = None
        self.wait = 0

    @property
    def should_stop(self) -> bool:
        """Whether patience has run out."""
        return self.wait >= self.patience

    def update(self, epoch: int, row: Mapping[str, float | int | None]) -> bool:
        """Takes in one epoch's row of the history; True where the epoch is the best so far and is to be kept."""
        value = row.get(self.policy.monitor)
        ratio = row.get("variance_ratio")
        floor = self.policy.floor
        allowed = floor is None or (ratio is not None and ratio >= floor)
        if value is not None and math.isfinite(value) and allowed:
            score = self.policy.score(value)
            if self.best is None or score > self.best + self.min_delta:
                self.best = score
                self.selected_epoch = epoch
                self.wait = 0
                return True
        self.wait += 1
        return False
