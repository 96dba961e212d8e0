"""Policies: which number of an epoch is watched, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A rule to rank epochs by one column of the history.

    ``floor`` is the least variance ratio that an epoch needs to be picked at all; None where there is no such demand.
    """

    name: str
    monitor: str
    mode: Literal["min", "max"]
    floor: float | None = None

    def score(self, value: float) -> float:
        """The monitored value with the sign that makes larger better.

        >>> Policy(name="val_loss", monitor="val_loss", mode="min").score(0.5)
        -0.5
        """
        return value if self.mode == "max" else -value


POLICIES: dict[str, Policy] = {
    "val_loss": Policy(name="val_loss", monitor="val_loss", mode="min"),
    "r2": Policy(name="r2", monitor="r2", mode="max"),
}
