"""Signs that training ended too early which need no curve of R²: hardly any steps, and predictions that were still widening."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runreport.context import Context
from runreport.rules import data_basis as basis
from runreport.rules.loss_series import BATCH_KEYS, Pairs, losses
from runreport.rules.loss_trend import trend_of
from runreport.wording import epoch as epoch_words
from runreport.wording import fixed, number, percent, plural, with_interval

HARDLY_BEGUN, WIDENING, CORRELATION = "few_steps", "widening", "correlation"
"""Kinds of stop: before anything could be seen of what the run would have become; and what had not come to its end, where
that is not R²."""
FEW_STEPS = 100
"""Optimizer steps: a warm-up alone takes as many; whoever meant a run to end there had no use for its R²."""
FEW_EPOCHS = 3
"""Epochs that are as few where neither the rows nor the batch size are known."""
RATIO_EPOCHS = 5
"""Fewest epochs that show which way the std ratio goes."""
RATIO_WINDOW = 8
"""Most recent epochs that are asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Why the end is too early: what is said, and what of R² lies ahead for sure, or at half the last pace."""

    kind: str
    says: str
    gain: float


def steps_taken(context: Context) -> int | None:
    """Optimizer steps of the log, a last short batch counted; None where rows or batch size are not known."""
    rows, batch = context.split_statistic("train", "n"), context.config_number(*BATCH_KEYS)
    if context.history is None or rows is None or batch is None or rows < 1 or batch < 1:
        return None
    return len(context.history) * math.ceil(rows / batch)


def barely_begun(context: Context) -> Stop | None:
    """Training rows predicted worse than by their mean after a few steps, under a loss that was falling."""
    history = context.history
    if history is None or not len(history):
        return None
    steps = steps_taken(context)
    if (steps is None and len(history) > FEW_EPOCHS) or (steps is not None and steps >= FEW_STEPS):
        return None
    own = losses(history, "train_r2")
    r2 = own or losses(history, "r2")
    train = losses(history, "train_loss")
    if not r2 or r2[-1][0] != history.epochs[-1] or not train:
        return None
    if len(train) > 1 and train[-1][1] >= min(v for _, v in train[:-1]):
        # A loss that had stopped falling was not held up by the end.
        return None
    of = "its training rows" if own else "validation"
    few = f"{plural(len(history), 'epoch')}" + (f", {steps} optimizer steps (threshold {FEW_STEPS})" if steps else "")
    fell = (
        f" while its train loss was falling (from {number(train[0][1])} to {number(train[-1][1])})"
        if len(train) > 1
        else ""
    )
    says = (
        f"after {few} R² on {of} was {fixed(r2[-1][1])}: the mean of the target still did better{fell}. What the run would have "
        "become cannot be seen in it."
    )
    return Stop(kind=HARDLY_BEGUN, says=says, gain=-r2[-1][1])


def still_widening(context: Context, train: Pairs) -> Stop | None:
    """Predictions narrower than they warrant whose std ratio was rising to the end, under a train loss that fell."""
    history, final = context.history, context.final
    ratios = losses(history, "variance_ratio")[-RATIO_WINDOW:] if history is not None else []
    bounds, ratio = basis.finite_interval(final, "calibration_slope"), basis.estimate(final, "variance_ratio")
    if final is None or len(ratios) < RATIO_EPOCHS or bounds is None or ratio is None or bounds[0] <= 1:
        return None
    rise, fall = trend_of(ratios), trend_of([(e, v) for e, v in train if e >= ratios[0][0]])
    if rise is None or rise.lo <= 0 or fall is None or fall.hi >= 0:
        return None
    slope = basis.estimate(final, "calibration_slope")
    says = (
        f"the std ratio of its validation predictions rose from {percent(ratios[0][1])} at epoch {epoch_words(ratios[0][0])} to "
        f"{percent(ratios[-1][1])} at the last, its train loss fell, and {basis.place(final).lower()} the saved predictions are "
        f"narrower than their correlation warrants (calibration slope {with_interval(slope, bounds, 2)})."
    )
    return Stop(kind=WIDENING, says=says, gain=(ratio * (bounds[0] - 1)) ** 2)
