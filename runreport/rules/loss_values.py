"""loss.not-finite and loss.divergence: losses that are no numbers, or run away."""

from __future__ import annotations

import itertools
import math
import operator
from dataclasses import dataclass
from statistics import median

from runreport.context import Context, History, Limits, Number
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.bias_epochs import epoch_ranges
from runreport.rules.loss_series import Pairs, all_positive, losses, start_level
from runreport.statistics.trend import MAD_TO_STD
from runreport.wording import epoch as epoch_text
from runreport.wording import listing, number, plural

NOT_FINITE = "loss.not-finite"
DIVERGENCE = "loss.divergence"

WATCHED = ("train_loss", "val_loss", "base_loss", "penalty_loss", "mae", "mse", "rmse")
"""Columns that are finite whenever the predictions are; R² and r are undefined for constant data and say nothing."""
SUSTAINED = 3
"""Epochs in a row that make a rise more than a spike; or fewer, if the run ends there."""
FLOOR_SHARE = 0.01
"""A loss below this share of its start is near its floor, where factors of 20 are jitter and cost nothing."""
ROUNDING = 1e-9
"""By how much a difference of logarithms may be off: far more than it is."""
JITTERS = 4.0
"""The rise must also exceed this many standard deviations (from the MAD) of the log loss's own epoch-to-epoch steps."""


def check_not_finite(context: Context, limits: Limits) -> Outcome:
    """loss.not-finite: NaN or infinity in a loss (or an error) of an epoch that was evaluated."""
    history = context.history
    if history is None:
        return NotChecked(rule=NOT_FINITE, reason="no history")
    logged = [name for name in WATCHED if any(v is not None for v in history.columns.get(name, ()))]
    if not any(name.endswith("loss") for name in logged):
        return NotChecked(rule=NOT_FINITE, reason="no loss column")
    bad = {name: found for name in logged if (found := bad_epochs(history, name))}
    if not bad:
        return CLEAR
    first = min(epochs[0] for epochs in bad.values())
    parts, recovered = [], True
    for name, epochs in bad.items():
        to_the_end = epochs[-1] == history.epochs[-1]
        recovered &= not to_the_end
        parts.append(f"{name} at {epoch_ranges(epochs, history.epochs)}{' (the last)' if to_the_end else ''}")
    where = "epoch" if sum(map(len, bad.values())) == 1 else "epochs"
    evidence: dict[str, Value] = {
        "first": first,
        "epochs": {name: list(epochs) for name, epochs in bad.items()},
        "recovered": recovered,
    }
    # Weights that are no numbers never give a number again: the fault lay in that evaluation, not in the training.
    harmless = recovered and "train_loss" not in bad
    finding = Finding(
        rule=NOT_FINITE,
        severity=Severity.WARNING if harmless else Severity.CRITICAL,
        message=f"Not a finite number ({where}): {listing(parts)}.{' Finite again afterwards.' if recovered else ''}",
        evidence=evidence,
        epoch=first,
    )
    return Checked(findings=(finding,))


def bad_epochs(history: History, name: str) -> list[int | float]:
    """Epochs at which a column is NaN or infinite though it was evaluated.

    NaN stands for "not evaluated" in logs that merge rows: in a validation column whose finite values come at even
    intervals of two rows or more, and in a training column at epoch 0, before any training.
    """
    values = history.get(name)
    if None not in values and all(map(math.isfinite, values)):  # type: ignore[arg-type]  # so it is in most logs
        return []
    if _is_sparse(values):
        values = tuple(None if v is not None and math.isnan(v) else v for v in values)
    bad = [e for e, v in zip(history.epochs, values, strict=True) if v is not None and not math.isfinite(v)]
    if bad and bad[0] == 0 and name == "train_loss" and len(history) > 1 and math.isnan(history.get(name)[0] or 0.0):
        bad = bad[1:]
    return bad


