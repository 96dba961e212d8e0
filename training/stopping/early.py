"""Early stopping with patience."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from training.stopping.policies import SMOOTHING_WINDOW, Policy, Row


class EarlyStopping:
    """Picks the epoch to keep and says when to stop.

    An epoch improves when its score is larger than ``best + min_delta``; the first finite score always does. The run
    stops when ``patience`` epochs did not improve since the last that did. NaN and infinities never improve, nor does an
    epoch below the policy's floor. An undefined number (None) counts as not looked at: it neither improves nor waits.
    The first ``warmup`` epochs that were looked at are passed over likewise.

    >>> from training.stopping.policies import POLICIES
    >>> stopping = EarlyStopping(POLICIES["r2"], patience=2, min_delta=0.01)
    >>> [stopping.update(epoch, {"r2": r2}) for epoch, r2 in enumerate([0.1, 0.105, 0.2, 0.2, 0.1], start=1)]
    [True, False, True, False, False]
    >>> stopping.selected_epoch, stopping.should_stop
    (3, True)
    """

    def __init__(self, policy: Policy, *, patience: int, min_delta: float, warmup: int = 0) -> None:
        self.policy = policy
        self.patience = patience
        self.min_delta = min_delta
        self.warmup = warmup
        self.best: float | None = None
        self.selected_epoch: int | None = None
        self.wait = 0
        self._looked_at = 0
        self._rows: deque[dict[str, float | int | None]] = deque(maxlen=SMOOTHING_WINDOW)

    @property
    def should_stop(self) -> bool:
        """Whether patience has run out."""
        return self.wait >= self.patience

    def update(self, epoch: int, row: Row) -> bool:
        """Takes in one epoch's row of the history; True where the epoch is the best so far and is to be kept."""
        self._rows.append(dict(row))
        value = self.policy.value(tuple(self._rows))
        if value is None:
            return False
        self._looked_at += 1
        if self._looked_at <= self.warmup:
            return False
        score = self.policy.score(value)
        better = self.best is None or score > self.best + self.min_delta
        if math.isfinite(score) and better and self.policy.allows(row):
            self.best = score
            self.selected_epoch = epoch
            self.wait = 0
            return True
        self.wait += 1
        return False

    def state_dict(self) -> dict[str, Any]:
        """Plain values from which ``load_state_dict`` of a new object with the same settings carries on."""
        return {
            "best": self.best,
            "selected_epoch": self.selected_epoch,
            "wait": self.wait,
            "looked_at": self._looked_at,
            "rows": [dict(row) for row in self._rows],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Carries on where ``state_dict`` was taken."""
        self.best = state["best"]
        self.selected_epoch = state["selected_epoch"]
        self.wait = state["wait"]
        self._looked_at = state["looked_at"]
        self._rows = deque((dict(row) for row in state["rows"]), maxlen=SMOOTHING_WINDOW)
