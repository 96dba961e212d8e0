"""What the log says of each epoch's bias, spread and correlation: known, or only bounded."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from runreport.context import Context, History, Number, once_a_run
from runreport.metrics.bounds import MOST_R2, bias_bounds
from runreport.rules.data_basis import HUGE, usable
from runreport.wording import epoch as epoch_text
from runreport.wording import listing


class EpochFact(NamedTuple):
    """One epoch. A tuple, because one is made for each epoch of each run: a frozen dataclass takes more than twice as long.

    ratio, r2
        As logged (or recomputed from the epoch's predictions); None where neither is there.
    r
        Correlation: logged, recomputed, or from the identity R² = 2rα - α² - β² where β is known.
    bias
        β with its sign where the means are known, in true standard deviations.
    least_bias, most_bias
        |β| where it is known, else the bounds that R² and the ratio force on it; None where nothing is known.
    """

    epoch: int | float
    ratio: Number = None
    r2: Number = None
    r: Number = None
    bias: Number = None
    least_bias: Number = None
    most_bias: Number = None


FIGURES = ("variance_ratio", "r2", "pearson_r", "bias", "pred_mean", "true_mean", "true_std")


@once_a_run
def epoch_facts(context: Context) -> tuple[EpochFact, ...]:
    """Every logged epoch; figures that were not logged are taken from the per-epoch predictions where those exist."""
    history = context.history if context.history is not None else context.epoch_metrics
    if history is None:
        return ()
    columns = [_column(history, context.epoch_metrics, name) for name in FIGURES]
    return tuple([_fact(*row) for row in zip(history.epochs, *columns, strict=True)])


def _column(history: History, recomputed: History | None, name: str) -> Sequence[Number]:
    """The usable figures, one an epoch; those that were not logged as recomputed."""
    values: dict[int | float, float] = {}
    if recomputed is not None:
        values.update(recomputed.finite(name))
    if name in history.columns:
        values.update(history.finite(name))
    if not values:
        return (None,) * len(history)
    found = [values.get(epoch) for epoch in history.epochs]
    return [value if value is not None and -HUGE < value < HUGE else None for value in found]


def _fact(
    epoch: int | float,
    ratio: Number, r2: Number, r: Number, bias: Number, pred_mean: Number, true_mean: Number, true_std: Number,
) -> EpochFact:  # fmt: skip
    if ratio is not None and ratio < 0:
        ratio = None
    if r is not None and abs(r) > 1:  # rounded up in single precision, or no correlation at all
        r = math.copysign(1.0, r) if abs(r) <= MOST_R2 else None
    if bias is None and pred_mean is not None and true_mean is not None and true_std is not None and true_std > 0:
        bias = (pred_mean - true_mean) / true_std
        bias = bias if usable(bias) else None
    least: Number = None
    most: Number = None
    if bias is not None:
        least = most = abs(bias)
    elif ratio is not None and r2 is not None:
        bounds = bias_bounds(r2, ratio)
        if bounds is not None:
            least, most = bounds
    if r is None and bias is not None and ratio is not None and ratio > 0 and r2 is not None:
        r = (r2 + ratio * ratio + bias * bias) / (2 * ratio)
        # Rounded figures divided by a small ratio can leave [-1, 1]; then they do not tell the correlation.
        r = r if abs(r) <= 1 else None
    return EpochFact(epoch, ratio, r2, r, bias, least, most)


def epoch_ranges(chosen: list[int | float], logged: tuple[int | float, ...]) -> str:
    """Epochs in words, neighbours in the log joined: "1-3, 10 and 20".

    >>> epoch_ranges([1, 2, 3, 7], (1, 2, 3, 4, 5, 6, 7))
    '1-3 and 7'
    """
    wanted = set(chosen)
    runs: list[list[int | float]] = []
    previous_wanted = False
    for epoch in logged:
        if epoch in wanted:
            if previous_wanted:
                runs[-1].append(epoch)
            else:
                runs.append([epoch])
        previous_wanted = epoch in wanted
    parts: list[str] = []
    for run in runs:
        # Two epochs, or neighbours that are not one apart, are named one by one: "1-10" would claim the nine between.
        if len(run) > 2 and all(b - a == 1 for a, b in itertools.pairwise(run)):
            parts.append(f"{epoch_text(run[0])}-{epoch_text(run[-1])}")
        else:
            parts.extend(epoch_text(epoch) for epoch in run)
    return listing(parts, most=8)
