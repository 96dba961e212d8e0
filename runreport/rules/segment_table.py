"""Mean error by segment: by true range, by predicted range, by group, with intervals that know the effective size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runreport.findings import Value
from runreport.rules.data_basis import resolved
from runreport.rules.value_range_sample import Sample
from runreport.statistics.student import t_quantile

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    Rows = np.ndarray[tuple[int], np.dtype[np.bool_]] | np.ndarray[tuple[int], np.dtype[np.intp]]
    """Which rows are in a segment: a mask, or row numbers."""

TABLE_BINS = 5
"""Bins of a table by range, equal in count: fifths are the finest that a hundred rows fill."""

LEAST_IN_BIN = 5
"""Rows below which a bin has a mean but no interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One segment: mean of the values in it, standard error and degrees of freedom (None with too few rows)."""

    label: str
    n: int
    mean: float
    error: float | None
    degrees: float | None
    at: Rows

    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the mean (Student t); None with too few rows."""
        if self.error is None or self.degrees is None:
            return None
        half = t_quantile(0.975, self.degrees) * self.error
        return self.mean - half, self.mean + half


def range_masks(values: Floats, bins: int = TABLE_BINS) -> list[tuple[str, Rows]]:
    """(label, rows) of bins of about equal count over ``values``; ties stay together, so that there may be fewer."""
    import numpy as np

    inner = np.unique(np.quantile(values, [i / bins for i in range(1, bins)]))
    inner = inner[(inner > values.min()) & (inner <= values.max())]
    scale = float(values.std(ddof=0))
    which = np.searchsorted(inner, values, side="right")
    masks = []
    for i in range(len(inner) + 1):
        at = which == i
        if not at.any():
            continue
        if len(inner) == 0:
            label = "all"
        elif i == 0:
            label = f"< {resolved(float(inner[0]), scale)}"
        elif i == len(inner):
            label = f"≥ {resolved(float(inner[-1]), scale)}"
        else:
            label = f"{resolved(float(inner[i - 1]), scale)} to {resolved(float(inner[i]), scale)}"
        masks.append((label, at))
    return masks


def binned(values: Floats, masks: Sequence[tuple[str, Rows]], share: float) -> list[Bin]:
    """Mean of ``values`` in each segment; ``share`` shrinks the counts to their effective size."""
    bins = []
    for label, at in masks:
        inside = values[at]
        worth = inside.size * share
        error = degrees = None
        if inside.size >= LEAST_IN_BIN and worth > 2:
            variance = float(inside.var(ddof=1))
            if math.isfinite(variance) and variance > 0:
                error, degrees = math.sqrt(variance / worth), worth - 1
        bins.append(
            Bin(label=label, n=int(inside.size), mean=float(inside.mean()), error=error, degrees=degrees, at=at)
        )
    return bins


def true_range_table(sample: Sample, r: float | None) -> list[Value]:
    """Mean error by true range, one row a bin, beside what regression to the mean explains at correlation ``r``.

    A calibrated predictor errs by (r² - 1)(y_true - mean(y_true)) on average at a given truth, because it cannot
    predict what it does not know: low truths come out too high and high ones too low. ``expected_bias`` is that, None
    without r. Errors are y_pred - y_true in target units; ``interval`` is 95 %.
    """
    error = sample.pred - sample.true
    centre = float(sample.true.mean())
    rows: list[Value] = []
    for part in binned(error, range_masks(sample.true), sample.share):
        true_mean = float(sample.true[part.at].mean())
        bounds = part.interval()
        row: dict[str, Value] = {
            "range": part.label,
            "n": part.n,
            "mean_bias": part.mean,
            "interval": None if bounds is None else [bounds[0], bounds[1]],
            "expected_bias": None if r is None else (r * r - 1) * (true_mean - centre),
            "true_mean": true_mean,
            "pred_mean": float(sample.pred[part.at].mean()),
        }
        rows.append(row)
    return rows


def bin_rows(bins: Sequence[Bin], name: str) -> list[Value]:
    """Bins as evidence rows, the segment's label under ``name``."""
    rows: list[Value] = []
    for part in bins:
        bounds = part.interval()
        row: dict[str, Value] = {
            name: part.label,
            "n": part.n,
            "mean": part.mean,
            "interval": None if bounds is None else [bounds[0], bounds[1]],
        }
        rows.append(row)
    return rows
