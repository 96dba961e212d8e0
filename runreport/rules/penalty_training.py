"""A spread penalty seen on the training rows, where many rows and no sampling of others blur what it does.

Where a squared loss is at its least over the scale of the output, the slope of the truth on the predictions of the training rows
is 1: Σ(y - p)p = 0 about the means. Predictions wider than that are held wide by something else.
"""

from __future__ import annotations

from dataclasses import dataclass

from runreport.context import Context, Limits
from runreport.findings import NOTICEABLE_R2, Value
from runreport.rules import data_basis as basis
from runreport.rules.learning_rate_weights import LEARNED_R2
from runreport.rules.loss_series import losses
from runreport.statistics.analytic import se_slope
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, number, percent

ERRORS = 3.0
"""Standard errors by which the slope must lie below 1: the threshold of a warning elsewhere."""
OVERPOWERING = 10.0
"""Penalty over base gradient norm from which a step, clipped or scaled as a whole, hardly follows the base loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTraining:
    """What the training rows show: ``says`` in the words of the finding, ``cost`` in R² of those rows where it is known."""

    says: str
    evidence: dict[str, Value]
    cost: float | None
    epoch: int | float


def held_wide(context: Context, gradient: float | None, limits: Limits) -> OnTraining | None:
    """The slope on the training rows lies below 1, and the penalty's gradient there is no small part of the base loss's."""
    history = context.history
    if history is None or not len(history) or gradient is None or gradient < limits["least_gradient"]:
        return None
    epoch, _ = basis.judged_epoch(context, history.epochs)
    ratio, r = history.at(epoch, "train_variance_ratio"), history.at(epoch, "train_pearson_r")
    rows = context.split_statistic("train", "n")
    if ratio is None or r is None or rows is None or ratio <= 0 or not 0 < r < 1:
        return None
    error, slope, cost = se_slope(r, ratio, rows), r / ratio, (ratio - r) ** 2
    if error is None or slope + ERRORS * error >= 1 or cost < NOTICEABLE_R2:
        return None
    says = (
        f"on the training rows at epoch {epoch_text(epoch)} the calibration slope is {fixed(slope, 2)}, "
        f"{number((1 - slope) / error, 2)} standard errors below the 1 that a squared loss alone comes to: "
        f"a std ratio of {percent(ratio)} at a correlation of {fixed(r, 2)}, which costs {fixed(cost)} R² there. "
        f"Up to that epoch the penalty's gradient was {number(gradient, 2)} "
        f"times the base loss's (threshold {number(limits['least_gradient'])})."
    )
    evidence: dict[str, Value] = {"train_slope": slope, "train_slope_error": error, "train_ratio": ratio, "train_r": r}
    return OnTraining(says=says, evidence=evidence, cost=cost, epoch=epoch)


def drowned_out(context: Context, gradient: float | None) -> OnTraining | None:
    """Nothing was learned while the penalty's gradient was many times the base loss's."""
    learned = losses(context.history, "train_r2")
    if gradient is None or gradient < OVERPOWERING or not learned:
        return None
    epoch, best = max(learned, key=lambda pair: pair[1])
    if best >= LEARNED_R2:
        return None
    says = (
        f"R² on the training rows never exceeds {fixed(best)} (epoch {epoch_text(epoch)}), while up to the judged epoch the "
        f"penalty's gradient was {number(gradient, 2)} times the base loss's (threshold {number(OVERPOWERING)}): the steps "
        "followed the penalty."
    )
    return OnTraining(says=says, evidence={"best_train_r2": best}, cost=None, epoch=epoch)
