"""Policies: which number of an epoch is watched, and which way is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Row = Mapping[str, float | int | None]
"""One epoch's numbers by the names of the history's columns."""

COMPOSITE_WEIGHT = 2.0
"""Weight of the ratio in the source's composite R² + 2(α - 0.7)."""
COMPOSITE_TARGET = 0.7
"""Ratio that the source's composite calls neutral."""
RATIO_FLOOR = 0.4
"""The source's proposal (its experiment 5C): keep no epoch whose ratio is below 40 %."""
SMOOTHING_WINDOW = 5
"""Epochs in the smoothed R²: odd, and short beside a patience of 10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A rule to rank epochs by one number.

    monitor
        A column of the history, or the name of a score that follows from columns (``SCORES``).
    floor
        Least variance ratio that an epoch needs to be picked at all; None where there is no such demand.
    """

    name: str
    monitor: str
    mode: Literal["min", "max"]
    floor: float | None = None

    def value(self, rows: Sequence[Row]) -> float | None:
        """The monitored number of the last of ``rows`` (the epochs so far, oldest first); None where undefined.

        No more than the last ``SMOOTHING_WINDOW`` rows are looked at.

        >>> POLICIES["composite"].value([{"r2": -0.1, "variance_ratio": 0.7}])
        -0.1
        """
        if self.monitor in SCORES:
            return SCORES[self.monitor](rows)
        return rows[-1].get(self.monitor)

    def allows(self, row: Row) -> bool:
        """Whether the epoch's ratio reaches the floor; an undefined or infinite one does not."""
        ratio = row.get("variance_ratio")
        return self.floor is None or (ratio is not None and math.isfinite(ratio) and ratio >= self.floor)

    def score(self, value: float) -> float:
        """The monitored value with the sign that makes larger better.

        >>> Policy(name="val_loss", monitor="val_loss", mode="min").score(0.5)
        -0.5
        """
        return value if self.mode == "max" else -value


def composite(rows: Sequence[Row]) -> float | None:
    """The source's R² + 2(α - 0.7). At a given correlation r it is largest at α = 1 + r: it rewards over-dispersion."""
    r2, ratio = rows[-1].get("r2"), rows[-1].get("variance_ratio")
    return None if r2 is None or ratio is None else r2 + COMPOSITE_WEIGHT * (ratio - COMPOSITE_TARGET)


def concordance(rows: Sequence[Row]) -> float | None:
    """Lin's concordance 2rα / (1 + α² + β²), in [-1, 1] (Lin 1989, doi:10.2307/2532051).

    β = (pred_mean - true_mean) / true_std. None where r, α or β is undefined, which includes constant predictions.

    >>> concordance([{"pearson_r": 0.5, "variance_ratio": 1.0, "pred_mean": 1, "true_mean": 1, "true_std": 2}])
    0.5
    """
    row = rows[-1]
    r, ratio = row.get("pearson_r"), row.get("variance_ratio")
    pred_mean, true_mean, true_std = row.get("pred_mean"), row.get("true_mean"), row.get("true_std")
    if r is None or ratio is None or pred_mean is None or true_mean is None or true_std is None or not true_std > 0:
        return None
    bias = (pred_mean - true_mean) / true_std
    return 2 * r * ratio / (1 + ratio**2 + bias**2) if math.isfinite(bias) else None


def smoothed_r2(rows: Sequence[Row]) -> float | None:
    """Mean R² of the last five epochs; None before there are five, or where one is undefined.

    Trailing, so that a run can follow it while it trains. The epoch that is kept is the window's last.
    """
    values = [row.get("r2") for row in rows[-SMOOTHING_WINDOW:]]
    known = [value for value in values if value is not None]
    return sum(known) / SMOOTHING_WINDOW if len(known) == SMOOTHING_WINDOW else None


SCORES: dict[str, Callable[[Sequence[Row]], float | None]] = {
    "composite": composite,
    "ccc": concordance,
    "smoothed_r2": smoothed_r2,
}

POLICIES: dict[str, Policy] = {
    "val_loss": Policy(name="val_loss", monitor="val_loss", mode="min"),
    "r2": Policy(name="r2", monitor="r2", mode="max"),
    "composite": Policy(name="composite", monitor="composite", mode="max"),
    "floor": Policy(name="floor", monitor="r2", mode="max", floor=RATIO_FLOOR),
    "ccc": Policy(name="ccc", monitor="ccc", mode="max"),
    "smoothed": Policy(name="smoothed", monitor="smoothed_r2", mode="max"),
}
