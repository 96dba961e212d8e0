"""loss.plateau and loss.still-falling: where the loss was heading when the run ended.

A converged run ends on a plateau, and a run that early stopping ended may still lower its train loss: neither is a
fault, so neither is a warning. A warning is a loss that never fell, and a run that its epoch limit cut off while the
validation figures, too, were still improving under a rate that had not been annealed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.loss_series import (
    Pairs,
    all_positive,
    annealed,
    best_r2,
    cut_by_limit,
    log_losses,
    losses,
    tail,
)
from runreport.statistics.trend import MAD_TO_STD, Trend, theil_sen
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, number, percent, plural

PLATEAU = "loss.plateau"
STILL_FALLING = "loss.still-falling"
LEAST_EPOCHS = 10
LEAST_FOR_NEVER = 5
WORTHWHILE = 0.05
"""R² that a straight line must promise: a curve that flattens keeps less than half of it, the noticeable 0.02."""
AHEAD = 0.5
"""Of the epochs so far: as many more as the advice to train longer asks for."""


def trend_of(pairs: Sequence[tuple[int | float, float]]) -> Trend | None:
    """Theil-Sen slope an epoch with its 95 % interval."""
    return theil_sen([float(e) for e, _ in pairs], [v for _, v in pairs])


def _train(context: Context, rule: str, least: int) -> Pairs | NotChecked:
    if context.history is None:
        return NotChecked(rule=rule, reason="no history")
    pairs = losses(context.history, "train_loss")
    if not pairs:
        return NotChecked(rule=rule, reason="no train_loss column with finite values")
    if len(pairs) < least:
        return NotChecked(
            rule=rule, reason=f"{plural(len(pairs), 'epoch')} with a finite train loss; needs at least {least}"
        )
    if not all_positive(pairs):
        return NotChecked(rule=rule, reason="the train loss is not positive throughout, so it has no relative slope")
    return pairs


def check_plateau(context: Context, limits: Limits) -> Outcome:
    """loss.plateau: a warning where the train loss never fell, information where it has settled."""
    pairs = _train(context, PLATEAU, LEAST_FOR_NEVER)
    if isinstance(pairs, NotChecked):
        return pairs
    first, level = pairs[0][1], median(v for _, v in tail(pairs))
    fall = 1 - level / first
    lowest_fall = 1 - min(v for _, v in pairs) / first
    known = best_r2(context.history)
    evidence: dict[str, Value] = {"first": first, "last_level": level, "fall": fall, "largest_fall": lowest_fall}
    if max(fall, lowest_fall / 2) < limits["least_fall"] and (known is None or known[1] < limits["learned_r2"]):
        if known is not None:
            name = "train R²" if known[0] == "train_r2" else "validation R²"
            evidence["best_r2"] = known[1]
            doubt = f" Its {name} never exceeds {fixed(known[1], 2)}."
        else:
            doubt = " No R² was logged, so that it had converged before the first row is not excluded."
        change = f"fell by {percent(fall, 2)}" if fall > 0 else f"did not fall (it rose by {percent(-fall, 2)})"
        message = (
            f"The train loss {change} over {len(pairs)} epochs, from {number(first, 4)} to {number(level, 4)} "
            f"(threshold {percent(limits['least_fall'], 0)}): it never left its starting level.{doubt}"
        )
        return Checked(
            findings=(
                Finding(
                    rule=PLATEAU,
                    severity=Severity.WARNING,
                    message=message,
                    evidence=evidence,
                    epoch=pairs[0][0],
                    split="train",
                    acts_on="r",
                ),
            )
        )
    if len(pairs) < LEAST_EPOCHS:
        return CLEAR
    end = tail(log_losses(pairs))
    trend, width = trend_of(end), end[-1][0] - end[0][0]
    if trend is None or not trend.lo <= 0 <= trend.hi:
        return CLEAR
    most = max(-trend.lo, trend.hi) * width
    if most > math.log1p(limits["settled"]):
        return CLEAR
    message = (
        f"The train loss has settled: over epochs {epoch_text(end[0][0])} to {epoch_text(end[-1][0])} it changed by less "
        f"than {number(100 * math.expm1(most), 2)} % (95 % interval of the slope, which contains 0). A converged run ends so; "
        "this alone does not say how good it is."
    )
    evidence |= {"slope": trend.slope, "slope_interval": [trend.lo, trend.hi], "from": end[0][0], "to": end[-1][0]}
    return Checked(
        findings=(
            Finding(
                rule=PLATEAU,
                severity=Severity.INFO,
                message=message,
                evidence=evidence,
                epoch=end[0][0],
                split="train",
            ),
        )
    )


def check_still_falling(context: Context, limits: Limits) -> Outcome:
    """loss.still-falling: train and validation figures still improved when the run ended."""
    pairs = _train(context, STILL_FALLING, LEAST_EPOCHS)
    if isinstance(pairs, NotChecked):
        return pairs
    end = tail(log_losses(pairs))
    trend, width = trend_of(end), end[-1][0] - end[0][0]
    if trend is None:
        return NotChecked(rule=STILL_FALLING, reason="too few different epochs at the end for a slope")
    fall = -math.expm1(trend.slope * width)
    if not trend.hi < 0 or fall < limits["fall"]:
        return CLEAR
    cut = cut_by_limit(context)
    validation = _validation(context, end[0][0], limits["fall"])
    if cut is False or validation == "no":
        return CLEAR
    evidence: dict[str, Value] = {
        "slope": trend.slope,
        "slope_interval": [trend.lo, trend.hi],
        "from": end[0][0],
        "to": end[-1][0],
        "fall": fall,
        "validation_improving": {"yes": True, "unknown": None}[validation],
        "cut_by_limit": cut,
        "annealed": annealed(context),
    }
    limit = {True: "its epochs ran out", None: "the run ended"}[cut]
    too = ", and so were the validation figures" if validation == "yes" else ""
    message = (
        f"When {limit} at epoch {epoch_text(end[-1][0])} the train loss was still falling{too}: by {percent(fall)} over the last "
        f"{len(end)} epochs (slope {number(trend.slope, 2)} an epoch in the log, 95 % interval "
        f"{number(trend.lo, 2)} to {number(trend.hi, 2)})."
    )
    ahead = _r2_ahead(context, end[0][0])
    if ahead is not None:
        gain, jitter = ahead
        evidence |= {"r2_ahead": gain, "r2_jitter": jitter}
        small = gain < max(WORTHWHILE, jitter)
        than = fixed(WORTHWHILE, 2) if jitter <= WORTHWHILE else f"the {fixed(jitter)} that epochs differ by anyway"
        message += (
            f" At the slope of validation R², half as many epochs again would bring {number(gain, 2)} of R² at most"
        )
        message += f": less than {than}, so they are not worth it." if small else "."
    else:
        small = False
    serious = cut is True and validation == "yes" and not annealed(context) and not small
    if annealed(context):
        message += " The learning rate had been annealed by then, so more epochs at that rate would bring little."
    finding = Finding(
        rule=STILL_FALLING,
        severity=Severity.WARNING if serious else Severity.INFO,
        message=message,
        evidence=evidence,
        epoch=end[-1][0],
        split="train",
        acts_on="r",
    )
    return Checked(findings=(finding,))


def _r2_ahead(context: Context, start: int | float) -> tuple[float, float] | None:
    """(gain in validation R² over half as many epochs again at the slope since ``start``, sd of R² about that line).

    A straight line is the most that a curve which flattens can bring, and R² ends at 1. None without five epochs of R².
    """
    pairs = [(e, v) for e, v in losses(context.history, "r2") if e >= start]
    trend = trend_of(pairs) if len(pairs) >= LEAST_FOR_NEVER else None
    history = context.history
    if trend is None or history is None:
        return None
    rest = [v - trend.intercept - trend.slope * e for e, v in pairs]
    centre = median(rest)
    jitter = MAD_TO_STD * median(abs(v - centre) for v in rest)
    straight = trend.slope * AHEAD * (history.epochs[-1] - history.epochs[0] + 1)
    return min(straight, max(1 - pairs[-1][1], 0.0)), jitter


def _validation(context: Context, start: int | float, least: float) -> str:
    """Whether the validation figures improved, too, since epoch ``start``: yes, no or unknown."""
    val = [(e, v) for e, v in losses(context.history, "val_loss") if e >= start]
    if len(val) >= 5 and all_positive(val):
        trend = trend_of(log_losses(val))
        if trend is not None:
            fallen = -math.expm1(trend.slope * (val[-1][0] - val[0][0]))
            return "yes" if trend.hi < 0 and fallen >= least else "no"
    r2 = [(e, v) for e, v in losses(context.history, "r2") if e >= start]
    trend = trend_of(r2) if len(r2) >= 5 else None
    if trend is None:
        return "unknown"
    # 1 - R² is the squared error in units of the truth's variance: its relative fall is comparable with the loss's.
    left = max(1 - r2[0][1], 1e-9)
    return "yes" if trend.lo > 0 and trend.slope * (r2[-1][0] - r2[0][0]) / left >= least else "no"
