"""When a series fell and came back: smoothing and two levels, so that jitter around one level is no event."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

SPARSE_ROWS = 12
"""Below this many rows, and with epochs left out, each row stands for many epochs: smoothing over three of them would
mix distant stages of the training."""

SPARSE_CONFIRM = 2
"""Rows that confirm an onset or a recovery in a sparse log. Three published rows can span half a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One fall, as row numbers of the series: the last row above the upper level before it, the first row of those
    below the lower level, the first row of the recovery (None where there was none)."""

    last_high: int
    onset: int
    recovered: int | None

    def rows(self, count: int) -> range:
        """The rows of the fall, in a series of ``count``."""
        return range(self.onset, count if self.recovered is None else self.recovered)


def is_sparse(epochs: Sequence[int | float]) -> bool:
    """Whether the rows are a selection of the epochs: few of them, and epochs left out between them.

    >>> is_sparse([1, 10, 20, 30, 37, 47]), is_sparse(range(1, 8)), is_sparse(range(0, 100, 5))
    (True, False, False)
    """
    if len(epochs) >= SPARSE_ROWS:
        return False
    return any(b - a > 1.5 for a, b in itertools.pairwise(epochs))


def median_of_three(values: Sequence[float]) -> list[float]:
    """Running median of three, same length; ends by Tukey's rule (Exploratory Data Analysis, 1977, ch. 7).

    The end value is the median of itself, its smoothed neighbour, and the line through the next two smoothed values:
    a lone first spike is taken out, a first value that the next ones lead up to stays.

    >>> median_of_three([0.9, 0.2, 0.2, 0.9, 0.2]), median_of_three([0.46, 0.38, 0.30, 0.2])[0]
    ([0.2, 0.2, 0.2, 0.2, 0.2], 0.46)
    """
    count = len(values)
    if count < 3:
        return list(values)
    middle = [sorted(values[i - 1 : i + 2])[1] for i in range(1, count - 1)]  # a fifth of the time of `median`
    second = middle[1] if count > 3 else middle[0]
    before = middle[-2] if count > 3 else middle[-1]
    first = median((values[0], middle[0], middle[0] + 2 * (middle[0] - second)))
    last = median((values[-1], middle[-1], middle[-1] + 2 * (middle[-1] - before)))
    return [first, *middle, last]


def log_noise(values: Sequence[float]) -> float | None:
    """Robust standard deviation of the epoch-to-epoch jitter of log(values).

    1.4826 × the median size of the second differences, / √6 because one holds six jitter variances. A steady rise or
    decay has none. None with fewer than four triples of positive neighbours.

    >>> log_noise([1.0, 2.0]) is None, round(log_noise([1.0, 1.1] * 4), 3)
    (True, 0.115)
    """
    logs = [math.log(v) if v > 0 else math.nan for v in values]
    steps = [b - a for a, b in itertools.pairwise(logs)]
    bends = [abs(b - a) for a, b in itertools.pairwise(steps) if not math.isnan(b - a)]
    if len(bends) < 4:
        return None
    return 1.4826 * median(bends) / math.sqrt(6)


def falls(values: Sequence[float], *, low: float, high: float, confirm: int, recover: int) -> list[Stretch]:
    """Every fall of a series from above ``high`` to below ``low``, in order.

    Armed by a value above ``high``; a fall begins with the first of ``confirm`` consecutive values below ``low`` and
    ends with the first of ``recover`` consecutive values above ``high``. A series that never was above ``high`` has
    no fall.

    >>> falls([0.5, 0.2, 0.2, 0.2, 0.5, 0.5], low=0.3, high=0.4, confirm=3, recover=2)
    [Stretch(last_high=0, onset=1, recovered=4)]
    """
    found: list[Stretch] = []
    last_high: int | None = None
    fallen: tuple[int, int] | None = None
    for i, value in enumerate(values):
        if fallen is None:
            if value > high:
                last_high = i
            ahead = values[i : i + confirm]
            if last_high is not None and value < low and len(ahead) == confirm and all(v < low for v in ahead):
                fallen = (last_high, i)
        else:
            ahead = values[i : i + recover]
            if value > high and len(ahead) == recover and all(v > high for v in ahead):
                found.append(Stretch(last_high=fallen[0], onset=fallen[1], recovered=i))
                fallen, last_high = None, i
    if fallen is not None:
        found.append(Stretch(last_high=fallen[0], onset=fallen[1], recovered=None))
    return found
