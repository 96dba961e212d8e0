"""Moments of rows that lie next to each other, block by block in numpy.

A block fits in a core's cache, so the dozen passes that stable moments take read it from there: all of them together
cost less than reading the file. Blocks are then merged (see `merging`).
"""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

# 32,768 rows: four float64 work arrays of 256 KiB stay within the 1 MiB of second-level cache that current server cores
# have, and numpy's fixed cost a block (60 µs) is small beside the work. Measured: 6 ns a row, against 14 to 24 at 4,096
# rows and 5 at 65,536, which would need twice the cache.
BLOCK_ROWS = 32_768

# OpenBLAS, which numpy's wheels carry, spreads a dot product of more than 10,000 elements over threads, which then
# spin: with the decoding threads on the same cores everything took over 20 times as long. Shorter ones stay on the
# calling thread, and make the result independent of the number of threads.
DOT_ROWS = 8_192

# Σx²/n - (Σx/n)² loses as many digits as the mean's square exceeds the variance. Up to 1,000 times, three of sixteen
# go, which leaves 1e-13; beyond, the block is centred on its mean and summed again.
RECENTRE_ABOVE = 1_000.0

Floats = NDArray[np.floating[Any]]
Work = NDArray[np.float64]


class BlockMoments:
    """Computes the `MOMENTS` (see `expressions`) of blocks of rows, in work arrays that are reused between calls.

    Not safe for use from several threads at once: each needs its own.
    """

    __slots__ = ("_absolute", "_error", "_pred", "_true")

    def __init__(self) -> None:
        self._true = np.empty(BLOCK_ROWS)
        self._pred = np.empty(BLOCK_ROWS)
        self._error = np.empty(BLOCK_ROWS)
        self._absolute = np.empty(BLOCK_ROWS)

    def of_block(self, true: Floats, pred: Floats) -> tuple[float | None, ...]:
        """The moments of one block, in the order of `MOMENTS`.

        `true` and `pred`: float32 or float64, shape (rows,) with 0 < rows ≤ `BLOCK_ROWS`, NaN where missing. Rows that
        are not finite are counted as dropped; with none left the moments are None. Moments that overflow are infinite
        or NaN, and so is __relative_error where any y_true is 0.
        """
        # Zeros in y_true, missing values and overflow are all dealt with by value: numpy need not warn of them.
        with np.errstate(all="ignore"):
            return self._moments(true, pred)

    def _moments(self, true: Floats, pred: Floats) -> tuple[float | None, ...]:
        rows = len(true)
        t, p = self._true[:rows], self._pred[:rows]
        error, absolute = self._error[:rows], self._absolute[:rows]
        wide_true, wide_pred = _widened(true, t), _widened(pred, p)
        np.subtract(wide_pred, wide_true, out=error)
        error_mean = _mean(error)
        if not math.isfinite(error_mean):
            usable = np.isfinite(true) & np.isfinite(pred)
            kept = int(usable.sum())
            if kept == 0:
                return (0, rows, *[None] * 13)
            if kept < rows:
                # One level deep: every row of what is passed on is finite.
                found = self._moments(true[usable], pred[usable])
                return (found[0], rows - kept, *found[2:])
        true_min, true_max = float(true.min()), float(true.max())
        pred_min, pred_max = float(pred.min()), float(pred.max())
        np.abs(error, out=absolute)
        absolute_error = _mean(absolute)
        np.divide(absolute, wide_true, out=absolute)
        if true_min <= 0.0 <= true_max or true_max <= 0.0:
            np.abs(absolute, out=absolute)
        relative_error = _mean(absolute)
        # About a sample first, so that an offset shared by all costs nothing.
        true_anchor, pred_anchor = float(true[0]), float(pred[0])
        np.subtract(wide_true, true_anchor, out=t)
        np.subtract(wide_pred, pred_anchor, out=p)
        true_mean, pred_mean = _mean(t), _mean(p)
        true_variance, pred_variance, covariance = _second_moments(t, true_mean, p, pred_mean)
        return (
            rows,
            0,
            (true_anchor - true_min) + true_mean,
            (pred_anchor - pred_min) + pred_mean,
            error_mean,
            true_variance,
            pred_variance,
            _variance(error, error_mean),
            covariance,
            absolute_error,
            relative_error,
            true_min,
            true_max,
            pred_min,
            pred_max,
        )


def _widened(values: Floats, work: Work) -> Work:
    """The values as float64: themselves, or a copy in `work`, which is faster than numpy's mixed-type arithmetic."""
    if values.dtype == np.float64:
        return cast("Work", values)
    np.copyto(work, values)
    return work


def _mean(values: Work) -> float:
    return float(np.add.reduce(values)) / len(values)


def _variance(values: Work, mean: float) -> float:
    """Population variance of values with this mean. May overwrite the vector."""
    variance = _dot(values, values) / len(values) - mean**2
    if mean**2 > RECENTRE_ABOVE * variance:
        values -= mean
        variance = _dot(values, values) / len(values)
    return variance


def _second_moments(left: Work, left_mean: float, right: Work, right_mean: float) -> tuple[float, float, float]:
    """Population variances and covariance of two vectors with these means. May overwrite the vectors."""
    rows = len(left)
    left_variance = _dot(left, left) / rows - left_mean**2
    right_variance = _dot(right, right) / rows - right_mean**2
    if left_mean**2 > RECENTRE_ABOVE * left_variance or right_mean**2 > RECENTRE_ABOVE * right_variance:
        left -= left_mean
        right -= right_mean
        return _dot(left, left) / rows, _dot(right, right) / rows, _dot(left, right) / rows
    return left_variance, right_variance, _dot(left, right) / rows - left_mean * right_mean


def _dot(left: Work, right: Work) -> float:
    """The inner product of two contiguous vectors, `DOT_ROWS` at a time."""
    whole = len(left) - len(left) % DOT_ROWS
    rows = np.vecdot(left[:whole].reshape(-1, DOT_ROWS), right[:whole].reshape(-1, DOT_ROWS))
    return float(rows.sum() + left[whole:].dot(right[whole:]))
