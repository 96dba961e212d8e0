"""Mean error by segment: by true range, by predicted range, by group, with intervals that know the effective size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runreport.findings import Value
from runreport.rules.data_basis import resolved
from runreport.rules.value_range_sample import Sample
from runreport.statistics.student import t_quantile

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
    Ints = np.ndarray[tuple[int], np.dtype[np.intp]]
    Rows = np.ndarray[tuple[int], np.dtype[np.bool_]] | np.ndarray[tuple[int], np.dtype[np.intp]]
    """Which rows are in a segment: a mask, or row numbers."""

TABLE_BINS = 5
"""Bins of a table by range, equal in count: fifths are the finest that a hundred rows fill."""

MOST_AUTOCORRELATION = 0.99
"""Closer to 1 a group has no effective row left, and no scatter of its own to compare its mean with."""

MOST_ROWS_CENTRED = 200
"""Rows from which centring on a group's own mean changes neither figure by more than the estimate's noise."""
SOLVER_STEPS = 20
"""Halvings of [0, 1): φ to a millionth."""

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


def line_bins(residual: Floats, x: Floats, masks: Sequence[tuple[str, Rows]], share: float) -> list[Bin]:
    """Mean in each segment of what a least-squares line through ``x`` left over, with an error that knows of the line.

    A bin's mean residual is Σ w_i y_i with w = [in bin]/n_b - 1/n - (x̄_b - x̄)(x_i - x̄)/Σ(x - x̄)², so its variance is
    Σ w_i² e_i² (White 1980, doi:10.2307/1912934) over ``share``. The scatter inside the bin alone misses what the line
    took from the other bins: with errors that grow towards the ends it was too small by half in the middle.
    """
    import numpy as np

    n = residual.size
    centred = x - x.mean()
    power = float((centred * centred).sum())
    bins = []
    for part in binned(residual, masks, share):
        if part.error is None or not power > 0:
            bins.append(part)
            continue
        weight = -1.0 / n - float(centred[part.at].mean()) / power * centred
        weight[part.at] += 1.0 / part.n
        # n_b/(n_b - 1), as in a sample variance: the residuals of few rows are too small.
        error = math.sqrt(float(np.sum((weight * residual) ** 2)) * part.n / (part.n - 1) / share)
        bins.append(replace(part, error=error if error > 0 else None))
    return bins


def share_within(values: Floats, codes: Ints) -> float:
    """Factor on a group's rows by which s²/(factor · rows), s² its own scatter, is the variance of the group's mean.

    Rows are in time order inside each group of ``codes`` (whole numbers from 0). The first autocorrelation of ``values``
    about each group's own mean is pooled over the groups; φ is that of the AR(1) process whose expected value, so centred,
    is as large and a standard error (both the autocorrelation and the scatter of few rows about their own mean come out too
    small: Marriott & Pope 1954, doi:10.2307/2332719). Near 1 for rows that do not repeat each other.
    """
    import numpy as np

    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    centred = values - (np.bincount(codes, weights=values) / np.maximum(sizes, 1))[codes]
    series, same = centred[order], codes[order][1:] == codes[order][:-1]
    power = float((series * series).sum())
    if not power > 0 or not same.any():
        return 1.0
    found = float((series[1:] * series[:-1])[same].mean()) / power * series.size
    # One standard error up (Bartlett): too low a φ makes a difference between groups out of drift inside them.
    found += math.sqrt(max(1 - found * found, 0.0) / int(same.sum()))
    rows = int(min(np.median(sizes[sizes > 0]), MOST_ROWS_CENTRED))
    low, high = 0.0, MOST_AUTOCORRELATION
    for _ in range(SOLVER_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _centred(middle, rows)[0] < found else (low, middle)
    return _centred(low, rows)[1]


def _centred(phi: float, rows: int) -> tuple[float, float]:
    """Of AR(φ) rows about their own mean: (expected first autocorrelation, expected s²/(rows · variance of the mean))."""
    import numpy as np

    lags = np.abs(np.subtract.outer(np.arange(rows), np.arange(rows)))
    covariance = np.power(phi, lags, dtype=np.float64)
    of_mean = float(covariance.mean())
    row_means = covariance.mean(axis=1)
    inside = covariance - row_means[:, None] - row_means[None, :] + of_mean
    scatter = float(np.trace(inside))
    first = float(np.diagonal(inside, 1).mean()) / scatter * rows
    return first, scatter / (rows - 1) / (rows * of_mean)


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
