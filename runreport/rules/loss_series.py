"""What the loss rules read off a history: levels, log losses, how a run ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from runreport.context import Context, History
from runreport.rules.data_basis import HUGE

Pairs = list[tuple[int | float, float]]
TAIL_SHARE = 0.2
"""The last fifth of a run is its end: findings on trends speak of it."""
LEAST_TAIL = 5
"""Fewest epochs of that fifth: with fewer no slope has a 95 % interval (2/4! > 0.05)."""
START_EPOCHS = 5
"""The level a run started from is the median of this many epochs: the very first may be a blow-up of the
initialisation that is over after a few steps."""
ANNEALED = 0.1
"""A rate at or below this share of its peak has been annealed: the schedule, not a budget, ended the run."""
BATCH_KEYS = ("batch_size", "train_batch_size", "per_device_train_batch_size")
"""Config keys of the rows that a step sees."""
LIMIT_KEYS = ("max_epochs", "epochs", "num_epochs", "n_epochs", "num_train_epochs", "max_epoch")


def losses(history: History | None, name: str) -> Pairs:
    """Finite values that can still be squared, in epoch order; empty without a history."""
    if history is None:
        return []
    return history.finite(name, below=HUGE)


def all_positive(pairs: Sequence[tuple[int | float, float]]) -> bool:
    """Whether a logarithm can be taken throughout."""
    return all(v > 0 for _, v in pairs)


def log_losses(pairs: Sequence[tuple[int | float, float]]) -> Pairs:
    """Natural logarithm of every value; all must be positive."""
    return [(e, math.log(v)) for e, v in pairs]


def tail(pairs: Pairs) -> Pairs:
    """The last fifth of the epochs, at least five of them (or all that there are).

    >>> [e for e, _ in tail([(e, 1.0) for e in range(1, 51)])]
    [41, 42, 43, 44, 45, 46, 47, 48, 49, 50]
    """
    return pairs[-max(LEAST_TAIL, math.ceil(TAIL_SHARE * len(pairs))) :]


def start_level(pairs: Pairs) -> float:
    """Median of the first epochs; at most a third of the run, so that a short run's end is not its start.

    >>> start_level([(1, 1e6), (2, 3.0), (3, 2.0), (4, 1.0), (5, 1.0), (6, 1.0), (7, 1.0), (8, 1.0), (9, 1.0)])
    3.0
    """
    return median(v for _, v in pairs[: max(1, min(START_EPOCHS, len(pairs) // 3))])


def trailing_medians(pairs: Pairs, width: int = 5) -> Pairs:
    """Every value replaced by the median of itself and those before it, ``width`` in all where there are as many.

    >>> trailing_medians([(1, 0.1), (2, 0.9), (3, 0.2), (4, 0.3)], width=3)
    [(1, 0.1), (2, 0.5), (3, 0.2), (4, 0.3)]
    """
    values = [v for _, v in pairs]
    short = [median(values[: i + 1]) for i in range(min(width - 1, len(values)))]
    if width % 2:  # the middle of the sorted ones at once: `median` takes five times as long to come to it
        whole = [sorted(values[i : i + width])[width // 2] for i in range(len(values) - width + 1)]
    else:
        whole = [median(values[i : i + width]) for i in range(len(values) - width + 1)]
    return list(zip([e for e, _ in pairs], short + whole, strict=True))


def usual_step(history: History) -> float:
    """Median distance of neighbouring epochs; 1 for fewer than two."""
    steps = [b - a for a, b in zip(history.epochs, history.epochs[1:], strict=False)]
    return float(median(steps)) if steps else 1.0


def evenly_logged(history: History, factor: float = 1.5) -> bool:
    """Whether no step of the epoch axis is wider than ``factor`` times the usual one."""
    usual = usual_step(history)
    return all(b - a <= factor * usual for a, b in zip(history.epochs, history.epochs[1:], strict=False))


def cut_by_limit(context: Context) -> bool | None:
    """Whether the run ended because its epochs were used up; None where neither the run nor its config tells."""
    reason = context.run.summary.get("stopped_because")
    if isinstance(reason, str) and reason:
        return "max" in reason.lower()
    limit, history = context.config_number(*LIMIT_KEYS), context.history
    if limit is None or history is None or not len(history):
        return None
    trained = history.epochs[-1] + (1 if history.epochs[0] < 1 else 0)
    return trained >= limit


def annealed(context: Context) -> bool:
    """Whether the logged rate ended at a tenth of its peak or less."""
    history = context.history
    rates = [v for _, v in history.finite("learning_rate")] if history is not None else []
    return bool(rates) and rates[-1] <= ANNEALED * max(rates)


def best_r2(history: History | None) -> tuple[str, float] | None:
    """(column, highest value) of train R², else of validation R²; None where neither is logged."""
    for name in ("train_r2", "r2"):
        values = [v for _, v in losses(history, name)]
        if values:
            return name, max(values)
    return None
