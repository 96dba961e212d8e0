"""A first look that settles most logs: no figure can contradict the identity, whatever it was rounded from.

The rounding of every figure only widens what `contradiction` and `ratio_column` allow. So where the figures agree as they
stand, within the tolerance before rounding, they agree; the digits of each, which take most of the time, need not be read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from runreport.context import Context, History
from runreport.rules.data_basis import HUGE, usable
from runreport.rules.log_integrity_identity import follows_the_square

FIGURES = ("r2", "variance_ratio", "pearson_r", "pred_mean", "pred_std", "true_mean", "true_std")


def settled(context: Context, history: History, prefix: str, *, base: float) -> int | None:
    """How many comparisons were made, all of them passed; None where the figures must be looked at with their rounding.

    Never a number where `ratio_column` or `contradiction` would find something: the tests hold them side by side.
    """
    if len(set(history.epochs)) < len(history.epochs):
        return None  # an epoch's figures may then come from several rows
    columns = {name: _usable(history, prefix + name) for name in FIGURES}
    for name in ("true_mean", "true_std"):
        stated = context.split_statistic("train" if prefix else "val", name)
        if stated is not None and usable(stated) and not history.finite(prefix + name):
            columns[name] = [stated] * len(history)
    judged = compared = 0
    for r2, ratio, r, pred_mean, pred_std, true_mean, true_std in zip(*columns.values(), strict=True):
        alpha = ratio
        known_std = true_std is not None and true_std > 0
        if known_std and pred_std is not None and true_std is not None and pred_std >= 0:
            alpha = pred_std / true_std
            if ratio is not None:
                compared += 1
                if abs(ratio - alpha) > base * max(1.0, alpha):
                    return None
        if r2 is None or alpha is None or alpha < 0:
            continue
        judged += 1
        beta: float | None = None
        if known_std and pred_mean is not None and true_mean is not None and true_std is not None:
            beta = (pred_mean - true_mean) / true_std
        if not _agree(r2, alpha, r, beta, base * max(1.0, abs(r2))):
            return None
    if not compared:
        ratios = zip(columns["variance_ratio"], columns["pred_std"], strict=True)
        if follows_the_square((ratio, std) for ratio, std in ratios if ratio is not None and std is not None):
            return None
    return judged + compared


def _usable(history: History, name: str) -> Sequence[float | None]:
    column = history.columns.get(name)
    if column is None:
        return (None,) * len(history)
    return [value if value is not None and -HUGE < value < HUGE else None for value in column]


def _agree(r2: float, alpha: float, r: float | None, beta: float | None, tolerance: float) -> bool:
    """The identity with this tolerance, term by term as in `contradiction`."""
    if r is not None and abs(r) > 1:
        return False
    r_low, r_high = (-1.0, 1.0) if r is None else (r, r)
    b = 0.0 if beta is None else beta
    highest = 2 * r_high * alpha - alpha * alpha - b * b
    lowest = -math.inf if beta is None else 2 * r_low * alpha - alpha * alpha - b * b
    return lowest - tolerance <= r2 <= highest + tolerance
