"""A run's epochs: the log as tuples, and what R² and the std ratio of an epoch force on its bias and correlation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from runreport.context import History, Number
from runreport.metrics.bounds import bias_bounds, r_lower_bound


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRow:
    """One epoch of the log.

    values
        Logged values by known name; None where not logged or not finite.
    bias, pearson_r
        As logged (or from logged means); None where only bounds are known.
    bias_bounds
        Smallest and largest |β| (in true standard deviations) that R² and α of this epoch allow.
    r_lower_bound
        Smallest correlation that they allow.
    """

    epoch: int | float
    values: Mapping[str, Number]
    bias: Number = None
    pearson_r: Number = None
    bias_bounds: tuple[float, float] | None = None
    r_lower_bound: Number = None


def epoch_rows(history: History, shown: Sequence[int | float] | None = None) -> tuple[EpochRow, ...]:
    """Every epoch, or those ``shown``, with what is known and what is only bounded."""
    return tuple(each_row(history, shown))


def each_row(history: History, shown: Sequence[int | float] | None = None) -> Iterator[EpochRow]:
    """The same one by one: who wants one of them need not make all."""
    names = tuple(history.columns)
    rows = zip(*history.columns.values(), strict=True) if names else ((),) * len(history)
    for epoch, row in zip(history.epochs, rows, strict=True):
        if shown is None or epoch in shown:
            yield _row(epoch, dict(zip(names, row, strict=True)))


def _row(epoch: int | float, logged: Mapping[str, Number]) -> EpochRow:
    isfinite = math.isfinite
    values = {name: value if value is not None and isfinite(value) else None for name, value in logged.items()}
    r2, ratio = values.get("r2"), values.get("variance_ratio")
    known = r2 is not None and ratio is not None and ratio >= 0
    pred_mean, true_mean, true_std = (values.get(n) for n in ("pred_mean", "true_mean", "true_std"))
    bias = None
    if pred_mean is not None and true_mean is not None and true_std is not None and true_std > 0:
        bias = (pred_mean - true_mean) / true_std
    return EpochRow(
        epoch=epoch,
        values=values,
        bias=bias,
        pearson_r=values.get("pearson_r"),
        bias_bounds=bias_bounds(r2, ratio) if known and r2 is not None and ratio is not None else None,
        r_lower_bound=r_lower_bound(r2, ratio) if known and r2 is not None and ratio is not None else None,
    )


def telling_epochs(history: History, saved: int | float | None, most: int = 9) -> tuple[int | float, ...]:
    """The epochs that tell the story, in order, at most ``most`` of them.

    First, last and saved; the extremes of R², std ratio and val loss; then epochs spread evenly between, so that a
    reader sees the course and not only its turns.
    """
    epochs = history.epochs
    if len(epochs) <= most:
        return epochs
    chosen: list[int | float] = [epochs[0], epochs[-1]]
    if saved is not None and saved in epochs:
        chosen.append(saved)
    for name, pick in (("r2", max), ("variance_ratio", min), ("val_loss", min), ("r2", min), ("variance_ratio", max)):
        finite = history.finite(name)
        if finite:
            best = pick(value for _, value in finite)
            chosen.append(next(e for e, value in finite if value == best))
    chosen = list(dict.fromkeys(chosen))[:most]
    gaps = [len(epochs)] * len(epochs)  # rows from each epoch to the nearest chosen one

    def choose(row: int) -> None:
        away = (*range(row, 0, -1), *range(len(gaps) - row))
        gaps[:] = [gap if gap < far else far for gap, far in zip(gaps, away, strict=True)]

    for epoch in chosen:
        choose(epochs.index(epoch))
    while len(chosen) < most:
        # The epoch farthest (in rows) from every chosen one: evens out the gaps.
        row = gaps.index(max(gaps))
        if gaps[row] == 0:
            break
        chosen.append(epochs[row])
        choose(row)
    return tuple(sorted(set(chosen)))


def is_finite(value: float | None) -> bool:
    """Whether a value is there and finite."""
    return value is not None and math.isfinite(value)
