"""selection.stopped-short: training ended while the curve that it was judged by was still rising.

A best epoch is followed by worse ones also where the curve only jitters about its rise. With a rise of b an epoch and a
jitter of σ, patience P sees the rise only where P·b is well above σ; a least improvement above b sees none at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.base import Rule, Threshold
from runreport.rules.loss_series import Pairs, annealed, cut_by_limit, losses
from runreport.rules.loss_trend import AHEAD, WORTHWHILE, trend_of
from runreport.selection.declared import DeclaredPolicy, monitor_values
from runreport.statistics.trend import MEAN_AD_TO_STD
from runreport.wording import epoch as epoch_words
from runreport.wording import fixed, number, plural

RULE_ID = "selection.stopped-short"

PATIENCES = 4
"""Lengths of the patience that the trend is taken over: by construction the last of them has no new best."""
WINDOW, LEAST_WINDOW, LEAST_MONOTONE = 8, 6, 4
"""Epochs that the trend is taken over at least, where the log has as many; fewest that have a trend and a jitter about it; and
fewest where every step improves: 1/4! = 0.04 by chance."""
LONG_ENOUGH = 10
"""Epochs from which loss.still-falling judges a run that its limit ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Why the end is too early: what is said, the slope of R² an epoch and the jitter about it where they are known."""

    kind: str
    says: str
    slope: float
    jitter: float | None = None


def check_stopped_short(context: Context, limits: Limits) -> Outcome:
    """A least improvement that hid improvements, a patience shorter than the jitter, or a few epochs that all improve."""
    history = context.history
    if history is None:
        return NotChecked(rule=RULE_ID, reason="no history")
    r2, train = losses(history, "r2"), losses(history, "train_loss")
    if len(r2) < LEAST_MONOTONE or len(train) < LEAST_MONOTONE:
        return NotChecked(rule=RULE_ID, reason=f"needs {LEAST_MONOTONE} epochs with validation R² and a train loss")
    cut = cut_by_limit(context)
    if cut is None:
        return NotChecked(rule=RULE_ID, reason="why the run ended is not known")
    if annealed(context) or (cut and len(r2) >= LONG_ENOUGH):
        # An annealed rate ends a run by plan; long runs that their limit ended are judged by loss.still-falling.
        return CLEAR
    declared = context.selection.declared if context.selection is not None else None
    patience = declared.patience if declared is not None else None
    if cut:
        found = _all_improve(context, r2, train)
    elif patience is None:
        return NotChecked(rule=RULE_ID, reason="the run stopped before its limit, and its patience is not known")
    else:
        found = _hidden(context, declared, r2, train) or _jittered(r2, train, patience, limits)
    if found is None:
        return CLEAR
    gain = min(found.slope * AHEAD * len(r2), 1 - r2[-1][1])
    if gain < limits["gain"]:
        return CLEAR
    planned = context.config_number("max_epochs", "epochs", "num_epochs")
    of = "" if planned is None or cut else f" of {planned:.0f}"
    ended = "its epochs ran out" if cut else "early stopping ended it"
    message = (
        f"R² was still rising when {ended} at epoch {epoch_words(r2[-1][0])}{of}: {found.says} At that pace half as many "
        f"epochs again would bring up to {fixed(gain, 2)} of R²."
    )
    evidence: dict[str, Value] = {
        "kind": found.kind,
        "last_epoch": r2[-1][0],
        "slope": found.slope,
        "jitter": found.jitter,
        "patience": patience,
        "min_delta": None if declared is None else declared.min_delta,
        "r2_ahead": gain,
    }
    finding = Finding(
        rule=RULE_ID,
        severity=Severity.WARNING,
        message=message,
        evidence=evidence,
        epoch=r2[-1][0],
        split="validation",
        acts_on="r",
    )
    return Checked(findings=(finding,))


def _all_improve(context: Context, r2: Pairs, train: Pairs) -> Stop | None:
    """A few epochs at each of which validation R² and the train loss improved, the last step by a noticeable amount too."""
    val = losses(context.history, "val_loss")
    rising = all(b[1] > a[1] for a, b in pairwise(r2)) and all(b[1] < a[1] for a, b in pairwise(train))
    if not rising or any(b[1] >= a[1] for a, b in pairwise(val)):
        return None
    last = r2[-1][1] - r2[-2][1]
    says = (
        f"R² and the losses improved at every one of its {len(r2)} epochs, R² by {fixed(last, 2)} at the last, and the "
        "learning rate had not been annealed."
    )
    return Stop(kind="all_improve", says=says, slope=last)


def _hidden(context: Context, declared: DeclaredPolicy | None, r2: Pairs, train: Pairs) -> Stop | None:
    """The monitor did improve within the patience that ended the run, by less than the least improvement that counts."""
    history, saved = context.history, context.saved_epoch
    if declared is None or declared.min_delta <= 0 or declared.patience is None or history is None or saved is None:
        return None
    values = dict(zip(history.epochs, monitor_values(history, declared.monitor), strict=True))
    sign = 1.0 if declared.mode == "max" else -1.0
    at, end = values.get(saved), values.get(history.epochs[-1])
    figures, losses_at = dict(r2), dict(train)
    if at is None or end is None or saved not in figures or saved not in losses_at or saved >= r2[-1][0]:
        return None
    improved, gained = sign * (end - at), r2[-1][1] - figures[saved]
    if not 0 < improved < declared.min_delta or gained <= 0 or losses_at[saved] <= train[-1][1]:
        return None
    says = (
        f"its {declared.monitor} had improved from {number(at)} at the saved epoch {epoch_words(saved)} to {number(end)} at the "
        f"last, which a least improvement of {number(declared.min_delta)} does not count, and R² by {fixed(gained)}."
    )
    return Stop(kind="least_improvement", says=says, slope=gained / (r2[-1][0] - saved))


def _jittered(r2: Pairs, train: Pairs, patience: int, limits: Limits) -> Stop | None:
    """A rise over the last epochs that the patience cannot tell from its jitter, in R² and in the train loss."""
    if patience >= limits["patience"]:
        return None
    width = max(WINDOW, PATIENCES * (patience + 1))
    window = r2[-width:]
    trend = trend_of(window)
    own = trend_of([(e, v) for e, v in train if e >= window[0][0]])
    if len(window) < LEAST_WINDOW or trend is None or own is None or trend.lo <= 0 or own.hi >= 0:
        return None
    steps = [b[1] - a[1] for a, b in pairwise(window)]
    centre = median(steps)
    # The mean deviation, not the median one: of seven steps the median one may be any.
    jitter = MEAN_AD_TO_STD * fmean(abs(step - centre) for step in steps) / math.sqrt(2)
    if trend.slope * patience > limits["jitters"] * jitter:
        return None
    needed = math.ceil(limits["jitters"] * jitter / trend.slope)
    says = (
        f"over the last {len(window)} epochs it rose by {fixed(trend.slope)} an epoch (95 % interval {fixed(trend.lo)} to "
        f"{fixed(trend.hi)}) with a jitter of {fixed(jitter)}, so that {plural(needed, 'epoch')} without a new best are no sign "
        f"of an end; the patience is {patience}."
    )
    return Stop(kind="patience", says=says, slope=trend.slope, jitter=jitter)


STOPPED_SHORT = Rule(
    id=RULE_ID,
    title="Training stopped while it was improving",
    meaning="Early stopping, or a limit of a few epochs, ended the run on a curve that was still rising: the patience is "
    "shorter than the curve's jitter, or the least improvement that counts is larger than the improvements.",
    statistic="Over the last four patiences: Theil-Sen slope b of validation R² with an interval above 0, of the train loss "
    "below 0, and b·patience within 4σ, σ the jitter of one epoch (std of the steps from their mean deviation, / √2). Or: a "
    "monitor better at the last epoch than at the saved one by less than the least improvement. Or, in runs of 4 to 9 epochs "
    "that their limit ended: R² and losses that improve at every epoch. Only under a rate that has not been annealed.",
    remedy="Raise the patience to the epochs that the rise takes to pass its jitter (4σ/b), lower the least improvement, or "
    "raise the number of epochs. Refuted if the longer run's best R² is no higher. Acts on r.",
    severities="warning",
    check=check_stopped_short,
    thresholds=(
        Threshold(
            name="jitters", default=4.0, unit="σ",
            reason="at its end a curve that flattens rises at half its mean pace: 2σ, which jitter hides 1 in 40 times",
        ),
        Threshold(
            name="patience", default=10, unit="epochs",
            reason="ten epochs without a new best are the usual patience: whoever waited so long has waited",
        ),
        Threshold(
            name="gain", default=WORTHWHILE, unit="R²",
            reason="a straight line overstates a curve that flattens: half of it is still above the noticeable 0.02",
        ),
    ),
)  # fmt: skip