def _is_sparse(values: tuple[Number, ...]) -> bool:
    finite = [i for i, v in enumerate(values) if v is not None and math.isfinite(v)]
    if len(finite) < 3:
        return False
    steps = {b - a for a, b in itertools.pairwise(finite)}
    if len(steps) != 1:
        return False
    step = steps.pop()
    return step >= 2 and finite[0] < step and len(values) - 1 - finite[-1] < step


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """A train loss that ran away: where it was lowest before, where it first passed the limit, and its worst after."""

    lowest_epoch: int | float
    lowest: float
    epoch: int | float
    worst: float
    last: float

    @property
    def rise(self) -> float:
        """Worst over lowest; a factor where the losses are positive."""
        return self.worst / self.lowest if self.lowest > 0 else math.inf


def find_divergence(pairs: Pairs, factor: float) -> Divergence | None:
    """Where a loss exceeds ``factor`` times its running minimum for three epochs or up to the end.

    Losses that are not positive throughout have no such factor: there the rise must be twice the fall that came before.
    Either way it must end above the floor, where jitter takes large factors (:data:`FLOOR_SHARE`, :data:`JITTERS`).
    """
    if len(pairs) < 2:
        return None
    values = [v for _, v in pairs]
    start = start_level(pairs)
    over = _over_ratio(values, start, factor) if all_positive(pairs) else _over_descent(values, start)
    run = 0
    for i, high in enumerate(over):
        run = run + 1 if high else 0
        if run >= SUSTAINED or (run and i == len(over) - 1):
            first = i - run + 1
            at = min(range(first), key=values.__getitem__)
            return Divergence(
                lowest_epoch=pairs[at][0],
                lowest=values[at],
                epoch=pairs[first][0],
                worst=max(values[first:]),
                last=values[-1],
            )
    return None


def _over_ratio(values: list[float], start: float, factor: float) -> list[bool]:
    logs = [math.log(v) for v in values]
    risen = max(map(operator.sub, logs, itertools.accumulate(logs, min)))
    if risen < math.log(factor) - ROUNDING:
        return [False] * len(values)  # whatever the jitter is: it can only ask for more
    steps = [b - a for a, b in itertools.pairwise(logs)]
    centre = median(steps)
    jitter = MAD_TO_STD * median(abs(s - centre) for s in steps)
    least = max(math.log(factor), JITTERS * jitter)
    over, lowest = [], math.inf
    for value, log in zip(values, logs, strict=True):
        over.append(log > lowest + least and value > FLOOR_SHARE * start)
        lowest = min(lowest, log)
    return over


def _over_descent(values: list[float], start: float) -> list[bool]:
    over, lowest = [], math.inf
    for value in values:
        fallen = start - lowest
        over.append(fallen > 0 and value - lowest > 2 * fallen)
        lowest = min(lowest, value)
    return over


def check_divergence(context: Context, limits: Limits) -> Outcome:
    """loss.divergence: the train loss ran away from its running minimum and stayed away."""
    pairs = losses(context.history, "train_loss")
    if context.history is None:
        return NotChecked(rule=DIVERGENCE, reason="no history")
    if not pairs:
        return NotChecked(rule=DIVERGENCE, reason="no train_loss column with finite values")
    if len(pairs) < 2:
        return NotChecked(rule=DIVERGENCE, reason=f"{plural(len(pairs), 'epoch')} with a train loss; needs at least 2")
    found = find_divergence(pairs, limits["factor"])
    if found is None:
        return CLEAR
    if math.isfinite(found.rise):
        size = f"{number(found.rise, 2)} times its lowest value so far ({number(found.lowest)} at epoch "
        limit = f"threshold {number(limits['factor'], 2)} times"
    else:
        size = f"{number(found.worst)} from its lowest value so far ({number(found.lowest)} at epoch "
        limit = "more than twice the fall before it"
    message = (
        f"The train loss ran away from epoch {epoch_text(found.epoch)} on: it reached {size}"
        f"{epoch_text(found.lowest_epoch)}; {limit}), and ended at {number(found.last)}."
    )
    evidence: dict[str, Value] = {
        "lowest": found.lowest,
        "lowest_epoch": found.lowest_epoch,
        "worst": found.worst,
        "last": found.last,
    }
    finding = Finding(
        rule=DIVERGENCE,
        severity=Severity.CRITICAL,
        message=message,
        evidence=evidence,
        epoch=found.epoch,
        split="train",
    )
    return Checked(findings=(finding,))
