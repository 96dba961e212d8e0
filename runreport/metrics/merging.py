"""Merge the moments of parts of a group into the moments of the whole.

Source: T. F. Chan, G. H. Golub, R. J. LeVeque (1983), "Algorithms for computing the sample variance: analysis and
recommendations", The American Statistician 37, 242-247, doi:10.1080/00031305.1983.10483115: the pairwise update, here
for any number of parts at once, and for the covariance as for the variance.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def merge_moments(parts: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """One row of `MOMENTS` for every distinct value of the columns `by`, in order of first appearance.

    `parts` has the columns `by` and `MOMENTS` (see `expressions`), any number of rows a group. Means are compared by
    their distance to the group's minimum, so an offset of 1e9 costs no digits. Parts without rows (null moments) add
    their dropped rows only. Merging merged moments again is allowed: nothing depends on how the rows were split but the
    last digits.
    """
    col = pl.col
    true, pred, error = _position("__true"), _position("__pred"), col("__error_mean")
    totals = [
        col("__n").sum(),
        col("__n_dropped").sum(),
        _mean(true).alias("__true_above_min"),
        _mean(pred).alias("__pred_above_min"),
        _mean(error).alias("__error_mean"),
        _mean(col("__true_variance") + _between(true, true)).alias("__true_variance"),
        _mean(col("__pred_variance") + _between(pred, pred)).alias("__pred_variance"),
        _mean(col("__error_variance") + _between(error, error)).alias("__error_variance"),
        _mean(col("__covariance") + _between(true, pred)).alias("__covariance"),
        _mean(col("__absolute_error")).alias("__absolute_error"),
        _mean(col("__relative_error")).alias("__relative_error"),
        col("__true_min").min(),
        col("__true_max").max(),
        col("__pred_min").min(),
        col("__pred_max").max(),
    ]
    return parts.group_by(list(by), maintain_order=True).agg(totals)


def _position(side: str) -> pl.Expr:
    """A part's mean above the whole group's minimum."""
    low = pl.col(f"{side}_min")
    return (low - low.min()) + pl.col(f"{side}_above_min")


def _mean(value: pl.Expr) -> pl.Expr:
    """Mean over the parts, weighted by their counts; null for a group without usable rows."""
    total = pl.col("__n").sum()
    return pl.when(total > 0).then((pl.col("__n") * value).sum() / total)


def _between(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """What a part's means add to a (co)variance: their distances to the means of the whole, multiplied."""
    return (left - _mean(left)) * (right - _mean(right))
