"""What the log says of each epoch's bias, spread and correlation: known, or only bounded."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from runreport.context import Context, History, Number
from runreport.metrics.bounds import bias_bounds
from runreport.rules.data_basis import usable
from runreport.wording import epoch as epoch_text
from runreport.wording import listing


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochFact:
    """One epoch.

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
_known: list[tuple[Context, tuple[EpochFact, ...]]] = []
"""The run asked about last and its facts: four rules ask for the same ones, one after another."""


def epoch_facts(context: Context) -> tuple[EpochFact, ...]:
    """Every logged epoch; figures that were not logged are taken from the per-epoch predictions where those exist."""
    if not _known or _known[0][0] is not context:
        _known[:] = [(context, _facts(context))]
    return _known[0][1]


def _facts(context: Context) -> tuple[EpochFact, ...]:
    history = context.history if context.history is not None else context.epoch_metrics
    if history is None:
        return ()
    recomputed = context.epoch_metrics
    columns = {name: _column(history, recomputed, name) for name in FIGURES}
    return tuple(_fact(epoch, columns) for epoch in history.epochs)


def _column(history: History, recomputed: History | None, name: str) -> Mapping[int | float, float]:
    values: dict[int | float, float] = {}
    if recomputed is not None:
        values.update(recomputed.finite(name))
    values.update(history.finite(name))
    return {epoch: value for epoch, value in values.items() if usable(value)}


def _fact(epoch: int | float, columns: Mapping[str, Mapping[int | float, float]]) -> EpochFact:
    ratio, r2, r, bias, pred_mean, true_mean, true_std = [columns[name].get(epoch) for name in FIGURES]
    if ratio is not None and ratio < 0:
        ratio = None
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
    return EpochFact(epoch=epoch, ratio=ratio, r2=r2, r=r, bias=bias, least_bias=least, most_bias=most)


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
