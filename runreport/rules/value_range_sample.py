"""The predicted and true values as arrays, and what their shape says: edges, crowding, tails."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runreport.context import Context
from runreport.rules import data_basis as basis

if TYPE_CHECKING:
    import numpy as np

    Codes = np.ndarray[tuple[int], np.dtype[np.intp]]
    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Final predictions, finite rows in file order; ``share`` is the effective sample size over n, in (0, 1]."""

    true: Floats
    pred: Floats
    share: float

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.true.size)


def sample_of(context: Context) -> Sample | None:
    """The final predictions as arrays; None where the run has none."""
    frame = context.predictions
    final = context.final
    if frame is None or final is None or final.basis != "predictions" or frame.height == 0:
        return None
    import numpy as np  # here, so that a report on a log without predictions does not pay for it

    true = np.asarray(frame["y_true"].to_numpy(), dtype=np.float64)
    pred = np.asarray(frame["y_pred"].to_numpy(), dtype=np.float64)
    keep = np.isfinite(true) & np.isfinite(pred)
    true, pred = true[keep], pred[keep]
    if true.size == 0:
        return None
    worth = basis.effective_count(final)
    share = 1.0 if worth is None else min(1.0, max(worth / true.size, 1.0 / true.size))
    return Sample(true=true, pred=pred, share=share)


def groups_of(context: Context, n: int) -> tuple[list[str], Codes] | None:
    """(labels, code of each of the ``n`` rows) of the column that groups the final predictions; None where there is none."""
    final, frame = context.final, context.predictions
    if final is None or frame is None or final.group_column is None or final.group_column not in frame.columns:
        return None
    import numpy as np

    labels = np.asarray(frame[final.group_column].cast(str).fill_null("").to_list())
    if labels.size != n:
        return None
    names, codes = np.unique(labels, return_inverse=True)
    return names.tolist(), codes.astype(np.intp)


def crowding(*, mean: float, std: float, low: float, high: float) -> float | None:
    """s²/((max - mean)(mean - min)), the variance as a share of the largest that these extremes and mean allow.

    Bhatia & Davis (2000), A better bound on the variance, Am. Math. Monthly 107:353-357. In [0, 1]: about 0.15 for
    144 normal values, 1/3 uniform, 1 for two points. None where the values do not vary.

    >>> round(crowding(mean=0.808, std=0.1076, low=0.621, high=0.925), 2)
    0.53
    """
    room = (high - mean) * (mean - low)
    if not math.isfinite(room) or room <= 0 or not math.isfinite(std):
        return None
    return min(std * std / room, 1.0)


def crowding_of(values: Floats) -> float | None:
    """:func:`crowding` of an array, on its own scale so that offsets and tiny units do not matter."""
    low, high = float(values.min()), float(values.max())
    if not math.isfinite(high - low) or high <= low:
        return None
    unit = (values - low) / (high - low)
    return crowding(mean=float(unit.mean()), std=float(unit.std(ddof=0)), low=0.0, high=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One end of the predicted range: share of the predictions at it and just inside it, share of the truth at its own
    end, and the mean error of the predictions there (over the mean error of all), with its t statistic."""

    side: str
    share: float
    next_share: float
    true_share: float
    excess_error: float | None
    t: float | None


def edges_of(sample: Sample, width: float) -> tuple[Edge, Edge] | None:
    """Both ends of the predicted range, each ``width`` of it wide; None where truth or predictions are constant."""
    low, high = float(sample.pred.min()), float(sample.pred.max())
    true_low, true_high = float(sample.true.min()), float(sample.true.max())
    if not (high > low and true_high > true_low and math.isfinite(high - low) and math.isfinite(true_high - true_low)):
        return None
    pred = (sample.pred - low) / (high - low)
    true = (sample.true - true_low) / (true_high - true_low)
    return (
        _edge(sample, "lower", pred, true, width),
        _edge(sample, "upper", 1.0 - pred, 1.0 - true, width),
    )


def _edge(sample: Sample, side: str, pred: Floats, true: Floats, width: float) -> Edge:
    at = pred <= width
    error = sample.pred - sample.true
    excess, t = excess_error(error, at, sample.share)
    return Edge(
        side=side,
        share=float(at.mean()),
        next_share=float(((pred > width) & (pred <= 2 * width)).mean()),
        true_share=float((true <= width).mean()),
        excess_error=excess,
        t=t,
    )


def excess_error(
    error: Floats, at: np.ndarray[tuple[int], np.dtype[np.bool_]], share: float
) -> tuple[float | None, float | None]:
    """Mean of ``error`` in a subset less its mean elsewhere, and t = that over its standard error (Welch).

    ``share`` shrinks both counts to their effective size. None where either part has fewer than 3 rows or no scatter.
    """
    inside, outside = error[at], error[~at]
    if inside.size < 3 or outside.size < 3:
        return None, None
    difference = float(inside.mean() - outside.mean())
    variance = float(inside.var(ddof=1)) / (inside.size * share) + float(outside.var(ddof=1)) / (outside.size * share)
    if not math.isfinite(difference) or not variance > 0:
        return None, None
    return difference, difference / math.sqrt(variance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A value at one end of the predictions that many of them share: how many, and how much of the truth lies beyond it."""

    side: str
    value: float
    share: float
    beyond: float


def bounds_of(sample: Sample, most_tied: float) -> list[Bound]:
    """Ends of the predicted range at which predictions are equal to the last digit, as a cut-off leaves them.

    Empty where other values repeat as well (a tree, neighbours, rounding): more than ``most_tied`` of the rows between the
    ends share their value with another one.
    """
    import numpy as np

    low, high = float(sample.pred.min()), float(sample.pred.max())
    inner = sample.pred[(sample.pred > low) & (sample.pred < high)]
    if inner.size < 2 or 1 - np.unique(inner).size / inner.size > most_tied:
        return []
    return [
        Bound(side=side, value=value, share=float((sample.pred == value).mean()), beyond=float(beyond.mean()))
        for side, value, beyond in (("lower", low, sample.true < low), ("upper", high, sample.true > high))
    ]
